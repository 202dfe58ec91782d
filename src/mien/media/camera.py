"""Sources of live frames: a camera, and a clip that plays as if it were one. Only the newest frame is ever waiting."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Final

import numpy as np

from mien.errors import InputError
from mien.media import devices
from mien.media.devices import Capture, Device
from mien.media.newest import Newest
from mien.types import Frame, Picture

if TYPE_CHECKING:
    from mien.media.reader import VideoReader

TIME_BASE: Final = Fraction(1, 1_000_000)
REST: Final = 2.0
"""Seconds of empty pictures once a camera is gone: as long as an avatar takes to come to rest."""
RETRY: Final = 1.0
"""Seconds between attempts to get a camera back."""
_FAILURES: Final = 3
"""Pictures in a row that must fail until the camera counts as gone: a cable can spoil one."""
_WARM_UP: Final = 20
"""Pictures in a row that may fail at first."""
_LATE: Final = 0.5
"""Seconds behind its time stamps from which on a clip goes on from where it is."""
_EMPTY: Final = 24
"""Grey value of empty pictures."""
_SUFFIX: Final = re.compile(r"\.[A-Za-z]\w{1,4}")
"""What a clip's name ends in; a camera can be called "USB2.0 Camera"."""


class LiveSource(ABC):
    """Frames as they happen, each stamped with when it was taken. Use as a context manager and iterate it once; what is
    not taken in time is dropped. The iteration ends after `close`, which any thread may call."""

    name: str
    """For people."""
    size: tuple[int, int]
    """Width and height in pixels of the first frame; after a camera was away others may follow."""
    fps: float
    """What it promises."""
    lost = False
    """Whether it is away now and being looked for."""

    def __init__(self) -> None:
        self._newest: Newest[Frame] = Newest()
        self._ended = Event()
        self._count = 0
        self._began = time.perf_counter()
        self._thread = Thread(target=self._run, name="mien-camera", daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Raises InputError where a clip turns out damaged, after the frames before."""
        self._began = time.perf_counter()
        self._thread.start()
        yield from self._newest
        if self._error is not None:
            raise self._error

    def now(self) -> float:
        """Seconds on the clock of `Frame.time`."""
        return time.perf_counter() - self._began

    def close(self) -> None:
        """End the iteration and let go of the camera."""
        self._ended.set()
        self._newest.close()
        if self._thread.is_alive():
            self._thread.join(2.0)  # a driver that hangs is left to its thread
        elif self._thread.ident is None:
            self._release()

    @abstractmethod
    def _grab(self) -> None:
        """Give every picture as it comes, until there are no more or `_ended` is set."""

    @abstractmethod
    def _release(self) -> None:
        """Let go of what is open."""

    def _give(self, image: Picture, at: float) -> None:
        self._newest.put(Frame(image, self._count, at, round(at / TIME_BASE), TIME_BASE))
        self._count += 1

    def _run(self) -> None:
        try:
            self._grab()
        except BaseException as error:
            self._error = error
        finally:
            self._release()
            self._newest.close()


class Camera(LiveSource):
    """A camera of this machine. Unplugged, it gives empty pictures for as long as an avatar takes to come to rest, then
    none, is looked for every second, and goes on when it is back, at another address too.

    Raises InputError, saying what to do, where there is no such camera or it gives no picture.
    """

    def __init__(self, wanted: str = "0", *, connect: Callable[[Device], Capture | None] = devices.connect) -> None:
        """wanted: a number, a name, or a device file. connect: how a device is opened; None if that fails."""
        super().__init__()
        self._connect = connect
        self._device = devices.find(wanted)
        capture = connect(self._device)
        first = None if capture is None else _read(capture, _WARM_UP)
        if capture is None or first is None:
            if capture is not None:
                capture.release()
            raise InputError(devices.refusal(self._device))
        self._capture: Capture | None = capture
        self.name, self.fps = self._device.name, devices.rate(capture)
        self.size = (first.shape[1], first.shape[0])

    @property
    def path(self) -> str:
        """Device file; "" where the system has none."""
        return self._device.path

    def _grab(self) -> None:
        gone = 0.0
        while not self._ended.is_set():
            image = None if self._capture is None else _read(self._capture, _FAILURES)
            if image is not None:
                self.lost = False
                self._give(image, self.now())
                continue
            if not self.lost:
                self.lost, gone = True, self.now()
            self._release()
            self._rest(gone)
            self._capture = None if self._ended.is_set() else self._connect(devices.find_again(self._device))

    def _rest(self, gone: float) -> None:
        """The time until the next attempt, with empty pictures while the loss, at `gone` seconds, is still new."""
        empty = np.full((self.size[1], self.size[0], 3), _EMPTY, np.uint8)
        again = self.now() + RETRY
        while (left := again - self.now()) > 0 and not self._ended.wait(min(left, 1 / self.fps)):
            if self.now() - gone < REST:
                self._give(empty, self.now())

    def _release(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()


class ClipCamera(LiveSource):
    """A clip that plays in real time, by its own time stamps, as if it were a camera.

    Raises InputError as `VideoReader` does.
    """

    def __init__(self, path: Path, *, loop: bool = False) -> None:
        """loop: begin again at the end, for ever."""
        super().__init__()
        self._path, self._loop = path, loop
        self._video: VideoReader | None = self._open()
        self.name, self.size, self.fps = path.name, self._video.size, self._video.fps

    def _open(self) -> VideoReader:
        from mien.media.reader import VideoReader

        return VideoReader(self._path)

    def _grab(self) -> None:
        start = 0.0
        while not self._ended.is_set():
            video = self._video = self._video or self._open()
            end = self._play(video, start)
            self._release()
            if self._ended.wait(max(0.0, end - self.now())) or not self._loop:
                return
            start = end

    def _play(self, video: VideoReader, start: float) -> float:
        """Give every frame when it is due, the clip beginning at `start`: when the last one ends."""
        end = start
        for frame in video:
            due = start + frame.time
            if (late := self.now() - due) > _LATE:
                self._began += late  # decoded too slowly: rather play slowly than for ever behind
            elif late < 0 and self._ended.wait(-late):
                break
            end = due + 1 / self.fps
            self._give(frame.image, due)
            if self._ended.is_set():
                break
        return end

    def _release(self) -> None:
        video, self._video = self._video, None
        if video is not None:
            video.close()


def open_camera(wanted: str, *, loop: bool = False) -> LiveSource:
    """The camera of that number, name or device file, or the clip at that path. Raises InputError."""
    path = Path(wanted)
    if not devices.is_device(wanted) and _is_there(path):
        return ClipCamera(path, loop=loop)
    if (len(path.parts) > 1 and not devices.is_device(wanted)) or _SUFFIX.fullmatch(path.suffix):
        raise InputError(f"There is no clip {path} to play as a camera. Check the name and the folder.")
    return Camera(wanted)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder that may not be looked into: opening the clip says so
        return len(path.parts) > 1


def _read(capture: Capture, patience: int) -> Picture | None:
    """(H, W, 3) uint8 RGB: the next picture; None after `patience` attempts without one."""
    import cv2

    for _ in range(patience):
        read, image = capture.read()
        if read and image is not None and image.size:
            return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        time.sleep(0.02)
    return None
