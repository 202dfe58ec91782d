"""The first pass of scene paste, with a scripted search."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.face.lookout import Suspect
from mien.scene.paste.watch import BRIEF_MEMORY, HIDDEN, Watch
from mien.types import Frame, Picture
from scripted import face, textured

FPS = 10.0
SEEN = range(50, 65)
"""Frames in which the second face is found."""


class _Search:
    """Finds one face, at `box`, in the frames of `SEEN`."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        self._box = box
        self.frame = 0

    def __call__(self, image: Picture, changed: NDArray[np.bool_] | None = None) -> list[Suspect]:
        found = Suspect(np.array(self._box, np.float32), 0.0, 0.9, 30)
        return [found] if self.frame in SEEN else []


def _covered(box: tuple[float, float, float, float], frames: int = 120) -> list[bool]:
    """Frame by frame, whether anything beside the tracked face is covered. No texture lasts inside the box."""
    search = _Search(box)
    watch = Watch(search, None)  # type: ignore[arg-type]
    for n in range(frames):
        search.frame = n
        watch(Frame(_flickering(box, n), n, n / FPS), [face()])
    plan = watch.plan()
    return [any(place.tracked is None for place in plan.at(n, n / FPS).places) for n in range(frames)]


def test_a_face_that_goes_behind_a_known_one_stays_covered_for_a_while() -> None:
    x0, y0, x1, y1 = _known_box()
    width = x1 - x0
    covered = _covered((x0 + 0.6 * width, y0, x1 + 0.6 * width, y1))
    before, after = round(BRIEF_MEMORY * FPS), round(HIDDEN * FPS)
    assert all(covered[SEEN.start - before : SEEN.stop + after])
    assert not any(covered[SEEN.stop + after + 10 :])
    assert not any(covered[: SEEN.start - after - 10])


@pytest.mark.parametrize("side", [-1, 1])
def test_a_face_beside_a_known_one_is_not_behind_it(side: int) -> None:
    x0, y0, x1, y1 = _known_box()
    shift = side * 1.3 * (x1 - x0)
    covered = _covered((x0 + shift, y0, x1 + shift, y1))
    assert all(covered[SEEN.start : SEEN.stop])
    assert not any(covered[SEEN.stop + 10 :])


def _flickering(box: tuple[float, float, float, float], number: int) -> Picture:
    picture, other = textured(0), textured(number)
    x0, y0, x1, y1 = (max(round(v), 0) for v in box)
    picture[y0:y1, x0:x1] = other[y0:y1, x0:x1]
    return picture


def _known_box() -> tuple[float, float, float, float]:
    skin = face().landmarks[:468, :2]
    (x0, y0), (x1, y1) = skin.min(0), skin.max(0)
    return float(x0), float(y0), float(x1), float(y1)
