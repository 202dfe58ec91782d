"""The walk of a frame: source → tracker → timeline → scene → sinks. One loop for files, webcams and the browser."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Final, Protocol

from mien.ahead import ahead
from mien.emotion.timeline import Timeline
from mien.errors import MienError
from mien.opencv_threads import opencv_threads
from mien.types import Array, Face, Frame, Picture

Tracked = tuple[Frame, list[Face]]
Tracker = Callable[[Frame], list[Face]]
EmotionReader = Callable[[Frame, Face], Array]
"""Seven probabilities, in the order of `EMOTIONS`, off the original face."""
Stage = Callable[[Iterable[Tracked]], Iterator[Frame]]
"""A scene: turns tracked frames, in order, into the frames to show in their place. It may hold a few back, to see what
comes next."""

_BUSY: Final = 4
"""Threads that a run keeps busy: tracking, rendering, and two that encode."""


class Sink(Protocol):
    """Where pictures go: a `VideoWriter`, a virtual camera, a browser."""

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """Show or keep (H, W, 3) uint8 RGB from time stamp `pts` on, in the source's unit."""
        ...


class CancelledError(MienError):
    """The run was ended on request before the clip was through."""

    exit_code = 130


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    frames: int
    """Frames done. A run that goes through its clip twice counts each frame twice."""
    total: int | None
    """Frames expected, likewise, where the source knows."""
    seconds: float
    """Since the run began, on the wall clock."""
    time: float
    """Seconds into the clip."""
    preparing: float = field(default=1.0, kw_only=True)
    """How much of making the avatar ready is done, 0 to 1. Frames come after it."""

    @property
    def fps(self) -> float:
        """Frames per second of wall-clock time."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def speed(self) -> float:
        """Seconds of clip per second of work: above 1 is faster than real time."""
        return self.time / self.seconds if self.seconds > 0 else 0.0


class Passes:
    """One progress over all passes of a run."""

    def __init__(self, on_progress: Callable[[Progress], None] | None, total: int | None, count: int) -> None:
        self._report, self._total = on_progress, None if total is None else total * count
        self._frames, self._seconds = 0, 0.0

    def preparing(self, share: float) -> None:
        """Tell how far the avatar is made ready, 0 to 1, before the first pass."""
        if self._report:
            self._report(Progress(0, self._total, 0.0, 0.0, preparing=share))

    def on_progress(self, at: Progress) -> None:
        """Tell how far all passes together are."""
        if self._report:
            frames, seconds = self._frames + at.frames, self._seconds + at.seconds
            self._report(replace(at, frames=frames, total=self._total, seconds=seconds))

    def done(self, last: Progress) -> Progress:
        """Count a pass that is through; its own progress, with the seconds of all passes so far."""
        self._frames += last.frames
        self._seconds += last.seconds
        return replace(last, seconds=self._seconds)


class Pipeline:
    """One run over one source.

    `scene` makes the pictures that `sinks` receive; without one the source is only read, and there may be no sinks: no
    frame of the source ever reaches a sink by itself. Decoding and tracking, the longest stages, run in a thread of
    their own, `depth` frames ahead of the rest; live, where a frame that waits is one too late, `depth` is 0 and one
    thread does it all. `on_progress` is called in the thread of `run` after every frame; an exception raised there ends
    the run.
    """

    def __init__(
        self,
        source: Iterable[Frame],
        tracker: Tracker,
        *,
        scene: Stage | None = None,
        sinks: Sequence[Sink] = (),
        emotions: EmotionReader | None = None,
        total: int | None = None,
        depth: int = 3,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        if sinks and scene is None:
            raise ValueError("sinks need a scene: nothing else makes pictures that may be shown")
        self.timeline = Timeline()
        """Grows as the run goes on."""
        self._source, self._tracker, self._scene, self._sinks = source, tracker, scene, sinks
        self._emotions, self._total, self._depth, self._on_progress = emotions, total, depth, on_progress
        self._cancelled = Event()

    def run(self) -> Progress:
        """Walk every frame of the source. Raises CancelledError, and whatever a stage raises."""
        began = time.perf_counter()
        progress = Progress(0, self._total, 0.0, 0.0)
        tracking = ((frame, self._tracker(frame)) for frame in self._source)
        with _opencv_aside(), ahead(tracking, depth=self._depth) if self._depth else nullcontext(tracking) as tracked:
            read = self._record(tracked)
            shown = self._scene(read) if self._scene else (frame for frame, _ in read)
            for count, frame in enumerate(shown, start=1):
                for sink in self._sinks:
                    sink.write(frame.image, frame.pts)
                progress = Progress(count, self._total, time.perf_counter() - began, frame.time)
                if self._on_progress:
                    self._on_progress(progress)
                if self._cancelled.is_set():
                    raise CancelledError("Cancelled before the clip was through; nothing was written.")
        return progress

    def cancel(self) -> None:
        """End `run` after the frame at hand, with CancelledError. From any thread."""
        self._cancelled.set()

    def _record(self, tracked: Iterable[Tracked]) -> Iterator[Tracked]:
        for frame, faces in tracked:
            self.timeline.add(frame, faces, self._read(frame, faces))
            yield frame, faces

    def _read(self, frame: Frame, faces: list[Face]) -> list[Array] | None:
        return [self._emotions(frame, face) for face in faces] if self._emotions else None


def _opencv_aside() -> AbstractContextManager[None]:
    """OpenCV splits each of its calls among all cores, and waits for the slowest. In a run the cores are taken: on two
    of them that costs a tenth of the speed."""
    return opencv_threads(max(1, (os.cpu_count() or 1) // _BUSY))
