"""What the commands print: a progress bar, the outcome in words or as JSON, errors as one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mien.api import Outcome
    from mien.pipeline import Progress


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[Progress], None] | None]:
    """A bar on standard error with frames per second and the time left; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[fps]:.0f} fps"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None, fps=0.0)
        yield lambda progress: bar.update(
            task,
            completed=progress.frames,
            total=progress.total and max(progress.total, progress.frames),
            fps=progress.fps,
        )


def outcome(done: Outcome, as_json: bool) -> None:
    """What a run wrote and how it went; warnings go to standard error."""
    if as_json:
        print_json(done.to_dict())
    else:
        for path in [done.output, *done.files]:
            if path is not None:
                typer.echo(f"wrote {path}")
        sound = f", sound {done.audio}" if done.audio else ""
        typer.echo(
            f"{done.frames} frames in {done.seconds:.1f} s ({done.fps:.0f} fps, {done.speed:.1f}× real time); "
            f"a face seen in {done.coverage:.0%}{sound}"
        )
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)


def print_json(record: Any) -> None:
    """One JSON value on standard output."""
    typer.echo(json.dumps(record, ensure_ascii=False))
