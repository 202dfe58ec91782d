"""One live run: the newest frames in, the avatar out, commands from any thread while it goes on."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock
from typing import Final

import numpy as np

from mien.emotion.timeline import Timeline
from mien.live.pace import Pace
from mien.live.wardrobe import Outfit, Wardrobe, dress
from mien.pipeline import EmotionReader, Pipeline, Sink, Tracked, Tracker
from mien.scene.avatar import BACKGROUND, lay_on
from mien.scene.card import card
from mien.scene.framing import Framing
from mien.types import EMOTIONS, Array, Face, Frame, Picture

ZOOM: Final = (0.5, 3.0)
_log = logging.getLogger("mien")


@dataclass(frozen=True, slots=True)
class LiveState:
    """How a run is doing, for people to see. It holds what a timeline holds, and no picture."""

    avatar: str
    size: int
    """Pixels of the avatar's longer side."""
    preparing: str | None = None
    """Avatar that is being made ready."""
    trouble: str | None = None
    """What went wrong last, in words."""
    mirrored: bool = False
    zoom: float = 1.0
    paused: bool = False
    calibrated: bool = False
    """Whether the resting face is the one chosen with `calibrate`."""
    slowed: bool = False
    """Whether the size was lowered because the machine was too slow."""
    time: float = 0.0
    """Of the newest frame, seconds."""
    faces: int = 0
    """Faces seen in the newest frame."""
    confidence: float = 0.0
    """Of the one that drives the avatar, 0 to 1."""
    emotions: tuple[float, ...] | None = None
    """Seven probabilities in the order of `EMOTIONS`; None without a face or without an emotion model."""
    fps: float = 0.0
    """Frames in the last second."""
    delay: float = 0.0
    """Seconds of work from taking a frame to having handed on the picture."""


class LiveRun:
    """Reads a live source and shows the avatar to the sinks, frame for frame, whatever happens.

    Only `AvatarScene` and the card make pictures here, so that no pixel of the source can reach a sink. A tracker that
    fails counts as having seen nobody. All methods but `run` may be called from any thread; `timeline` grows in that of
    `run`.
    """

    def __init__(
        self,
        source: Iterable[Frame],
        *,
        avatar: str | Path = "maya",
        size: int = 512,
        frame: tuple[int, int] | None = None,
        sinks: Sequence[Sink] = (),
        emotions: bool = True,
        engine: str | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        """
        size: pixels of the avatar's longer side; lowered by itself on a machine that is too slow for it.
        frame: width and height of the sinks' pictures, the avatar in their middle; its own size if None, which changes
            with the avatar.
        tracker: what finds faces; the best that the models here make if None.
        Raises what `dress` and `open_tracker` raise: AvatarError, EngineError, InputError, ModelError.
        """
        from mien.face.parts import open_tracker

        self._tracker: Tracker = tracker or open_tracker(max_faces=3)
        self._frame, self._engine = frame, engine
        self._outfit = dress(avatar, size=size, engine=engine)
        self._framing = self._framed(self._outfit)
        self._wardrobe = Wardrobe(lambda wanted, size: dress(wanted, size=size, engine=self._engine))
        self._pace = Pace()
        self._lock = Lock()
        self._state = LiveState(self._outfit.avatar.name, size)
        self._size = size
        self._calibrate = Event()
        self._stopped = Event()
        self._began = self._time = 0.0
        self._done: deque[float] = deque()
        self._seen: dict[int, _Seen] = {}
        self._unreadable = False
        self._emotions = _emotions() if emotions else None
        self._sinks: list[Sink] = [*sinks, _Clock(self)]
        self._pipeline = Pipeline(
            self._until_stopped(source), self._see, scene=self._show, sinks=self._sinks, depth=0,
            emotions=self._feel if self._emotions else None,
        )  # fmt: skip
        self.timeline: Timeline = self._pipeline.timeline

    def run(self) -> None:
        """Go on until the source ends or `stop` is called."""
        try:
            self._pipeline.run()
        finally:
            self._wardrobe.close()

    def stop(self) -> None:
        """End `run` before its next frame. Close the source too, where it may wait for one."""
        self._stopped.set()

    @property
    def state(self) -> LiveState:
        """How it is doing now."""
        with self._lock:
            state = self._state
        return replace(state, preparing=self._wardrobe.preparing, trouble=self._wardrobe.trouble or state.trouble)

    def wear(self, avatar: str | Path) -> None:
        """Change to another avatar as soon as it is ready; `state` says if it cannot be had."""
        self._wardrobe.ask(avatar, self._size)

    def resize(self, size: int) -> None:
        """Render at another size, pixels of the longer side."""
        self._size = size
        self._wardrobe.ask(self._wardrobe.wish or self._outfit.wanted, size)

    def calibrate(self) -> None:
        """Take the driver's next face as their resting one."""
        self._calibrate.set()

    def mirror(self, on: bool | None = None) -> None:
        """Mirror the picture, or not; the other way round if None."""
        self._set(mirrored=not self.state.mirrored if on is None else on)

    def zoom(self, factor: float) -> None:
        """Show the avatar `factor` times as large, 0.5 to 3."""
        self._set(zoom=min(max(factor, ZOOM[0]), ZOOM[1]))

    def pause(self, on: bool | None = None) -> None:
        """Show the card, or the avatar again; the other way round if None. While paused no face is looked for."""
        self._set(paused=not self.state.paused if on is None else on)

    def _set(self, **changes: object) -> None:
        with self._lock:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]

    def _framed(self, outfit: Outfit) -> Framing:
        return Framing(lay_on(outfit.renderer.neutral, BACKGROUND), self._frame)

    def _until_stopped(self, source: Iterable[Frame]) -> Iterator[Frame]:
        for frame in source:
            if self._stopped.is_set():
                return
            self._began, self._time = time.perf_counter(), frame.time
            if self._state.paused:
                self._show_card(frame)
            else:
                yield frame

    def _show_card(self, frame: Frame) -> None:
        """Paused: the frame goes no further, so nobody is looked for and nothing is recorded of it."""
        self._seen = {}
        for sink in self._sinks:
            sink.write(card(self._framing.size), frame.pts)

    def _see(self, frame: Frame) -> list[Face]:
        try:
            faces = self._tracker(frame)
            if self._calibrate.is_set() and faces:
                self._calibrate.clear()
                calibrate = getattr(self._tracker, "calibrate", None)
                self._set(calibrated=bool(calibrate and calibrate()))
            self._set(trouble=None)
        except Exception as error:
            if self._state.trouble is None:  # once an outage
                _log.warning("tracking failed at %.2f s: %s", frame.time, error)
            faces = []
            self._set(trouble=f"Tracking failed: {error}")
            if (reset := getattr(self._tracker, "reset", None)) is not None:
                reset()
        self._seen = {face.id: _Seen(face.confidence) for face in faces}
        return faces

    def _feel(self, frame: Frame, face: Face) -> Array:
        assert self._emotions is not None
        try:
            felt = self._emotions(frame, face)
        except Exception as error:  # the avatar goes on without
            if not self._unreadable:
                self._unreadable = True
                _log.warning("emotions could not be read at %.2f s: %s", frame.time, error)
            return np.full(len(EMOTIONS), np.nan, np.float32)
        self._seen[face.id].emotions = tuple(float(share) for share in felt)
        return felt

    def _show(self, tracked: Iterable[Tracked]) -> Iterator[Frame]:
        for frame, faces in tracked:
            if (outfit := self._wardrobe.take()) is not None:
                self._change(outfit)
            state = self._state
            picture: Picture = self._outfit.scene.compose({face.id: face.expression for face in faces}, frame.time)
            yield replace(frame, image=self._framing(picture, zoom=state.zoom, mirrored=state.mirrored))

    def _change(self, outfit: Outfit) -> None:
        self._outfit, self._framing = outfit, self._framed(outfit)
        self._pace.restart()
        self._set(avatar=outfit.avatar.name, size=outfit.size)

    def _finished(self) -> None:
        """A picture has reached every sink."""
        now = time.perf_counter()
        busy = now - self._began
        self._done.append(now)
        while self._done[0] < now - 1:
            self._done.popleft()
        driver = self._seen.get(self._outfit.scene.people[0], _Seen(0.0))
        self._set(
            fps=float(len(self._done)), delay=busy, time=self._time, faces=len(self._seen),
            confidence=driver.confidence, emotions=driver.emotions,
        )  # fmt: skip
        if not self._state.paused and (smaller := self._pace(now, busy, self._outfit.size)) is not None:
            self._set(slowed=True)
            self.resize(smaller)


@dataclass(slots=True)
class _Seen:
    """What there is to say about a face of the newest frame."""

    confidence: float
    emotions: tuple[float, ...] | None = None


class _Clock:
    """The last sink: by now all others have the picture."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run

    def write(self, picture: Picture, pts: int | None = None) -> None:
        self._run._finished()


def _emotions() -> EmotionReader | None:
    """Smoothed probabilities for every face; None where the weights are not on this machine."""
    from mien import models
    from mien.emotion.classifier import MODEL, EmotionClassifier
    from mien.emotion.smoothing import EmotionSmoother

    if not models.available(MODEL):
        return None
    classify, smooth = EmotionClassifier.find(), EmotionSmoother()

    def read(frame: Frame, face: Face) -> Array:
        return smooth(face.id, frame.time, classify(frame, face))

    return read
