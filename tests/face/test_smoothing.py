"""The One Euro filter stills what is still and lets through what moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mien.face.smoothing import OneEuro, for_landmarks

RATE = 30.0


def filtered(values: np.ndarray, smooth: OneEuro) -> np.ndarray:
    return np.array([smooth(value, i / RATE) for i, value in enumerate(values.astype(np.float32))])


@given(arrays(np.float32, (12, 3), elements=st.floats(-100, 100, width=32)))
def test_it_stays_between_what_was_seen(values: np.ndarray) -> None:
    out = filtered(values, for_landmarks())
    assert np.all(out >= values.min(0) - 1e-3)
    assert np.all(out <= values.max(0) + 1e-3)
    assert np.array_equal(out[0], values[0])


@given(st.floats(-50, 50), st.floats(0.5, 400))
def test_a_constant_passes_unchanged(value: float, unit: float) -> None:
    smooth = for_landmarks()
    assert all(smooth(np.full(3, value, np.float32), i / RATE, unit=unit) == pytest.approx(value) for i in range(5))


def test_noise_on_a_still_face_is_more_than_halved() -> None:
    noise = np.random.default_rng(3).normal(0, 0.0015, (300, 50))
    out = filtered(noise, for_landmarks())[30:]
    assert out.std() < 0.5 * noise[30:].std()
    assert np.diff(out, axis=0).std() < 0.3 * np.diff(noise, axis=0).std()


def test_a_blink_comes_in_time_and_whole() -> None:
    lid = np.zeros((40, 1))
    lid[15:21, 0] = np.array([0.35, 0.9, 1.0, 0.95, 0.6, 0.2]) * 0.09
    out = filtered(lid, for_landmarks())
    assert out.max() > 0.95 * lid.max()
    assert abs(int(out.argmax()) - int(lid.argmax())) <= 1
    assert int(np.argmax(out > 0.045)) - int(np.argmax(lid > 0.045)) == 0


def test_slow_movement_trails_by_less_than_one_percent() -> None:
    drift = np.linspace(0, 0.3, 120)[:, None]
    assert np.abs(filtered(drift, for_landmarks()) - drift).max() < 0.011


def test_the_unit_makes_it_the_same_for_large_and_small_faces() -> None:
    path = np.random.default_rng(0).normal(0, 0.05, (30, 4)).cumsum(0).astype(np.float32)
    small, large = for_landmarks(), for_landmarks()
    for i, value in enumerate(path):
        one, other = small(value, i / RATE, unit=1.0), large(value * 300, i / RATE, unit=300.0)
        assert np.allclose(one * 300, other, atol=0.05)


def test_a_gap_or_a_reset_starts_afresh() -> None:
    smooth = for_landmarks()
    smooth(np.zeros(2, np.float32), 0.0)
    assert np.all(smooth(np.full(2, 0.01, np.float32), 0.03) < 0.01)
    assert np.all(smooth(np.full(2, 5, np.float32), 3.0) == 5)
    smooth.reset()
    assert np.all(smooth(np.full(2, 9, np.float32), 3.03) == 9)
