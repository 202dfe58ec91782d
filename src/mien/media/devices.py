"""The cameras of this machine: found by number or name, opened through OpenCV, and what to do about one that is not to
be had."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from mien.errors import InputError

MODES: Final = ((1280, 720), (640, 480))
"""Widths and heights asked for, the first that comes at `ENOUGH` frames per second being taken."""
ENOUGH: Final = 24.0
RATE: Final = 30.0
"""Frames per second asked for, and taken for granted where a camera does not say."""
_LINUX: Final = Path("/sys/class/video4linux")
_LOOPBACK: Final = "/devices/virtual/"
"""In the system's path of cameras that are no hardware."""


@dataclass(frozen=True, slots=True)
class Device:
    """A camera, whether it can be had or not."""

    number: int
    name: str
    """What the system calls it."""
    path: str = ""
    """Its device file, on Linux."""
    virtual: bool = False
    """Whether another program makes its picture."""

    def __str__(self) -> str:
        return f"{self.number} ({self.name}{', virtual' if self.virtual else ''})"


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802
    def read(self) -> tuple[bool, Any]: ...
    def get(self, prop: int, /) -> float: ...
    def set(self, prop: int, value: float, /) -> bool: ...
    def release(self) -> None: ...


def is_device(wanted: str) -> bool:
    """Whether that can only be a camera: a number or a device file."""
    return wanted.isdecimal() or Path(wanted).resolve().match("/dev/video*")


def listed() -> list[Device]:
    """Every camera whose name the system tells without opening it: those of Linux."""
    found = []
    for folder in _LINUX.glob("video*") if _LINUX.is_dir() else ():
        if _text(folder / "index", "0") == "0":  # a camera's further files give metadata, no picture
            number = int(folder.name.removeprefix("video") or 0)
            virtual = _LOOPBACK in str(folder.resolve())
            found.append(Device(number, _text(folder / "name", folder.name), f"/dev/{folder.name}", virtual))
    return sorted(found, key=lambda device: device.number)


def find(wanted: str) -> Device:
    """The camera of that number, name (or a part of it that only one has) or device file.

    A number is taken as it is. Raises InputError for a name that no camera has.
    """
    known = listed()
    if is_device(wanted):
        file = wanted if wanted.isdecimal() else Path(wanted).resolve().name.removeprefix("video")
        number = int(file) if file.isdecimal() else 0
        path = f"/dev/video{number}" if sys.platform == "linux" else ""
        return next((device for device in known if device.number == number), Device(number, f"camera {number}", path))
    lower = wanted.lower()
    same = [device for device in known if device.name.lower() == lower]
    alike = same or [device for device in known if lower in device.name.lower()]
    if alike and len({device.name for device in alike}) == 1:
        return alike[0]
    if sys.platform != "linux":
        raise InputError(f"There is no clip {wanted!r}, and cameras go by number here. {_choose()}")
    raise InputError(f"{'Several cameras are' if alike else 'No camera is'} called {wanted!r}. {_choose()}")


def find_again(device: Device) -> Device:
    """A camera that was unplugged, by its name: it may have come back at another address."""
    alike = [other for other in listed() if other.name == device.name]
    return device if not alike or device in alike else alike[0]


def connect(device: Device) -> Capture | None:
    """The camera, opened and set to the largest of `MODES` that it gives fast enough; None where it does not open."""
    import cv2

    with _quiet():
        for backend in _backends():
            capture = cv2.VideoCapture(device.path or device.number, backend)
            if capture.isOpened():
                _set_up(capture)
                return capture
            capture.release()
    return None


def rate(capture: Capture) -> float:
    """Frames per second, as the camera says."""
    import cv2

    told = capture.get(cv2.CAP_PROP_FPS)
    return told if 1 <= told <= 240 else RATE


def refusal(device: Device) -> str:
    """Why a camera gives no picture, as far as can be known, and what to do about it."""
    if sys.platform == "darwin":
        return (
            f"Camera {device.number} gives no picture. Allow your terminal program the camera in System Settings › "
            f"Privacy & Security › Camera and start it again; close other programs that use it. {_choose()}"
        )
    if sys.platform == "win32":
        return (
            f"Camera {device.number} gives no picture. Close other programs that use it, and see that Settings › "
            f"Privacy & security › Camera lets desktop apps use the camera. {_choose()}"
        )
    if not Path(device.path).exists():
        return f"There is no camera {device.number} ({device.path}). {_choose()}"
    if not os.access(device.path, os.R_OK | os.W_OK):
        return (
            f"You may not use the camera {device.path} ({device.name}). Join its group with 'sudo usermod -aG video "
            "$USER' and log in again."
        )
    what = "shows what another program sends it" if device.virtual else "is most likely in use"
    return (
        f"The camera {device.path} ({device.name}) gives no picture: it {what}. Close the program that uses it (a "
        f"meeting, a browser tab) and try again. {_choose()}"
    )


def _choose() -> str:
    """The last sentence of an error: what there is to choose from."""
    if sys.platform != "linux":
        return "Choose with --camera: 0 is usually the built-in one, 1 the next; a clip's path plays that instead."
    if not (known := listed()):
        return "No camera is plugged in here. Plug one in, or play a clip as one: --camera FILE."
    return f"Cameras here: {', '.join(str(device) for device in known)}; --camera FILE plays a clip as one."


def _set_up(capture: Capture) -> None:
    import cv2

    mjpg = cv2.VideoWriter.fourcc(*"MJPG")
    for width, height in MODES:
        # Uncompressed, most cameras manage 30 frames per second only when small.
        capture.set(cv2.CAP_PROP_FOURCC, mjpg)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        capture.set(cv2.CAP_PROP_FPS, RATE)
        if rate(capture) >= ENOUGH:
            break
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def _backends() -> list[int]:
    import cv2

    if sys.platform == "darwin":
        return [cv2.CAP_AVFOUNDATION]
    if sys.platform == "win32":
        return [cv2.CAP_DSHOW, cv2.CAP_MSMF]
    return [cv2.CAP_V4L2]


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV prints its own view of a camera that does not open."""
    import cv2

    log = cv2.utils.logging
    before = log.setLogLevel(log.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        log.setLogLevel(before)


def _text(path: Path, default: str) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or default
    except OSError:
        return default
