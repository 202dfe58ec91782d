"""PReLU's slopes spread over a row: the same network to the bit, and no other network is touched."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from mien import models
from mien.emotion.compiled import _Graph
from mien.errors import ModelError
from mien.face.parts import read_task
from mien.models.litert import Network
from mien.models.slopes import spread_slopes
from mien.types import Array

RNG = np.random.default_rng(0)


def network(*steps: tuple[int, Array]) -> bytes:
    """PReLU with these slopes, one after another, on a picture that is that wide."""
    graph = _Graph()
    x = start = graph.tensor((1, 6, steps[0][0], 8))
    shared: dict[int, int] = {}
    for width, slopes in steps:
        if graph._shape(x)[2] != width:
            x = graph.pool(x)
        if id(slopes) not in shared:
            shared[id(slopes)] = graph.constant(slopes)
        x = graph._step(
            schema.BuiltinOperator.PRELU, [x, shared[id(slopes)]], graph._shape(x), schema.AddOptionsT()
        )  # fmt: skip
    return graph.file(start, x)


def slopes(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def assert_same(content: bytes, changed: bytes) -> None:
    one, other = Network(content, name="plain"), Network(changed, name="spread")
    given = RNG.normal(size=one.input_shape).astype(np.float32)
    for expected, answer in zip(one(given), other(given), strict=True):
        np.testing.assert_array_equal(answer, expected)


def test_the_landmark_network_answers_the_same_to_the_bit() -> None:
    if not models.available("face-landmarker"):
        pytest.skip("needs the model face-landmarker: `mien models pull face-landmarker`")
    content = read_task(models.path("face-landmarker"))["face_landmarks_detector.tflite"]
    assert spread_slopes(content) != content
    assert_same(content, spread_slopes(content))


def test_slopes_of_float32_are_spread_too() -> None:
    content = network((10, slopes(1, 1, 8)), (5, slopes(1, 1, 8)))
    assert len(spread_slopes(content)) > len(content)
    assert_same(content, spread_slopes(content))


def test_slopes_that_two_steps_share_stay_as_they_are() -> None:
    shared = slopes(1, 1, 8)
    content = network((10, shared), (5, shared))
    assert spread_slopes(content) == content


def test_slopes_that_are_one_for_every_pixel_stay_as_they_are() -> None:
    content = network((10, slopes(6, 10, 8)))
    assert spread_slopes(content) == content


def test_a_network_without_prelu_stays_as_it_is() -> None:
    if not models.available("face-landmarker"):
        pytest.skip("needs the model face-landmarker: `mien models pull face-landmarker`")
    content = read_task(models.path("face-landmarker"))["face_blendshapes.tflite"]
    assert spread_slopes(content) == content


@pytest.mark.parametrize("content", [b"", b"not a network", bytes(200), b"\xff" * 4096])
def test_a_damaged_file_is_said_to_be_damaged(content: bytes) -> None:
    with pytest.raises(ModelError, match="damaged"):
        spread_slopes(content)
