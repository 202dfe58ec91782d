"""A real browser for the studio's pages, and clips for it to take for its camera."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from mien.types import Picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CAMERA_SIZE = (640, 480)
CAMERA_FPS = 30
"""What Chromium plays a .mjpeg at, from its beginning and over again."""
_QUIET = (
    "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-default-apps", "--mute-audio",
)  # fmt: skip


def executable() -> str:
    """Chromium or Chrome; skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("no Chromium on this machine: apt-get install chromium")


@contextmanager
def chromium(camera: Path | None = None, *, more: Iterable[str] = ()) -> Iterator[Browser]:
    """Headless, with a fresh profile. `camera` is a .mjpeg or .y4m; without one the browser has no camera at all."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install 'mien[test]'")
    media = []
    if camera is not None:
        media = [
            "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
        ]  # fmt: skip
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), headless=True, args=[*_QUIET, *media, *more])
        try:
            yield browser
        finally:
            browser.close()


def film(path: Path, pictures: Iterable[Picture]) -> Path:
    """A .mjpeg of (480, 640, 3) uint8 RGB pictures at 30 frames a second."""
    with path.open("wb") as file:
        for picture in pictures:
            _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
            file.write(data.tobytes())
    return path


def before_camera(portrait: Picture, *, ground: int = 90) -> Picture:
    """A square portrait in the middle of a camera's picture."""
    width, height = CAMERA_SIZE
    picture = np.full((height, width, 3), ground, np.uint8)
    left = (width - height) // 2
    picture[:, left : left + height] = cv2.resize(portrait, (height, height), interpolation=cv2.INTER_AREA)
    return picture


def consultation(seconds: float = 10.0) -> Iterator[Picture]:
    """Camera pictures of the public-domain portrait acting out the demo's consultation; needs a face model."""
    from mien.demo import _astronaut, consultation
    from mien.engine import registry
    from mien.scene.avatar import lay_on

    script, actor = consultation(), _astronaut()
    renderer = registry.for_avatar(actor.kind).prepare(actor, size=480)
    for index in range(round(seconds * CAMERA_FPS)):
        time = index / CAMERA_FPS
        yield before_camera(lay_on(renderer(script.at(time), time=time), (255, 255, 255)))
