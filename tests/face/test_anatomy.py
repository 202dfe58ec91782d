"""Each coefficient moves its own part of the face."""

from __future__ import annotations

import numpy as np
import pytest

from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS

LIPS, RIGHT_LID, LEFT_LID, RIGHT_BROW, LEFT_BROW = [0, 13, 14, 17, 61, 291], [159, 145], [386, 374], [105], [334]


def moved(name: str, landmarks: list[int]) -> float:
    return float(np.abs(canonical().basis[COEFFICIENT[name], landmarks]).max())


@pytest.mark.parametrize("name", [n for n in COEFFICIENTS if n.startswith(("eye", "brow"))])
def test_eyes_and_brows_leave_the_mouth_alone(name: str) -> None:
    assert moved(name, LIPS) == 0


@pytest.mark.parametrize("name", [n for n in COEFFICIENTS if n.startswith(("jaw", "mouth"))])
def test_the_mouth_leaves_eyes_and_brows_alone(name: str) -> None:
    assert moved(name, RIGHT_LID + LEFT_LID + RIGHT_BROW + LEFT_BROW) < 0.01


@pytest.mark.parametrize("name", ["eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "browDown", "browOuterUp"])
def test_one_eye_can_move_without_the_other(name: str) -> None:
    assert moved(name + "Left", RIGHT_LID + RIGHT_BROW) == 0
    assert moved(name + "Right", LEFT_LID + LEFT_BROW) == 0
    assert moved(name + "Left", LEFT_LID + LEFT_BROW) > 0.02
