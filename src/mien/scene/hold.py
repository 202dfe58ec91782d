"""What an avatar does while its driver is out of sight: it holds still, then eases to its neutral pose."""

from __future__ import annotations

import numpy as np

from mien.types import Expression

STILL = 0.7
"""Seconds for which the last expression is held."""
EASE = 0.8
"""Seconds in which it then eases to neutral."""
CATCH_UP = 0.2
"""Seconds in which the avatar finds its way back once the driver is seen again."""


class Hold:
    """One driver's expression over time, gaps filled."""

    def __init__(self) -> None:
        self._last = Expression.neutral()
        """The last one seen."""
        self._seen = float("-inf")
        self._from = self._last
        """Where the avatar was when the driver came back."""
        self._shown = False
        """Whether the avatar has been shown at all: what begins in motion has no way to find back."""
        self._back = float("-inf")

    def missing_for(self, time: float) -> float:
        """Seconds since the driver was last seen; infinity before the first time."""
        return time - self._seen

    def __call__(self, expression: Expression | None, time: float) -> Expression:
        """What to show at `time` seconds. `expression` is None where the driver is not seen."""
        if expression is None:
            self._shown = True
            return self._away(time)
        if self._shown and time - self._seen > STILL:
            self._from, self._back = self._away(time), time
        self._shown = True
        self._last, self._seen = expression, time
        return blend(self._from, expression, _smooth((time - self._back) / CATCH_UP))

    def _away(self, time: float) -> Expression:
        gone = self.missing_for(time)
        return blend(self._last, Expression.neutral(), _smooth((gone - STILL) / EASE))


def blend(a: Expression, b: Expression, share: float) -> Expression:
    """`a` at 0, `b` at 1, in between in between."""
    if share >= 1:
        return b
    if share <= 0:
        return a

    def mix(x: float, y: float) -> float:
        return x + (y - x) * share

    s = np.float32(share)
    return Expression(
        a.offsets + (b.offsets - a.offsets) * s,
        a.coefficients + (b.coefficients - a.coefficients) * s,
        mix(a.yaw, b.yaw), mix(a.pitch, b.pitch), mix(a.roll, b.roll),
        a.gaze + (b.gaze - a.gaze) * s,
    )  # fmt: skip


def _smooth(x: float) -> float:
    """Smoothstep, 0 to 1."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
