"""What the commands print: a progress bar, results in words or as JSON, notes. Results go to standard output, all else
to standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mien.api import Outcome
from mien.cli.streams import put
from mien.cli.terminal import json_text, say, visible
from mien.demo import Demo

if TYPE_CHECKING:
    from mien.pipeline import Progress
    from mien.study.rig_check import RigReport
    from mien.study.suitability import Suitability


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[Progress], None]]:
    """A bar with frames per second and the time left; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
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

        def on_progress(at: Progress) -> None:
            if at.preparing < 1:
                percent = round(100 * at.preparing)
                bar.update(task, description="making the avatar ready", completed=percent, total=100)
                return
            total = None if at.total is None else max(at.total, at.frames)
            bar.update(task, description=label, completed=at.frames, total=total, fps=at.fps)

        yield on_progress


def result(done: Outcome | Demo, as_json: bool) -> None:
    """What a run wrote and how it went."""
    if as_json:
        print_json(done.to_dict())
    else:
        _describe(done)


@singledispatch
def _describe(done: Any) -> None:
    raise TypeError(done)


@_describe.register
def _(done: Outcome) -> None:
    for path in [done.output, *done.files]:
        if path is not None:
            say(f"wrote {path}")
    sound = f"; sound {done.audio}" if done.audio else ""
    if done.clip_seconds:
        say(f"{_pace(done)}; a face seen in {done.coverage:.0%} of it{sound}")
    else:
        say(f"faces found in the picture: {done.people}")
    for warning in done.warnings:
        note(warning, kind="warning")


@_describe.register
def _(done: Demo) -> None:
    for step in done.steps:
        say(f"{step.what:<44} {step.path}")
        if step.outcome is not None:
            say(f"{'':<44} {_pace(step.outcome)}")
    for warning in done.warnings:
        note(warning, kind="warning")


def _pace(done: Outcome) -> str:
    return f"{done.frames} frames in {done.seconds:.1f} s ({done.fps:.0f} fps, {done.speed:.1f}× real time)"


def suitability(picture: Path, found: Suitability) -> None:
    """The scores as a table, then the advice."""
    rows = [(f.name, f"{f.score:g}", f.seen) for f in found.findings]
    table(("criterion", "of 10", "seen"), rows)
    for finding in found.findings:
        if finding.advice:
            say(f"- {finding.name}: {finding.advice}")
    if found.faces > 1:
        say(f"- {picture} shows {found.faces} faces; the largest is taken.")
    x, y, width, height = found.crop
    say(f"{picture} is {found.verdict} ({found.score:g} of 10); used from it: {width}×{height} pixels at {x}, {y}.")


def rig(folder: Path, report: RigReport) -> None:
    """Parts and their layers as a table, then sizes and what does not move."""
    table(("part", "layers"), [(part, ", ".join(layers)) for part, layers in report.parts.items()])
    if report.missing:
        say(f"- not drawn, so not shown: {', '.join(report.missing)}")
    if report.still:
        say(f"- nothing moves in: {', '.join(report.still)}")
    files = ", ".join(f"{name} {size / 1000:.1f} kB" for name, size in report.files.items())
    say(f"{report.width:g} × {report.height:g} units, {report.shapes} shapes, {report.points} points; {files}")
    say(f"{folder} can be worn: {report.title}" + (f" ({report.licence})" if report.licence else ""))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, whole: int = 1) -> None:
    """Columns on standard output, of which the first `whole` are never broken; tabs between them where it is no
    terminal."""
    if not sys.stdout.isatty():
        for row in rows:
            put("\t".join(map(visible, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for number, title in enumerate(head):
        drawn.add_column(title, no_wrap=number < whole, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(visible(cell)) for cell in row))  # no markup: a name may have brackets in it
    Console().print(drawn)


def note(text: str, *, kind: str = "note") -> None:
    """A line beside the result."""
    say(f"{kind}: {text}", err=True)


def print_json(record: Any) -> None:
    """One JSON value on standard output."""
    put(json_text(record))


def version(wanted: bool) -> None:
    """Print mien's version and leave."""
    if wanted:
        from importlib.metadata import version

        put(f"mien {version('mien')}")
        raise typer.Exit
