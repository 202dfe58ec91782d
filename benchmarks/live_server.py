"""A studio whose pictures carry the number of the camera frame they were made from: `live_run` starts it, in a process
of its own. Prints the link that opens it, and serves until its input is closed."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from threading import Event
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import marker
from mien.emotion.timeline import Timeline
from mien.engine import registry
from mien.engine.base import Engine, Renderer
from mien.live.run import LiveRun, LiveState
from mien.pipeline import Sink
from mien.studio.live import SIDE, OpenRun
from mien.studio.start import Consulting, opened
from mien.types import Avatar, Expression, Frame, Picture

ECHO = "echo"
_WORK = bytes(1 << 20)


class Marks:
    """Reads the number off each frame of a source, and writes it on the picture that is made from the frame."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._numbers: dict[int | None, int | None] = {}

    def read(self, source: Iterable[Frame]) -> Iterator[Frame]:
        for frame in source:
            self._numbers[frame.pts] = marker.read(frame.image)
            yield frame

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """The sink of a run: to all sinks, stamped."""
        number = self._numbers.pop(pts, None)
        if number is not None:
            picture = picture.copy()
            marker.stamp(picture, number)
        for sink in self._sinks:
            sink.write(picture, pts)


class Echo:
    """What a session takes for a `LiveRun`, but it sends the camera's frames back as they are: what the way there and
    back costs by itself. The middle of each, on as large a picture as an avatar's, so that as many pixels travel."""

    def __init__(self, source: Iterable[Frame], *, sinks: Sequence[Sink], **_: object) -> None:
        self._source, self._sinks = source, sinks
        self._stopped = Event()
        self.state = LiveState(ECHO, SIDE, faces=1, confidence=1.0)
        self.timeline = Timeline()

    def run(self) -> None:
        for frame in self._source:
            if self._stopped.is_set():
                return
            height, width = frame.image.shape[:2]
            side = min(height, width, SIDE)
            left, edge = (width - side) // 2, (SIDE - side) // 2
            picture = np.zeros((SIDE, SIDE, 3), np.uint8)
            picture[edge : edge + side, edge : edge + side] = frame.image[:side, left : left + side]
            for sink in self._sinks:
                sink.write(picture, frame.pts)

    def stop(self) -> None:
        self._stopped.set()

    def _nothing(self, *_: object) -> None:
        """There is no avatar to do it with."""

    wear = calibrate = mirror = zoom = pause = resize = _nothing


class SlowEngine:
    """The usual engine, made to take so many seconds for a picture."""

    name, needs = "slow", "expression"
    summary = "the usual engine, slower"
    takes = ("picture", "puppet")

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._engine, self._seconds = engine, seconds

    def prepare(self, avatar: Avatar, *, size: int = 512) -> Renderer:
        return _SlowRenderer(self._engine.prepare(avatar, size=size), self._seconds)


class _SlowRenderer:
    def __init__(self, renderer: Renderer, seconds: float) -> None:
        self._renderer, self._seconds = renderer, seconds
        self.size, self.face, self.outline = renderer.size, renderer.face, renderer.outline

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        until = perf_counter() + self._seconds
        picture = self._renderer(expression, time=time)
        while perf_counter() < until:
            hashlib.sha256(_WORK)  # as a network does: a core is busy, and Python's lock is free
        return picture


def opener(avatar: str) -> OpenRun:
    """How a session's run is made: with that avatar, whichever the page asks for."""

    def open_run(source: Iterable[Frame], *, sinks: Sequence[Sink], **options: Any) -> Any:
        marks = Marks(sinks)
        if avatar == ECHO:
            return Echo(marks.read(source), sinks=[marks])
        return LiveRun(marks.read(source), sinks=[marks], **{**options, "avatar": avatar})

    return open_run


def slow_down(seconds: float) -> None:
    """From now on every avatar is moved by a `SlowEngine`."""
    usual = registry.for_avatar
    registry.for_avatar = lambda kind: SlowEngine(usual(kind), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_server", description=__doc__)
    parser.add_argument("avatar", help=f"name or picture, or {ECHO!r} for none")
    parser.add_argument("--engine-takes", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args()
    if options.engine_takes:
        slow_down(options.engine_takes)
    with opened(Consulting(port=0), open_run=opener(options.avatar)) as (doors, _):
        print(doors.link, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
