"""What the report says first: a few sentences on one face, from its emotions and its movements.

A movement is told in two ways: against the person's rest in this session ("three smiles"), and as it is ("smiling
throughout"). A movement that lasts all session is itself the rest, and would be missed by the first alone.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.emotion import moments, signal
from mien.emotion.dynamics import Dynamics, Movement
from mien.emotion.moments import clock
from mien.emotion.timeline import Track
from mien.types import EMOTIONS

LEAST_SEEN: Final = 5.0
"""Seconds of a face below which nothing is said about its movements."""
_PRESENT: Final = {"smile": 0.25, "brow_lowering": 0.25, "lip_corner_depression": 0.08}
"""Coefficients, as measured, from which a movement is there; the tracker hardly reads corners that are drawn down."""
_ABSENT: Final = 0.15
"""A smile that never reaches this was not there at all."""
_THROUGHOUT: Final = 0.8
"""Share of the time seen."""
_STEADY: Final = 0.2
"""Distance of the 10th and the 90th percentile below which a movement is steady."""
_HANGING, _ASIDE = 12.0, 15.0
"""Degrees: a head that looks down by so much, eyes and head together that look aside by so much."""
_DISAGREES: Final = 0.5
"""Mean probability from which an emotion is compared with the smile."""
_NEGATIVE: Final = ("angry", "disgust", "fear", "sad")


def sentences(track: Track, dynamics: Dynamics, duration: float) -> list[str]:
    """Sentences in HTML on one face in a clip of `duration` seconds."""
    weight = signal.weights(track.time)
    told = [_emotions(track, weight)]
    if dynamics.observed < LEAST_SEEN:
        told.append(f"It was seen for {dynamics.observed:.1f} s: too little to say how it moves.")
    else:
        told += [
            _smiles(dynamics.smile, weight, float(track.time[-1])),
            _lasting(dynamics.brow_lowering, "brow_lowering", weight, "The brows are lowered throughout"),
            _lasting(
                dynamics.lip_corner_depression, "lip_corner_depression", weight,
                "The corners of the mouth hang throughout",
            ),
            _posture(track, weight),
            _disagreement(track, dynamics.smile, weight),
            _liveliness(dynamics),
        ]  # fmt: skip
    if dynamics.observed < 0.9 * duration:
        told.append(f"It was in sight for {dynamics.observed:.0f} of {duration:.0f} s.")
    return [sentence for sentence in told if sentence]


def _means(track: Track, weight: signal.Signal) -> list[float] | None:
    """Mean probability of each emotion; None where they were not read."""
    emotions = track.emotions.astype(float)
    if not np.isfinite(emotions).all() or not weight.any():
        return None
    return [signal.mean(emotions[:, i], weight) for i in range(len(EMOTIONS))]


def _emotions(track: Track, weight: signal.Signal) -> str:
    means = _means(track, weight)
    if means is None:
        return ""
    first, second = np.argsort(means)[::-1][:2]
    text = f"The face looks mostly <b>{moments.ADJECTIVES[first]}</b> ({100 * means[first]:.0f} %)"
    if means[second] >= 0.15:
        text += f", then <b>{moments.ADJECTIVES[second]}</b> ({100 * means[second]:.0f} %)"
    return text + "."


def _present(movement: Movement, name: str, weight: signal.Signal) -> float:
    """Share of the time seen in which a movement is there, as measured."""
    return signal.mean((movement.value >= _PRESENT[name]).astype(float), weight)


def _steadily(movement: Movement, weight: signal.Signal) -> str:
    low, high = (signal.quantile(movement.value, weight, share) for share in (0.1, 0.9))
    return ", steadily" if high - low < _STEADY else ""


def _smiles(smile: Movement, weight: signal.Signal, end: float) -> str:
    counted = _counted(smile, end)
    if _present(smile, "smile", weight) >= _THROUGHOUT:
        text = f"Smiling throughout{_steadily(smile, weight)}, or a mouth that curves at rest"
        return f"{text}; beyond that, {counted[0].lower() + counted[1:]}" if counted else f"{text}."
    if counted:
        return counted
    if float(smile.value.max()) < _ABSENT:
        return "No smile was seen."
    return "No smile stands out; the mouth curves a little at times."


def _counted(smile: Movement, end: float) -> str:
    """The smiles over rest; empty where there are none."""
    if not smile.episodes:
        return ""
    longest = max(smile.episodes, key=lambda episode: episode.duration)
    where = f"{longest.duration:.1f} s from {clock(longest.onset)}"
    if longest.cut and longest.offset >= end - 0.1:
        where += ", to the end"
    if len(smile.episodes) == 1:
        return f"One smile, it lasts {where}."
    return f"{len(smile.episodes)} smiles, the longest lasting {where}."


def _lasting(movement: Movement, name: str, weight: signal.Signal, text: str) -> str:
    return f"{text}{_steadily(movement, weight)}." if _present(movement, name, weight) >= _THROUGHOUT else ""


def _posture(track: Track, weight: signal.Signal) -> str:
    """What the head and the eyes do throughout, as the camera sees it."""
    pitch = track.pose[:, 1].astype(float)
    aside = (track.pose[:, 0] + track.gaze[:, 0]).astype(float)
    found = []
    if signal.mean((pitch < -_HANGING).astype(float), weight) >= _THROUGHOUT:
        found.append(f"the head hangs (by {-signal.quantile(pitch, weight, 0.5):.0f}°)")
    if signal.mean((np.abs(aside) > _ASIDE).astype(float), weight) >= _THROUGHOUT:
        found.append("the eyes look past the camera")
    if not found:
        return ""
    text = " and ".join(found)
    return f"Throughout, {text}, as the camera sees it: where the camera stands matters."


def _disagreement(track: Track, smile: Movement, weight: signal.Signal) -> str:
    """Where emotions and movements say different things, that they do, and why."""
    means = _means(track, weight)
    if means is None:
        return ""
    share = dict(zip(EMOTIONS, means, strict=True))
    smiling = _present(smile, "smile", weight)
    if share["happy"] >= _DISAGREES and smiling < 0.1:
        return (
            "Emotions and movements disagree: the emotion model sees joy where the corners of the mouth do not rise. "
            "It also goes by cheeks, light and the shape of a mouth at rest."
        )
    negative = max(_NEGATIVE, key=lambda name: share[name])
    if share[negative] >= _DISAGREES and smiling >= _THROUGHOUT:
        looks = moments.ADJECTIVES[EMOTIONS.index(negative)]
        return (
            f"Emotions and movements disagree: the emotion model finds the face {looks}, and it smiles throughout. A "
            "smile can be polite or strained, and the model errs on about two faces of five."
        )
    return ""


def _liveliness(dynamics: Dynamics) -> str:
    lively = dynamics.expressivity
    if not (lively.value and lively.thirds and lively.thirds[0] and lively.thirds[2]):
        return ""
    ratio = lively.thirds[2] / lively.thirds[0]
    if 0.75 <= ratio <= 1.33:
        return ""
    word = "livelier" if ratio > 1 else "stiller"
    return f"The face is {word} in the last third than in the first ({ratio:.1f} times the movement)."
