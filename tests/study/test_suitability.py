"""Pictures are judged by what makes them move well or badly."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import performers
from mien.avatar.crop import ROOM, portrait, square
from mien.errors import AvatarError
from mien.media.images import read_image
from mien.study.suitability import Suitability, check
from mien.types import Picture


def rgba(picture: Picture) -> Picture:
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def score(found: Suitability, name: str) -> float:
    return next(finding.score for finding in found.findings if finding.name == name)


@pytest.fixture(scope="module")
def good() -> Picture:
    performers.needs_face_model()
    return rgba(performers.portrait(500))


def test_a_clear_portrait_is_good_and_every_criterion_speaks(good: Picture) -> None:
    found = check(good)
    assert found.verdict in ("good", "usable")
    assert found.faces == 1
    assert all(0 <= finding.score <= 10 and finding.seen for finding in found.findings)
    assert all(finding.advice for finding in found.findings if finding.score < 7)


def test_a_small_face_loses_resolution(good: Picture) -> None:
    small = cv2.resize(good, (120, 120), interpolation=cv2.INTER_AREA)
    assert score(check(np.asarray(small, np.uint8)), "resolution") < score(check(good), "resolution") - 3


def test_a_face_at_the_edge_loses_room(good: Picture) -> None:
    cut = np.ascontiguousarray(good[:, 150:])
    assert score(check(cut), "room") < score(check(good), "room")


def test_a_forehead_cut_off_costs_the_brows(good: Picture) -> None:
    cut = np.ascontiguousarray(good[165:])
    assert score(check(cut), "brows") < score(check(good), "brows")


def test_a_washed_out_face_loses_contrast_at_eyes_and_lips(good: Picture) -> None:
    pale = good.copy()
    pale[..., :3] = 165 + (good[..., :3].astype(int) - 165) // 5
    found, before = check(pale), check(good)
    assert score(found, "eyes") < score(before, "eyes")
    assert score(found, "lips") < score(before, "lips")


def test_nothing_to_be_found_is_an_error_with_advice() -> None:
    performers.needs_face_model()
    for side in (1, 20, 200):
        with pytest.raises(AvatarError, match="No face"):
            check(np.full((side, side, 4), 200, np.uint8))


def test_the_largest_of_several_is_taken(good: Picture, caplog: pytest.LogCaptureFixture) -> None:
    small = cv2.resize(good, (250, 250), interpolation=cv2.INTER_AREA)
    both = np.full((500, 800, 4), 200, np.uint8)
    both[:, :500] = good
    both[100:350, 530:780] = small
    found = check(both)
    assert found.faces == 2
    x, _, width, _ = found.crop
    assert x + width / 2 < 400
    portrait(both, name="family.png")
    assert "family.png shows 2 faces" in caplog.text


def test_a_wide_picture_is_cropped_around_the_face_and_never_enlarged(good: Picture) -> None:
    wide = np.full((900, 1600, 4), 180, np.uint8)
    wide[300:800, 900:1400] = good
    cut = portrait(wide, name="wide.png")
    height, width = cut.shape[:2]
    assert abs(height - width) <= 2
    assert width < 800
    huge = cv2.resize(good, (5000, 5000), interpolation=cv2.INTER_LINEAR)
    assert max(portrait(np.asarray(huge, np.uint8), name="huge.png").shape) <= 2048


@pytest.mark.parametrize("size", [(640, 480), (300, 900), (120, 120)])
@pytest.mark.parametrize("box", [(200, 150, 300, 270), (0, 0, 100, 120), (90, 80, 119, 119), (-20, -10, 60, 90)])
def test_the_crop_lies_within_the_picture(size: tuple[int, int], box: tuple[int, ...]) -> None:
    x, y, width, height = square(np.array(box, np.float32), size)
    assert 0 <= x <= x + width <= size[0]
    assert 0 <= y <= y + height <= size[1]
    side = round(ROOM * max(box[2] - box[0], box[3] - box[1]))
    assert (width, height) == (min(side, size[0]), min(side, size[1]))


def test_paintings_rank_as_the_eye_ranks_them(shared: Path) -> None:
    performers.needs_face_model()
    scores = {n: check(read_image(shared / f"data/portraits/{n}.jpg")).score for n in ("s7", "s5", "s9", "s10", "s33")}
    assert scores["s7"] >= 8
    assert scores["s5"] >= 8
    assert scores["s9"] >= 7
    assert scores["s10"] < scores["s9"]  # turned far to the side
    assert scores["s33"] < scores["s9"]  # a dog
