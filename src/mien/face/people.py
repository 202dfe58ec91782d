"""Finds where people are without looking for faces: a witness with other blind spots than the face detector's."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.models.litert import Network
from mien.types import Array, Picture

_SIDE: Final = 256
_WIDE: Final = 1.4
"""Ratio of the picture's sides from which its ends are looked at by themselves, too."""
_BORDER: Final = 0.12
"""What is added on every side as the picture's mirror image, as a share of the side: people at the edge are found."""


class PeopleMap:
    """Google's selfie segmentation (MediaPipe, 2021): a general model for people near the camera."""

    def __init__(self, content: bytes) -> None:
        self._network = Network(content, name="selfie segmentation", threads=1)

    def __call__(self, image: Picture, size: tuple[int, int]) -> Array:
        """(h, w) float32 in [0, 1] for (H, W, 3) uint8 RGB: how sure a person is there. `size` is (w, h)."""
        height, width = image.shape[:2]
        found = cv2.resize(self._look(image), size, interpolation=cv2.INTER_AREA)
        if max(height, width) >= _WIDE * min(height, width):
            for x0, y0, x1, y1 in _ends(width, height):
                left, top = round(x0 * size[0] / width), round(y0 * size[1] / height)
                right, bottom = round(x1 * size[0] / width), round(y1 * size[1] / height)
                part = self._look(image[y0:y1, x0:x1])
                here = np.s_[top:bottom, left:right]
                small = cv2.resize(part, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
                found[here] = np.maximum(found[here], small)
        return np.asarray(found, np.float32)

    def _look(self, image: Picture) -> Array:
        """(256, 256) float32 for a picture of any size."""
        edge = round(_SIDE * _BORDER)
        inner = _SIDE - 2 * edge
        small = cv2.resize(image, (inner, inner), interpolation=cv2.INTER_AREA)
        square = cv2.copyMakeBorder(small, edge, edge, edge, edge, cv2.BORDER_REFLECT_101)
        (answer,) = self._network(square[None].astype(np.float32) * np.float32(1 / 255))
        return np.asarray(answer[0, edge:-edge, edge:-edge, 0], np.float32)


def _ends(width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The two squares at the ends of an oblong picture: x0, y0, x1, y1."""
    side = min(width, height)
    return [(0, 0, side, side), (width - side, height - side, width, height)]
