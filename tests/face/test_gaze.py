"""Each eye's own gaze."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mien.avatar.expressions import expression
from mien.face.gaze import each_eye

_LOOKS = [f"eyeLook{way}{side}" for way in ("In", "Out") for side in ("Left", "Right")]


@given(st.dictionaries(st.sampled_from(_LOOKS), st.floats(0, 1)))
def test_the_mean_of_both_eyes_is_the_gaze(looks: dict[str, float]) -> None:
    pose = expression(looks, gaze=(0.1, -0.2))
    assert np.allclose(each_eye(pose).mean(0), pose.gaze, atol=1e-5)


@given(st.floats(0, 1), st.floats(-0.1, 0.1))
def test_eyes_that_look_aside_together_stay_parallel(amount: float, unevenness: float) -> None:
    other = min(max(amount + unevenness, 0.0), 1.0)
    right, left = each_eye(expression({"eyeLookInRight": amount, "eyeLookOutLeft": other}))
    assert np.allclose(right, left, atol=1e-5)


def test_eyes_that_both_look_inwards_converge() -> None:
    right, left = each_eye(expression({"eyeLookInRight": 0.8, "eyeLookInLeft": 0.8}))
    assert right[0] > 0.3
    assert left[0] < -0.3
