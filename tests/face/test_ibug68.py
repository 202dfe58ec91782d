"""The 68 points: drawn on the mean face, they make its drawing."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face.ibug68 import INDICES, LOOPS, ibug68, lines
from mien.face.pose import canonical
from mien.types import Array


def drawn() -> Array:
    """(68, 2) the mean face's points in a picture of 400 pixels, its eyes' middle at (200, 150)."""
    return ibug68(canonical().shape * 150 + [200, 150, 0])


def area(loop: Array) -> float:
    """Signed area of a polygon; positive where it runs clockwise in the picture (y downwards)."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2)


def test_every_point_is_one_of_its_own() -> None:
    assert len(INDICES) == len(set(INDICES.tolist())) == 68
    assert INDICES.max() < 468


def test_the_order_is_that_of_ibug() -> None:
    points = drawn()
    jaw, brows, bridge, base = points[:17], points[17:27], points[27:31], points[31:36]
    assert np.all(np.diff(jaw[:, 0]) > 0), "the jaw runs from left to right of the picture"
    assert np.argmax(jaw[:, 1]) == 8, "its middle is the chin"
    assert np.all(np.diff(brows[:, 0]) > 0)
    assert np.all(np.diff(bridge[:, 1]) > 0), "the bridge of the nose runs downwards"
    assert np.all(np.diff(base[:, 0]) > 0)
    right_eye, left_eye, lips = points[36:42], points[42:48], points[48:68]
    assert brows[:, 1].max() < right_eye[:, 1].min() < base[:, 1].min() < lips[:, 1].min() < jaw[8, 1]
    assert right_eye[:, 0].max() < bridge[0, 0] < left_eye[:, 0].min()
    for start, end, corners in ((36, 42, (36, 39)), (42, 48, (42, 45)), (48, 60, (48, 54)), (60, 68, (60, 64))):
        assert np.argmin(points[start:end, 0]) + start == corners[0]
        assert np.argmax(points[start:end, 0]) + start == corners[1]


def test_left_and_right_mirror_each_other() -> None:
    points = drawn()
    middle = points[27:31, 0].mean()
    for left, right in ((0, 16), (4, 12), (7, 9), (17, 26), (21, 22), (36, 45), (39, 42), (48, 54), (50, 52), (60, 64)):
        assert abs((points[left, 0] + points[right, 0]) / 2 - middle) < 4
        assert abs(points[left, 1] - points[right, 1]) < 6


def test_eyes_and_lips_are_closed_loops_that_do_not_cross() -> None:
    shapes = canonical().shape + np.tensordot(np.eye(52, dtype=np.float32)[25], canonical().basis, 1)
    points = ibug68(shapes * 150 + [200, 150, 0])
    for first, last in LOOPS:
        assert area(points[first : last + 1]) > 20
    outer, inner = points[48:60], points[60:68]
    assert area(inner) < area(outer)
    assert all(cv2.pointPolygonTest(outer, tuple(map(float, point)), True) > -3 for point in inner)


def test_the_drawing_has_two_eyes_and_a_mouth() -> None:
    """Fill the closed loops of the drawing: three separate patches, where a face has them."""
    picture = np.zeros((400, 400), np.uint8)
    opened = canonical().shape + np.tensordot(np.eye(52, dtype=np.float32)[25], canonical().basis, 1)
    for line in lines(ibug68(opened * 150 + [200, 150, 0])):
        if np.array_equal(line[0], line[-1]):
            cv2.fillPoly(picture, [line.round().astype(np.int32)], 255)
    count, _, stats, centres = cv2.connectedComponentsWithStats(picture)
    assert count - 1 == 3
    eyes_and_mouth = sorted(centres[1:].tolist(), key=lambda c: c[1])
    (eye, other, mouth) = eyes_and_mouth
    assert abs(eye[1] - other[1]) < 5
    assert min(eye[0], other[0]) < mouth[0] < max(eye[0], other[0])
    assert stats[1:, cv2.CC_STAT_AREA].min() > 100
    assert len(lines(drawn())) == 9
