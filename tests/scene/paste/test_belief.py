"""Which suspects are believed: what one witness doubts, the other can confirm."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face.lookout import Suspect
from mien.scene.paste.belief import believed
from mien.types import Array

SIZE = (640, 360)
NOBODY: Array = np.zeros((54, 96), np.float32)
SOMEBODY: Array = np.ones((54, 96), np.float32)


def suspect(score: float, looks: int, side: float = 100) -> Suspect:
    return Suspect(np.array([200, 100, 200 + side, 100 + side], np.float32), 0.0, score, looks)


@pytest.mark.parametrize(
    ("score", "looks", "side", "people", "overlapping", "answer"),
    [
        (0.9, 1, 100, NOBODY, False, True),  # a poster
        (0.7, 20, 100, NOBODY, False, False),  # a plant
        (0.55, 14, 100, SOMEBODY, False, True),  # half a face behind a pole
        (0.5, 4, 100, SOMEBODY, False, False),  # a fold of clothes
        (0.5, 20, 100, SOMEBODY, True, False),  # a neck
        (0.7, 20, 100, SOMEBODY, True, True),  # a face behind another
        (0.55, 4, 40, NOBODY, False, True),  # far away
        (0.55, 8, 250, SOMEBODY, False, True),  # very close
    ],
)
def test_what_is_believed(
    score: float, looks: int, side: float, people: Array, overlapping: bool, answer: bool
) -> None:
    assert believed(suspect(score, looks, side), people, SIZE, overlapping=overlapping) is answer


def test_a_suspect_beyond_the_edge_is_asked_about_where_it_is_in_sight() -> None:
    people = NOBODY.copy()
    people[:, -3:] = 1
    beyond = Suspect(np.array([630, 100, 730, 200], np.float32), 0.0, 0.55, 14)
    assert believed(beyond, people, SIZE, overlapping=False)
    outside = Suspect(np.array([700, 100, 800, 200], np.float32), 0.0, 0.55, 14)
    assert not believed(outside, people, SIZE, overlapping=False)
