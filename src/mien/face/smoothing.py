"""The One Euro filter: removes jitter from what is still and lets through, without lag, what moves."""

from __future__ import annotations

import math

import numpy as np

from mien.types import Array


class OneEuro:
    """Low-pass filter whose cut-off rises with speed (Casiez, Roussel and Vogel, CHI 2012), for arrays of any shape.

    Every element has its own speed, so that a blink passes at once while the jaw beside it stays still.
    """

    def __init__(self, *, min_cutoff: float, beta: float, speed_cutoff: float, quiet: float = 0.0) -> None:
        """`min_cutoff` in Hz at rest; `beta` in Hz per unit a second; `speed_cutoff` in Hz, of the speed estimate;
        `quiet` is the speed, in units a second, that noise alone makes and that does not raise the cut-off."""
        self._min_cutoff, self._beta, self._speed_cutoff, self._quiet = min_cutoff, beta, speed_cutoff, quiet
        self._value: Array | None = None
        self._raw: Array | None = None
        self._speed: Array | None = None
        self._time = 0.0

    def reset(self) -> None:
        """Forget the past: the next value passes unchanged."""
        self._value = None

    def __call__(self, value: Array, time: float, *, unit: float = 1.0) -> Array:
        """Filtered value at `time` seconds. Speeds are measured in multiples of `unit` (the size of the face)."""
        step = time - self._time
        if self._value is None or self._raw is None or self._speed is None or not 0 < step < 1:
            self._value, self._raw, self._speed = value, value, np.zeros_like(value)
        else:
            speed = (value - self._raw) / np.float32(step * unit)
            self._speed = self._speed + _gain(self._speed_cutoff, step) * (speed - self._speed)
            cutoff = self._min_cutoff + self._beta * np.maximum(np.abs(self._speed) - self._quiet, 0)
            gain = 1 / (1 + 1 / (2 * math.pi * step * cutoff))
            self._value = self._value + gain.astype(np.float32) * (value - self._value)
            self._raw = value
        self._time = time
        return self._value


def _gain(cutoff: float, step: float) -> float:
    return float(1 / (1 + 1 / (2 * math.pi * step * cutoff)))


def for_landmarks() -> OneEuro:
    """The filter for landmarks; give it the inter-ocular distance as unit.

    Tuned on nine clips with 58 blinks, and on stills with a webcam's noise: less than half of the jitter stays, a blink
    comes 0.02 frames late (median) and loses 0.7 % of its depth, and nothing ever trails by more than 1 % of the unit.
    """
    return OneEuro(min_cutoff=1.2, beta=120.0, speed_cutoff=12.0, quiet=0.08)
