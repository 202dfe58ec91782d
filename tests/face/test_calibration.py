"""An Expression holds what a face does and nothing of what it is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.face.calibration import Neutral, RunningQuantile
from mien.face.gaze import gaze_of
from mien.face.pose import Pose, canonical, head_pose, rotation_from
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression

RATE = 30.0


def person(seed: int) -> Array:
    """(478, 3) somebody's own relaxed shape: the mean face stretched and bent, unlike anybody else's."""
    rng = np.random.default_rng(seed)
    shape = canonical().shape
    stretch = 1 + rng.uniform(-0.08, 0.08, 3)
    bend = sum(
        rng.normal(0, 0.012, 3) * np.cos(shape @ rng.normal(0, 2.5, (3, 1)) + rng.uniform(0, 6)) for _ in range(4)
    )
    return np.asarray(shape * stretch + bend, np.float32)


def coefficients(**values: float) -> Array:
    out = np.zeros(len(COEFFICIENTS), np.float32)
    for name, value in values.items():
        out[COEFFICIENT[name]] = value
    return out


def performed(shape: Array, script: list[Array], *, yaw: float = 0.0, scale: float = 120.0) -> list[Expression]:
    """The expressions read off somebody of that shape who does what the script says, frame by frame."""
    neutral = Neutral()
    pose = Pose(rotation_from(yaw, 0, 0), scale, np.array([300, 200, 0], np.float32))
    out = []
    for i, values in enumerate(script):
        landmarks = pose.to_frame(shape + np.tensordot(values, canonical().basis, 1))
        out.append(neutral(landmarks, head_pose(landmarks), values, np.zeros(2, np.float32), i / RATE))
    return out


REST = coefficients()
SMILE = coefficients(mouthSmileLeft=0.8, mouthSmileRight=0.8)
BLINK = coefficients(eyeBlinkLeft=0.65, eyeBlinkRight=0.65)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(10_001, 20_000))
def test_two_people_who_do_the_same_give_the_same_expression(one: int, other: int) -> None:
    script = [REST] * 30 + [SMILE] * 10 + [BLINK] * 3
    a, b = performed(person(one), script, scale=90)[-8:], performed(person(other), script, scale=210)[-8:]
    apart = np.linalg.norm(person(one) - person(other), axis=1).mean()
    for x, y in zip(a, b, strict=True):
        assert np.linalg.norm(x.offsets - y.offsets, axis=1).mean() < 0.08 * apart
        assert np.allclose(x.coefficients, y.coefficients, atol=1e-4)


def test_rest_is_nothing_and_movement_is_itself() -> None:
    expressions = performed(person(5), [REST] * 60 + [SMILE] * 15)
    assert np.abs(expressions[59].offsets).max() < 0.004
    wanted = np.tensordot(SMILE, canonical().basis, 1)
    assert np.abs(expressions[-1].offsets - wanted).max() < 0.02
    assert expressions[-1]["mouthSmileLeft"] == pytest.approx(0.8, abs=0.03)


def test_a_smile_through_the_whole_clip_stays_a_smile() -> None:
    expressions = performed(person(6), [SMILE] * 300)
    assert min(e["mouthSmileLeft"] for e in expressions) > 0.7
    corner = [e.offsets[61] for e in expressions]
    assert np.linalg.norm(corner, axis=1).min() > 0.7 * np.linalg.norm(
        canonical().basis[COEFFICIENT["mouthSmileRight"], 61]
    )


def test_a_first_frame_in_a_blink_does_not_shut_the_neutral() -> None:
    expressions = performed(person(7), [BLINK] * 3 + [REST] * 60)
    assert expressions[0]["eyeBlinkLeft"] > 0.9
    assert all(e["eyeBlinkLeft"] < 0.05 for e in expressions[3:])
    assert np.abs(expressions[-1].offsets).max() < 0.01


def test_narrow_eyes_and_raised_brows_of_ones_own_are_rest() -> None:
    own = coefficients(eyeBlinkLeft=0.2, eyeBlinkRight=0.2, browInnerUp=0.48, eyeSquintLeft=0.5)
    blink = np.maximum(own, BLINK)
    expressions = performed(person(8), [own] * 300 + [blink] * 3)
    assert expressions[290].coefficients.max() < 0.05
    assert expressions[-1]["eyeBlinkLeft"] == 1
    assert expressions[-1]["browInnerUp"] < 0.05


def test_a_wink_is_one_eye() -> None:
    wink = coefficients(eyeBlinkLeft=0.66, eyeBlinkRight=0.1)
    last = performed(person(9), [REST] * 30 + [wink] * 3)[-1]
    assert last["eyeBlinkLeft"] == 1
    assert last["eyeBlinkRight"] < 0.2


def test_the_neutral_never_jumps() -> None:
    brow = coefficients(browInnerUp=0.9, browOuterUpLeft=0.8, browOuterUpRight=0.8)
    expressions = performed(person(10), ([brow] * 100 + [REST] * 100) * 2)
    held = [expressions[i : i + 100] for i in range(0, 400, 100)]
    for part in held:
        steps = [np.abs(b.offsets - a.offsets).max() for a, b in pairwise(part)]
        assert max(steps) < 0.006


def test_a_turned_head_does_not_move_the_face() -> None:
    for expression in performed(person(11), [REST] * 5, yaw=0.0)[-1:]:
        assert abs(expression.yaw) < 0.05
    turned = performed(person(11), [REST] * 40, yaw=0.5)
    assert turned[0].yaw == pytest.approx(0.5, abs=0.06)
    assert turned[-1].yaw > 0.3, "somebody who looks aside for a second is not taken to be facing us"


def test_calibrating_by_hand_holds_until_released() -> None:
    neutral = Neutral()
    assert not neutral.calibrate()
    pose = Pose(np.eye(3, dtype=np.float32), 100.0, np.zeros(3, np.float32))
    face = pose.to_frame(person(12))

    def see(values: Array, i: int) -> Expression:
        landmarks = face + np.tensordot(values, canonical().basis, 1).astype(np.float32) * 100
        return neutral(landmarks, head_pose(landmarks), values, np.zeros(2, np.float32), i / RATE)

    for i in range(30):
        see(SMILE, i)
    assert neutral.calibrate()
    assert see(SMILE, 31).coefficients.max() < 0.01
    frowning = [see(REST, 32 + i) for i in range(300)]
    assert np.abs(frowning[0].offsets - frowning[-1].offsets).max() < 1e-4
    neutral.release()
    assert np.abs(see(REST, 400).offsets).max() < np.abs(frowning[-1].offsets).max()


def quantile(share: float, memory: float) -> RunningQuantile:
    return RunningQuantile(
        np.zeros(1, np.float32), np.ones(1, np.float32), share=np.array([share], np.float32), memory=memory
    )


@given(st.lists(st.floats(0, 1), min_size=3, max_size=60), st.sampled_from([0.25, 0.5]))
def test_the_running_quantile_is_the_quantile(values: list[float], share: float) -> None:
    running = quantile(share, 1e9)
    for value in values:
        running.add(np.array([value], np.float32), 0.1)
    low, high = (np.quantile(values, share, method=m) for m in ("lower", "higher"))
    # Between two samples either is a quantile; the one before the lower where the share falls on a sample's edge.
    below = sorted(values)[max(0, int(np.ceil(share * len(values))) - 1)]
    assert min(low, below) - 0.011 <= running.value[0] <= high + 0.011


def test_the_running_quantile_forgets() -> None:
    running = quantile(0.5, 5)
    for value in [0.2] * 100 + [0.8] * 100:
        running.add(np.array([value], np.float32), 0.1)
    assert running.value[0] == pytest.approx(0.8, abs=0.02)


def test_gaze_follows_the_iris_and_has_the_signs_of_types() -> None:
    head = canonical().shape.copy()
    straight = gaze_of(head, REST)
    assert np.degrees(np.abs(straight)).max() < 5
    head[468:478, 0] += 0.04
    assert np.degrees(gaze_of(head, REST)[0] - straight[0]) > 8
    assert gaze_of(head, coefficients(eyeLookUpLeft=0.8, eyeLookUpRight=0.8))[1] > 0.2
    assert gaze_of(head, coefficients(eyeLookDownLeft=0.8, eyeLookDownRight=0.8))[1] < -0.2
    shut = coefficients(eyeLookDownLeft=0.8, eyeLookDownRight=0.8, eyeBlinkLeft=0.6, eyeBlinkRight=0.6)
    assert gaze_of(head, shut)[1] > -0.05, "a closing lid is no downward glance"
