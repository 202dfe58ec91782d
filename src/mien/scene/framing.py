"""Lays an avatar's picture into a frame of another shape: zoomed, mirrored, in the middle, its background led on."""

from __future__ import annotations

import cv2
import numpy as np

from mien.types import Picture

_PLAIN = 6.0
"""Spread of the colours along a side of the picture, its slow changes taken off, up to which it counts as plain."""


class Framing:
    """Carries pictures of one avatar into frames of `size` (width, height); None keeps the avatar's own size.

    What the avatar's picture leaves free at the sides is its own plain background, led on; where it has none that is
    plain, a dark blur of the resting avatar. Made once for each avatar, from its resting picture.
    """

    def __init__(self, resting: Picture, size: tuple[int, int] | None = None) -> None:
        height, width = resting.shape[:2]
        self.size = size or (width, height)
        self._scale = min(self.size[0] / width, self.size[1] / height)
        self._inner = (max(1, round(width * self._scale)), max(1, round(height * self._scale)))
        self._left, self._top = (self.size[0] - self._inner[0]) // 2, (self.size[1] - self._inner[1]) // 2
        self._surround = None if _is_plain(resting) else _blurred(resting, self.size)

    def __call__(self, picture: Picture, *, zoom: float = 1.0, mirrored: bool = False) -> Picture:
        """(H, W, 3) uint8 RGB of the avatar's size into one of this framing's."""
        framed = self._framed(picture)
        if mirrored:
            framed = np.asarray(cv2.flip(framed, 1), np.uint8)
        return framed if zoom == 1 else _zoomed(framed, zoom)

    def _framed(self, picture: Picture) -> Picture:
        if self._scale != 1:
            how = cv2.INTER_AREA if self._scale < 1 else cv2.INTER_LINEAR
            picture = np.asarray(cv2.resize(picture, self._inner, interpolation=how), np.uint8)
        if self._inner == self.size:
            return picture
        right, bottom = self.size[0] - self._left - self._inner[0], self.size[1] - self._top - self._inner[1]
        if self._surround is None:
            edges = self._top, bottom, self._left, right
            return np.asarray(cv2.copyMakeBorder(picture, *edges, cv2.BORDER_REPLICATE), np.uint8)
        framed: Picture = self._surround.copy()
        framed[self._top : self._top + self._inner[1], self._left : self._left + self._inner[0]] = picture
        return framed


def _zoomed(picture: Picture, zoom: float) -> Picture:
    height, width = picture.shape[:2]
    affine = np.array([[zoom, 0, (1 - zoom) * width / 2], [0, zoom, (1 - zoom) * height / 2]])
    return np.asarray(cv2.warpAffine(picture, affine, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _is_plain(picture: Picture) -> bool:
    sides = picture[:, [0, -1]].astype(np.float32)
    return float((sides - cv2.blur(sides, (1, 31))).std()) < _PLAIN and float(sides.std(0).max()) < 10 * _PLAIN


def _blurred(picture: Picture, size: tuple[int, int]) -> Picture:
    height, width = picture.shape[:2]
    scale = max(size[0] / width, size[1] / height)
    cover = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (cover.shape[0] - size[1]) // 2, (cover.shape[1] - size[0]) // 2
    cover = cover[top : top + size[1], left : left + size[0]]
    small = cv2.GaussianBlur(cv2.resize(cover, (48, 48), interpolation=cv2.INTER_AREA), (0, 0), 4)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC) * 0.55, np.uint8)
