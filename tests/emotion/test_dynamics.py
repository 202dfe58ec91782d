"""Measures on signals whose answer is known, at steady and at unsteady frame rates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotion.synthetic import bump, emotion, face, frame, smiling, timeline
from mien.emotion import moments, signal
from mien.emotion.dynamics import Dynamics, analyse
from mien.emotion.timeline import Timeline
from mien.types import Face


def steady(seconds: float, rate: float = 30) -> list[float]:
    return [i / rate for i in range(round(seconds * rate))]


def unsteady(seconds: float, seed: int = 0) -> list[float]:
    """12 to 50 frames a second, as phones record."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(1 / 50, 1 / 12, int(seconds * 50)))
    return times[times < seconds].tolist()


CLOCKS = pytest.mark.parametrize("times", [steady(60), steady(60, 15), unsteady(60)], ids=["30", "15", "unsteady"])


def dynamics(record: Timeline) -> Dynamics:
    return analyse(record.track(0))


@CLOCKS
def test_smiles_have_their_onset_and_duration(times: list[float]) -> None:
    smiles = [(5.0, 2.0, 0.6), (20.0, 4.0, 0.9), (40.0, 1.0, 0.4)]

    def at(t: float) -> Face:
        return face(smiling(0.1 + sum(h * bump(t, start, length) for start, length, h in smiles)))

    smile = dynamics(timeline(times, at)).smile
    assert smile.rest == pytest.approx(0.1, abs=0.01)
    assert len(smile.episodes) == 3
    for episode, (start, length, height) in zip(smile.episodes, smiles, strict=True):
        assert episode.onset == pytest.approx(start, abs=0.12)
        assert episode.duration == pytest.approx(length, abs=0.2)
        assert episode.peak == pytest.approx(height, abs=0.02)
        assert start <= episode.apex <= start + length
        assert not episode.cut
    assert smile.duration.value == pytest.approx(2.0, abs=0.2)
    assert smile.share.value == pytest.approx(100 * 7 / 60, abs=1)
    assert smile.rate.value == pytest.approx(3, abs=0.1)
    assert smile.intensity.value == pytest.approx((2 * 0.6 + 4 * 0.9 + 1 * 0.4) / 60, abs=0.004)


@CLOCKS
def test_a_blink_train_is_counted(times: list[float]) -> None:
    starts = np.arange(2.0, 58.0, 4.0)

    def at(t: float) -> Face:
        shut = 0.1 + 0.75 * sum(bump(t, s, 0.2, ramp=0.12) for s in starts)
        return face({"eyeBlinkLeft": shut, "eyeBlinkRight": shut})

    found = dynamics(timeline(times, at))
    assert len(found.blinks) == len(starts)
    assert [e.onset for e in found.blinks] == pytest.approx(starts.tolist(), abs=0.1)
    assert found.blink_rate.value == pytest.approx(len(starts), rel=0.03)
    assert found.blink_duration.value == pytest.approx(0.23, abs=0.06)
    assert found.closures == []


def test_a_wink_is_no_blink_and_a_closure_is_not_either() -> None:
    def at(t: float) -> Face:
        left = 0.9 * bump(t, 5, 0.2) + 0.9 * bump(t, 12, 1.0)
        return face({"eyeBlinkLeft": left, "eyeBlinkRight": 0.9 * bump(t, 12, 1.0)})

    found = dynamics(timeline(steady(30), at))
    assert found.blinks == []
    assert [round(e.duration, 1) for e in found.closures] == pytest.approx([1.0], abs=0.2)


def test_looking_down_does_not_hide_blinks() -> None:
    """Lids at 0.35 for half of the time: blinks are counted over that level."""

    def at(t: float) -> Face:
        lids = 0.35 * (t > 15) + 0.5 * sum(bump(t, s, 0.2, ramp=0.1) for s in (3, 8, 20, 25))
        return face({"eyeBlinkLeft": lids, "eyeBlinkRight": lids})

    assert len(dynamics(timeline(steady(30), at)).blinks) == 4


def test_a_flutter_is_one_blink_and_a_slip_of_one_frame_is_none() -> None:
    times = steady(30)
    lids = np.full(len(times), 0.05)
    lids[100:103] = lids[104:107] = 0.8
    lids[400] = 0.6

    def at(t: float) -> Face:
        shut = float(lids[round(t * 30)])
        return face({"eyeBlinkLeft": shut, "eyeBlinkRight": shut})

    found = dynamics(timeline(times, at)).blinks
    assert [round(e.onset, 1) for e in found] == [3.3]


def test_slow_recordings_say_that_blinks_cannot_be_seen() -> None:
    measure = dynamics(timeline(steady(60, rate=8), lambda t: face())).blink_rate
    assert measure.value is None
    assert "15 frames a second" in measure.reason


@pytest.mark.parametrize(
    ("name", "coefficients"),
    [
        ("brow_lowering", ("browDownLeft", "browDownRight")),
        ("lip_corner_depression", ("mouthFrownLeft", "mouthFrownRight")),
        ("dimpling", ("mouthDimpleLeft", "mouthDimpleRight")),
    ],
)
def test_each_action_unit_reads_its_own_coefficients(name: str, coefficients: Sequence[str]) -> None:
    found = dynamics(timeline(steady(20), lambda t: face(dict.fromkeys(coefficients, 0.6 * bump(t, 8, 3)))))
    assert getattr(found, name).share.value == pytest.approx(15, abs=2)
    others = {"smile", "brow_lowering", "lip_corner_depression", "dimpling"} - {name}
    assert all(getattr(found, other).share.value == 0 for other in others)


def test_time_unseen_counts_nowhere() -> None:
    """A smile that goes on through ten seconds out of sight: two cut episodes, and half of what was seen."""

    def at(t: float) -> Face | None:
        return None if 10 < t < 20 else face(smiling(0.8 if 5 < t < 25 else 0.0))

    record = timeline(steady(30), at)
    found = dynamics(record)
    assert found.observed == pytest.approx(20, abs=0.2)
    assert [e.cut for e in found.smile.episodes] == [True, True]
    assert found.smile.share.value == pytest.approx(50, abs=1)
    assert found.smile.duration.value is None
    assert record.coverage == pytest.approx(2 / 3, abs=0.01)


@CLOCKS
def test_head_amplitude_and_velocity(times: list[float]) -> None:
    """A sine of ±10° every 4 s: 7.07° root mean square, mean speed 4·10°/4 s."""
    found = dynamics(timeline(times, lambda t: face(yaw=20 + 10 * np.sin(2 * np.pi * t / 4))))
    assert found.head_amplitude.value == pytest.approx(10 / np.sqrt(2), rel=0.02)
    assert found.head_velocity.value == pytest.approx(10, rel=0.03)


def test_jitter_is_no_head_movement() -> None:
    rng = np.random.default_rng(2)
    still = dynamics(timeline(steady(20), lambda t: face(yaw=rng.normal(0, 0.2))))
    assert still.head_velocity.value is not None
    assert still.head_velocity.value < 1.5


def test_gaze_aversion_is_relative_to_the_usual_direction_of_eyes_and_head() -> None:
    """The head turned by 20° with the eyes turned back is no aversion; the eyes alone for 3 of 15 s are."""

    def at(t: float) -> Face:
        if 5 <= t < 8:
            return face(gaze=(25, 0))
        return face(yaw=20, gaze=(-20, 0)) if 10 <= t < 12 else face()

    assert dynamics(timeline(steady(15), at)).gaze_aversion.value == pytest.approx(20, abs=1)


def test_expressivity_is_relative_to_the_session() -> None:
    def at(t: float) -> Face:
        return face({"jawOpen": 0.3 + (0.2 if t < 40 else 0.05) * np.sin(2 * np.pi * t)})

    found = dynamics(timeline(steady(60), at))
    curve = dict(zip(np.round(found.expressivity_time).tolist(), found.expressivity_curve.tolist(), strict=True))
    assert curve[20] == pytest.approx(1, abs=0.1)
    assert curve[50] == pytest.approx(0.25, abs=0.05)
    assert found.expressivity.thirds[0] == pytest.approx(4 * found.expressivity.thirds[2], rel=0.15)


def test_thirds_follow_the_session() -> None:
    share = dynamics(timeline(steady(30), lambda t: face(smiling(0.5 * (t > 20))))).smile.share
    assert share.thirds == pytest.approx((0, 0, 100), abs=2)


@pytest.mark.parametrize("seconds", [0, 0.03, 1, 3])
def test_too_little_data_is_said_instead_of_a_number(seconds: float) -> None:
    found = dynamics(timeline(steady(seconds) or [0.0], lambda t: face(smiling(0.5))))
    for measure in (
        found.smile.intensity,
        found.blink_rate,
        found.gaze_aversion,
        found.head_velocity,
        found.expressivity,
    ):
        assert measure.value is None
        assert "too little data" in measure.reason


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.001, 3.0), st.floats(0, 1), st.booleans()), max_size=60),
    st.floats(-90, 90),
)
def test_any_record_is_analysed(steps: list[tuple[float, float, bool]], yaw: float) -> None:
    times = np.cumsum([s for s, _, _ in steps]).tolist()
    values = {t: (v, seen) for t, (_, v, seen) in zip(times, steps, strict=True)}

    def at(t: float) -> Face | None:
        value, seen = values[t]
        return (
            face({**smiling(value), "eyeBlinkLeft": value, "eyeBlinkRight": value}, yaw=yaw * value) if seen else None
        )

    record = timeline(times, at)
    found = dynamics(record)
    assert 0 <= found.observed <= record.duration + 1e-6
    for share in (found.smile.share, found.gaze_aversion):
        assert share.value is None or -1e-6 <= share.value <= 100 + 1e-6
    for episode in (*found.smile.episodes, *found.blinks, *found.closures):
        assert episode.onset <= episode.apex <= episode.offset
    record.summary()
    moments.find(record.track(0), found)


@given(st.lists(st.floats(0.005, 2), min_size=1, max_size=50))
def test_weights_add_up_to_the_time_observed(steps: list[float]) -> None:
    time = np.cumsum(steps)
    weight = signal.weights(time)
    assert (weight >= 0).all()
    assert weight.sum() == pytest.approx(sum(time[p][-1] - time[p][0] for p in signal.segments(time)), abs=1e-9)


def test_moments_name_the_change_of_emotion_and_the_absence() -> None:
    record = Timeline()
    for i, t in enumerate(steady(40)):
        faces = [] if 30 < t < 35 else [face()]
        record.add(frame(i, t), faces, [emotion(sad=0.9) if t < 15 else emotion(happy=0.9)] * len(faces))
    found = moments.find(record.track(0), dynamics(record))
    titles = {m.title: m.time for m in found}
    assert titles["Looks happy rather than sad"] == pytest.approx(15, abs=0.2)
    assert titles["Face out of sight"] == pytest.approx(30, abs=0.1)
    assert [m.time for m in found] == sorted(m.time for m in found)


@pytest.mark.parametrize(("seconds", "code"), [(0, "0:00"), (83.9, "1:23"), (3723, "1:02:03")])
def test_time_codes(seconds: float, code: str) -> None:
    assert moments.clock(seconds) == code
    assert moments.clock(83.44, tenths=True) == "1:23.4"
