"""Draws a triangle mesh as a map of coordinates: for every pixel of the output, where in the source it comes from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.types import Array


def rasterize(
    coordinates: Array, vertices: Array, values: Array, triangles: NDArray[np.int32], depth: Array, *, scale: float
) -> None:
    """Interpolate `values` over the triangles into `coordinates`, nearest triangle in front.

    coordinates: (h, w, 2) float32, written in place where a triangle covers the pixel's centre.
    vertices: (V, 2) float32, places in the output, in pixels of the full-size picture.
    values: (V, 2) float32, places in the source.
    triangles: (T, 3). depth: (V,), larger is farther.
    scale: pixels of `coordinates` per pixel of the full-size picture.
    """
    height, width = coordinates.shape[:2]
    # Pixel (i, j) of a shrunk map stands for the full-size point (i + .5) / scale - .5.
    places = (vertices + 0.5) * np.float32(scale) - 0.5
    order = np.argsort(-depth[triangles].sum(1), kind="stable")
    corners = triangles[order]
    a, b, c = places[corners[:, 0]], places[corners[:, 1]], places[corners[:, 2]]
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 1e-3).astype(np.int32)
    high = np.floor(np.maximum(np.maximum(a, b), c) + 1e-3).astype(np.int32)
    np.maximum(low, 0, out=low)
    np.minimum(high, [width - 1, height - 1], out=high)
    extent = np.maximum(high - low + 1, 0)
    u, v = b - a, c - a
    area = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    counts = np.where(np.abs(area) > 1e-6, extent[:, 0] * extent[:, 1], 0)
    total = int(counts.sum())
    if total == 0:
        return
    # Every candidate pixel of every triangle's bounding box, as flat arrays.
    which = np.repeat(np.arange(len(corners), dtype=np.int32), counts)
    first = np.repeat((np.cumsum(counts) - counts).astype(np.int32), counts)
    local = np.arange(total, dtype=np.int32) - first
    row = local // extent[which, 0]
    x = local - row * extent[which, 0] + low[which, 0]
    y = row + low[which, 1]
    # Barycentric weights of b and c are affine in the pixel: one multiply-add each.
    inverse = 1 / np.where(np.abs(area) > 1e-6, area, 1)
    wb = np.stack([v[:, 1], -v[:, 0], a[:, 1] * v[:, 0] - a[:, 0] * v[:, 1]], 1) * inverse[:, None]
    wc = np.stack([-u[:, 1], u[:, 0], a[:, 0] * u[:, 1] - a[:, 1] * u[:, 0]], 1) * inverse[:, None]
    plane = np.concatenate([wb, wc], 1).astype(np.float32)[which]
    weight_b = plane[:, 0] * x + plane[:, 1] * y + plane[:, 2]
    weight_c = plane[:, 3] * x + plane[:, 4] * y + plane[:, 5]
    inside = np.flatnonzero((weight_b >= -1e-3) & (weight_c >= -1e-3) & (weight_b + weight_c <= 1.001))
    which, weight_b, weight_c = which[inside], weight_b[inside, None], weight_c[inside, None]
    va = values[corners[:, 0]]
    vb, vc = values[corners[:, 1]] - va, values[corners[:, 2]] - va
    flat = coordinates.reshape(-1, 2)
    # With repeated indices the last one stays, and triangles come farthest first.
    flat[y[inside] * width + x[inside]] = va[which] + weight_b * vb[which] + weight_c * vc[which]
