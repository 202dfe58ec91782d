"""Which suspects are believed to be faces: two witnesses that err in different places are asked together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.face.boxes import shared
from mien.face.lookout import WEAK, Suspect
from mien.scene.paste.places import Place
from mien.types import Array

_ALONE: Final = 0.75
"""Score from which the detector is believed alone: a poster or a mirror is no person to the other witness. Patterns in
the measuring clips reach .71, whole faces .9."""
_SOMEBODY, _SURELY = 0.3, 0.5
"""Mean certainty over the suspect's box from which somebody is there; where there is less evidence."""
_BLIND: Final = 0.3
"""Mean certainty over a tracked face below which the people map does not see people in this picture at all."""
_EVIDENCE, _WHEN_LARGE = 3.3, 2.0
"""Evidence that is enough where somebody is there, see `evidence`; for a large suspect, which few tiles can hold. Faces
half hidden by a pole reach 3.7, most folds of clothes stay below 1.5."""
_LARGE, _FILLING = 0.5, 0.9
"""Sizes, as shares of the picture's shorter side, from which a suspect is large, and from which it fills the picture:
the people map knows no people so close."""
_WHEN_FILLING: Final = 10
"""Looks that must agree on one that fills the picture."""
_BESIDE: Final = 0.53
"""Score that a suspect needs that overlaps a known face of its size: chin and neck can look like a face upside down."""
_SMALL, _WHEN_SMALL, _LOOKS = 1 / 6, 0.5, 3
"""Size, as a share of the picture's shorter side, below which the people map misses people, and the score and looks
that are enough there: a small veil over a wall costs little."""
_ALIKE: Final = 1.6
"""Ratio of sizes up to which a suspect can be a tracked face, framed a little differently."""
_CENTRED, _CENTRED_TURNED, _TURNED = 0.3, 0.5, math.radians(50)
"""Distance of the middles, in lengths of the face, up to which it is that face; where the detector reads it turned by
more than `_TURNED`, upside down mostly, that reading lies farther off."""
_INSIDE: Final = 0.85
"""Share of a suspect's box inside a tracked face from which a doubtful one is a part of it: an eye, a mouth."""


def explains(place: Place, suspect: Suspect, size: tuple[int, int]) -> bool:
    """Whether a suspect is the tracked face at `place`, a part of it, or its mirror image beyond the edge of the
    picture, whose (width, height) is `size`."""
    face, side = place.side, float((suspect.box[2:] - suspect.box[:2]).max())
    if suspect.score < _ALONE and side < face:
        inside = shared(suspect.box, place.box)
        if inside >= _INSIDE * side * side:
            return True
    if not 1 / _ALIKE < side / face < _ALIKE:
        return False
    centre = _reflected(np.asarray((suspect.box[:2] + suspect.box[2:]) / 2, np.float32), size)
    turned = abs(math.remainder(suspect.roll - place.roll, math.tau)) > _TURNED
    return float(np.linalg.norm(centre - place.centre)) < (_CENTRED_TURNED if turned else _CENTRED) * face


def believed(suspect: Suspect, people: Array, size: tuple[int, int], known: Sequence[Place]) -> bool:
    """Whether a suspect that no tracked face explains is taken for a face.

    people: (h, w) float32 map of the picture, how sure somebody is there; size: the picture's (width, height) in
    pixels; known: the tracked faces.
    """
    length = float((suspect.box[2:] - suspect.box[:2]).max())
    side = length / min(size)
    if suspect.score >= _ALONE:
        return True
    if side < _SMALL and suspect.score >= _WHEN_SMALL and suspect.looks >= _LOOKS:
        return True
    if suspect.score < _BESIDE and any(_beside(suspect, place) for place in known):
        return False
    much = evidence(suspect) >= _EVIDENCE
    if not much and not (_LARGE < side < _FILLING and evidence(suspect) >= _WHEN_LARGE):
        return False
    filling = side >= _FILLING and suspect.looks >= _WHEN_FILLING
    blind = bool(known) and max(somebody(people, place.box, size) for place in known) < _BLIND
    return filling or blind or somebody(people, suspect.box, size) >= (_SOMEBODY if much else _SURELY)


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


def _beside(suspect: Suspect, place: Place) -> bool:
    """Whether a suspect overlaps a known face of about its size."""
    side = float((suspect.box[2:] - suspect.box[:2]).max())
    alike = 1 / _ALIKE < side / place.side < _ALIKE
    return alike and shared(suspect.box, place.box) > 0.1 * min(side, place.side) ** 2


def _reflected(point: Array, size: tuple[int, int]) -> Array:
    """A point beyond the picture's edge, mirrored back into it."""
    edge = np.array(size, np.float32)
    return np.asarray(edge - np.abs(edge - np.abs(point)), np.float32)
