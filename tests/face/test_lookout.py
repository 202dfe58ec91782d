"""The search for anything that may be a face: every tile and turn leads back to the same place."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import performers
from mien.face.lookout import Lookout, suspects
from mien.types import Array, Picture

WIDTH, HEIGHT = 320, 180


class Spots:
    """A detector that takes every bright spot for a face, as large as it is, if it lies wholly within the tile."""

    def __init__(self) -> None:
        self.looks = 0

    def raw(self, picture: Picture) -> Array:
        self.looks += 1
        assert picture.shape == (128, 128, 3)
        _, _, boxes, _ = cv2.connectedComponentsWithStats((picture[..., 0] > 128).astype(np.uint8))
        whole = [(x, y, w, h) for x, y, w, h, _ in boxes[1:] if min(x, y) > 0 and max(x + w, y + h) < 128]
        return np.array([[x, y, x + w, y + h, 0, 0.9] for x, y, w, h in whole], np.float32).reshape(-1, 6)


def spot(x: float, y: float, side: int) -> Picture:
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    low = np.array([x, y]) - side / 2
    cv2.rectangle(picture, tuple(np.rint(low).astype(int)), tuple(np.rint(low + side).astype(int)), (255, 255, 255), -1)
    return picture


@settings(max_examples=40, deadline=None)
@given(x=st.floats(45, WIDTH - 45), y=st.floats(45, HEIGHT - 45), side=st.integers(16, 40))
def test_whatever_a_tile_shows_lies_where_it_is_in_the_picture(x: float, y: float, side: int) -> None:
    lookout = Lookout([Spots(), Spots()])
    best = lookout(spot(x, y, side))[0]
    lookout.close()
    assert np.abs((best.box[:2] + best.box[2:]) / 2 - [x, y]).max() < 0.2 * side + 3
    assert 0.6 * side < best.box[2] - best.box[0] < 1.7 * side
    assert best.looks >= 8  # two tiles across and two down, in four turns


def test_only_tiles_that_have_changed_are_searched_again_and_the_rest_is_remembered() -> None:
    detector = Spots()
    lookout = Lookout([detector])
    both = np.maximum(spot(40, 90, 24), spot(280, 90, 24))
    assert len(lookout(both)) == 2
    whole, detector.looks = detector.looks, 0
    changed = np.zeros((18, 32), bool)
    changed[:, :6] = True
    found = lookout(spot(280, 90, 24), changed)
    assert 0 < detector.looks < 0.7 * whole
    assert [round(float(suspect.box[0])) // 100 for suspect in found] == [2]
    assert len(lookout(np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((18, 32), bool))) == 1
    assert lookout(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) == []


def test_each_detector_works_in_one_thread_alone() -> None:
    """A network is not for two threads at once, and levels are searched while others are made ready."""

    class Watched(Spots):
        def __init__(self) -> None:
            super().__init__()
            self.threads: set[int] = set()

        def raw(self, picture: Picture) -> Array:
            self.threads.add(threading.get_ident())
            return super().raw(picture)

    detectors = [Watched(), Watched()]
    lookout = Lookout(detectors)
    for side in (20, 60):
        assert lookout(spot(160, 90, side))
    lookout.close()
    assert all(len(detector.threads) == 1 for detector in detectors)
    assert len(detectors[0].threads | detectors[1].threads) == 2


def test_finds_in_the_mirror_image_alone_are_nobody() -> None:
    outside = np.array([[-60, 20, -10, 70, 0, 0.9], [-20, 20, 30, 70, 0, 0.9]], np.float32)
    assert [suspect.box[0] for suspect in suspects(outside, WIDTH, HEIGHT)] == [-20]


def test_a_small_face_before_a_large_one_is_another_face() -> None:
    finds = np.array([[0, 0, 200, 200, 0, 0.9], [80, 80, 120, 120, 0, 0.8]], np.float32)
    assert len(suspects(finds, WIDTH, HEIGHT)) == 2


Change = Callable[[Picture], Picture]
HARD: dict[str, Change] = {
    "as it is": lambda p: p,
    "upside down": lambda p: np.rot90(p, 2),
    "lying": lambda p: np.rot90(p),
    "leaning the other way": lambda p: performers.moved(np.rot90(p, 3), degrees=30),
    "half cut off at the right": lambda p: p[:, :140],
    "half cut off at the left": lambda p: p[:, 140:],
    "half cut off below": lambda p: p[:128],
    "half cut off above": lambda p: p[128:],
    "negative": lambda p: 255 - p,
    "dark": lambda p: p // 7,
    "blurred": lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 5), np.uint8),
    "small": lambda p: np.asarray(cv2.resize(p, (110, 110), interpolation=cv2.INTER_AREA), np.uint8),
}


@pytest.mark.parametrize("name", HARD)
def test_a_face_hard_to_see_is_found(name: str) -> None:
    from mien.face.parts import open_lookout, open_people
    from mien.scene.paste.belief import believed

    performers.needs_paste_models()
    person = np.ascontiguousarray(HARD[name](performers.portrait(320)))
    frame = np.full((360, 640, 3), (120, 130, 125), np.uint8)
    top = 0 if "above" in name else 360 - person.shape[0]
    left = 0 if "left" in name else 640 - person.shape[1]
    frame[top : top + person.shape[0], left : left + person.shape[1]] = person
    people = open_people()(frame, (96, 54))
    with open_lookout() as lookout:
        found = [s for s in lookout(frame) if believed(s, people, (640, 360), [])]
    assert any(s.box[2] > left and s.box[0] < left + person.shape[1] for s in found)
