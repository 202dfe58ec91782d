"""mini-XCEPTION in NumPy: the emotion network as its authors describe it, run from the original Keras weights.

Arriaga, Valdenegro-Toro, Plöger: "Real-time Convolutional Neural Networks for Emotion and Gender Classification",
arXiv:1710.07557. 58 423 parameters. Slow and plain: it is what the fast paths are compared against, and what `compiled`
makes its LiteRT network from where only the .hdf5 is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mien.errors import ModelError
from mien.types import Array

INPUT_SIZE: Final = 64
WIDTHS: Final = (16, 32, 64, 128)
"""Channels of the four residual blocks, after a stem of 8."""
_STEM: Final = 8
_CLASSES: Final = 7
_EPSILON: Final = 1e-3
"""Keras's epsilon in batch normalisation."""


class MiniXception:
    """The network as a function of one (64, 64) picture. Batch normalisation is folded into the convolutions."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        """`arrays` by their names in the Keras file. Raises ModelError where one is missing or has another shape."""
        weights = _Weights(arrays)
        self.stem = [
            _folded(weights.kernel(i, (3, 3, n, _STEM)), weights.norm(i, _STEM)) for i, n in ((1, 1), (2, _STEM))
        ]
        self.blocks = []
        before = _STEM
        for i, width in enumerate(WIDTHS):
            # Keras numbers layers in the order they were made: shortcut, then the block's two separable ones.
            shortcut = _folded(weights.kernel(3 + i, (1, 1, before, width)), weights.norm(3 + 3 * i, width))
            separable = [
                (
                    weights.depthwise(2 * i + 1 + j, channels),
                    _folded(weights.pointwise(2 * i + 1 + j, channels, width), weights.norm(4 + 3 * i + j, width)),
                )
                for j, channels in enumerate((before, width))
            ]
            self.blocks.append((shortcut, separable))
            before = width
        self.head = (weights.kernel(7, (3, 3, before, _CLASSES)), weights.bias(7, _CLASSES))

    def __call__(self, picture: Array) -> Array:
        """(64, 64) float32 in [-1, 1] → (7,) float32 probabilities in the order of `EMOTIONS`."""
        x: Array = picture.reshape(INPUT_SIZE, INPUT_SIZE, 1)
        for kernel, bias in self.stem:
            x = np.maximum(_convolve(x, kernel) + bias, 0)
        for (kernel, bias), (
            (depthwise_1, (pointwise_1, bias_1)),
            (depthwise_2, (pointwise_2, bias_2)),
        ) in self.blocks:
            shortcut = x[::2, ::2] @ kernel[0, 0] + bias
            x = np.maximum(_depthwise(x, depthwise_1) @ pointwise_1[0, 0] + bias_1, 0)
            x = _depthwise(x, depthwise_2) @ pointwise_2[0, 0] + bias_2
            x = _pool(x) + shortcut
        kernel, bias = self.head
        logits = _convolve(np.pad(x, ((1, 1), (1, 1), (0, 0))), kernel).mean((0, 1)) + bias
        odds = np.exp(logits - logits.max())
        return np.asarray(odds / odds.sum(), np.float32)


def _convolve(x: Array, kernel: Array) -> Array:
    """(H, W, C) by (3, 3, C, D), nothing beyond the edge → (H - 2, W - 2, D)."""
    patches = sliding_window_view(x, (3, 3), axis=(0, 1))  # (H - 2, W - 2, C, 3, 3)
    height, width = patches.shape[:2]
    # One small product for each row of pixels: BLAS spreads a large one over threads, which on a busy machine wait for
    # each other for ten times as long as the work takes.
    rows = patches.transpose(0, 1, 3, 4, 2).reshape(height, width, -1)
    return np.asarray(rows @ kernel.reshape(-1, kernel.shape[3]))


def _depthwise(x: Array, kernel: Array) -> Array:
    """Each channel of (H, W, C) by its own 3×3 of (3, 3, C), zeros beyond the edge."""
    height, width = x.shape[:2]
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    total = np.zeros_like(x)
    for dy in range(3):
        for dx in range(3):
            total += padded[dy : dy + height, dx : dx + width] * kernel[dy, dx]
    return total


def _pool(x: Array) -> Array:
    """Maximum over 3×3 at every second pixel, padded as TensorFlow's 'same': (0, 1) on even sizes, (1, 1) on odd."""
    before = x.shape[0] % 2
    padded = np.pad(x, ((before, 1), (before, 1), (0, 0)), constant_values=-np.inf)
    size = (x.shape[0] + 1) // 2
    rows = np.maximum.reduce([padded[i : i + 2 * size : 2][:size] for i in range(3)])
    return np.asarray(np.maximum.reduce([rows[:, i : i + 2 * size : 2][:, :size] for i in range(3)]))


def _folded(kernel: Array, norm: tuple[Array, Array]) -> tuple[Array, Array]:
    scale, shift = norm
    return np.ascontiguousarray(kernel * scale), shift


class _Weights:
    """The Keras file's arrays by layer kind and number, each checked for its shape."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays

    def _get(self, layer: str, name: str, shape: tuple[int, ...]) -> Array:
        key = f"model_weights/{layer}/{layer}_1/{name}:0"
        array = self._arrays.get(key)
        if array is None or array.shape != shape:
            found = "is missing" if array is None else f"has the shape {array.shape}, not {shape}"
            raise ModelError(f"These are not the weights of mini-XCEPTION: {key} {found}.")
        return array

    def kernel(self, number: int, shape: tuple[int, ...]) -> Array:
        return self._get(f"conv2d_{number}", "kernel", shape)

    def bias(self, number: int, channels: int) -> Array:
        return self._get(f"conv2d_{number}", "bias", (channels,))

    def depthwise(self, number: int, channels: int) -> Array:
        kernel: Array = self._get(f"separable_conv2d_{number}", "depthwise_kernel", (3, 3, channels, 1))[..., 0]
        return kernel

    def pointwise(self, number: int, channels: int, out: int) -> Array:
        return self._get(f"separable_conv2d_{number}", "pointwise_kernel", (1, 1, channels, out))

    def norm(self, number: int, channels: int) -> tuple[Array, Array]:
        """Scale and shift that batch normalisation comes down to once trained."""
        gamma, beta, mean, variance = (
            self._get(f"batch_normalization_{number}", name, (channels,))
            for name in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + _EPSILON)
        return scale, beta - mean * scale
