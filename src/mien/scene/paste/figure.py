"""Pastes an avatar that has no background of its own: its whole head, hair and ears beyond the cover too."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.scene.guard import GuardedRenderer
from mien.scene.paste import colour, placement
from mien.types import Array, Picture

_FADE: Final = 0.15
"""Height of the soft end below the chin, in heights of the face's outline."""


class Figure:
    """A cut-out avatar. Down to the chin all of it is shown; below, where its body would hang before the driver's, only
    what lies on the cover."""

    def __init__(self, chin: float, fade: float) -> None:
        """chin: row of the avatar's picture in which its face ends; fade: rows from there to where nothing is shown."""
        self._chin, self._fade = chin, fade

    @staticmethod
    def of(renderer: GuardedRenderer) -> Figure | None:
        """None where the avatar's picture has a background: no part of it is transparent."""
        if renderer.neutral[..., 3].min() == 255:
            return None
        top, chin = float(renderer.outline[:, 1].min()), float(renderer.outline[:, 1].max())
        return Figure(chin, max(_FADE * (chin - top), 1.0))

    def corners(self, rendered: Picture) -> Array:
        """(4, 2) float32 corners of the part of an avatar's picture that may be seen."""
        x, y, width, height = cv2.boundingRect(rendered[: int(self._chin + self._fade) + 1, :, 3])
        return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)

    def before(self, room: Picture, rendered: Picture, affine: Array, cover: Array) -> Picture:
        """(H, W, 3) uint8: the avatar's picture, (h, w, 4), carried by a (2, 3) `affine`, before `room`, (H, W, 3).
        `cover`: (H, W) float32, 1 on the cover."""
        height, width = cover.shape
        row = cv2.invertAffineTransform(affine)[1]  # of the avatar's picture, from x, y, 1 of the room's
        x, y = np.arange(width) * row[0], np.arange(height) * row[1]
        rise = (self._chin + self._fade - row[2] - y).astype(np.float32)[:, None] - x.astype(np.float32)
        above = rise * np.float32(1 / self._fade)
        # Colours times opacity: what is transparent has no colour that could bleed into an edge.
        alpha = cv2.merge([rendered[..., 3]] * 3 + [np.full(rendered.shape[:2], 255, np.uint8)])
        small, affine = placement.shrunk(np.asarray(cv2.multiply(rendered, alpha, scale=1 / 255), np.uint8), affine)
        placed = cv2.warpAffine(small, affine, (width, height), flags=cv2.INTER_LINEAR)
        whole = placed[..., 3]
        colours = cv2.divide(placed[..., :3], cv2.merge([whole] * 3), scale=255)
        opacity = np.clip(np.maximum(cover, above), 0, 1) * whole * np.float32(1 / 255)
        return colour.blend(np.asarray(colours, np.uint8), room, opacity)
