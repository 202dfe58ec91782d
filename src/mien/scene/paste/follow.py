"""Follows a place from one look to the next by its texture, where no detector sees the face there.

Half a face that leaves the picture, a head that turns away, a face in the moments before it is detected: the detector
is silent, but the pixels still move together.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from mien.types import Array, Picture

WIDTH: Final = 320
"""Pixels of the longer side of the grey pictures in which places are followed."""
_GRID: Final = 7
"""Points followed along each side of a place."""
_LEAST: Final = 0.4
"""Share of the points that must be found again."""
_RETURN: Final = 1.5
"""Pixels by which a point that is followed there and back may miss."""
_ALIKE: Final = 0.6
"""Normalised correlation of the texture before and after."""
_FLAT: Final = 3.0
"""Standard deviation, of 255, below which a patch has no texture that could be compared."""


def thumbnail(image: Picture) -> Picture:
    """(h, w) uint8 grey for (H, W, 3) uint8 RGB, `WIDTH` pixels along the longer side at most."""
    scale = min(1.0, WIDTH / max(image.shape[:2]))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def follow(before: Picture, after: Picture, box: Array) -> Array | None:
    """Where what lies in `box` of one grey picture is in another: (4,) float32, or None where it is not found.

    Pictures (h, w) uint8 of one size; box x0, y0, x1, y1 in their pixels, which may reach beyond them.
    """
    height, width = before.shape
    low, high = np.maximum(box[:2], 0), np.minimum(box[2:], [width - 1, height - 1])
    if (high - low < 3).any():
        return None
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], _GRID) for i in (0, 1)))
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)[:, None]
    there, found, _ = _flow(before, after, points)
    back, returned, _ = _flow(after, before, there)
    kept = (found & returned).ravel().astype(bool) & (np.linalg.norm(back - points, axis=2).ravel() < _RETURN)
    if kept.mean() < _LEAST:
        return None
    shift = np.median((there - points)[kept, 0], axis=0)
    moved = np.asarray(box + np.tile(shift, 2), np.float32)
    return moved if _alike(before, after, box, shift) else None


def _flow(before: Picture, after: Picture, points: Array) -> Any:
    """Lucas-Kanade in a pyramid: new points (N, 1, 2), found (N, 1), errors."""
    return cv2.calcOpticalFlowPyrLK(before, after, points, np.zeros_like(points), winSize=(13, 13), maxLevel=3)


def _alike(before: Picture, after: Picture, box: Array, shift: Array) -> bool:
    """Whether the texture in `box` is found again, moved by `shift`. Nothing in sight there is nothing alike."""
    height, width = before.shape
    dx, dy = (round(float(v)) for v in shift)
    x0, y0 = (round(float(max(v, 0, -d))) for v, d in zip(box[:2], (dx, dy), strict=True))
    x1, y1 = (round(float(min(v, end, end - d))) for v, end, d in zip(box[2:], (width, height), (dx, dy), strict=True))
    if x1 - x0 < 3 or y1 - y0 < 3:
        return False
    a = before[y0:y1, x0:x1].astype(np.float32)
    b = after[y0 + dy : y1 + dy, x0 + dx : x1 + dx].astype(np.float32)
    if a.std() < _FLAT or b.std() < _FLAT:
        return bool(np.abs(a - b).mean() < _FLAT)
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std())) > _ALIKE
