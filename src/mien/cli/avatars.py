"""`mien avatars`: faces to wear, listed, shown, judged and added."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli import show

app = typer.Typer(help="Faces to wear: list, show, check, add.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command("list")
def list_avatars(as_json: Json = False) -> None:
    """Show every avatar that can be given by name."""
    from mien.avatar import library

    rows = [(name, str(path), title) for name, path, title in library.listed()]
    if as_json:
        show.print_json([{"name": name, "path": path, "title": title} for name, path, title in rows])
    else:
        show.table(("avatar", "who"), [(name, title) for name, _, title in rows])


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
        typer.echo(f"{avatar.name}: {avatar.title} ({avatar.kind})\nwrote {path}")


@app.command()
def check(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="The picture to judge.", readable=False)],
    as_json: Json = False,
) -> None:
    """Say how well a picture will move, and what would be better."""
    from mien.media.images import read_image
    from mien.study import suitability

    found = suitability.check(read_image(picture), name=str(picture))
    if as_json:
        show.print_json({"picture": str(picture), **found.to_dict()})
    else:
        show.suitability(picture, found)


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
        typer.echo(f"{avatar.name} is ready: mien anonymize CLIP --avatar {avatar.name}")
