"""Faces that never were: records with known movements, for tests and for looking at a long report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from mien.emotion.timeline import Timeline
from mien.types import COEFFICIENT, COEFFICIENTS, EMOTIONS, Array, Face, Frame

PIXEL = np.zeros((1, 1, 3), np.uint8)


def frame(index: int, time: float) -> Frame:
    return Frame(PIXEL, index, time)


def face(
    coefficients: Mapping[str, float] | None = None,
    *,
    number: int = 0,
    yaw: float = 0.0,
    pitch: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
    confidence: float = 0.98,
) -> Face:
    """Angles in degrees."""
    values = np.zeros(len(COEFFICIENTS), np.float32)
    for name, value in (coefficients or {}).items():
        values[COEFFICIENT[name]] = value
    return Face(
        id=number, box=np.array([10, 20, 110, 140], np.float32), landmarks=np.zeros((478, 3), np.float32),
        coefficients=values, yaw=np.radians(yaw), pitch=np.radians(pitch), roll=0.0,
        gaze=np.radians(gaze).astype(np.float32), confidence=confidence,
    )  # fmt: skip


def emotion(**shares: float) -> Array:
    """(7,) probabilities; what is not named goes to neutral."""
    values = np.array([shares.get(name, 0.0) for name in EMOTIONS], np.float32)
    values[-1] += 1 - values.sum()
    return values


def smiling(amount: float) -> dict[str, float]:
    return {"mouthSmileLeft": amount, "mouthSmileRight": amount}


def timeline(times: Iterable[float], face_at: Callable[[float], Face | None], feels: Array | None = None) -> Timeline:
    """One frame at each of `times`; no face where `face_at` gives None."""
    record = Timeline()
    for index, time in enumerate(times):
        seen = face_at(time)
        record.add(
            frame(index, time), [seen] if seen else [], [feels if feels is not None else emotion()] if seen else []
        )
    return record


def bump(time: float, start: float, length: float, ramp: float = 0.2) -> float:
    """0, rising over `ramp` seconds around `start` to 1 and back, half-way up exactly `length` seconds apart."""
    rise = np.clip((time - start) / ramp + 0.5, 0, 1)
    fall = np.clip((start + length - time) / ramp + 0.5, 0, 1)
    return float(min(rise, fall))
