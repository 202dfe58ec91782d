"""The virtual camera: a sink that any meeting program can choose as its camera, through pyvirtualcam."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Any, Final

from mien.errors import OutputError
from mien.scene.card import card
from mien.types import Picture

PATIENCE: Final = 2.0
"""Seconds without a new picture after which the card is shown."""
LABEL: Final = "mien"
"""What the device is called where mien's own instructions made it."""
_REPEAT: Final = 0.1
"""Seconds after which a picture is sent again: some programs take a camera that falls silent for a broken one."""
_HANGS: Final = 2.0
"""Seconds after which a driver is left to its thread."""
_NAMES: Final = Path("/sys/class/video4linux")
_log = logging.getLogger("mien")

_INSTALL: Final = {
    "linux": (
        "Install the loop-back driver and start it: 'sudo apt install v4l2loopback-dkms', then 'sudo modprobe "
        f"v4l2loopback exclusive_caps=1 card_label={LABEL}'"
    ),
    "darwin": (
        "Install OBS Studio 30 or newer from obsproject.com, start it once, press 'Start Virtual Camera', allow its "
        "camera extension, press 'Stop Virtual Camera' and close it"
    ),
    "win32": "Install OBS Studio from obsproject.com and start it once",
}


class VirtualCamera:
    """Shows the newest picture it was given, at once and never a queue of them, from a thread of its own.

    The card is shown at first, while nothing has been given for `PATIENCE` seconds, and in the end. Use as a context
    manager. Raises OutputError, saying what to install, where there is no virtual camera.
    """

    def __init__(self, size: tuple[int, int], fps: float, *, device: str | None = None) -> None:
        """
        size: width and height of the pictures, made even, as video formats want it.
        device: which one, where there are several: a device file on Linux, a camera's name elsewhere.
        """
        self.size = even(size)
        self._camera = _open(self.size, fps, device)
        self.device: str = self._camera.device
        """As its driver calls it."""
        self.name = _listed_as(self.device)
        """What to choose in a meeting program."""
        self.trouble: str | None = None
        """Why the last picture did not get through."""
        self._changed = Condition()
        self._picture: Picture = card(self.size)
        self._waiting = self._closed = False
        self._written = time.perf_counter()
        self._send(self._picture)
        self._thread = Thread(target=self._work, name="mien-virtual-camera", daemon=True)
        self._thread.start()

    def __enter__(self) -> VirtualCamera:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """Show (H, W, 3) uint8 RGB of `size` in place of what was given before. Never waits."""
        if picture.shape != (self.size[1], self.size[0], 3):
            raise ValueError(f"a picture of {picture.shape} for a camera of {self.size}")
        with self._changed:
            if self._closed:
                return
            self._picture, self._waiting, self._written = picture, True, time.perf_counter()
            self._changed.notify()

    def close(self) -> None:
        """Show the card and let go of the device."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_HANGS)

    def _work(self) -> None:
        while True:
            with self._changed:
                if not (self._waiting or self._closed):
                    self._changed.wait(_REPEAT)
                if self._closed or time.perf_counter() - self._written > PATIENCE:
                    self._picture = card(self.size)
                picture, self._waiting, closed = self._picture, False, self._closed
            self._send(picture)
            if closed:
                with suppress(Exception):
                    self._camera.close()
                return

    def _send(self, picture: Picture) -> None:
        try:
            self._camera.send(picture)  # without `sleep_until_next_frame`: the source sets the pace
            self.trouble = None
        except Exception as error:
            if self.trouble is None:
                _log.warning("the virtual camera took no picture: %s", error)
            self.trouble = f"The virtual camera takes no pictures: {error}"


def even(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height without the odd pixel, two at least: colours are stored for two by two."""
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def _open(size: tuple[int, int], fps: float, device: str | None) -> Any:
    try:
        import pyvirtualcam
    except ImportError as error:
        raise OutputError(
            "A virtual camera needs the package pyvirtualcam, which is not installed: pip install 'mien[live]'. "
            + _how()
        ) from error
    try:
        return pyvirtualcam.Camera(*size, fps, fmt=pyvirtualcam.PixelFormat.RGB, device=device)
    except Exception as error:  # RuntimeError, and whatever a back end raises
        reason = " ".join(str(error).split())
        if device is None and "permission" not in reason:
            raise OutputError(f"There is no virtual camera on this computer. {_how()}") from error
        which = f"The virtual camera {device!r}" if device else "The virtual camera"
        raise OutputError(f"{which} cannot be used: {reason.rstrip('.')}. {_how()}") from error


def _how() -> str:
    install = _INSTALL.get(sys.platform, "See docs/live.md for what to install")
    return f"{install}; or leave it out with --no-virtual."


def _listed_as(device: str) -> str:
    """A camera's name as programs list it: on Linux that is not the device file's."""
    label = _NAMES / Path(device).name / "name"
    try:
        return label.read_text(encoding="utf-8").strip() or device
    except OSError:
        return device
