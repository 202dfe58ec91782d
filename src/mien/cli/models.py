"""`mien models`: what weights there are, fetched, checked, added."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import show
from mien.cli.streams import put
from mien.cli.terminal import json_text, say

if TYPE_CHECKING:
    from mien.models import ModelStatus
    from mien.models.fetch import Progress

app = typer.Typer(help="The weights mien uses: list, pull, add, verify.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """Show every model: what it is for, its licence, its size, where it is."""
    from mien import models

    _show(models.status(), as_json)


@app.command()
def pull(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A model; all that a default install needs if left out.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch models into your cache. The only command that uses the network."""
    from mien import models

    with _progress(quiet=as_json) as progress:
        outcomes = (
            [models.pull(name, progress=progress)] if name is not None else models.pull_default(progress=progress)
        )
    if as_json:
        put(json_text([{"name": o.name, "state": o.state, "message": o.message} for o in outcomes]))
    else:
        for outcome in outcomes:
            say(f"{outcome.name}: {outcome.message or outcome.state}", err=outcome.state == "failed")
        _say_what_is_used({outcome.name: outcome.state for outcome in outcomes})
    if not all(_replaceable(outcome.name) for outcome in outcomes if outcome.state == "failed"):
        raise typer.Exit(5)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of weights that you have.", readable=False)],
    name: Annotated[
        str | None, typer.Option(help="A name of your own, for a file that mien does not know by its checksum.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take a file into the store. Files under one name make one model."""
    from mien import models

    model, added = models.add(file, name)
    if as_json:
        put(json_text({"name": model.name, "file": added.name, "sha256": added.sha256}))
    else:
        say(f"{file} is now {added.name} of the model {model.name}.")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A model; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Check files against their checksums, byte by byte.

    Exit code 5 if one is damaged or may not be read, or if the model named is not there, or not all of it.
    """
    from mien import models

    states = [models.verify(n) for n in ([name] if name else [status.model.name for status in models.status()])]
    _show(states, as_json)
    damaged, unreadable = (
        [s.model.name for s in states if any(file.state == state for file in s.files)]
        for state in ("damaged", "unreadable")
    )
    if damaged and not as_json:
        say(f"Damaged: {', '.join(damaged)}. Run `mien models pull {damaged[0]}` to fetch it again.", err=True)
    if unreadable and not as_json:
        say(f"No permission to read: {', '.join(unreadable)}. Change that, or set MIEN_MODELS.", err=True)
    if damaged or unreadable or (name and states[0].state != "ready"):
        raise typer.Exit(5)


def _show(states: list[ModelStatus], as_json: bool) -> None:
    if as_json:
        put(json_text([_record(status) for status in states], indent=1))
        return
    rows = []
    for status in states:
        places = sorted({_home(file.where.parent) for file in status.files if file.where is not None})
        size = f"{status.model.size / 1e6:.1f} MB"
        rows.append((status.model.name, size, status.state, status.model.licence, status.model.purpose, *places[:1]))
    show.table(("model", "size", "state", "licence", "for", "where"), rows, whole=4)


def _home(folder: Path) -> str:
    return f"~/{folder.relative_to(Path.home())}" if folder.is_relative_to(Path.home()) else str(folder)


def _record(status: ModelStatus) -> dict[str, Any]:
    model = status.model
    return {
        "name": model.name,
        "for": model.purpose,
        "licence": model.licence,
        "author": model.author,
        "size": model.size,
        "state": status.state,
        "files": [
            {
                "name": found.file.name,
                "size": found.file.size,
                "sha256": found.file.sha256,
                "state": found.state,
                "path": str(found.where) if found.where else None,
            }
            for found in status.files
        ],
    }


def _replaceable(name: str) -> bool:
    """Whether the work can go on without that model: it is there, or its stand-in is."""
    from mien import models

    stand_ins = [status for status in models.status() if status.model.instead_of == name]
    return models.available(name) or any(status.state == "ready" for status in stand_ins)


def _say_what_is_used(states: dict[str, str]) -> None:
    from mien import models

    for status in models.status():
        better = status.model.instead_of
        if states.get(better) == "failed" and status.state == "ready":
            say(f"{status.model.name} will be used instead of {better}.")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress | None]:
    """A bar per model on the terminal, on stderr so that output can be piped."""
    if quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None)
            bars.update(tasks[name], completed=done, total=total or None)

        yield report
