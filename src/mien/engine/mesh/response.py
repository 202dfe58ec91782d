"""How far this picture must be moved for each coefficient to show: small mouths and painted lids need more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression, Picture

Measure = Callable[[Picture], "Array | None"]
"""Coefficients (52,) that a tracker reads off (H, W, 3) uint8 RGB, None where it finds no face."""

_LEVELS = np.array([0.0, 0.4, 0.8, 1.3, 1.9], np.float32)
_STEPS = np.linspace(0, 1, 11, dtype=np.float32)
_TOP = 0.9
_LEAST_RANGE = 0.12
"""A coefficient that the tracker hardly reads off this picture, whatever is done, is left as it is."""
_MUSCLES = (
    ("browDown",), ("browInnerUp", "browOuterUp"), ("eyeSquint",), ("eyeWide",), ("jawOpen",), ("mouthDimple",),
    ("mouthFrown",), ("mouthFunnel",), ("mouthLeft",), ("mouthLowerDown",), ("mouthPress",), ("mouthPucker",),
    ("mouthRight",), ("mouthRollLower",), ("mouthRollUpper",), ("mouthShrugLower",), ("mouthShrugUpper",),
    ("mouthSmile",), ("mouthStretch",), ("mouthUpperUp",),
)  # fmt: skip
"""Coefficients that move together, both sides at once. Lids and gaze are drawn, not bent, and have their own law."""
_OWN = np.float32(0.4)
"""How much of what the coefficients do not explain is passed on: it carries fine asymmetries, and jitter."""
_MOST = 1.35
"""The correction never moves anything farther than so many times what the driver does: a caricature is no likeness."""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """For each coefficient the movement that makes it show as much on the avatar as on the driver."""

    table: Array
    """(52, 11) float32: movement at 0, .1, … 1 of the coefficient; the straight line where nothing is corrected."""

    @staticmethod
    def straight() -> Response:
        """No correction."""
        return Response(np.tile(_STEPS, (len(COEFFICIENTS), 1)))

    def __call__(self, expression: Expression) -> Expression:
        """The expression with offsets stronger or weaker, coefficient by coefficient."""
        at = expression.coefficients * (len(_STEPS) - 1)
        low = np.minimum(at.astype(np.int32), len(_STEPS) - 2)
        rows = np.arange(len(COEFFICIENTS))
        below, above = self.table[rows, low], self.table[rows, low + 1]
        wanted = below + (at - low) * (above - below)
        basis = canonical().basis
        own = expression.offsets - np.tensordot(expression.coefficients, basis, 1)
        return replace(expression, offsets=(np.tensordot(wanted, basis, 1) + _OWN * own).astype(np.float32))


def learn(render: Callable[[Expression], Picture], measure: Measure) -> Response:
    """Move the avatar muscle by muscle, look at it with the tracker's eyes, and invert what is seen.

    Renders about 80 pictures. `render` must apply no response of its own.
    """
    table = Response.straight().table.copy()
    still = measure(np.ascontiguousarray(render(Expression.neutral())[..., :3]))
    if still is None:
        return Response(table)
    for muscle in _MUSCLES:
        indices = [i for name, i in COEFFICIENT.items() if name.removesuffix("Left").removesuffix("Right") in muscle
                   or name in muscle]  # fmt: skip
        seen = [float(still[indices].mean())]
        seen += [_read(render, measure, indices, float(level)) for level in _LEVELS[1:]]
        # Where no face is found any more the movement has gone too far.
        curve = np.maximum.accumulate(np.nan_to_num(np.array(seen, np.float32)))
        if curve[-1] - curve[0] < _LEAST_RANGE:
            continue
        wanted = curve[0] + _STEPS * (min(_TOP, float(curve[-1])) - curve[0])
        # Strictly rising, so that it can be inverted.
        inverse = np.interp(wanted, curve + np.arange(len(curve)) * 1e-5, _LEVELS)
        table[indices] = np.clip(inverse, _STEPS / _MOST, _STEPS * _MOST + 0.05).astype(np.float32)
        table[indices, 0] = 0
    return Response(table)


def _read(render: Callable[[Expression], Picture], measure: Measure, indices: list[int], level: float) -> float:
    """Mean of some coefficients as they show when moved to a level; not a number where no face is seen."""
    coefficients = np.zeros(len(COEFFICIENTS), np.float32)
    coefficients[indices] = level
    offsets = np.tensordot(coefficients, canonical().basis, 1).astype(np.float32)
    picture = render(replace(Expression.neutral(), offsets=offsets, coefficients=np.minimum(coefficients, 1)))
    read = measure(np.ascontiguousarray(picture[..., :3]))
    return float("nan") if read is None else float(read[indices].mean())
