"""People without a known face are strangers; the bodies of known ones are not."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

import performers
from mien.scene.paste.bodies import unexplained
from mien.scene.paste.places import CELLS, Map, Place

SIZE = (640, 360)


def people(*figures: tuple[float, float, float, float]) -> Map:
    """A map of figures, head and shoulders: x and y of the face's middle, its height, degrees that it leans."""
    drawn = np.zeros(SIZE[::-1], np.uint8)
    for x, y, side, lean in figures:
        turn = math.radians(lean)
        down = np.array([-math.sin(turn), math.cos(turn)])
        cv2.circle(drawn, (round(x), round(y)), round(0.75 * side), 255, -1)
        body = np.array([x, y]) + 1.9 * side * down
        cv2.ellipse(drawn, (body.astype(int).tolist(), (3.2 * side, 2.6 * side), lean), 255, -1)
    return np.asarray(cv2.resize(drawn, CELLS, interpolation=cv2.INTER_AREA) > 127)


def place(x: float, y: float, side: float, lean: float = 0.0) -> Place:
    half = side / 2
    return Place(np.array([x - half, y - half, x + half, y + half], np.float32), math.radians(lean))


@pytest.mark.parametrize("lean", [0, 90, 135, 180])
def test_the_body_of_a_known_face_is_nobody_else(lean: float) -> None:
    assert unexplained(people((320, 180, 80, lean)), [place(320, 180, 80, lean)], SIZE) is None


@pytest.mark.parametrize("lean", [0, 90, 180])
def test_somebody_without_a_known_face_is_a_stranger_head_and_all(lean: float) -> None:
    found = unexplained(people((200, 120, 70, 0), (480, 150, 70, lean)), [place(200, 120, 70)], SIZE)
    assert found is not None
    head = np.rint(np.array([480, 150]) * np.array(CELLS) / SIZE).astype(int)
    assert found[head[1] - 2 : head[1] + 3, head[0] - 2 : head[0] + 3].all()
    own = np.rint(np.array([200, 120]) * np.array(CELLS) / SIZE).astype(int)
    assert not found[own[1], own[0]]


def test_half_a_stranger_at_the_edge_is_one() -> None:
    found = unexplained(people((200, 150, 70, 0), (630, 150, 80, 0)), [place(200, 150, 70)], SIZE)
    assert found is not None
    assert found[round(150 / 360 * CELLS[1]), -1]


def test_slivers_beside_a_known_body_are_nobody() -> None:
    shape = people((320, 150, 80, 0))
    shape[:20, 60:62] = True
    assert unexplained(shape, [place(320, 150, 80)], SIZE) is None


def test_an_empty_room_holds_nobody() -> None:
    assert unexplained(people(), [], SIZE) is None


@pytest.mark.parametrize("turns", range(4))
def test_people_are_found_whichever_way_up(turns: int) -> None:
    from mien.face.parts import open_people

    performers.needs_paste_models()
    frame = np.full((360, 640, 3), (120, 130, 125), np.uint8)
    frame[20:340, 300:620] = np.rot90(performers.portrait(320), turns)
    found = open_people()(frame, CELLS)
    assert found.shape == CELLS[::-1]
    assert found[27, round(460 / 640 * CELLS[0])] > 0.8
    assert found[:, : round(200 / 640 * CELLS[0])].mean() < 0.1
