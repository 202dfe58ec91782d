"""Frowns and raised chins that only the landmarks show."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mien.face.mouth_shape import with_mouth_shape
from mien.types import COEFFICIENT, COEFFICIENTS, LANDMARK_COUNT, Array

NONE = np.zeros(len(COEFFICIENTS), np.float32)
RIGHT_CORNER, LEFT_CORNER, UPPER, LOWER, CHIN = 61, 291, 13, 14, 152


def offsets(**down: float) -> Array:
    """Landmarks by how far they have gone down, inter-ocular units."""
    moved = np.zeros((LANDMARK_COUNT, 3), np.float32)
    for name, value in down.items():
        moved[globals()[name], 1] = value
    return moved


def read(name: str, coefficients: Array) -> float:
    return float(coefficients[COEFFICIENT[name]])


def test_hanging_corners_are_a_frown_each_on_its_own_side() -> None:
    shown = with_mouth_shape(NONE, offsets(LEFT_CORNER=0.03))
    assert read("mouthFrownLeft", shown) > 0.7
    assert read("mouthFrownRight", shown) == 0


def test_a_raised_chin_pushes_the_lower_lip_up() -> None:
    assert read("mouthShrugLower", with_mouth_shape(NONE, offsets(CHIN=-0.05))) == 1
    assert read("mouthShrugLower", with_mouth_shape(NONE, offsets(CHIN=0.05))) == 0


def test_a_smile_and_an_open_mouth_are_no_frown() -> None:
    smiling = NONE.copy()
    smiling[[COEFFICIENT["mouthSmileLeft"], COEFFICIENT["mouthSmileRight"]]] = 1
    hanging = {"LEFT_CORNER": 0.04, "RIGHT_CORNER": 0.04, "CHIN": -0.05}
    assert read("mouthFrownLeft", with_mouth_shape(smiling, offsets(**hanging))) == 0
    parted = with_mouth_shape(NONE, offsets(**hanging, UPPER=-0.03, LOWER=0.03))
    assert read("mouthFrownLeft", parted) == read("mouthShrugLower", parted) == 0


@given(st.integers(0, 2**31))
def test_nothing_is_taken_away(seed: int) -> None:
    chance = np.random.default_rng(seed)
    coefficients = chance.random(len(COEFFICIENTS)).astype(np.float32)
    shown = with_mouth_shape(coefficients, chance.normal(0, 0.05, (LANDMARK_COUNT, 3)).astype(np.float32))
    assert (shown >= coefficients).all()
    assert shown.max() <= 1
