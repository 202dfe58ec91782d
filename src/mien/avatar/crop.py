"""Cuts a picture the way engines like it: square around the face, with room for hair and shoulders."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from mien.errors import AvatarError
from mien.types import Array, Picture

if TYPE_CHECKING:
    from mien.face.still import StillFace

ROOM: Final = 2.3
"""Side of the square in heights of the face (brow to chin)."""
RAISE: Final = 0.06
"""How far the square's centre lies above the face's, in sides: hair takes more room than the neck."""
LARGEST: Final = 2048
"""Pixels a side beyond which a picture is scaled down; no engine shows more."""
_LEAST_LIKENESS: Final = 0.42
"""Below it landmarks sit anywhere: a capuchin reaches .66, a dog .37, a cat and a llama .25, people and paintings 1."""
_SMALLEST: Final = 32
"""Pixels a side below which no face can be found."""

_log = logging.getLogger("mien")


def portrait(picture: Picture, *, name: str) -> Picture:
    """The part of (H, W, 4) uint8 RGBA an engine should see. Never enlarged, never padded: near the picture's edge the
    square moves inwards, and where the picture is too small it is all there is.

    Of several faces the largest is taken, which the logger `mien` says. Raises AvatarError where there is no face.
    """
    face, count = largest_face(picture, name=name)
    if face.likeness < _LEAST_LIKENESS:
        raise AvatarError(
            f"What was found in {name} is hardly a face: its eyes and mouth would be put in the wrong places. Choose a "
            "person, a portrait or a drawing of one; for animals there are puppets (`mien avatars list`)."
        )
    if count > 1:
        _log.warning("%s shows %d faces; the largest is taken", name, count)
    x, y, width, height = square(face.box, (picture.shape[1], picture.shape[0]))
    cut = picture[y : y + height, x : x + width]
    scale = LARGEST / max(width, height)
    if scale < 1:
        cut = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(cut)


def square(box: Array, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """x, y, width, height in pixels of the part to keep. box (4,) x0, y0, x1, y1 of the face; size (width, height)."""
    x0, y0, x1, y1 = (float(v) for v in box)
    side = ROOM * max(x1 - x0, y1 - y0)
    centre = ((x0 + x1) / 2, (y0 + y1) / 2 - RAISE * side)
    extent = [min(round(side), limit) for limit in size]
    start = [min(max(0, round(c - e / 2)), limit - e) for c, e, limit in zip(centre, extent, size, strict=True)]
    return start[0], start[1], extent[0], extent[1]


def largest_face(picture: Picture, *, name: str) -> tuple[StillFace, int]:
    """The largest face of (H, W, 4) uint8 RGBA and how many there are; what is transparent counts as grey. Raises
    AvatarError where there is none."""
    from mien.face.parts import open_finder

    alpha = picture[..., 3:].astype(np.float32) / 255
    rgb = (picture[..., :3] * alpha + 128 * (1 - alpha)).astype(np.uint8)
    faces = open_finder()(rgb) if min(rgb.shape[:2]) >= _SMALLEST else []
    if not faces:
        raise AvatarError(
            f"No face was found in {name}. Choose a picture in which one face looks at the camera, fills at least a "
            "quarter of the height, and shows both eyes, brows and mouth."
        )
    return faces[0], len(faces)
