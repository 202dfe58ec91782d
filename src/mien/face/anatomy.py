"""What each coefficient moves: the fitted movements kept to their own part of the face, and those no tracker reads.

The fit knows only what people do together: who blinks also moves the mouth a little, and nobody ever winked one eye. A
movement that is made alone must not carry the others along.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import COEFFICIENT, Array

_EYE: Final = (0.33, 0.04)
"""Where the left eye is on the average face, x and y in inter-ocular units; the right one is its mirror image."""


def local(shape: Array, basis: Array) -> Array:
    """(52, 478, 3) float32 movements that keep to their own part and side of the average face, (478, 3)."""
    made: Array = basis.copy()
    x, y = shape[:, 0], shape[:, 1]
    for name in COEFFICIENT:
        if not name.endswith("Left"):
            continue
        left, right = COEFFICIENT[name], COEFFICIENT[name.removesuffix("Left") + "Right"]
        if name.startswith(("eye", "brow")):
            # Both sides mostly move at once, and the fit cannot tell which did it: each gets all of its own side.
            both = basis[left] + basis[right]
            made[left] = both * _fade(-x, -0.06, 0.06)[:, None]
            made[right] = both * _fade(x, -0.06, 0.06)[:, None]
    for name, column in COEFFICIENT.items():
        if name.startswith("eye"):
            away = np.hypot(np.abs(x) - _EYE[0], y - _EYE[1])
            made[column] *= _fade(away, 0.26, 0.42)[:, None]
        elif name.startswith("brow"):
            made[column] *= _fade(y, 0.06, 0.3)[:, None]
        else:
            made[column] *= _fade(-y, -0.35, -0.12)[:, None]
    for side, corner in (("Left", 291), ("Right", 61)):
        # People press their lips while they smile. Pressed lips alone are straight.
        press, smile = COEFFICIENT[f"mouthPress{side}"], COEFFICIENT[f"mouthSmile{side}"]
        made[press, :, 1] -= made[press, corner, 1] / made[smile, corner, 1] * made[smile, :, 1]
    for name, pulls in _UNREAD.items():
        made[COEFFICIENT[name]] = _pulled(shape, pulls)
    return made


Pull = tuple[float, float, float, tuple[float, float, float]]
"""A soft pull at the skin: its centre, x and y, its radius, and how far it goes, x, y and z; in inter-ocular units."""
_SNEER: Final[tuple[Pull, ...]] = (
    (0.22, 0.42, 0.12, (0.014, -0.06, 0.0)), (0.10, 0.12, 0.13, (0.0, -0.025, 0.0)),
    (0.36, 0.52, 0.17, (0.0, -0.05, -0.03)), (0.13, 0.68, 0.12, (0.0, -0.05, -0.02)),
    (0.15, -0.22, 0.12, (-0.02, 0.03, 0.0)),
)  # fmt: skip
"""The wing of the nose goes up, with the lip below it and the fold beside it; the bridge wrinkles, the brow comes
in."""
_RAISED_CHEEK: Final[tuple[Pull, ...]] = (
    (0.45, 0.34, 0.2, (0.01, -0.065, -0.03)), (0.35, 0.09, 0.1, (0.0, -0.04, 0.0)),
    (0.55, 0.02, 0.1, (0.0, -0.02, 0.0)),
)  # fmt: skip


def _mirrored(pulls: tuple[Pull, ...]) -> tuple[Pull, ...]:
    return tuple((-x, y, radius, (-dx, dy, dz)) for x, y, radius, (dx, dy, dz) in pulls)


_PUFFED: Final[tuple[Pull, ...]] = ((0.5, 0.72, 0.24, (0.1, 0.0, -0.12)), (0.62, 0.55, 0.2, (0.05, 0.0, -0.05)))
_UNREAD: Final[dict[str, tuple[Pull, ...]]] = {
    "noseSneerLeft": _SNEER,
    "noseSneerRight": _mirrored(_SNEER),
    "cheekSquintLeft": _RAISED_CHEEK,
    "cheekSquintRight": _mirrored(_RAISED_CHEEK),
    "cheekPuff": _PUFFED + _mirrored(_PUFFED),
    "jawForward": ((0.0, 1.05, 0.26, (0.0, -0.03, -0.16)), (0.0, 0.9, 0.14, (0.0, -0.035, -0.05))),
}
"""Movements that the tracker's network never reports, so that no fit can know them: drawn by hand, the left eye's side
at x > 0."""
_LIP_GAP: Final = 0.79
"""Height at which the lips meet."""


def _pulled(shape: Array, pulls: tuple[Pull, ...]) -> Array:
    """(478, 3) offsets of soft pulls at the average face."""
    offsets = np.zeros_like(shape)
    x, y = shape[:, 0], shape[:, 1]
    for cx, cy, radius, way in pulls:
        weight = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (radius / 1.6) ** 2))
        # A pull at the upper lip leaves the lower one where it is, and the other way round.
        across = (y > _LIP_GAP) != (cy > _LIP_GAP)
        near = (np.abs(x) < 0.26) & (np.abs(y - _LIP_GAP) < 0.2) & (abs(cx) < 0.3)
        weight[across & near] = 0
        offsets += (weight[:, None] * np.array(way)).astype(np.float32)
    return offsets


def _fade(values: Array, full: float, nothing: float) -> Array:
    """1 below `full`, 0 above `nothing`, smooth between."""
    t = np.clip((nothing - values) / (nothing - full), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
