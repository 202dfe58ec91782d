"""`mien avatars`: faces to wear, listed, shown, judged and added."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import show
from mien.cli.terminal import say

app = typer.Typer(help="Faces to wear: list, show, check, add.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command("list")
def list_avatars(as_json: Json = False) -> None:
    """Show every avatar that can be given by name."""
    from mien.avatar import library

    rows = list(library.listed())
    if as_json:
        show.print_json(
            [{"name": a.name, "path": str(a.path), "title": a.title, "trouble": a.trouble or None} for a in rows]
        )
    else:
        show.table(("avatar", "who"), [(a.name, f"broken: {a.trouble}" if a.trouble else a.title) for a in rows])


@app.command("show")
def show_avatar(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name, a picture, or a folder with a rig.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Picture to write; NAME.png if not given.", readable=False)
    ] = None,
    size: Annotated[int, typer.Option("--size", "-s", help="Pixels of each picture's longer side.")] = 256,
    as_json: Json = False,
) -> None:
    """Draw an avatar in the seven expressions and a turn, as one picture to look at."""
    from mien.avatar import library
    from mien.study.sheet import write_sheet

    avatar = library.find(name)
    path = write_sheet(avatar, output or Path(f"{avatar.name}.png"), size=size)
    if as_json:
        show.print_json({"name": avatar.name, "title": avatar.title, "kind": avatar.kind, "picture": str(path)})
    else:
        say(f"{avatar.name}: {avatar.title} ({avatar.kind})")
        say(f"wrote {path}")


@app.command()
def check(
    source: Annotated[
        Path, typer.Argument(metavar="PICTURE|FOLDER", help="A picture, or a folder with a rig.", readable=False)
    ],
    as_json: Json = False,
) -> None:
    """Say how well a picture will move and what would be better; of a rig, what there is and what does not move."""
    from mien.avatar.library import is_folder

    if is_folder(source):
        _check_rig(source, as_json)
        return
    from mien.media.images import read_image
    from mien.study import suitability

    found = suitability.check(read_image(source), name=str(source))
    if as_json:
        show.print_json({"picture": str(source), **found.to_dict()})
    else:
        show.suitability(source, found)


def _check_rig(folder: Path, as_json: bool) -> None:
    from mien.study.rig_check import check_rig

    report = check_rig(folder)
    if as_json:
        show.print_json({"folder": str(folder), **report.to_dict()})
    else:
        show.rig(folder, report)


@app.command()
def add(
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="A picture, or a folder with a rig.", readable=False)
    ],
    name: Annotated[str, typer.Option(help="What to call it; the file's own name if not given.")] = "",
    as_json: Json = False,
) -> None:
    """Keep a copy among your avatars, to be given by name from now on."""
    from mien.avatar import library

    avatar = library.add(source, name=name)
    if as_json:
        show.print_json({"name": avatar.name, "kind": avatar.kind, "path": str(avatar.path)})
    else:
        say(f"{avatar.name} is ready: mien anonymize CLIP --avatar {avatar.name}")
