"""Faces in single pictures: upright or not, large or small, painted or photographed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.face.still import SURE, FaceFinder
from mien.face.tracker import Mesh
from mien.types import COEFFICIENT, Picture

from .conftest import placed, room


@pytest.fixture(scope="module")
def finder(mesh: Mesh) -> FaceFinder:
    from mien.face.parts import open_finder

    found = open_finder()
    return FaceFinder(found._detector, mesh)


def read(path: Path) -> Picture:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def test_a_portrait_shows_one_smiling_face(finder: FaceFinder, astronaut: Picture) -> None:
    (face,) = finder(astronaut)
    assert face.likeness >= SURE
    assert face.presence > 0.9
    assert face.coefficients[COEFFICIENT["mouthSmileLeft"]] > 0.5
    assert np.all(np.abs(face.landmarks[[33, 263], :2] - [[195, 101], [255, 104]]) < 8)


@pytest.mark.parametrize("degrees", [-90, -35, 35, 180])
def test_a_leaning_face_is_found_where_it_is(finder: FaceFinder, astronaut: Picture, degrees: int) -> None:
    (upright,) = finder(astronaut)
    turn = cv2.getRotationMatrix2D((256, 256), -degrees, 1.0)
    (face,) = finder(np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), np.uint8))
    wanted = upright.landmarks[:468, :2] @ turn[:, :2].T + turn[:, 2]
    size = np.linalg.norm(upright.landmarks[33, :2] - upright.landmarks[263, :2])
    assert np.linalg.norm(face.landmarks[:468, :2] - wanted, axis=1).mean() < 0.06 * size


def test_a_small_face_in_a_large_picture(finder: FaceFinder, ada: Picture) -> None:
    small = cv2.resize(ada, (100, 120), interpolation=cv2.INTER_AREA)
    (face,) = finder(placed(room(2400, 1600), small, 1900, 300))
    assert 1900 < face.box[0] < face.box[2] < 2000
    assert 300 < face.box[1] < face.box[3] < 420


def test_a_face_that_fills_the_picture(finder: FaceFinder, astronaut: Picture) -> None:
    (face,) = finder(astronaut[75:175, 185:280])
    assert face.likeness >= SURE


def test_no_face_is_no_sure_face(finder: FaceFinder) -> None:
    assert all(face.likeness < SURE for face in finder(room(400, 300)))


def test_several_faces_largest_first(finder: FaceFinder, ada: Picture, bob: Picture) -> None:
    small = cv2.resize(ada, (120, 144), interpolation=cv2.INTER_AREA)
    one, other = finder(placed(placed(room(), small, 460, 60), bob, 80, 150))
    assert one.box[0] < 300 < other.box[0]


@pytest.mark.parametrize("name", ["s0", "s5", "s6", "s7", "s9", "s10", "s22", "single_face"])
def test_paintings_clay_and_cartoons_have_one_sure_face(finder: FaceFinder, shared: Path, name: str) -> None:
    (face,) = finder(read(shared / "data" / "portraits" / f"{name}.jpg"))
    assert face.likeness >= SURE
    assert face.presence > 0.9


def test_five_people_in_a_group(finder: FaceFinder, shared: Path) -> None:
    assert len(finder(read(shared / "data" / "portraits" / "multi_face.jpg"))) == 5
