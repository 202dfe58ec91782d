"""What a batch prints: one bar over all clips, or a line for each where nobody watches; a table at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mien.batch.clips import described
from mien.cli.show import note, print_json, table
from mien.cli.terminal import say, visible

if TYPE_CHECKING:
    from mien.batch.outcome import Batch, Row

Draw = Callable[[Any], None]
"""Is given a `BatchProgress`."""


@contextmanager
def progress() -> Iterator[Draw]:
    """On a terminal a bar with clips done, time left and the clips at hand; else a line for every clip that ends."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    rest_of_line = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (
        TextColumn("{task.fields[clips]}"), BarColumn(bar_width=20), TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[names]}", markup=False, table_column=rest_of_line),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as bar:
        task = bar.add_task("", total=1.0, clips="", pace="", names="")

        def draw(at: Any) -> None:
            left = "" if at.seconds_left is None else f", {_clock(at.seconds_left)} left"
            names = ", ".join(visible(path.name) for path in at.running)
            clips, pace = f"{len(at.rows)} of {at.clips} clips", f"{at.fps:.0f} fps{left}"
            bar.update(task, completed=at.share, clips=clips, pace=pace, names=names)

        yield draw


class _Lines:
    """Prints each row once."""

    def __init__(self) -> None:
        self._printed = 0

    def __call__(self, at: Any) -> None:
        for row in at.rows[self._printed :]:
            self._printed += 1
            say(f"{self._printed} of {at.clips}: {row.clip}: {_ended(row)}", err=True)


def result(done: Batch, as_json: bool) -> None:
    """A row for every clip, then all of them together."""
    if as_json:
        print_json(done.to_dict())
        return
    table(("clip", "output", "frames", "face", "speed", "note"), [_cells(row) for row in done.rows], whole=0)
    kinds = [(len(done.rows), "clips"), *((done.count(state), state) for state in ("done", "skipped", "failed"))]
    first, *rest = [f"{number} {word}" for number, word in kinds]
    say(f"{first}: {', '.join(rest)}{described(done.passed_over, '; passed over in folders: {}')}")
    if done.frames:
        jobs = "one at a time" if done.jobs == 1 else f"{done.jobs} at a time"
        say(f"{done.frames} frames in {done.seconds:.1f} s ({done.fps:.0f} fps, {done.speed:.1f}× real time), {jobs}")
    for warning in done.warnings:
        note(warning, kind="warning")


def _cells(row: Row) -> tuple[str, ...]:
    seen = row.seen
    return (
        str(row.clip), "" if row.state == "failed" else str(row.output), str(seen.frames) if seen else "",
        f"{seen.coverage:.0%}" if seen else "", f"{row.speed:.1f}×" if row.seconds else "", _note(row),
    )  # fmt: skip


def _note(row: Row) -> str:
    if row.state == "skipped":
        return "skipped"
    if row.error is not None:
        return f"failed: {row.error.removeprefix(f'{row.clip} ')}"
    if not row.again and not row.warnings:
        return "done"
    return " ".join([f"done again: {row.again}." if row.again else "done.", *row.warnings])


def _ended(row: Row) -> str:
    if row.state != "done" or row.seen is None:
        return _note(row)
    return f"{row.output}, {row.seen.frames} frames ({row.fps:.0f} fps), {_note(row)}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
