"""What the report says first, on made timelines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from emotion.synthetic import bump, emotion, face, smiling, timeline
from mien.emotion.dynamics import analyse
from mien.emotion.summary import sentences
from mien.types import Array, Face

TIMES = np.arange(0, 30, 1 / 25)
HAPPY, SAD = emotion(happy=0.8), emotion(sad=0.8)


def said(face_at: Callable[[float], Face | None], feels: Array | None = None, *, seconds: float = 30.0) -> str:
    times = TIMES[seconds > TIMES]
    track = timeline(times, face_at, feels).track(0)
    return " ".join(sentences(track, analyse(track), seconds))


def test_a_smile_throughout_is_said_and_agrees_with_joy() -> None:
    text = said(lambda t: face(smiling(0.6)), HAPPY)
    assert "mostly <b>happy</b> (80 %)" in text
    assert "Smiling throughout, steadily" in text
    assert "No smile" not in text
    assert "disagree" not in text


def test_a_smile_throughout_that_grows_is_told_with_what_goes_beyond_it() -> None:
    text = said(lambda t: face(smiling(0.4 + 0.5 * bump(t, 10, 3))), HAPPY)
    assert "Smiling throughout" in text
    assert "beyond that, one smile, it lasts 3" in text


def test_never() -> None:
    text = said(lambda t: face())
    assert "No smile was seen." in text
    assert "throughout" not in text


def test_a_mouth_that_curves_a_little_is_no_smile_and_not_nothing() -> None:
    assert "No smile stands out" in said(lambda t: face(smiling(0.2)))


def test_once() -> None:
    text = said(lambda t: face(smiling(0.7 * bump(t, 10, 4))))
    assert "One smile, it lasts 4" in text
    assert "from 0:" in text
    assert "to the end" not in text


def test_at_the_end() -> None:
    assert "to the end." in said(lambda t: face(smiling(0.7 * bump(t, 26, 99))))


def test_several() -> None:
    text = said(lambda t: face(smiling(0.7 * max(bump(t, 5, 2), bump(t, 15, 4), bump(t, 24, 1)))))
    assert "3 smiles, the longest lasting 4" in text


def test_too_little_data() -> None:
    text = said(lambda t: face(smiling(0.6)), HAPPY, seconds=3.0)
    assert "too little to say how it moves" in text
    assert "smile" not in text.lower()


def test_half_the_clip_without_a_face() -> None:
    text = said(lambda t: face(smiling(0.6)) if t < 15 else None)
    assert "It was in sight for 15 of 30 s." in text
    assert "Smiling throughout" in text


def test_nobody_read_the_emotions() -> None:
    text = said(lambda t: face(), np.full(7, np.nan, np.float32))
    assert "looks mostly" not in text
    assert "disagree" not in text


def test_joy_without_a_smile_is_called_a_disagreement_and_why() -> None:
    text = said(lambda t: face(), HAPPY)
    assert "No smile was seen." in text
    assert "disagree" in text
    assert "light" in text


def test_sadness_with_a_smile_throughout_is_called_a_disagreement() -> None:
    text = said(lambda t: face(smiling(0.6)), SAD)
    assert "finds the face sad, and it smiles throughout" in text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (face(pitch=-20), "the head hangs (by 20°)"),
        (face(gaze=(25, 0)), "the eyes look past the camera"),
        (face({"browDownLeft": 0.5, "browDownRight": 0.5}), "The brows are lowered throughout, steadily."),
        (face({"mouthFrownLeft": 0.2, "mouthFrownRight": 0.2}), "The corners of the mouth hang throughout, steadily."),
    ],
)
def test_what_lasts_throughout_is_said(seen: Face, words: str) -> None:
    assert words in said(lambda t: seen)
    assert words.split(",")[0] not in said(lambda t: seen if t < 15 else face())


def test_two_people_each_have_their_own_sentences() -> None:
    from emotion.synthetic import frame
    from mien.emotion.timeline import Timeline

    record = Timeline()
    for index, time in enumerate(TIMES):
        pair = [face(smiling(0.6)), face(number=1)]
        record.add(frame(index, time), pair, [HAPPY, emotion()])
    first, second = (" ".join(sentences(t, analyse(t), 30.0)) for t in (record.track(0), record.track(1)))
    assert "Smiling throughout" in first
    assert "No smile was seen." in second
