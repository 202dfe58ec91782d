"""Where the eyes look: one direction off the landmarks, and each eye's own."""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import COEFFICIENT, LANDMARK_COUNT, Array, Expression

EYE_RANGE: Final = (0.6, 0.45)
"""Radians, sideways and up or down: the gaze at which an eyeLook coefficient is 1."""
_CONVERGING, _DIVERGING = 0.08, 0.2
"""Radians between the two eyes up to which they count as parallel: the coefficients differ by so much by themselves."""

_EYES = {"right": (33, 133, slice(468, 473)), "left": (362, 263, slice(473, 478))}
"""The corner on the left of the picture, the one on the right, and the iris points, centre first."""
_IRIS_RADIUS_TO_EYE_RADIUS = 12.0 / 5.85
"""The iris is 11.7 mm across in nearly everybody; the eyeball turns about a centre 12 mm behind the cornea."""


def gaze_of(head: Array, coefficients: Array) -> Array:
    """(2,) float32 radians from (478, 3) landmarks in the head's frame: x > 0 to the right of the picture, y > 0 up.

    The iris's place between the corners gives the horizontal angle. Lids hide the iris from above and below and follow
    it, so the vertical angle is the network's own reading, which knows the lids.
    """
    assert len(head) == LANDMARK_COUNT
    horizontal = []
    for first, second, iris in _EYES.values():
        points = head[iris, :2]
        # The longer of the two diameters: an iris that looks aside is foreshortened along the other.
        across, down = points[1] - points[3], points[2] - points[4]
        radius = max(float(np.linalg.norm(across)), float(np.linalg.norm(down))) / 2
        offset = float(points[0, 0] - (head[first, 0] + head[second, 0]) / 2)
        reach = offset / max(radius * _IRIS_RADIUS_TO_EYE_RADIUS, 1e-4)
        horizontal.append(float(np.arcsin(np.clip(reach, -0.72, 0.72))))
    up = sum(coefficients[COEFFICIENT[f"eyeLookUp{side}"]] for side in ("Left", "Right")) / 2
    down = sum(coefficients[COEFFICIENT[f"eyeLookDown{side}"]] for side in ("Left", "Right")) / 2
    blink = sum(coefficients[COEFFICIENT[f"eyeBlink{side}"]] for side in ("Left", "Right")) / 2
    # A closing lid looks like a downward glance to the network.
    down *= 1 - min(1.0, max(0.0, (blink - 0.25) / 0.3))
    return np.array([np.mean(horizontal), (up - down) * np.radians(30)], np.float32)


def each_eye(expression: Expression) -> Array:
    """(2, 2) float32 radians: the gaze of the right eye and of the left, with the signs of `Expression.gaze`.

    Their mean is `Expression.gaze`; how far they converge is read from the coefficients.
    """
    right = expression["eyeLookInRight"] - expression["eyeLookOutRight"]
    left = expression["eyeLookOutLeft"] - expression["eyeLookInLeft"]
    between = EYE_RANGE[0] * (right - left)
    between = max(between - _CONVERGING, 0.0) + min(between + _DIVERGING, 0.0)
    return np.asarray(expression.gaze + np.array([[between / 2, 0], [-between / 2, 0]]), np.float32)
