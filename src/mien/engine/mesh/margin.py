"""The edge of the face: features stay within it, and it stays smooth when the head turns.

On a head pictured from the side the far cheek is a narrow strip. A smile must not leave it, and errors in the depth of
its landmarks must not make waves.
"""

from __future__ import annotations

import numpy as np

from mien.engine.mesh.curves import smoothstep
from mien.engine.mesh.topology import OVAL, SKIN, Indices, triangles
from mien.types import Array

_FREELY = 0.55
"""Share of the way to the edge that a feature moves freely; after it, it is slowed down."""

_SIDES = 3
"""Sides of the face that a feature may be kept from, one after the other."""


class Margin:
    """Slows a movement down that would leave the face."""

    def __init__(self, rest: Array, loop: Indices) -> None:
        """rest (478, 2) landmarks in pixels of the picture; `loop` the indices of their convex hull, in order."""
        self._loop = loop
        self._inner = np.setdiff1d(np.arange(SKIN), np.concatenate([loop, OVAL]))
        edge = rest[loop]
        along = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
        outwards = np.stack([along[:, 1], -along[:, 0]], 1)
        outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
        outwards *= np.sign(np.sum(outwards * (edge - edge.mean(0)), axis=1, keepdims=True))
        self._outwards = outwards.astype(np.float32)

    def __call__(self, places: Array, rigid: Array) -> Array:
        """(478, 2) the places with an expression's movements towards the edge slowed down, so that none reaches it;
        `rigid` (478, 2) is where the places would be without an expression."""
        ways, edge = self._outwards.T, self._loop
        rows = np.arange(len(self._inner))
        # (inner, loop): how far each feature is from each side of the face.
        gap = np.maximum(np.sum(rigid[edge] * self._outwards, axis=1) - rigid[self._inner] @ ways, 1)
        pushed = np.sum((places - rigid)[edge] * self._outwards, axis=1)
        kept: Array = places.copy()
        for _ in range(_SIDES):
            out = (kept - rigid)[self._inner] @ ways - pushed
            side = (out / gap).argmax(1)
            way, room = out[rows, side], gap[rows, side]
            free, rest = _FREELY * room, (1 - _FREELY) * room
            slowed = np.minimum(way, free) + rest * np.tanh(np.maximum(way - free, 0) / rest)
            kept[self._inner] -= (way - slowed)[:, None] * self._outwards[side]
        return kept


_EDGE_ON = (0.15, 0.5)
"""Cosine between the skin and the line of sight: below the first a landmark moves as its neighbours do, from the second
on by itself."""
_AT_THE_EDGE = 0.35
"""Inter-ocular units from the edge of the face within which this holds."""
_STEPS = 6


def calming(head: Array, rotation: Array, loop: Indices) -> Array:
    """(478, 478) float32: the mean movement of the neighbours, for landmarks at the edge that are seen edge-on.

    `head` (478, 3) landmarks in the frame of the head, `rotation` (3, 3) to that of the camera, `loop` as in `Margin`.
    """
    skin = triangles()
    seen = head @ rotation.T
    away = np.linalg.norm(seen[:, None, :2] - seen[None, loop, :2], axis=2).min(1)
    a, b, c = (seen[skin[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    normal, near = np.zeros((len(head), 3), np.float32), np.zeros((len(head), len(head)), np.float32)
    for i in range(3):
        np.add.at(normal, skin[:, i], normals)
        near[skin[:, i], skin[:, (i + 1) % 3]] = near[skin[:, (i + 1) % 3], skin[:, i]] = 1
    facing = np.abs(normal[:, 2]) / np.maximum(np.linalg.norm(normal, axis=1), 1e-6)
    low, high = _EDGE_ON
    share = (1 - smoothstep((facing - low) / (high - low))) * (1 - smoothstep(away / _AT_THE_EDGE))
    share *= near.sum(1) > 0
    mean = near / np.maximum(near.sum(1, keepdims=True), 1)
    step = np.diag(1 - share) + share[:, None] * (0.5 * mean + 0.5 * np.eye(len(head), dtype=np.float32))
    return np.asarray(np.linalg.matrix_power(step, _STEPS), np.float32)
