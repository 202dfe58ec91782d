"""What lips and lids can and cannot do, whatever the numbers say. All in the head's frame, and in place."""

from __future__ import annotations

import numpy as np

from mien.engine.mesh.curves import ease
from mien.engine.mesh.topology import (
    LIP_LOWER_BETWEEN,
    LIP_LOWER_INNER,
    LIP_LOWER_OUTER,
    LIP_UPPER_BETWEEN,
    LIP_UPPER_INNER,
    LIP_UPPER_OUTER,
    EyePoints,
)
from mien.types import Array


def meet_lips(head: Array) -> None:
    """Lips never cross, and a gap too thin to be meant is shut. In place."""
    upper, lower = head[LIP_UPPER_INNER], head[LIP_LOWER_INNER]
    gap = lower[:, 1] - upper[:, 1]
    wanted = np.where(gap < 0.03, np.maximum(gap - 0.01, 0) * 1.5, gap)
    change = (gap - wanted)[:, None] * np.array([0, 0.5, 0], np.float32)
    head[LIP_UPPER_INNER] = upper + change
    head[LIP_LOWER_INNER] = lower - change


def shut_mouth(rest: Array, head: Array) -> None:
    """Let the lips of the avatar at rest, `head + rest`, meet, whatever is left of a pictured laugh. In place."""
    inner = slice(1, -1)
    y = head[:, 1] + rest[:, 1]
    gap = np.maximum(y[LIP_LOWER_INNER[inner]] - y[LIP_UPPER_INNER[inner]] - 0.015, 0)
    for row in (LIP_UPPER_INNER[inner], *LIP_UPPER_BETWEEN, LIP_UPPER_OUTER[inner]):
        rest[row, 1] += 0.35 * gap
    for row in (LIP_LOWER_INNER[inner], *LIP_LOWER_BETWEEN, LIP_LOWER_OUTER[inner]):
        rest[row, 1] -= 0.65 * gap


def round_lips(head: Array, rest: Array) -> None:
    """Let neighbouring points of the lips move alike, and narrow the opening towards its corners: it is round, and no
    polygon. In place."""
    for row in (LIP_UPPER_OUTER, LIP_UPPER_INNER, LIP_LOWER_INNER, LIP_LOWER_OUTER):
        moved = head[row] - rest[row]
        moved[1:-1] = 0.5 * moved[1:-1] + 0.25 * (moved[:-2] + moved[2:])
        head[row] = rest[row] + moved
    upper, lower = head[LIP_UPPER_INNER], head[LIP_LOWER_INNER]
    gap = lower[1:-1, 1] - upper[1:-1, 1]
    x = (upper[1:-1, 0] + lower[1:-1, 0]) / 2
    middle, half = (upper[0, 0] + upper[-1, 0]) / 2, max(float(upper[-1, 0] - upper[0, 0]) / 2, 1e-3)
    ellipse = min(float(gap.max()), _TALLEST * half) * np.sqrt(np.clip(1 - np.square((x - middle) / half), 0, 1))
    excess = 0.5 * np.maximum(gap - ellipse - _SQUARER, 0)
    for row in (LIP_UPPER_INNER[1:-1], *LIP_UPPER_BETWEEN, LIP_UPPER_OUTER[1:-1]):
        head[row, 1] += excess
    for row in (LIP_LOWER_INNER[1:-1], *LIP_LOWER_BETWEEN, LIP_LOWER_OUTER[1:-1]):
        head[row, 1] -= excess


_SQUARER, _TALLEST = 0.008, 2.6
"""Inter-ocular units by which an opening may be squarer than an ellipse, and its height in halves of its width: lips
that are drawn together open to a small ring, and never to an upright slit."""
_SMILE_CORNERS, _CORNER_REACH = 0.04, 0.13
"""In a smile that shows teeth, corners and sides of the upper lip lie no lower under its middle, added, than this share
of the opening; and inter-ocular units around a corner within which skin goes along."""
_MOST_LIFTED = 0.05
"""Inter-ocular units by which corners are raised for that, at most."""


def lift_corners(head: Array, smile: float) -> None:
    """Raise the corners of an open mouth that smiles, 0 to 1, to its upper lip: lower ones make a grimace of it. In
    place."""
    corners, sides = [LIP_UPPER_OUTER[0], LIP_UPPER_OUTER[-1]], [LIP_UPPER_INNER[2], LIP_UPPER_INNER[-3]]
    upper, lower = float(head[LIP_UPPER_INNER[5], 1]), float(head[LIP_LOWER_INNER[5], 1])
    opening = lower - upper
    if opening < _SMILE_CORNERS or smile <= 0:
        return
    low = float(head[corners, 1].mean() + head[sides, 1].mean()) - 2 * upper
    excess = min(max(low - _SMILE_CORNERS * opening, 0.0), _MOST_LIFTED) * smile
    away = np.linalg.norm(head[:, None, :2] - head[None, corners, :2], axis=2).min(1)
    head[:, 1] -= excess * np.exp(-np.square(away / _CORNER_REACH))


_THINNEST = 0.55
"""Lips are drawn thinner by a broad smile, but never below this share of what they are at rest."""


def keep_lips_thick(head: Array, rest: Array) -> None:
    """Move the outer edges of the lips out where they would come too near the inner ones. In place."""
    for outer, inner, between, up in (
        (LIP_UPPER_OUTER[1:-1], LIP_UPPER_INNER[1:-1], LIP_UPPER_BETWEEN, 1.0),
        (LIP_LOWER_OUTER[1:-1], LIP_LOWER_INNER[1:-1], LIP_LOWER_BETWEEN, -1.0),
    ):
        thick = np.maximum((rest[inner, 1] - rest[outer, 1]) * up, 0.01)
        missing = np.maximum(_THINNEST * thick - (head[inner, 1] - head[outer, 1]) * up, 0)
        head[outer, 1] -= missing * up
        for row in between:
            share = np.clip((rest[row, 1] - rest[outer, 1]) * up / thick, 0.1, 0.9)
            head[row, 1] = head[outer, 1] + share * (head[inner, 1] - head[outer, 1])


def blink(coefficient: float) -> float:
    """How far the lids are shut, 0 to 1, for a blink coefficient."""
    return ease((coefficient - 0.25) / 0.6)


_LID_FOLLOWS = 0.3
"""Share of the opening by which an upper lid comes down with a gaze that is lowered all the way, beyond what the lids'
own landmarks do: a lid that stays up stares."""


def lower_lid(head: Array, eye: EyePoints, down: float) -> None:
    """Let the upper lid follow a lowered gaze, `down` 0 to 1. In place."""
    edge, below = eye.upper[1:-1], eye.lower[1:-1]
    opening = np.maximum(head[below, 1] - head[edge, 1], 0)
    head[edge, 1] += _LID_FOLLOWS * min(max(down, 0.0), 1.0) * opening


def close_lids(head: Array, eye: EyePoints, closed: float) -> None:
    """Bring the lids together, however the driver's own eye is cut. In place."""
    upper, lower = head[eye.upper], head[eye.lower]
    upper[:, 1] = np.minimum(upper[:, 1], lower[:, 1])
    # Lids meet well below the middle: the upper one does most of the way.
    meet = lower + (upper - lower) * 0.12
    head[eye.upper] = upper + closed * (meet - upper)
    head[eye.lower] = lower + closed * (meet - lower)


def keep_crease(head: Array, rest: Array, eye: EyePoints) -> None:
    """A lid that opens wide pushes the fold above it up instead of sliding under it. In place."""
    edge = eye.upper[1:-1]
    room = 0.45 * (rest[edge, 1] - rest[eye.crease, 1])
    head[eye.crease, 1] = np.minimum(head[eye.crease, 1], head[edge, 1] - room)
