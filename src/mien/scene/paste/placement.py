"""Where an avatar's face goes in the driver's picture, and which part of that picture it must cover."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from mien.face.pose import canonical, head_pose
from mien.types import Array, Expression, Face, Picture

SMALLEST: Final = 6.0
"""Pixels between the outer eye corners below which a face cannot be replaced with any certainty."""
FARTHEST: Final = 30_000.0
"""Pixels from the picture's corner beyond which a landmark is nonsense."""

FOREHEAD, TEMPLES, JAW, CHIN = 0.75, 0.22, 0.09, 0.14
"""How far the cover reaches beyond the landmarks, in distances between the outer eye corners: over the forehead to the
hairline (the topmost landmark lies on the forehead), over the ears, beside the jaw, and below the chin."""

_PIVOT: Final = np.array([0, 0.85, 0.75], np.float32)
"""About which a head turns, in its own frame: between the ears, a little below. Avatars turn about there, too."""
_EYES = ((33, 133), (362, 263))
_MOUTH = (13, 14)


def anchors(face: Face) -> Array:
    """(3, 2) float32, pixels: where both eyes and the mouth of an average face would lie that has this head's place,
    size and roll and looks straight ahead. Steadier than the landmarks themselves, and a yawn does not move them."""
    pose = head_pose(face.landmarks)
    shape = canonical().shape
    points = np.stack([shape[list(group), :2].mean(0) for group in (*_EYES, _MOUTH)])
    cos, sin = math.cos(face.roll), math.sin(face.roll)
    turn = np.array([[cos, -sin], [sin, cos]], np.float32) * np.float32(pose.scale)
    return np.asarray((points - _PIVOT[:2]) @ turn.T + pose.to_frame(_PIVOT[None])[0, :2], np.float32)


def certain(landmarks: Array) -> bool:
    """Whether (478, 3) landmarks can be those of a face: finite, near the picture, neither tiny nor folded up."""
    if not np.isfinite(landmarks).all() or np.abs(landmarks).max() > FARTHEST:
        return False
    return float(np.linalg.norm(landmarks[263] - landmarks[33])) >= SMALLEST and head_pose(landmarks).scale >= SMALLEST


def upright(face: Face) -> Expression:
    """The expression with the head's turn towards the camera as it is in the picture, and without its roll, which
    `anchors` carry."""
    return replace(face.expression, yaw=face.yaw, pitch=face.pitch, roll=0.0)


def similarity(source: Array, target: Array) -> Array:
    """(2, 3) float32: the turn, scale and shift that carry (N, 2) `source` points nearest to `target`."""
    a, b = source.mean(0), target.mean(0)
    x, y = (source - a).astype(np.float64), (target - b).astype(np.float64)
    size = max(float((x * x).sum()), 1e-9)
    cos = float((x * y).sum()) / size
    sin = float((x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum()) / size
    linear = np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, b - linear @ a]).astype(np.float32)


def skin(face: Face) -> Array:
    """(N, 2) float32 polygon around the landmarks of the skin: brow to chin, cheek to cheek."""
    return np.asarray(cv2.convexHull(np.ascontiguousarray(face.landmarks[:468, :2]))[:, 0], np.float32)


def cover(face: Face, before: Array | None = None) -> Array:
    """(N, 2) float32 polygon that holds everything of the driver's face: hairline, ears and chin with room to spare.

    `before` are the landmarks one frame earlier: the cover reaches as far again in the direction of travel, for
    smoothed landmarks trail a little behind a quick head.
    """
    skin = face.landmarks[:468, :2]
    if before is not None and certain(before):
        skin = np.concatenate([skin, 2 * skin - before[:468, :2]])
    unit = head_pose(face.landmarks).scale
    cos, sin = math.cos(face.roll), math.sin(face.roll)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)  # into the head's upright frame
    hull = cv2.convexHull(np.ascontiguousarray(skin @ turn.T))[:, 0]
    low, high = hull.min(0), hull.max(0)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-3)
    x, y = ((hull - centre) / half).T
    up, down = np.maximum(-y, 0), np.maximum(y, 0)
    beside = JAW + (TEMPLES - JAW) * np.clip(1.2 - 2 * down, 0, 1)
    grown = hull + np.stack([beside * x, CHIN * down - FOREHEAD * up], 1).astype(np.float32) * np.float32(unit)
    return np.asarray(grown @ turn, np.float32)


def fill(polygon: Array, size: tuple[int, int]) -> Picture:
    """(H, W) uint8, 255 inside the polygon. `size` is (width, height)."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    return mask


def feather(mask: Picture, width: float) -> Array:
    """(H, W) float32 opacity: 1 all over the mask, falling to 0 within `width` pixels outside it."""
    distance = cv2.distanceTransform(cv2.bitwise_not(mask), cv2.DIST_L2, 3)
    x = np.clip(1 - distance / max(width, 1.0), 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def transform(affine: Array, points: Array) -> Array:
    """(N, 2) points moved by a (2, 3) affine."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2], np.float32)


def shrunk(picture: Picture, affine: Array) -> tuple[Picture, Array]:
    """A picture and the affine that places it, both scaled down where it will be much smaller: an average over the
    pixels that fall together, or they would flicker."""
    shrink = float(np.hypot(affine[0, 0], affine[1, 0]))
    if shrink >= 0.6:
        return picture, affine
    small = np.asarray(cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    scale = np.diag([picture.shape[1] / small.shape[1], picture.shape[0] / small.shape[0]])
    return small, np.column_stack([affine[:, :2] @ scale, affine[:, 2]]).astype(np.float32)
