"""Which suspects are believed: what one witness doubts, the other can confirm."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face.lookout import Suspect
from mien.scene.paste.belief import believed, explains
from mien.scene.paste.places import Place
from mien.types import Array

SIZE = (640, 360)
NOBODY: Array = np.zeros((54, 96), np.float32)
SOMEBODY: Array = np.ones((54, 96), np.float32)


def suspect(score: float, looks: int, side: float = 100) -> Suspect:
    return Suspect(np.array([200, 100, 200 + side, 100 + side], np.float32), 0.0, score, looks)


@pytest.mark.parametrize(
    ("score", "looks", "side", "people", "answer"),
    [
        (0.9, 1, 100, NOBODY, True),  # a poster
        (0.7, 20, 100, NOBODY, False),  # a plant
        (0.55, 14, 100, SOMEBODY, True),  # half a face behind a pole
        (0.5, 4, 100, SOMEBODY, False),  # a fold of clothes
        (0.55, 4, 40, NOBODY, True),  # far away
        (0.55, 8, 250, SOMEBODY, True),  # very close
        (0.5, 19, 340, NOBODY, True),  # so close that it fills the picture
    ],
)
def test_what_is_believed(score: float, looks: int, side: float, people: Array, answer: bool) -> None:
    assert believed(suspect(score, looks, side), people, SIZE, []) is answer


def test_beside_a_known_face_of_its_size_a_suspect_must_be_surer() -> None:
    known = [Place(np.array([200, 170, 300, 270], np.float32), tracked=0)]
    assert not believed(suspect(0.5, 20), SOMEBODY, SIZE, known)
    assert believed(suspect(0.7, 20), SOMEBODY, SIZE, known)
    small = [Place(np.array([240, 170, 280, 210], np.float32), tracked=0)]
    assert believed(suspect(0.5, 20), SOMEBODY, SIZE, small)


def test_a_map_that_does_not_see_the_known_face_says_nothing_of_others() -> None:
    known = [Place(np.array([500, 200, 600, 300], np.float32), tracked=0)]
    assert believed(suspect(0.6, 12), NOBODY, SIZE, known)
    assert not believed(suspect(0.6, 4), NOBODY, SIZE, known)


FACE = Place(np.array([200, 100, 300, 200], np.float32), 0.1, tracked=0)


@pytest.mark.parametrize(
    ("x", "y", "side", "roll", "score", "answer"),
    [
        (250, 150, 100, 0.0, 0.95, True),  # itself
        (250, 155, 140, 0.0, 0.95, True),  # framed wider
        (250, 110, 95, 3.1, 0.77, True),  # read upside down
        (250, 165, 40, 0.0, 0.5, True),  # its mouth
        (250, 165, 40, 0.0, 0.95, False),  # a child's face before it
        (250, 165, 40, 3.1, 0.95, False),
        (250, 150, 260, 2.8, 0.9, False),  # somebody much closer, behind it
        (295, 150, 100, 0.0, 0.8, False),  # half a face behind it
    ],
)
def test_which_finds_are_the_tracked_face_itself(
    x: float, y: float, side: float, roll: float, score: float, answer: bool
) -> None:
    half = side / 2
    found = Suspect(np.array([x - half, y - half, x + half, y + half], np.float32), roll, score, 20)
    assert explains(FACE, found, SIZE) is answer


def test_the_mirror_image_of_a_face_at_the_edge_is_that_face() -> None:
    face = Place(np.array([-20, 100, 60, 180], np.float32), tracked=0)
    assert explains(face, Suspect(np.array([-60, 100, 20, 180], np.float32), 0.0, 0.9, 20), SIZE)


def test_a_suspect_beyond_the_edge_is_asked_about_where_it_is_in_sight() -> None:
    people = NOBODY.copy()
    people[:, -3:] = 1
    beyond = Suspect(np.array([630, 100, 730, 200], np.float32), 0.0, 0.55, 14)
    assert believed(beyond, people, SIZE, [])
    outside = Suspect(np.array([700, 100, 800, 200], np.float32), 0.0, 0.55, 14)
    assert not believed(outside, people, SIZE, [])
