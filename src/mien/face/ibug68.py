"""The 68 points of iBUG 300-W, which the field's older tools speak, picked out of the 478.

The order is iBUG's: jaw from the right ear to the left (0–16), right brow (17–21), left brow (22–26), bridge of the
nose downwards (27–30), its base from right to left (31–35), right eye (36–41), left eye (42–47), outer lips (48–59),
inner lips (60–67). Eyes and lips run clockwise in the picture from the corner on its left. Right and left are the
person's own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import Array

INDICES: Final = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
])  # fmt: skip
"""For each of the 68 points, its number among the 478."""

OPEN_LINES: Final = ((0, 16), (17, 21), (22, 26), (27, 30), (31, 35))
"""First and last point of the lines that end where they end: jaw, brows, bridge and base of the nose."""
LOOPS: Final = ((36, 41), (42, 47), (48, 59), (60, 67))
"""First and last point of the closed ones: eyes, outer and inner lips."""


def ibug68(landmarks: Array) -> Array:
    """(68, 2) float32 from (478, 3) or (478, 2) landmarks, in the same pixels."""
    return np.ascontiguousarray(landmarks[INDICES, :2], np.float32)


def lines(points: Array) -> list[Array]:
    """The nine lines of (68, 2) points, each (N, 2), loops closed: what landmark pictures are drawn from."""
    opened = [points[first : last + 1] for first, last in OPEN_LINES]
    closed = [np.concatenate([points[first : last + 1], points[first : first + 1]]) for first, last in LOOPS]
    return opened + closed
