"""Frowns, raised chins and grimaces that only the landmarks show."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mien.face.mouth_shape import with_mouth_shape, without_grimaces
from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS, LANDMARK_COUNT, Array

NONE = np.zeros(len(COEFFICIENTS), np.float32)
RIGHT_CORNER, LEFT_CORNER, UPPER, LOWER, CHIN = 61, 291, 13, 14, 152


def offsets(**down: float) -> Array:
    """Landmarks by how far they have gone down, inter-ocular units."""
    moved = np.zeros((LANDMARK_COUNT, 3), np.float32)
    for name, value in down.items():
        moved[globals()[name], 1] = value
    return moved


def seen(coefficients: Array, moved: Array) -> Array:
    """What the shape of the average face's mouth, moved, makes of the coefficients."""
    return with_mouth_shape(without_grimaces(coefficients, canonical().shape + moved), moved)


def read(name: str, coefficients: Array) -> float:
    return float(coefficients[COEFFICIENT[name]])


def test_hanging_corners_are_a_frown_each_on_its_own_side() -> None:
    shown = seen(NONE, offsets(LEFT_CORNER=0.03))
    assert read("mouthFrownLeft", shown) > 0.7
    assert read("mouthFrownRight", shown) == 0


def test_a_raised_chin_pushes_the_lower_lip_up() -> None:
    assert read("mouthShrugLower", seen(NONE, offsets(CHIN=-0.06))) == 1
    assert read("mouthShrugLower", seen(NONE, offsets(CHIN=0.05))) == 0


def test_a_smile_and_an_open_mouth_are_no_frown() -> None:
    smiling = NONE.copy()
    smiling[[COEFFICIENT["mouthSmileLeft"], COEFFICIENT["mouthSmileRight"]]] = 1
    hanging = {"LEFT_CORNER": 0.04, "RIGHT_CORNER": 0.04, "CHIN": -0.05}
    assert read("mouthFrownLeft", seen(smiling, offsets(**hanging))) == 0
    parted = seen(NONE, offsets(**hanging, UPPER=-0.03, LOWER=0.03))
    assert read("mouthFrownLeft", parted) == read("mouthShrugLower", parted) == 0


def teeth(corners: float, jaw: float = 0.0) -> Array:
    """A network's half smile with bared teeth, its corners so far below the upper lip, as a share of the opening."""
    smiling = NONE.copy()
    smiling[[COEFFICIENT["mouthSmileLeft"], COEFFICIENT["mouthSmileRight"]]] = 0.5
    smiling[COEFFICIENT["jawOpen"]] = jaw
    average, opening = canonical().shape, 0.14
    seam = average[[13, 14], 1].mean()
    level = seam - opening / 2 + corners * opening
    moved = offsets(UPPER=seam - opening / 2 - average[13, 1], LOWER=seam + opening / 2 - average[14, 1])
    moved[[RIGHT_CORNER, LEFT_CORNER], 1] = level - average[[RIGHT_CORNER, LEFT_CORNER], 1]
    moved[[80, 310], 1] = seam - opening / 2 - average[[80, 310], 1]
    return seen(smiling, moved)


def test_bared_teeth_with_low_corners_are_a_grimace_and_no_smile() -> None:
    grimace = teeth(0.25)
    assert read("mouthSmileLeft", grimace) < 0.15
    assert read("mouthStretchLeft", grimace) > 0.3


def test_a_smile_that_shows_teeth_and_a_laugh_stay_smiles() -> None:
    assert read("mouthSmileLeft", teeth(0.05)) == 0.5
    assert read("mouthSmileLeft", teeth(0.3, jaw=0.5)) == 0.5


@given(st.integers(0, 2**31))
def test_only_smiles_are_taken_away(seed: int) -> None:
    chance = np.random.default_rng(seed)
    coefficients = chance.random(len(COEFFICIENTS)).astype(np.float32)
    shown = seen(coefficients, chance.normal(0, 0.05, (LANDMARK_COUNT, 3)).astype(np.float32))
    smiles = [COEFFICIENT["mouthSmileLeft"], COEFFICIENT["mouthSmileRight"]]
    others = np.setdiff1d(np.arange(len(COEFFICIENTS)), smiles)
    assert (shown[others] >= coefficients[others]).all()
    assert (shown[smiles] >= 0).all()
    assert shown.max() <= 1
