"""Which suspects are believed to be faces: two witnesses that err in different places are asked together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from mien.face.lookout import Suspect
from mien.types import Array

_ALONE: Final = 0.75
"""Score from which the detector is believed alone: a poster or a mirror is no person to the other witness. Patterns in
the measuring clips reach .71, whole faces .9."""
_WITH_PERSON: Final = 0.42
"""Score that is enough where somebody is there: the worst in the measuring set, half hidden by a pole, reaches .48."""
_SOMEBODY: Final = 0.2
"""Mean certainty over the suspect's box from which somebody is there."""
_SMALL, _WHEN_SMALL = 1 / 6, 0.5
"""Size, as a share of the picture's shorter side, below which the people map misses people, and the score that is
enough there: a small veil over a wall costs little."""
_BESIDE: Final = 0.6
"""Score that is enough for a suspect that overlaps a known face: chin and neck, upside down, can look like a face."""
_LOOKS: Final = 3
"""Looks that must agree where the score alone is not enough."""


def believed(suspect: Suspect, people: Array, size: tuple[int, int], *, overlapping: bool) -> bool:
    """Whether a suspect is taken for a face. people: (h, w) float32 map of the picture, how sure somebody is there;
    size: the picture's (width, height) in pixels; overlapping: whether a part of it is a face known already."""
    if suspect.score >= _ALONE:
        return True
    if suspect.looks < _LOOKS:
        return False
    if float((suspect.box[2:] - suspect.box[:2]).max()) < _SMALL * min(size) and suspect.score >= _WHEN_SMALL:
        return True
    return (
        suspect.score >= (_BESIDE if overlapping else _WITH_PERSON) and somebody(people, suspect.box, size) >= _SOMEBODY
    )


def somebody(people: Array, box: Array, size: tuple[int, int]) -> float:
    """Mean certainty, 0 to 1, that somebody is in the part of a box that lies in the picture."""
    rows, columns = people.shape
    scale = np.array([columns / size[0], rows / size[1]] * 2)
    x0, y0, x1, y1 = np.clip(box * scale, 0, [columns, rows] * 2)
    part = people[int(y0) : max(math.ceil(y1), int(y0) + 1), int(x0) : max(math.ceil(x1), int(x0) + 1)]
    return float(part.mean()) if part.size else 0.0
