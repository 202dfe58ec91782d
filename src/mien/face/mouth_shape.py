"""Movements of the mouth that the network misses, read off the landmarks: hanging corners, a raised chin, a grimace.

Google's blendshape network answers a clear pout with a frown of .05 and no raised chin at all, and teeth bared in fear
or disgust with a smile. The landmarks tell them apart: a smile lifts the corners to the height of the upper lip, and
bends that upwards; a grimace leaves them below, and bends it downwards.
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
_UPPER_SIDES: Final = [80, 310]
"""Either side of the upper lip's inner edge."""
_GRIMACE: Final = (0.07, 0.14)
"""How far the corners of an open mouth and the sides of the upper lip lie below its middle, added, as a share of the
opening: where a grimace begins, and where it is one. Smiles of four people reach .07, bared teeth of two .08 to .5."""
_TEETH: Final = (0.04, 0.08)
"""Opening, inter-ocular units, from which this begins to count, and counts in full."""
_DROPPED: Final = (0.15, 0.35)
"""Open jaw at which it begins to count less, and no more counts: a falling jaw takes the corners along."""
_PARTED: Final = 0.05
"""Opening of the lips, inter-ocular units, at which neither says anything: an open mouth moves both."""


def with_mouth_shape(coefficients: Array, offsets: Array) -> Array:
    """(52,) coefficients, relative to rest, with frown and lower lip shrug at least as large as (478, 3) landmark
    offsets show them."""
    shown: Array = coefficients.copy()
    parted = float(offsets[_SEAM[1], 1] - offsets[_SEAM[0], 1])
    shut = float(np.clip(1 - parted / _PARTED, 0, 1))
    for side, corner in _CORNERS.items():
        lowered = float(offsets[corner, 1] - offsets[_SEAM, 1].mean())
        smile = shown[COEFFICIENT[f"mouthSmile{side}"]]
        frown = _beyond(lowered, _FROWN) * shut * (1 - smile)
        at = COEFFICIENT[f"mouthFrown{side}"]
        shown[at] = max(shown[at], frown)
    shrug = COEFFICIENT["mouthShrugLower"]
    shown[shrug] = max(shown[shrug], _beyond(-float(offsets[_CHIN, 1]), _CHIN_UP) * shut)
    return shown


def without_grimaces(coefficients: Array, head: Array) -> Array:
    """(52,) coefficients with smiles that are grimaces turned into stretched mouths; `head` (478, 3) landmarks in the
    frame of the head, in inter-ocular units."""
    upper, lower = (float(head[index, 1]) for index in _SEAM)
    opening = lower - upper
    if opening <= _TEETH[0]:
        return coefficients
    shown: Array = coefficients.copy()
    corners, sides = head[list(_CORNERS.values()), 1].mean(), head[_UPPER_SIDES, 1].mean()
    low = float(corners + sides - 2 * upper) / opening
    grimace = _beyond(low, _GRIMACE) * _beyond(opening, _TEETH)
    grimace *= 1 - _beyond(float(coefficients[COEFFICIENT["jawOpen"]]), _DROPPED)
    for side in _CORNERS:
        smile, stretch = COEFFICIENT[f"mouthSmile{side}"], COEFFICIENT[f"mouthStretch{side}"]
        turned = grimace * shown[smile]
        shown[smile] -= turned
        shown[stretch] = min(shown[stretch] + turned, 1.0)
    return shown


def _beyond(length: float, limits: tuple[float, float]) -> float:
    """0 up to the first limit, 1 from the second."""
    low, high = limits
    return min(max((length - low) / (high - low), 0.0), 1.0)
