"""The fine structure of a picture's skin: brush strokes, film grain, cracks in the varnish."""

from __future__ import annotations

import cv2
import numpy as np

from mien.types import Array, Picture

_CHEEKS = (50, 280)
_MOUTH_CORNERS = (61, 291)
_SIDE = 0.6
"""Width of the sample, in widths of the mouth."""
_COARSEST = 0.05
"""Structure larger than this share of the sample is shading, not grain."""


def grain(picture: Picture, points: Array) -> Array:
    """(h, w) float32 lightness around 0, from a cheek of (H, W, 3) uint8 RGB with (N, 2) landmarks.

    Tiled without seams, several mouths wide.
    """
    side = int(np.linalg.norm(points[_MOUTH_CORNERS[1]] - points[_MOUTH_CORNERS[0]]) * _SIDE)
    x, y = points[list(_CHEEKS)].mean(0) if side < 8 else points[_CHEEKS[0]]
    x0 = int(np.clip(x - side / 2, 0, max(picture.shape[1] - side, 0)))
    y0 = int(np.clip(y - side / 2, 0, max(picture.shape[0] - side, 0)))
    patch = picture[y0 : y0 + side, x0 : x0 + side].astype(np.float32).mean(-1)
    fine = patch - cv2.GaussianBlur(patch, (0, 0), max(1.5, side * _COARSEST))
    tile = np.hstack([fine, fine[:, ::-1]])
    tile = np.vstack([tile, tile[::-1]])
    return np.tile(tile, (3, 3)).astype(np.float32)
