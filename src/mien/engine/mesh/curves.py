"""How movements begin, end and saturate without a jerk."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mien.types import Array


def soft_limit(angle: float, linear: float, limit: float) -> float:
    """`angle` itself up to `linear`, then bending smoothly towards `limit`, never beyond."""
    excess = abs(angle) - linear
    if excess <= 0:
        return angle
    room = limit - linear
    return math.copysign(linear + room * math.tanh(excess / room), angle)


def smoothstep(x: NDArray[np.floating]) -> Array:
    """0 below 0, 1 above 1, smooth between."""
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)


def ease(x: float) -> float:
    """`smoothstep` of one number."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
