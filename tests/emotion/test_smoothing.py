"""Smoothing in seconds, one face at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.synthetic import emotion
from mien.emotion.smoothing import LONGEST_GAP, TIME_CONSTANT, EmotionSmoother

HAPPY, SAD = emotion(happy=1.0), emotion(sad=1.0)
FACES = st.lists(st.tuples(st.integers(0, 3), st.floats(0.001, 2.0), st.integers(0, 6)), min_size=1, max_size=40)


@given(FACES)
def test_no_face_ever_sees_another(steps: list[tuple[int, float, int]]) -> None:
    """Interleaved with others, each face gets exactly what it would get alone."""
    together, alone = EmotionSmoother(), [EmotionSmoother() for _ in range(4)]
    time = 0.0
    for number, step, kind in steps:
        time += step
        seen = np.eye(7, dtype=np.float32)[kind]
        assert np.array_equal(together(number, time, seen), alone[number](0, time, seen))


@given(FACES)
def test_probabilities_stay_probabilities(steps: list[tuple[int, float, int]]) -> None:
    smoother, time = EmotionSmoother(), 0.0
    for number, step, kind in steps:
        time += step
        smooth = smoother(number, time, np.eye(7, dtype=np.float32)[kind])
        assert smooth.sum() == pytest.approx(1, abs=1e-5)
        assert smooth.min() >= 0


@pytest.mark.parametrize("rate", [12, 30, 120])
def test_a_change_takes_the_same_time_at_any_frame_rate(rate: int) -> None:
    smoother = EmotionSmoother()
    smoother(0, 0.0, SAD)
    happy = [smoother(0, i / rate, HAPPY)[3] for i in range(1, 2 * rate)]
    at = round(TIME_CONSTANT * rate)
    assert happy[at - 1] == pytest.approx(1 - np.exp(-at / rate / TIME_CONSTANT), abs=1e-4)


def test_a_gap_starts_afresh() -> None:
    smoother = EmotionSmoother()
    smoother(0, 0.0, SAD)
    assert smoother(0, LONGEST_GAP + 0.1, HAPPY)[3] == 1
    assert smoother(0, LONGEST_GAP + 0.2, SAD)[3] > 0.5


def test_going_back_in_time_starts_afresh() -> None:
    smoother = EmotionSmoother()
    smoother(0, 10.0, SAD)
    assert smoother(0, 0.0, HAPPY)[3] == 1


def test_reset_forgets() -> None:
    smoother = EmotionSmoother()
    smoother(0, 0.0, SAD)
    smoother.reset()
    assert smoother(0, 0.03, HAPPY)[3] == 1


def test_the_caller_may_change_what_it_got() -> None:
    smoother = EmotionSmoother()
    smoother(0, 0.0, SAD)[:] = 9
    assert smoother(0, 0.03, SAD).max() == pytest.approx(1)
