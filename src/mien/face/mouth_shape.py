"""Movements of the mouth that the network hardly reports, read off the landmarks: hanging corners, a raised chin.

Google's blendshape network answers a clear pout with a frown of .05 and no raised chin at all. The landmarks show both.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import COEFFICIENT, Array

_CORNERS: Final = {"Right": 61, "Left": 291}
_SEAM: Final = [13, 14]
_CHIN: Final = 152
_FROWN: Final = (0.005, 0.035)
"""Inter-ocular units by which a corner lies below the middle of the lips, against rest: where a frown begins, and what
it measures in full."""
_CHIN_UP: Final = (0.015, 0.05)
"""The same for the chin above its place at rest."""
_PARTED: Final = 0.05
"""Opening of the lips, inter-ocular units, at which neither says anything: an open mouth moves both."""


def with_mouth_shape(coefficients: Array, offsets: Array) -> Array:
    """(52,) coefficients, relative to rest, with frown and lower lip shrug at least as large as (478, 3) landmark
    offsets show them."""
    seam = float(offsets[_SEAM, 1].mean())
    parted = float(offsets[_SEAM[1], 1] - offsets[_SEAM[0], 1])
    shut = float(np.clip(1 - parted / _PARTED, 0, 1))
    shown: Array = coefficients.copy()
    for side, corner in _CORNERS.items():
        smile = coefficients[COEFFICIENT[f"mouthSmile{side}"]]
        frown = _beyond(float(offsets[corner, 1]) - seam, _FROWN) * shut * (1 - smile)
        at = COEFFICIENT[f"mouthFrown{side}"]
        shown[at] = max(shown[at], frown)
    shrug = COEFFICIENT["mouthShrugLower"]
    shown[shrug] = max(shown[shrug], _beyond(-float(offsets[_CHIN, 1]), _CHIN_UP) * shut)
    return shown


def _beyond(length: float, limits: tuple[float, float]) -> float:
    """0 up to the first limit, 1 from the second."""
    low, high = limits
    return min(max((length - low) / (high - low), 0.0), 1.0)
