"""The coefficients of a turned head, read off its landmarks as they would lie in a view from the front.

The network judges landmarks as a camera sees them. On a turned head the far brow seems raised and the far corner of the
mouth drawn down. So the head pose is taken out of the landmarks first.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import numpy as np

from mien.face.pose import Pose, canonical
from mien.types import Array

_AHEAD, _TURNED = math.radians(5), math.radians(14)
"""Yaw or pitch up to which landmarks are read as they are, and from which only the frontal view counts."""
_VIEW: Final = (300.0, 500.0)
"""Pixels per inter-ocular unit of the frontal view, and the place of its middle."""


class Reader(Protocol):
    """A landmark model's network for coefficients."""

    def coefficients(self, landmarks: Array) -> Array:
        """(52,) float32 in [0, 1] from (478, 3) landmarks in pixels."""
        ...


def frontal(landmarks: Array, pose: Pose) -> Array:
    """(478, 3) landmarks in the frame of the head, less how the landmark model misjudges a turned face."""
    yaw, pitch, _ = pose.angles
    return np.asarray(
        pose.to_head(landmarks) - np.tensordot(np.array([yaw, pitch], np.float32), canonical().turn_bias, 1), np.float32
    )


def read_coefficients(reader: Reader, landmarks: Array, pose: Pose) -> Array:
    """(52,) float32 in [0, 1] of (478, 3) landmarks in pixels with their pose. A head that looks ahead is read once,
    a turned one twice, with a smooth passage between the two."""
    yaw, pitch, _ = pose.angles
    turned = (max(abs(yaw), abs(pitch)) - _AHEAD) / (_TURNED - _AHEAD)
    if turned <= 0:
        return reader.coefficients(landmarks)
    scale, middle = _VIEW
    ahead = reader.coefficients(np.asarray(frontal(landmarks, pose) * scale + middle, np.float32))
    if turned >= 1:
        return ahead
    share = np.float32(turned * turned * (3 - 2 * turned))
    seen = reader.coefficients(landmarks)
    return np.asarray(seen + share * (ahead - seen), np.float32)
