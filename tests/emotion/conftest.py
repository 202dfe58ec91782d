"""Weights for the emotion tests: random ones made on the spot, and the real ones where they are."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from mien import models
from mien.emotion.classifier import FILES, MODEL


@pytest.fixture(scope="session")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Keras-style .hdf5 of mini-XCEPTION with random weights, written by h5py."""
    path = tmp_path_factory.mktemp("weights") / "random.hdf5"
    rng = np.random.default_rng(7)
    with h5py.File(path, "w") as file:

        def put(layer: str, name: str, shape: tuple[int, ...], low: float = -0.4, high: float = 0.4) -> None:
            values = rng.uniform(low, high, shape).astype(np.float32)
            file[f"model_weights/{layer}/{layer}_1/{name}:0"] = values

        kernels = [(3, 3, 1, 8), (3, 3, 8, 8), (1, 1, 8, 16), (1, 1, 16, 32), (1, 1, 32, 64), (1, 1, 64, 128)]
        for i, shape in enumerate([*kernels, (3, 3, 128, 7)], 1):
            put(f"conv2d_{i}", "kernel", shape)
        put("conv2d_7", "bias", (7,))
        separable = [(8, 16), (16, 16), (16, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128)]
        for i, (before, after) in enumerate(separable, 1):
            put(f"separable_conv2d_{i}", "depthwise_kernel", (3, 3, before, 1))
            put(f"separable_conv2d_{i}", "pointwise_kernel", (1, 1, before, after))
        for i, width in enumerate([8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128], 1):
            for name in ("beta", "moving_mean"):
                put(f"batch_normalization_{i}", name, (width,))
            for name in ("gamma", "moving_variance"):
                put(f"batch_normalization_{i}", name, (width,), 0.5, 1.5)
        file["optimizer_weights/iterations"] = np.int64(5)
        file.attrs["model_config"] = "{}"
    return path


def weights(file: str) -> Path:
    """A real weights file from the model store; skips where it is not on this machine."""
    if not models.available(MODEL, file):
        pytest.skip(f"{file} is not on this machine: `mien models pull {MODEL}`")
    return models.path(MODEL, file)


@pytest.fixture
def quantised_weights() -> Path:
    return weights(FILES[0])


@pytest.fixture
def original_weights() -> Path:
    return weights(FILES[1])
