"""A webcam that can be unplugged, made of a clip that OpenCV itself opens, and a virtual camera that keeps what it is
sent."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from mien.media.devices import Device
from mien.types import Picture


class Webcam:
    """What `Camera` may be given as `connect`: OpenCV's own capture of a clip, at the pace of a camera, over and over,
    as long as it is plugged in."""

    def __init__(self, clip: Path, *, fps: float = 30.0) -> None:
        self.plugged = True
        self.spoilt = 0
        """How many of the next pictures cannot be read."""
        self.given = 0
        """Pictures read so far."""
        self.attempts = 0
        """How often it was to be opened."""
        self.open = 0
        """How often it is open now."""
        self._clip, self._fps = clip, fps

    def __call__(self, device: Device) -> _Capture | None:
        self.attempts += 1
        return _Capture(self, str(self._clip), self._fps) if self.plugged else None


class _Capture:
    def __init__(self, webcam: Webcam, clip: str, fps: float) -> None:
        self._webcam, self._clip, self._fps = webcam, clip, fps
        self._video = cv2.VideoCapture(clip)
        assert self._video.isOpened()
        self._next = time.perf_counter()
        webcam.open += 1

    def isOpened(self) -> bool:  # noqa: N802
        return self._video.isOpened()

    def read(self) -> tuple[bool, Any]:
        if not self._webcam.plugged:
            return False, None
        if self._webcam.spoilt:
            self._webcam.spoilt -= 1
            return False, None
        time.sleep(max(0.0, self._next - time.perf_counter()))
        self._next = max(self._next, time.perf_counter() - 0.1) + 1 / self._fps
        read, image = self._video.read()
        if not read:
            self._video.set(cv2.CAP_PROP_POS_FRAMES, 0)
            read, image = self._video.read()
        self._webcam.given += 1
        return read, image

    def get(self, prop: int, /) -> float:
        return self._fps if prop == cv2.CAP_PROP_FPS else float(self._video.get(prop))

    def set(self, prop: int, value: float, /) -> bool:
        return self._video.set(prop, value)

    def release(self) -> None:
        self._video.release()
        self._webcam.open -= 1


class KeptCamera:
    """A back end of pyvirtualcam that keeps every picture."""

    sent: ClassVar[list[Picture]] = []
    at: ClassVar[list[float]] = []
    closed: ClassVar[int] = 0
    broken: ClassVar[bool] = False
    """Whether it takes no picture."""

    def __init__(self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **_: Any) -> None:
        if device not in (None, "kept"):
            raise RuntimeError(f"there is no {device}")
        self._shape = height, width, 3

    def close(self) -> None:
        type(self).closed += 1

    def send(self, frame: Picture) -> None:
        if self.broken:
            raise RuntimeError("the driver\nis gone")
        self.sent.append(np.array(frame).reshape(self._shape))
        self.at.append(time.perf_counter())

    def device(self) -> str:
        return "kept"

    def native_fourcc(self) -> int | None:
        return None


def keep_camera(monkeypatch: pytest.MonkeyPatch) -> type[KeptCamera]:
    """Let it stand in for every virtual camera of this machine."""
    pyvirtualcam = pytest.importorskip("pyvirtualcam", reason="needs the extra 'live'")
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    KeptCamera.sent, KeptCamera.at, KeptCamera.closed, KeptCamera.broken = [], [], 0, False
    pyvirtualcam.register_backend("kept", KeptCamera)
    return KeptCamera
