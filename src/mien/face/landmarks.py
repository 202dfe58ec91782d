"""Looks closer at one face: 478 points in the frame, and the 52 coefficients that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from mien.models.litert import Network
from mien.models.slopes import spread_slopes
from mien.types import Array, Picture

if TYPE_CHECKING:
    from mien.face.detect import Detection

_BLENDSHAPE_INPUT = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154,
    155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263,
    267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321,
    323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387,
    388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
])  # fmt: skip
"""The 146 landmarks that Google's blendshape network reads, in its order."""

RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263


@dataclass(frozen=True, slots=True)
class Region:
    """A square of the frame, turned with the face, that the landmark model looks at."""

    x: float
    y: float
    """Centre, pixels."""
    side: float
    """Pixels."""
    roll: float
    """Radians, clockwise in the picture."""

    @staticmethod
    def around_detection(detection: Detection, *, grow: float = 1.5) -> Region:
        """The square around a detector's box."""
        x0, y0, x1, y1 = (float(v) for v in detection.box)
        return Region((x0 + x1) / 2, (y0 + y1) / 2, max(x1 - x0, y1 - y0) * grow, detection.roll)

    @staticmethod
    def around_landmarks(landmarks: Array, *, grow: float = 1.5) -> Region:
        """The square around the last frame's landmarks, upright along the line of the eyes."""
        eyes = landmarks[LEFT_EYE_OUTER, :2] - landmarks[RIGHT_EYE_OUTER, :2]
        roll = math.atan2(float(eyes[1]), float(eyes[0]))
        along = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]], np.float32)
        turned = landmarks[:468, :2] @ along.T
        low, high = turned.min(0), turned.max(0)
        x, y = along.T @ ((low + high) / 2)
        return Region(float(x), float(y), float((high - low).max()) * grow, roll)

    def shift(self, other: Region) -> float:
        """How far another region is from this one: in place as a share of this one's side, in size and lean alike."""
        place = math.hypot(other.x - self.x, other.y - self.y) / self.side
        turn = abs(math.remainder(other.roll - self.roll, math.tau)) / 2
        return place + abs(math.log(other.side / self.side)) + turn

    def follow(self, other: Region, *, slack: float = 0.015) -> Region:
        """This region, drawn after another one by a slack leash. The landmark model's answer depends a little on its
        framing: a frame that follows every tremble of the answer makes it tremble more."""
        shift = self.shift(other)
        share = max(0.0, 1 - slack / shift) if shift > 0 else 0.0
        return Region(
            self.x + share * (other.x - self.x),
            self.y + share * (other.y - self.y),
            self.side * (other.side / self.side) ** share,
            self.roll + share * math.remainder(other.roll - self.roll, math.tau),
        )

    def to_frame(self, side: int) -> Array:
        """(2, 3) affine from pixels of a side×side crop to pixels of the frame."""
        scale = self.side / side
        cos, sin = math.cos(self.roll) * scale, math.sin(self.roll) * scale
        half = side / 2
        return np.array([[cos, -sin, self.x - half * (cos - sin)], [sin, cos, self.y - half * (sin + cos)]], np.float32)

    def crop(self, image: Picture, side: int) -> Picture:
        """The region as an upright (side, side, 3) uint8 picture; black beyond the frame."""
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(image, self.to_frame(side), (side, side), flags=flags)  # type: ignore[return-value]


class FaceMesh:
    """Google's Face Landmarker: 478 points (Face Mesh V2) and the network that reads 52 blendshapes off them."""

    name = "face-landmarker"

    def __init__(self, landmarks: bytes, blendshapes: bytes) -> None:
        self._mesh = Network(spread_slopes(landmarks), name="face landmarks", threads=1)
        self._blendshapes = Network(blendshapes, name="face blendshapes", threads=1)
        self._side = self._mesh.input_shape[1]

    def landmarks(self, image: Picture, region: Region) -> tuple[Array, float]:
        """(478, 3) float32 points in the frame and the presence score in [0, 1]."""
        crop = region.crop(image, self._side)
        tensor = unit_range(crop)[None]
        points, presence, *_ = self._mesh(tensor)
        return place(points.reshape(-1, 3), region, self._side), sigmoid(float(presence.reshape(-1)[0]))

    def coefficients(self, landmarks: Array) -> Array:
        """(52,) float32 in [0, 1] from (478, 3) landmarks in pixels."""
        points = np.ascontiguousarray(landmarks[None, _BLENDSHAPE_INPUT, :2], np.float32)
        return np.clip(self._blendshapes(points)[0].reshape(-1), 0, 1)


def unit_range(picture: Picture) -> Array:
    """uint8 as float32 in [0, 1]."""
    scaled: Array = picture.astype(np.float32) * np.float32(1 / 255)
    return scaled


def place(points: Array, region: Region, side: int) -> Array:
    """Points of a crop (x, y, z in its pixels) into the frame."""
    affine = region.to_frame(side)
    placed = np.empty_like(points)
    placed[:, :2] = points[:, :2] @ affine[:, :2].T + affine[:, 2]
    placed[:, 2] = points[:, 2] * (region.side / side)
    return placed


def sigmoid(logit: float) -> float:
    """The logistic function, safe for large negative logits."""
    return 1 / (1 + math.exp(-logit)) if logit > -60 else 0.0
