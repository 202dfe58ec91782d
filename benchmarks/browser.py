"""A headless Chromium with a clip for its camera."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from mien.errors import MienError
from mien.types import Picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CAMERA_SIZE = (640, 480)
CAMERA_FPS = 30
"""What Chromium plays a .mjpeg at, from its beginning and over again."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-default-apps", "--mute-audio",
)  # fmt: skip
_FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


class NoBrowser(MienError):  # noqa: N818
    """There is nothing to open pages with."""


@contextmanager
def chromium(camera: Path | None = None, *, more: Iterable[str] = ()) -> Iterator[Browser]:
    """With a fresh profile, and `camera`, a .mjpeg or .y4m, for its camera, or none at all. Raises NoBrowser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise NoBrowser("playwright is not installed: pip install 'mien[test]'") from error
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        raise NoBrowser("there is no Chromium on this machine: apt-get install chromium")
    taken = [*_FAKE_CAMERA, f"--use-file-for-fake-video-capture={camera}"] if camera else []
    flags = [*_FLAGS, *taken, *more]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, headless=True, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def film(path: Path, pictures: Iterable[Picture]) -> Path:
    """A .mjpeg of (H, W, 3) uint8 RGB pictures."""
    with path.open("wb") as file:
        for picture in pictures:
            _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
            file.write(data.tobytes())
    return path
