"""The veil: covers a place where a face is, or may be, that no avatar can be fitted to.

It shows what lies around it, led on smoothly: plain where a face was, and hardly seen where there was none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.scene.paste import colour, placement
from mien.scene.paste.places import Map, Place
from mien.types import Array, Picture

_ACROSS, _ALONG, _UP = 0.8, 1.0, 0.12
"""Half axes of the ellipse over a place, across and along the face, and how far it lies above the middle, in lengths of
the box's longer side: brow-to-chin boxes leave out forehead and jaw."""
_SOFT: Final = 0.06
"""Width of the soft edge outside the veil, as a share of the picture's shorter side."""
_HIDDEN: Final = 0.95
"""Share of a place that covers must hide for it to need no veil."""


def over(places: Sequence[Place], people: Map | None, covers: Sequence[Array], size: tuple[int, int]) -> Picture:
    """(H, W) uint8, 255 where the veil must be: at `places` that the `covers`, (N, 2) polygons, do not hide, and over
    `people`, a coarse bool map of the frame. `size` is (width, height)."""
    mask, hidden = np.zeros(size[::-1], np.uint8), np.zeros(size[::-1], np.uint8)
    for cover in covers:
        hidden |= placement.fill(cover, size)
    for place in places:
        ellipse = placement.fill(_ellipse(place), size)
        if cv2.countNonZero(ellipse & ~hidden) > (1 - _HIDDEN) * cv2.countNonZero(ellipse):
            mask |= ellipse
    if people is not None:
        strangers = cv2.resize(people.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
        mask |= np.where(strangers > 0, 255, 0).astype(np.uint8)
    return mask


def lay(picture: Picture, mask: Picture, hidden: Picture, otherwise: NDArray[np.float64]) -> None:
    """Cover `mask`, (H, W) uint8, in a picture, in place. `hidden`: (H, W) uint8, not 0 wherever a pixel of the picture
    must not be read; `otherwise`: (3,) the colour where nothing else may be."""
    if not mask.any():
        return
    width = _SOFT * min(mask.shape)
    x, y, w, h = cv2.boundingRect(mask)
    edge = math.ceil(3 * width)
    here = np.s_[max(y - edge, 0) : y + h + edge, max(x - edge, 0) : x + w + edge]
    room = colour.surroundings(picture[here], mask[here] | hidden[here], otherwise)
    picture[here] = colour.blend(room, picture[here], placement.feather(mask[here], width))


def _ellipse(place: Place) -> Array:
    """(N, 2) polygon in pixels."""
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    points = np.stack([_ACROSS * np.cos(turns), _ALONG * np.sin(turns) - _UP], 1)
    cos, sin = math.cos(place.roll), math.sin(place.roll)
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.asarray(points * place.side @ turn.T + place.centre, np.float32)
