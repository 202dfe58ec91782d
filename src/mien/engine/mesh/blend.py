"""Small pieces of compositing that eyes and mouth share: smooth outlines, soft masks, blending into a region."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from mien.types import Array, Picture

SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates."""


def box_around(points: Array, size: tuple[int, int], margin: float) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in whole pixels around (N, 2) points, within a picture of `size` (width, height)."""
    low = np.floor(points.min(0) - margin).astype(int)
    high = np.ceil(points.max(0) + margin).astype(int) + 1
    return (
        int(np.clip(low[0], 0, size[0])),
        int(np.clip(low[1], 0, size[1])),
        int(np.clip(high[0], 0, size[0])),
        int(np.clip(high[1], 0, size[1])),
    )


@cache
def _spline(count: int, steps: int) -> Array:
    """(count·steps, count) matrix of a closed Catmull-Rom spline through `count` points."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    weights = np.hstack([
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    ])  # fmt: skip
    matrix = np.zeros((count * steps, count), np.float32)
    for i in range(count):
        for j in range(4):
            matrix[i * steps : (i + 1) * steps, (i + j - 1) % count] += weights[:, j]
    return matrix


def smooth_outline(points: Array, *, steps: int = 4) -> Array:
    """A closed curve through (N, 2) points: (N·steps, 2)."""
    return np.asarray(_spline(len(points), steps) @ points, np.float32)


def polygon_mask(points: Array, box: tuple[int, int, int, int], *, soften: float = 0.0) -> Array:
    """(h, w) float32 in [0, 1] coverage of a closed polygon within a box; `soften` is a blur's sigma in pixels."""
    x0, y0, x1, y1 = box
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    fixed = np.round((points - [x0, y0]) * (1 << SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, SHIFT)
    if soften:
        cv2.GaussianBlur(mask, (0, 0), soften, dst=mask)
    return np.asarray(mask * np.float32(1 / 255), np.float32)


def smooth_line(points: Array, *, steps: int = 4) -> Array:
    """An open curve through (N, 2) points, a little smoother than they are: (N·steps, 2)."""
    calm = points.copy()
    calm[1:-1] = 0.5 * points[1:-1] + 0.25 * (points[:-2] + points[2:])
    there_and_back = np.concatenate([calm, calm[-2:0:-1]])
    return smooth_outline(there_and_back, steps=steps)[: (len(points) - 1) * steps + 1]


def line_mask(points: Array, box: tuple[int, int, int, int], *, width: float) -> Array:
    """(h, w) float32 in [0, 1]: a soft open curve of that width in pixels."""
    x0, y0, x1, y1 = box
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    fixed = np.round((smooth_line(points) - [x0, y0]) * (1 << SHIFT)).astype(np.int32)
    cv2.polylines(mask, [fixed], False, 255, max(1, round(width)), cv2.LINE_AA, SHIFT)
    cv2.GaussianBlur(mask, (0, 0), max(0.6, width * 0.4), dst=mask)
    return np.asarray(mask * np.float32(1 / 255), np.float32)


def blend(picture: Picture, box: tuple[int, int, int, int], colour: Array, alpha: Array) -> None:
    """Lay `colour` ((h, w, 3) or (3,) float32, 0–255) over a box of the picture with (h, w) alpha. In place."""
    x0, y0, x1, y1 = box
    region = picture[y0:y1, x0:x1, :3]
    under = region.astype(np.float32)
    under += alpha[..., None] * (colour - under)
    np.clip(under, 0, 255, out=under)
    region[:] = under + np.float32(0.5)
