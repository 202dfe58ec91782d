"""How far a picture must be moved for an expression to show on it: small mouths and painted lids need more.

A tracker sees less of a movement in a painting than was made, and something of it elsewhere: muscles cross-talk. So
each movement is made alone, and the tracker's landmarks say which mixture of movements looks like one of them; then a
mixture is made stronger and stronger, until its coefficient is read as large as the driver's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mien.engine.mesh.mirror import Mirror, Reading
from mien.engine.mesh.topology import SKIN
from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression

_MOVEMENTS: Final = tuple(name for name in COEFFICIENTS if name.startswith(("jaw", "mouth")) and name != "jawForward")
"""Coefficients whose landmarks are to be seen moving by as much as the average face's. Brows move by themselves; lids
and gaze are drawn."""
_COLUMNS: Final = np.array([COEFFICIENT[name] for name in _MOVEMENTS])
_STRONGER: Final = (
    "browDown", "browInnerUp", "browOuterUp", "eyeWide", "jawOpen", "mouthFunnel", "mouthLowerDown", "mouthSmile",
    "mouthStretch", "mouthUpperUp",
)  # fmt: skip
"""Coefficients, of both sides, of which the tracker reads little while the landmarks move as they should: these are
made stronger."""
_TRIED: Final = (0.6, 1.3)
"""Strengths at which each movement is made alone; 1 is the average face's full movement."""
_STIFFNESS: Final = 0.04
"""Weight of staying near the average face's movement, against landmarks seen elsewhere."""
_ITSELF, _OTHERS = (0.7, 1.7), 0.1
"""Limits of what a mixture has of the movement itself, and of any other."""
_LEVELS: Final = np.array([0.0, 0.25, 0.5, 0.8, 1.2, 1.8, 2.6], np.float32)
"""Strengths at which each mixture is made."""
LOOKS: Final = 1 + len(_MOVEMENTS) * len(_TRIED) + len(_STRONGER) * (len(_LEVELS) - 1)
"""Pictures that `learn` draws."""
_STEPS: Final = np.linspace(0, 1, 11, dtype=np.float32)
_LEAST_RANGE: Final = 0.12
"""A coefficient that the tracker hardly reads off this picture, whatever is done, is left as its landmarks want it."""
_TOP: Final = 0.9
"""Reading that a full movement aims at."""
_MOST: Final = {"brow": 1.8, "eyeWide": 1.25, "jaw": 1.25, "mouth": 1.35}
"""A mixture never goes farther than so many times the driver's movement, by the beginning of its name: a caricature is
no likeness, and several movements of the mouth add up."""
_HEAD_START: Final = {"brow": 0.2, "eyeWide": 0.2}
_NOTICED = 0.2
"""And so much farther, in full from this number on: the network reads nothing of a movement below a threshold, which
differs from face to face. Not mouths: what they gain in the network's eyes is too much for people's."""
_OWN: Final = np.float32(0.55)
"""How much of what the coefficients do not explain is passed on: it carries fine asymmetries, and jitter."""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """For each coefficient the mixture of movements that shows it on the avatar as it shows on the driver."""

    mixture: Array
    """(52, 52) float32: movements to make, in columns, for one of each coefficient."""
    table: Array
    """(52, 11) float32: strength of the mixture at 0, .1, … 1 of the coefficient."""

    @staticmethod
    def straight() -> Response:
        """No correction."""
        return Response(np.eye(len(COEFFICIENTS), dtype=np.float32), np.tile(_STEPS, (len(COEFFICIENTS), 1)))

    def __call__(self, expression: Expression) -> Expression:
        """The expression with offsets stronger or weaker."""
        basis = canonical().basis
        wanted = self.movements(expression.coefficients)
        own = expression.offsets - np.tensordot(expression.coefficients, basis, 1)
        return replace(expression, offsets=(np.tensordot(wanted, basis, 1) + _OWN * own).astype(np.float32))

    def movements(self, coefficients: Array) -> Array:
        """(52,) movements for (52,) coefficients."""
        at = coefficients * (len(_STEPS) - 1)
        low = np.minimum(at.astype(np.int32), len(_STEPS) - 2)
        rows = np.arange(len(COEFFICIENTS))
        below, above = self.table[rows, low], self.table[rows, low + 1]
        return np.asarray(self.mixture @ (below + (at - low) * (above - below)), np.float32)


def learn(mirror: Mirror, scale: Array) -> Response:
    """Make every movement before the mirror.

    `scale` (478, 3) is how much larger than the average each feature of the avatar is.
    """
    rest = mirror(Expression.neutral())
    response = Response.straight()
    if rest is None:
        return response
    mixture, table = response.mixture.copy(), response.table.copy()
    mixture[np.ix_(_COLUMNS, _COLUMNS)] = _decoupled(mirror, rest, scale)
    for movement in _STRONGER:
        columns = [column for name, column in COEFFICIENT.items() if name.startswith(movement)]
        most = next(limit for part, limit in _MOST.items() if movement.startswith(part))
        table[columns] = _strengths(mirror, mixture, columns, rest.coefficients[columns], most)
    return Response(mixture, table)


def moving(movements: Array) -> Expression:
    """The expression of (52,) movements of the average face; 1 is a full one."""
    offsets = np.tensordot(movements, canonical().basis, 1).astype(np.float32)
    return replace(Expression.neutral(), offsets=offsets, coefficients=np.clip(movements, 0, 1).astype(np.float32))


def _decoupled(mirror: Mirror, rest: Reading, scale: Array) -> Array:
    """(movements, movements) in columns: what to make so that the landmarks move as for one movement of the average
    face, sized to this one."""
    count = len(_MOVEMENTS)
    seen = np.zeros((2 * SKIN, count), np.float32)
    for number, column in enumerate(_COLUMNS):
        shifts = []
        for level in _TRIED:
            found = mirror(moving(_alone(int(column), level)))
            if found is not None:
                shifts.append(((found.head - rest.head)[:SKIN, :2] / level).ravel())
        if shifts:
            seen[:, number] = np.mean(shifts, axis=0)
    basis = canonical().basis[_COLUMNS][:, :SKIN, :2]
    wanted = (basis * scale[:SKIN, :2]).reshape(count, -1).T
    weights = np.repeat(np.linalg.norm(basis, axis=2).max(0), 2)
    weighted = seen.T * (weights / weights.max())
    system = weighted @ seen
    system[np.diag_indices(count)] += _STIFFNESS * np.trace(system) / count
    added = np.linalg.solve(system, weighted @ (wanted - seen))
    mixtures = np.clip(added, -_OTHERS, _OTHERS)
    mixtures[np.diag_indices(count)] = np.clip(1 + added.diagonal(), *_ITSELF)
    return np.asarray(mixtures, np.float32)


def _strengths(mirror: Mirror, mixture: Array, columns: list[int], rest: Array, most: float) -> Array:
    """(n, 11) how strongly to make the mixtures of `columns`, together, for each coefficient to be read as 0, .1, … 1;
    about `most` times that at most. `rest` (n,) is read off the face at rest."""
    together = mixture[:, columns].sum(1)
    read = [np.zeros(len(columns), np.float32)]
    for level in _LEVELS[1:]:
        found = mirror(moving(level * together))
        # Where no face is found any more the movement has gone too far.
        read.append(read[0] if found is None else found.coefficients[columns] - rest)
    head_start = next((s for part, s in _HEAD_START.items() if COEFFICIENTS[columns[0]].startswith(part)), 0.0)
    limit = _STEPS * most + head_start * np.minimum(_STEPS / _NOTICED, 1)
    strengths = []
    for curve, resting in zip(np.maximum.accumulate(np.array(read)).T, rest, strict=True):
        wanted = _STEPS * min(_TOP - float(resting), float(curve[-1]))
        # Strictly rising, so that it can be inverted.
        needed = np.interp(wanted, curve + np.arange(len(curve)) * 1e-5, _LEVELS)
        strengths.append(_STEPS if curve[-1] < _LEAST_RANGE else np.clip(needed, _STEPS / most, limit))
    return np.array(strengths, np.float32)


def _alone(column: int, level: float) -> Array:
    movements = np.zeros(len(COEFFICIENTS), np.float32)
    movements[column] = level
    return movements
