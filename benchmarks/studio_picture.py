"""Draws docs/studio.png: a consultation in two windows, the patient's and the clinician's.

    python -m benchmarks.studio_picture [--out docs]

The camera is a film of the public-domain portrait acting out the demo's consultation. It is in neither window.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np

from benchmarks.browser import CAMERA_FPS, CAMERA_SIZE, chromium, film
from mien.demo import _astronaut, consultation
from mien.engine import registry
from mien.media.images import read_image, write_image
from mien.scene.avatar import lay_on
from mien.studio.start import Consulting, opened
from mien.types import Picture

_SECONDS: Final = 12.0
_WINDOW: Final = (1280, 900)
_GAP, _PAPER = 24, (214, 211, 205)


def acted(path: Path) -> Path:
    """The film for the camera."""
    actor, script = _astronaut(), consultation()
    side = CAMERA_SIZE[1]
    renderer = registry.for_avatar(actor.kind).prepare(actor, size=side)

    def picture(time: float) -> Picture:
        face = lay_on(renderer(script.at(time), time=time), (255, 255, 255))
        wide = np.full((side, CAMERA_SIZE[0], 3), 90, np.uint8)
        left = (CAMERA_SIZE[0] - side) // 2
        wide[:, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        return wide

    return film(path, (picture(index / CAMERA_FPS) for index in range(round(_SECONDS * CAMERA_FPS))))


def photographed(folder: Path) -> tuple[Path, Path]:
    """Screenshots of both windows, half a minute into the consultation."""
    width, height = _WINDOW
    camera = acted(folder / "camera.mjpeg")
    with opened(Consulting(port=0, browser=False)) as (doors, _), chromium(camera) as browser:
        view = {"width": width, "height": height}
        patient, clinician = (browser.new_context(locale="en", viewport=view).new_page() for _ in range(2))  # type: ignore[arg-type]
        patient.goto(doors.link)
        patient.locator("#start:enabled").click()
        patient.get_by_role("button", name="Make an invitation").click()
        clinician.goto(patient.locator("#invite input").first.input_value())
        clinician.get_by_label("Your name").fill("Dr Kim")
        clinician.get_by_role("button", name="Ask to join").click()
        patient.get_by_role("button", name="Let them in").click()
        clinician.locator("#mark").wait_for(state="visible")
        patient.get_by_role("switch").click()
        clinician.wait_for_timeout(14_000)
        clinician.keyboard.press("m")
        clinician.keyboard.type("smiles when asked about home")
        clinician.keyboard.press("Enter")
        clinician.wait_for_timeout(9_000)
        shots = folder / "patient.png", folder / "clinician.png"
        for page, shot in zip((patient, clinician), shots, strict=True):
            page.screenshot(path=shot)
    return shots


def side_by_side(shots: tuple[Path, Path]) -> Picture:
    """Both windows on plain paper, at three quarters of their size."""
    pictures = [read_image(shot)[..., :3] for shot in shots]
    framed = [cv2.copyMakeBorder(p, *(_GAP,) * 4, cv2.BORDER_CONSTANT, value=_PAPER) for p in pictures]
    joined = np.concatenate([framed[0], framed[1][:, _GAP:]], axis=1)
    return np.asarray(cv2.resize(joined, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Draws docs/studio.png.")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        os.environ["MIEN_SESSIONS"] = os.environ["MIEN_AVATARS"] = str(Path(folder) / "own")
        write_image(options.out / "studio.png", side_by_side(photographed(Path(folder))))


if __name__ == "__main__":
    main()
