"""Lines between the brows: drawn on plain skin, and on a real face that a tracker follows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.face.frown_lines import FrownLines, depth_of, with_worry
from mien.face.pose import Pose, canonical, rotation_from
from mien.face.tracker import FaceTracker
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Frame, Picture

SIZE, UNIT = 320, 150
SKIN_COLOUR = (205, 165, 140)
LINES = ((0.055, -0.30), (0.055, -0.12)), ((-0.055, -0.30), (-0.055, -0.12))


def face(roll: float = 0.0, unit: float = UNIT) -> Array:
    """(478, 3) the average face in the middle of the picture."""
    pose = Pose(rotation_from(0, 0, roll), unit, np.array([SIZE / 2, SIZE / 2, 0], np.float32))
    return pose.to_frame(canonical().shape)


def skin(darker: float, landmarks: Array, *, light: float = 1.0, lines: tuple = LINES, width: float = 0.025) -> Picture:
    """(H, W, 3) plain skin with lines of the average face that are so much darker, as a share."""
    ends = canonical().shape[[168, 55, 285], :2]
    affine = cv2.getAffineTransform(ends.astype(np.float32), landmarks[[168, 55, 285], :2].astype(np.float32))
    shade = np.ones((SIZE, SIZE), np.float32)
    for start, end in lines:
        a, b = (affine @ np.array([*point, 1]) for point in (start, end))
        thick = max(1, round(width * np.linalg.norm(affine[:, 0])))
        cv2.line(shade, np.rint(a).astype(int).tolist(), np.rint(b).astype(int).tolist(), 1 - darker, thick)
    shade = cv2.GaussianBlur(shade, (0, 0), 1)
    return np.asarray(np.clip(shade[..., None] * SKIN_COLOUR * light, 0, 255), np.uint8)


def depth(darker: float, **how: float) -> float:
    landmarks = face(how.pop("roll", 0.0))
    found = depth_of(skin(darker, landmarks, **how), landmarks)
    assert found is not None
    return found


def test_deeper_lines_measure_more_and_plain_skin_nothing() -> None:
    plain, faint, deep = depth(0.0), depth(0.06), depth(0.15)
    assert plain < 0.003
    assert plain + 0.01 < faint < deep - 0.01


@given(st.floats(0.25, 1.1), st.floats(-0.5, 0.5))
def test_neither_light_nor_a_tilted_head_matters(light: float, roll: float) -> None:
    assert depth(0.12, light=light, roll=roll) == pytest.approx(depth(0.12), abs=0.015)


def test_a_line_across_is_no_frown() -> None:
    landmarks = face()
    across = skin(0.3, landmarks, lines=(((-0.15, -0.2), (0.15, -0.2)),))
    assert (depth_of(across, landmarks) or 0) < 0.004


def test_hair_over_the_place_and_a_small_face_say_nothing() -> None:
    landmarks = face()
    strands = tuple(((x, -0.4), (x, -0.05)) for x in np.arange(-0.1, 0.11, 0.05))
    assert depth_of(skin(0.7, landmarks, lines=strands), landmarks) is None
    small = face(unit=40)
    assert depth_of(skin(0.2, small), small) is None


def watched(frown: FrownLines, darker: float, *, start: float, seconds: float) -> float:
    """What somebody's frown measures after they were seen for so long."""
    landmarks = face()
    picture, strength = skin(darker, landmarks), 0.0
    for time in np.arange(start, start + seconds, 1 / 25):
        strength = frown(picture, landmarks, float(time))
    return strength


def test_a_frown_is_measured_against_rest() -> None:
    young, old = FrownLines(), FrownLines()
    assert watched(young, 0.0, start=0, seconds=4) == 0
    assert watched(young, 0.12, start=4, seconds=1) > 0.8
    assert watched(young, 0.0, start=5, seconds=1) < 0.1
    watched(old, 0.05, start=0, seconds=25)
    assert watched(old, 0.05, start=25, seconds=1) < 0.2, "lines of one's own"
    assert watched(old, 0.15, start=26, seconds=1) > 0.6


def test_a_frown_throughout_stays_one_unless_it_is_called_neutral() -> None:
    crying = FrownLines()
    assert watched(crying, 0.15, start=0, seconds=20) > 0.6
    crying.calibrate()
    assert watched(crying, 0.15, start=20, seconds=1) < 0.1
    crying.release()
    assert watched(crying, 0.15, start=21, seconds=1) > 0.6


def of(**coefficients: float) -> Array:
    values = np.zeros(len(COEFFICIENTS), np.float32)
    for name, value in coefficients.items():
        for side in ("", "Left", "Right"):
            if name + side in COEFFICIENT:
                values[COEFFICIENT[name + side]] = value
    return values


def read(name: str, coefficients: Array) -> float:
    return float(coefficients[COEFFICIENT[name]])


def test_who_cries_does_not_smile() -> None:
    shown = with_worry(of(mouthSmile=0.8), 1.0)
    assert read("mouthSmileLeft", shown) < 0.2 < read("mouthStretchLeft", shown)
    assert read("browInnerUp", shown) > 0.6


def test_who_laughs_aloud_or_is_angry_shows_just_that() -> None:
    laughing = with_worry(of(mouthSmile=0.9, jawOpen=0.5, mouthUpperUp=0.6), 1.0)
    assert read("mouthSmileLeft", laughing) == pytest.approx(0.9)
    angry = of(browDown=0.6, mouthPress=0.4)
    assert np.array_equal(with_worry(angry, 1.0), angry)
    assert np.array_equal(with_worry(laughing, 0.0), laughing)
    thinking = of(browDown=0.06, eyeSquint=0.4)
    assert np.array_equal(with_worry(thinking, 1.0), thinking), "a frown without a smile contradicts nothing"


@given(st.lists(st.floats(0, 1, width=32), min_size=52, max_size=52), st.floats(0, 1))
def test_coefficients_stay_coefficients(values: list[float], frown: float) -> None:
    shown = with_worry(np.array(values, np.float32), frown)
    assert shown.shape == (52,)
    assert shown.min() >= 0
    assert shown.max() <= 1


def test_a_face_that_frowns_shows_worried_brows(tracker: FaceTracker, ada: Picture) -> None:
    large = np.ascontiguousarray(cv2.resize(ada, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC))
    calm = worried = None
    for index in range(60):
        picture = large
        if calm is not None and index >= 35:
            ends = canonical().shape[[168, 55, 285], :2].astype(np.float32)
            affine = cv2.getAffineTransform(ends, np.ascontiguousarray(calm.landmarks[[168, 55, 285], :2]))
            picture = large.copy()
            for line in LINES:
                a, b = (np.rint(affine @ np.array([*point, 1])).astype(int).tolist() for point in line)
                cv2.line(picture, a, b, (165, 125, 110), 5, cv2.LINE_AA)
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 1), np.uint8)
        (seen,) = tracker(Frame(picture, index, index / 25))
        calm, worried = (seen, None) if index < 35 else (calm, seen)
    assert calm is not None
    assert worried is not None
    before, after = (read("browInnerUp", found.expression.coefficients) for found in (calm, worried))
    assert after > before + 0.3
    brows = [55, 285]
    raised = (worried.expression.offsets - calm.expression.offsets)[brows, 1]
    assert (raised < -0.01).all(), "the avatar's brows follow offsets too"
