"""How far head and eyes must turn on this picture to be seen turning as far as the driver's."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mien.engine.mesh.mirror import Mirror, Reading
from mien.face.gaze import gaze_of
from mien.types import Array, Expression

_TURN: Final = math.radians(12)
_GLANCE: Final = math.radians(14)
"""Angles tried to either side."""
_LEAST, _MOST = 0.8, 1.4
"""Limits of a correction."""
_WAYS: Final = ("yaw", "pitch", "gaze")
LOOKS: Final = 1 + 2 * len(_WAYS)
"""Pictures that `learn` draws."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """Factors for yaw, pitch and the sideways gaze, to the one side and the other. Up and down, lids tell more than
    irises do, and they have their own law."""

    factors: Array
    """(3, 2) float32: rows as in `_WAYS`, columns for negative and positive angles."""

    @staticmethod
    def straight() -> Aim:
        """No correction."""
        return Aim(np.ones((len(_WAYS), 2), np.float32))

    def __call__(self, expression: Expression) -> Expression:
        """The expression with head and eyes turned farther or less far."""
        asked = (expression.yaw, expression.pitch, float(expression.gaze[0]))
        yaw, pitch, aside = (angle * float(self.factors[i, int(angle > 0)]) for i, angle in enumerate(asked))
        return replace(expression, yaw=yaw, pitch=pitch, gaze=np.array([aside, expression.gaze[1]], np.float32))


def learn(mirror: Mirror) -> Aim:
    """Turn the avatar's head and eyes to every side and see how far they turn."""
    rest = mirror(Expression.neutral())
    aim = Aim.straight()
    if rest is None:
        return aim
    still = _angles(rest)
    for row, way in enumerate(_WAYS):
        for column, sign in enumerate((-1, 1)):
            angle = sign * (_TURN if row < 2 else _GLANCE)
            found = mirror(_turned(way, angle))
            if found is not None:
                seen = (_angles(found) - still)[row] / angle
                aim.factors[row, column] = np.clip(1 / max(seen, 1e-3), _LEAST, _MOST)
    return aim


def _turned(way: str, angle: float) -> Expression:
    rest = Expression.neutral()
    if way == "yaw":
        return replace(rest, yaw=angle)
    if way == "pitch":
        return replace(rest, pitch=angle)
    return replace(rest, gaze=np.array([angle, 0], np.float32))


def _angles(reading: Reading) -> Array:
    """(3,) yaw, pitch and sideways gaze as seen, radians."""
    return np.array([*reading.pose.angles[:2], gaze_of(reading.head, reading.coefficients)[0]], np.float32)
