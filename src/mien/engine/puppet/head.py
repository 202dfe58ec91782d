"""Turns and leans the head, and lets it breathe: layers slide by their depth over a rounded face."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig import Head
from mien.engine.puppet.eyes import smoothstep
from mien.types import Expression

Points = NDArray[np.float64]

MAX_YAW: Final = math.radians(34)
MAX_PITCH: Final = math.radians(24)
MAX_ROLL: Final = math.radians(32)
BREATH: Final = 4.2
"""Seconds for a breath."""


def saturate(angle: float, limit: float) -> float:
    """Nearly the angle itself where small, never beyond the limit."""
    return limit * math.tanh(angle / limit)


class HeadTurn:
    """The head's movement for a fixed set of points."""

    def __init__(self, head: Head, rest: Points, depth: Points, bulge: Points, follow: Points, ear: Points) -> None:
        """`rest` (N, 2); `depth` in front of the skull; `bulge` how much of the roundness is followed; `follow` 1 for
        the head, 0 for the body, between for the neck; `ear` -1 for an ear on the picture's left, 1 on its right."""
        self.head, self.follow, self._ear = head, follow, ear * head.radius[0]
        offset = (rest - np.array(head.centre)) / np.array(head.radius)
        dome = 1 - np.minimum((offset**2).sum(axis=1), 1.7)
        self._near = (depth + head.bulge * bulge * dome) * head.turn

    def __call__(self, points: Points, expression: Expression, time: float) -> Points:
        """Where the points, already moved by the expression, go with the head."""
        yaw, pitch, roll = self.angles(expression)
        follow, neck = self.follow, np.array(self.head.neck)
        scale = self.head.radius[0] / 100
        breath = math.sin(2 * math.pi * time / BREATH)
        share = 0.12 + 0.88 * follow
        out = points.copy()
        out[:, 0] += (self._near * follow + 9 * scale * share) * math.sin(yaw)
        towards = math.sin(yaw) * np.sign(self._ear)
        out[:, 0] -= self._ear * np.where(towards > 0, 0.2, -0.09) * towards
        out[:, 1] -= (self._near * follow + 5 * scale * share) * math.sin(pitch) + scale * breath * (1.6 - 0.5 * follow)
        angle = self.lean(roll)
        cos, sin = np.cos(angle), np.sin(angle)
        x, y = (out - neck).T
        return np.column_stack([neck[0] + cos * x - sin * y, neck[1] + sin * x + cos * y])

    def angles(self, expression: Expression) -> tuple[float, float, float]:
        """Yaw, pitch and roll as shown."""
        return (
            saturate(expression.yaw, MAX_YAW),
            saturate(expression.pitch, MAX_PITCH),
            saturate(expression.roll, MAX_ROLL),
        )

    def lean(self, roll: float) -> Points:
        """(N,) radians, clockwise: the body leans a little with the head."""
        return roll * (0.06 + 0.94 * self.follow)


def neck_follow(y: Points) -> Points:
    """How much each height of the neck goes with the head: all at its top, nothing at its foot."""
    top, foot = float(y.min()), float(y.max())
    return 1 - smoothstep((y - top) / max(foot - top, 1e-6))
