"""Steadies the emotion probabilities over time, each face by itself."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from mien.types import Array

TIME_CONSTANT: Final = 0.35
"""Seconds. A change of expression shows to 63 % after this time; single-frame flicker at 30 fps is cut to a tenth."""
LONGEST_GAP: Final = 1.0
"""Seconds. After a longer absence a face starts afresh."""


class EmotionSmoother:
    """An exponential mean in seconds, not frames, so that a variable frame rate changes nothing. Keyed by the face's
    number: no face ever sees another's values."""

    def __init__(self, *, time_constant: float = TIME_CONSTANT, longest_gap: float = LONGEST_GAP) -> None:
        self._time_constant = time_constant
        self._longest_gap = longest_gap
        self._last: dict[int, tuple[float, Array]] = {}

    def __call__(self, face: int, time: float, probabilities: Array) -> Array:
        """(7,) float32 that sum to 1, where the input does. `time` in seconds; going back in time starts afresh."""
        smooth = np.asarray(probabilities, np.float32)
        if face in self._last:
            then, before = self._last[face]
            if 0 <= time - then <= self._longest_gap:
                keep = math.exp(-(time - then) / self._time_constant)
                smooth = np.asarray(keep * before + (1 - keep) * smooth, np.float32)
        self._last[face] = (time, smooth)
        return np.array(smooth)

    def reset(self) -> None:
        """Forget every face, as at a cut."""
        self._last.clear()
