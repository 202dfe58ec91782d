"""What each coefficient moves: the fitted movements kept to their own part of the face, and those no tracker reads.

The fit knows only what people do together: who blinks also moves the mouth a little, and nobody ever winked one eye. A
movement that is made alone must not carry the others along.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import COEFFICIENT, Array

_EYE: Final = (0.33, 0.04)
"""Where the left eye is on the average face, x and y in inter-ocular units; the right one is its mirror image."""


def local(shape: Array, basis: Array) -> Array:
    """(52, 478, 3) float32 movements that keep to their own part and side of the average face, (478, 3)."""
    made: Array = basis.copy()
    x, y = shape[:, 0], shape[:, 1]
    for name in COEFFICIENT:
        if not name.endswith("Left"):
            continue
        left, right = COEFFICIENT[name], COEFFICIENT[name.removesuffix("Left") + "Right"]
        if name.startswith(("eye", "brow")):
            # Both sides mostly move at once, and the fit cannot tell which did it: each gets all of its own side.
            both = basis[left] + basis[right]
            made[left] = both * _fade(-x, -0.06, 0.06)[:, None]
            made[right] = both * _fade(x, -0.06, 0.06)[:, None]
    for name, column in COEFFICIENT.items():
        if name.startswith("eye"):
            away = np.hypot(np.abs(x) - _EYE[0], y - _EYE[1])
            made[column] *= _fade(away, 0.26, 0.42)[:, None]
        elif name.startswith("brow"):
            made[column] *= _fade(y, 0.06, 0.3)[:, None]
        else:
            made[column] *= _fade(-y, -0.35, -0.12)[:, None]
    return made


def _fade(values: Array, full: float, nothing: float) -> Array:
    """1 below `full`, 0 above `nothing`, smooth between."""
    t = np.clip((nothing - values) / (nothing - full), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
