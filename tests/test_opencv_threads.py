"""OpenCV's number of threads is a setting of the whole process: runs that overlap leave it as they found it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from threading import Event, Thread

import cv2
import pytest

from mien.pipeline import Pipeline
from mien.types import Frame
from scripted import ScriptedTracker, frames

FOUND = 2 + (os.cpu_count() or 1)
"""Threads that OpenCV was told to use before the runs."""
LONG = 30.0
"""Seconds within which a step that takes none must have happened."""


@pytest.fixture(autouse=True)
def _setting() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(FOUND)
    yield
    cv2.setNumThreads(before)


class Run:
    """A run in a thread, which goes on until it is told to end."""

    def __init__(self, *, fails: bool = False) -> None:
        self._going, self._end, self._fails = Event(), Event(), fails
        self.error: BaseException | None = None
        self._thread = Thread(target=self._run)

    def begin(self) -> None:
        self._thread.start()
        assert self._going.wait(LONG)

    def end(self) -> None:
        self._end.set()
        self._thread.join(LONG)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            Pipeline(self._frames(), ScriptedTracker(lambda n: [])).run()
        except ZeroDivisionError as error:
            self.error = error

    def _frames(self) -> Iterator[Frame]:
        yield from frames(1)
        self._going.set()
        self._end.wait(LONG)
        if self._fails:
            raise ZeroDivisionError


@pytest.mark.parametrize("fails", [(), (0,), (0, 1, 2)], ids=["all well", "one fails", "all fail"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_runs_that_overlap_restore_it_whichever_ends_first(order: Sequence[int], fails: Sequence[int]) -> None:
    runs = [Run(fails=number in fails) for number in range(3)]
    for run in runs:
        run.begin()
    lowered = cv2.getNumThreads()
    for number in order:
        assert cv2.getNumThreads() == lowered  # also for those that still go on
        runs[number].end()
    assert cv2.getNumThreads() == FOUND
    assert [number for number, run in enumerate(runs) if run.error] == list(fails)


def test_a_run_after_others_finds_it_restored() -> None:
    for _ in range(2):
        first, second = Run(), Run()
        first.begin()
        second.begin()
        first.end()
        second.end()
        assert cv2.getNumThreads() == FOUND
