"""Which people in the picture belong to no face that is known: whoever they are, their face must not be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from mien.scene.paste.places import CELLS, Map, Place
from mien.types import Array

_HEAD: Final = 1.0
"""Reach of a known face's own hair, ears and hat around its middle, in lengths of the face."""
_SHOULDERS: Final = 1.5
"""Half the width of the body just below the chin, in widths of the face."""
_SPREAD: Final = 1.0
"""By how much the body grows wider on each side for every unit farther down."""
_SMALLEST: Final = 0.22
"""Radius of the largest disc inside a stranger's shape, in widths of a usual face, below which it can be no head."""
_USUAL: Final = 1 / 6
"""Width of a face, as a share of the picture's height, where none is known."""


def unexplained(people: Map, places: Sequence[Place], size: tuple[int, int]) -> Map | None:
    """Of a map of people, those without a known face at one of the `places`; None where there are none. `size` is the
    frame's (width, height) in pixels."""
    scale = np.array([CELLS[0] / size[0], CELLS[1] / size[1]], np.float32)
    rest = people.astype(np.uint8)
    for place in places:
        cv2.fillPoly(rest, [np.rint(_body(place) * scale).astype(np.int32)], 0)
        cv2.fillPoly(rest, [np.rint(_head(place) * scale).astype(np.int32)], 0)
    sides = [place.side for place in places]
    side = float(np.median(sides)) if sides else _USUAL * size[1]
    least = max(_SMALLEST * side * float(scale.min()), 1.5)
    inside = cv2.distanceTransform(cv2.copyMakeBorder(rest, 1, 1, 1, 1, cv2.BORDER_REPLICATE), cv2.DIST_L2, 3)
    cores = (inside[1:-1, 1:-1] >= least).astype(np.uint8)
    if not cores.any():
        return None
    # The whole shape around a core, not the slivers along the bodies of known people.
    reach = 2 * math.ceil(least * 1.3) + 1
    grown = cv2.dilate(cores, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    nearby = cv2.dilate(rest, np.ones((3, 3), np.uint8))
    return np.asarray((np.asarray(grown) > 0) & (np.asarray(nearby) > 0))


def _body(place: Place) -> Array:
    """(N, 2) polygon, pixels: where the body of a known face can be, from its shoulders down."""
    far = 40.0
    return _placed(place, [
        (-_SHOULDERS, 0.35), (_SHOULDERS, 0.35), (_SHOULDERS + far * _SPREAD, far), (-_SHOULDERS - far * _SPREAD, far),
    ])  # fmt: skip


def _head(place: Place) -> Array:
    """(N, 2) polygon, pixels: hair, ears and hat of a known face."""
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return _placed(place, [(_HEAD * math.cos(t), 1.15 * _HEAD * math.sin(t) - 0.15) for t in turns])


def _placed(place: Place, points: list[tuple[float, float]]) -> Array:
    """Points in widths of the face about its middle, x along its eyes, y down its nose, in pixels of the frame."""
    cos, sin = math.cos(place.roll), math.sin(place.roll)
    turn = np.array([[cos, -sin], [sin, cos]], np.float32)
    return np.asarray(np.array(points, np.float32) * place.side @ turn.T + place.centre, np.float32)
