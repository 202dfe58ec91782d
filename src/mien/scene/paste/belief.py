"""Which suspects are believed to be faces: two witnesses that err in different places are asked together."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from mien.face.lookout import WEAK, Suspect
from mien.types import Array

_ALONE: Final = 0.75
"""Score from which the detector is believed alone: a poster or a mirror is no person to the other witness. Patterns in
the measuring clips reach .71, whole faces .9."""
_SOMEBODY: Final = 0.2
"""Mean certainty over the suspect's box from which somebody is there."""
_EVIDENCE, _WHEN_LARGE = 3.3, 2.0
"""Evidence that is enough where somebody is there, see `evidence`; for a large suspect, which few tiles can hold. Faces
half hidden by a pole reach 3.7, most folds of clothes stay below 1.5."""
_LARGE: Final = 0.5
"""Size, as a share of the picture's shorter side, from which a suspect is large."""
_BESIDE: Final = 0.6
"""Score that a suspect needs that overlaps a known face: chin and neck, upside down, can look like a face."""
_SMALL, _WHEN_SMALL, _LOOKS = 1 / 6, 0.5, 3
"""Size, as a share of the picture's shorter side, below which the people map misses people, and the score and looks
that are enough there: a small veil over a wall costs little."""


def believed(suspect: Suspect, people: Array, size: tuple[int, int], *, overlapping: bool) -> bool:
    """Whether a suspect is taken for a face. people: (h, w) float32 map of the picture, how sure somebody is there;
    size: the picture's (width, height) in pixels; overlapping: whether a part of it is a face known already."""
    side = float((suspect.box[2:] - suspect.box[:2]).max()) / min(size)
    if suspect.score >= _ALONE:
        return True
    if side < _SMALL and suspect.score >= _WHEN_SMALL and suspect.looks >= _LOOKS:
        return True
    if overlapping and suspect.score < _BESIDE:
        return False
    least = _WHEN_LARGE if side > _LARGE else _EVIDENCE
    return evidence(suspect) >= least and somebody(people, suspect.box, size) >= _SOMEBODY


def evidence(suspect: Suspect) -> float:
    """Looks that saw the suspect, times how far the best of them lies above what is reported at all."""
    return suspect.looks * (suspect.score - WEAK)


def somebody(people: Array, box: Array, size: tuple[int, int]) -> float:
    """Mean certainty, 0 to 1, that somebody is in the part of a box that lies in the picture."""
    rows, columns = people.shape
    scale = np.array([columns / size[0], rows / size[1]] * 2)
    x0, y0, x1, y1 = np.clip(box * scale, 0, [columns, rows] * 2)
    part = people[int(y0) : max(math.ceil(y1), int(y0) + 1), int(x0) : max(math.ceil(x1), int(x0) + 1)]
    return float(part.mean()) if part.size else 0.0
