"""Poses, regions and boxes: what goes there comes back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.face.boxes import around, containment, iou
from mien.face.detect import Detection, merge, windows
from mien.face.landmarks import Region, place
from mien.face.pose import Pose, align, angles, canonical, head_pose, rotation_from
from mien.types import Array

degrees = st.floats(-80, 80)
places = st.floats(-500, 2500)
sizes = st.floats(20, 1500)
turns = st.floats(-math.pi, math.pi)


@given(degrees, degrees, st.floats(-179, 179))
def test_angles_undo_rotation_from(yaw: float, pitch: float, roll: float) -> None:
    given_angles = np.radians([yaw, pitch, roll])
    rotation = rotation_from(*given_angles)
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-5)
    assert np.linalg.det(rotation) == pytest.approx(1, abs=1e-5)
    assert np.allclose(angles(rotation), given_angles, atol=2e-3)


def test_signs_are_those_of_types() -> None:
    nose = np.array([[0, 0, -1.0]])
    right_turn, up, clockwise = rotation_from(0.4, 0, 0), rotation_from(0, 0.4, 0), rotation_from(0, 0, 0.4)
    assert (nose @ right_turn.T)[0, 0] > 0, "yaw > 0: the nose points to the right of the picture"
    assert (nose @ up.T)[0, 1] < 0, "pitch > 0: the nose points up, where y is small"
    crown = np.array([[0, -1.0, 0]])
    assert (crown @ clockwise.T)[0, 0] > 0, "roll > 0: the crown leans to the right, clockwise"


@given(degrees, degrees, st.floats(-179, 179), st.floats(5, 900), places, places)
def test_align_recovers_any_similarity(yaw: float, pitch: float, roll: float, scale: float, x: float, y: float) -> None:
    mean = canonical()
    wanted = Pose(rotation_from(*np.radians([yaw, pitch, roll])), scale, np.array([x, y, -30], np.float32))
    found = align(wanted.to_frame(mean.shape), mean.shape, mean.rigidity)
    assert found.scale == pytest.approx(scale, rel=1e-3)
    assert np.allclose(found.rotation, wanted.rotation, atol=2e-3)
    assert np.allclose(found.to_frame(mean.shape), wanted.to_frame(mean.shape), atol=0.01 * scale + 0.05)
    assert np.allclose(found.to_head(wanted.to_frame(mean.shape)), mean.shape, atol=0.01)


def test_an_open_jaw_does_not_turn_the_head() -> None:
    mean = canonical()
    opened = mean.shape.copy()
    opened[mean.shape[:, 1] > 0.7] += [0, 0.25, 0.1]
    assert np.degrees(np.abs(head_pose(opened * 200).angles)).max() < 1.0


@given(places, places, sizes, turns, st.integers(32, 512))
def test_a_region_places_its_pixels_in_the_frame(x: float, y: float, side: float, roll: float, pixels: int) -> None:
    region = Region(x, y, side, roll)
    corners = np.array([[0, 0, 0], [pixels, 0, 1], [pixels / 2, pixels / 2, 2]], np.float32)
    placed = place(corners, region, pixels)
    assert np.allclose(placed[2, :2], [x, y], atol=0.2)
    assert np.linalg.norm(placed[1] - placed[0]) == pytest.approx(
        math.hypot(side, placed[1, 2] - placed[0, 2]), rel=1e-3, abs=0.3
    )
    across = placed[1, :2] - placed[0, :2]
    assert abs(math.remainder(math.atan2(across[1], across[0]) - roll, math.tau)) < 0.02


@given(places, places, st.floats(30, 600), turns)
def test_a_region_around_landmarks_holds_them_upright(x: float, y: float, scale: float, roll: float) -> None:
    pose = Pose(rotation_from(0, 0, roll), scale, np.array([x, y, 0], np.float32))
    region = Region.around_landmarks(pose.to_frame(canonical().shape))
    assert abs(math.remainder(region.roll - roll, math.tau)) < 0.02
    again = Region.around_landmarks(pose.to_frame(canonical().shape))
    assert region.shift(again) == 0
    assert region.follow(again) == region


@given(
    st.builds(Region, places, places, sizes, turns), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.floats(-0.3, 0.3)
)
def test_a_region_follows_on_a_leash(here: Region, x: float, grow: float, turn: float) -> None:
    there = Region(here.x + x * here.side, here.y, here.side * math.exp(grow), here.roll + turn)
    followed = here.follow(there, slack=0.02)
    left, before = followed.shift(there), here.shift(there)
    assert left <= min(0.02, before) * 1.3 + 1e-6
    if before <= 0.02:
        assert followed == here


def test_a_crop_is_upright() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[90:110, 140:160] = 255
    crop = Region(100, 100, 120, math.radians(90)).crop(image, 60)
    y, x = np.argwhere(crop[..., 0] > 128).mean(0)
    assert (x, y) == (pytest.approx(30, abs=1), pytest.approx(5, abs=1))


boxes = st.tuples(places, places, sizes, sizes).map(
    lambda b: np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]], np.float32)
)


@given(boxes, boxes)
def test_overlaps_are_shares(a: Array, b: Array) -> None:
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert containment(a, b) == pytest.approx(containment(b, a))
    assert 0 <= iou(a, b) <= containment(a, b) + 1e-6 <= 1 + 2e-6
    assert iou(a, a) == pytest.approx(1, abs=1e-5)


def test_a_box_inside_another_is_contained_but_hardly_overlaps() -> None:
    face, mouth = np.array([0, 0, 100, 100], np.float32), np.array([30, 60, 70, 80], np.float32)
    assert containment(face, mouth) == 1
    assert iou(face, mouth) == pytest.approx(0.08)


def test_merging_makes_one_face_of_many_detections() -> None:
    def at(x: float, score: float) -> Detection:
        return Detection(np.array([x, 0, x + 100, 100], np.float32), 3.1 if x == 0 else -3.1, score)

    merged = merge([at(500, 0.6), at(0, 0.9), at(4, 0.8), at(-4, 0.7)])
    assert [round(d.score, 1) for d in merged] == [0.9, 0.6]
    assert abs(merged[0].box[0]) < 2
    assert abs(merged[0].roll) > 3.0, "angles are averaged on the circle"


@given(st.integers(40, 2000), st.integers(40, 2000))
def test_windows_lie_in_the_picture_and_cover_it(width: int, height: int) -> None:
    whole, *tiles = windows(width, height, 0.1)
    assert whole == (0, 0, width, height)
    assert windows(width, height, 0) == [whole]
    assert all(0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height for x0, y0, x1, y1 in tiles)
    for side in {x1 - x0 for x0, _, x1, _ in tiles}:
        covered = np.zeros((height // 20 + 1, width // 20 + 1), bool)
        for x0, y0, x1, y1 in tiles:
            if x1 - x0 == side:
                covered[-(-y0 // 20) : y1 // 20 + 1, -(-x0 // 20) : x1 // 20 + 1] = True
        assert covered.all()


def test_the_canonical_face_is_a_face() -> None:
    mean = canonical()
    assert np.linalg.norm(mean.shape[263] - mean.shape[33]) == pytest.approx(1, abs=1e-3)
    assert mean.shape[33, 0] < 0 < mean.shape[263, 0]
    assert mean.shape[10, 1] < mean.shape[168, 1] < mean.shape[4, 1] < mean.shape[13, 1] < mean.shape[152, 1]
    assert mean.shape[4, 2] < mean.shape[33, 2], "the nose is nearer to the camera than the eyes"
    assert np.all(
        around(mean.shape) == pytest.approx(np.concatenate([mean.shape[:468, :2].min(0), mean.shape[:468, :2].max(0)]))
    )
