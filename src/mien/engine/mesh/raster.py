"""Draws a triangle mesh as a map of coordinates: for every pixel of the output, where in the source it comes from."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.types import Array

Places = NDArray[np.complex128]
"""(3, T) the corners of triangles, x + yi."""

_EDGE: Final = 1e-3
"""Share of a triangle's height by which a pixel may lie outside: neighbours leave no seam between them."""
_FLAT: Final = 1e-6
"""Area in pixels below which a triangle is not drawn."""
_LEVEL: Final = 1e-12
"""Stands for the slope of a weight that is the same all along a row, so that none divides by zero."""


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
    corners = triangles[np.argsort(-depth.take(triangles).sum(1), kind="stable")].T
    # Pixel (i, j) of a shrunk map stands for the full-size point (i + .5) / scale - .5.
    places = _complex((vertices.astype(np.float64, order="C") + 0.5) * scale - 0.5).take(corners)
    rows, low = _rows(places, height)
    weights, changes = _planes(places, _complex(values.astype(np.float64, order="C")).take(corners))
    which, row = _stretches(rows)
    if not len(which):
        return
    y = row + low.take(which)
    # Along a row of a triangle the weight of each corner is `at_zero + across * x`.
    at_zero = weights[0].repeat(rows, 1) + weights[2].repeat(rows, 1) * y
    across = weights[1].repeat(rows, 1)
    ends = (-_EDGE - at_zero) / across
    begin = np.ceil(np.where(across > 0, ends, 0).max(0).clip(0, width))
    end = np.floor(np.where(across < 0, ends, width - 1).min(0).clip(-1, width - 1))
    counts = np.maximum(end - begin + 1, 0).astype(np.int32)
    zero, step, down = changes.repeat(rows, 1)
    start = (zero + step * begin + down * y).astype(np.complex64)
    _, along = _stretches(counts)
    pixels = (y * width + begin.astype(np.int32)).repeat(counts) + along
    # With repeated indices the last one stays, and triangles come farthest first.
    reached = step.astype(np.complex64).repeat(counts) * along.astype(np.float32)
    _complex(coordinates).reshape(-1)[pixels] = start.repeat(counts) + reached


def _complex(pairs: NDArray[np.floating]) -> NDArray[np.complexfloating]:
    """The same memory, (x, y) as x + yi: NumPy moves one number about ten times as fast as a row of two."""
    return pairs.view(np.complex64 if pairs.dtype == np.float32 else np.complex128)[..., 0]


def _rows(places: Places, height: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """(T,) on how many rows of pixels each triangle lies, and (T,) the first of them."""
    y = places.imag
    low = np.maximum(np.ceil(y.min(0) - _EDGE), 0).astype(np.int32)
    high = np.minimum(np.floor(y.max(0) + _EDGE), height - 1).astype(np.int32)
    drawn = np.abs(_area(places)) > _FLAT
    return np.where(drawn, np.maximum(high - low + 1, 0), 0), low


def _area(places: Places) -> NDArray[np.float64]:
    """(T,) twice the area, negative where corners go round the other way."""
    a, b, c = places
    return np.asarray(((b - a).conj() * (c - a)).imag, np.float64)


def _planes(places: Places, values: Places) -> tuple[NDArray[np.float64], Places]:
    """(3, 3, T) the weights of the three corners, and (3, T) the value: at (0, 0), and how they change with x and y."""
    a, b, c = places
    area = _area(places)
    inverse = 1 / np.where(np.abs(area) > _FLAT, area, 1)
    of_b, of_c = (c - a) * inverse, (a - b) * inverse
    weights = np.empty((3, 3, len(a)))
    for plane, side in ((weights[:, 0], of_b), (weights[:, 1], of_c)):
        plane[1], plane[2] = side.imag, -side.real
        plane[0] = -plane[1] * a.real - plane[2] * a.imag
    weights[:, 2] = -weights[:, 0] - weights[:, 1]
    weights[0, 2] += 1
    changes = weights[:, 0] * (values[1] - values[0]) + weights[:, 1] * (values[2] - values[0])
    changes[0] += values[0]
    weights[1][weights[1] == 0] = _LEVEL
    return weights, changes


def _stretches(counts: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For counts (2, 0, 3): whose each item is, 0 0 2 2 2, and its place among them, 0 1 0 1 2."""
    owner = np.arange(len(counts)).repeat(counts)
    first = np.cumsum(counts) - counts
    return owner, (np.arange(len(owner)) - first.repeat(counts)).astype(np.int32)
