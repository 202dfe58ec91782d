"""The fast raster draws what its plain twin draws, triangle by triangle and pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.engine.mesh.raster import rasterize
from mien.types import Array


def rasterize_plainly(
    coordinates: Array, vertices: Array, values: Array, triangles: NDArray[np.int32], depth: Array, *, scale: float
) -> None:
    """The twin of `rasterize`."""
    height, width = coordinates.shape[:2]
    places = (vertices.astype(np.float64) + 0.5) * scale - 0.5
    for triangle in sorted(triangles.tolist(), key=lambda corners: -float(depth[corners].sum())):
        a, b, c = places[triangle]
        sides = np.column_stack([b - a, c - a])
        if abs(np.linalg.det(sides)) <= 1e-6:
            continue
        for y in range(height):
            for x in range(width):
                of_b, of_c = np.linalg.solve(sides, [x - a[0], y - a[1]])
                weights = np.array([1 - of_b - of_c, of_b, of_c])
                if (weights >= -1e-3).all():
                    coordinates[y, x] = weights @ values[triangle]


def mesh(rng: np.random.Generator, count: int) -> tuple[Array, Array, NDArray[np.int32], Array]:
    """Triangles that overlap and hang over the edges, one of them flat."""
    vertices = rng.uniform(-8, 40, (3 * count, 2)).astype(np.float32)
    vertices[2] = (vertices[0] + vertices[1]) / 2
    triangles = rng.permutation(3 * count).reshape(count, 3).astype(np.int32)
    triangles[0] = [0, 1, 2]
    values = rng.uniform(0, 500, (3 * count, 2)).astype(np.float32)
    return vertices, values, triangles, rng.uniform(0, 9, 3 * count).astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_it_draws_what_its_plain_twin_draws(seed: int, scale: float) -> None:
    vertices, values, triangles, depth = mesh(np.random.default_rng(seed), 12)
    fast, plain = np.full((2, 17, 16, 2), -1, np.float32)
    rasterize(fast, vertices, values, triangles, depth, scale=scale)
    rasterize_plainly(plain, vertices, values, triangles, depth, scale=scale)
    np.testing.assert_allclose(fast, plain, atol=2e-3)


def test_level_and_upright_edges() -> None:
    square = np.array([[2, 2], [9, 2], [9, 7], [2, 7]], np.float32)
    halves = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    fast, plain = np.full((2, 10, 12, 2), -1, np.float32)
    for draw, target in ((rasterize, fast), (rasterize_plainly, plain)):
        draw(target, square, square, halves, np.zeros(4, np.float32), scale=1.0)
    np.testing.assert_allclose(fast, plain, atol=1e-5)
    assert (fast[2:8, 2:10] >= 0).all()
    assert (fast[..., 0] >= 0).sum() == 6 * 8


def test_what_lies_beyond_the_map_leaves_it_as_it_is() -> None:
    target = np.full((8, 8, 2), -1, np.float32)
    away = np.array([[30, 30], [40, 30], [30, 40]], np.float32)
    rasterize(target, away, away, np.array([[0, 1, 2]], np.int32), np.zeros(3, np.float32), scale=1.0)
    assert (target == -1).all()
