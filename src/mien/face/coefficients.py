"""The 52 coefficients from landmarks alone, for the mesh that comes without a network of its own for them.

`lite_coefficients.npz` was fitted by `python -m benchmarks.fit_lite_coefficients` and holds numbers only: a small
network that reads where landmarks lie in the head's frame, in units of the distance between the outer eye corners.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np

from mien.face.pose import canonical, head_pose
from mien.types import Array


class Coefficients:
    """(478, 3) landmarks in pixels → (52,) float32 in [0, 1]: two layers on the offsets from the mean face."""

    def __init__(self, weights: dict[str, Array] | None = None) -> None:
        """`weights` as in the file; by default the fitted ones."""
        self._weights = weights or _fitted()
        self._points = self._weights["points"].astype(np.int64)

    def __call__(self, landmarks: Array) -> Array:
        coefficients: Array = self.of_head(head_pose(landmarks).to_head(landmarks)[None])[0]
        return coefficients

    def of_head(self, heads: Array) -> Array:
        """(N, 52) from (N, 478, 3) landmarks in the head's frame."""
        w = self._weights
        offsets = (heads - canonical().shape)[:, self._points, :2].reshape(len(heads), -1)
        hidden = np.maximum(offsets @ w["w1"] + w["b1"], 0)
        return np.asarray(1 / (1 + np.exp(-(hidden @ w["w2"] + w["b2"]))), np.float32)


@cache
def _fitted() -> dict[str, Array]:
    with (files("mien.face") / "lite_coefficients.npz").open("rb") as file, np.load(file) as data:
        return {name: data[name].astype(np.float32) for name in data.files}
