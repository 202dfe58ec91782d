"""Ready-made expressions: the seven emotions and the mouth shapes of speech, as coefficients; and how to make more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from mien.face.gaze import EYE_RANGE
from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS, Expression


def _both(**values: float) -> dict[str, float]:
    """Coefficients of the middle as they are; those that exist only in pairs on both sides."""
    both: dict[str, float] = {}
    for name, value in values.items():
        for side in ("",) if name in COEFFICIENT else ("Left", "Right"):
            both[name + side] = value
    return both


EMOTION_PRESETS: Final[dict[str, dict[str, float]]] = {
    "angry": _both(
        browDown=1.0, eyeSquint=0.55, eyeWide=0.25, noseSneer=0.45, mouthFrown=0.55, mouthPress=0.55,
        mouthRollLower=0.2, mouthShrugLower=0.25, cheekSquint=0.1,
    ),
    "disgust": _both(
        browDown=0.65, eyeSquint=0.6, cheekSquint=0.45, noseSneer=1.0, mouthUpperUp=0.6, mouthFrown=0.6,
        mouthShrugLower=0.35, mouthLowerDown=0.15, jawOpen=0.04,
    ),
    "fear": _both(
        browInnerUp=0.95, browOuterUp=0.35, browDown=0.15, eyeWide=0.95, mouthStretch=0.75, jawOpen=0.22,
        mouthLowerDown=0.45, mouthFrown=0.3,
    ),
    "happy": _both(
        mouthSmile=0.9, cheekSquint=0.5, eyeSquint=0.1, jawOpen=0.18, mouthUpperUp=0.35, mouthLowerDown=0.3,
        browOuterUp=0.2, browInnerUp=0.12, mouthDimple=0.2,
    ),
    "sad": _both(
        browInnerUp=0.9, browDown=0.12, eyeSquint=0.15, eyeBlink=0.18, mouthFrown=0.85, mouthShrugLower=0.5,
        mouthPress=0.1, eyeLookDown=0.3,
    ),
    "surprise": _both(
        browInnerUp=0.85, browOuterUp=0.85, eyeWide=0.9, jawOpen=0.6, mouthFunnel=0.3, mouthUpperUp=0.1,
    ),
    "neutral": {},
}  # fmt: skip
"""What each of the seven emotions looks like when shown plainly: ARKit name to coefficient, 0 to 1."""

VISEMES: Final[dict[str, dict[str, float]]] = {
    "A": _both(jawOpen=0.62, mouthLowerDown=0.25, mouthUpperUp=0.15),
    "E": _both(jawOpen=0.26, mouthStretch=0.5, mouthSmile=0.3, mouthLowerDown=0.35, mouthUpperUp=0.25),
    "I": _both(jawOpen=0.12, mouthStretch=0.4, mouthSmile=0.45, mouthLowerDown=0.4, mouthUpperUp=0.3),
    "O": _both(jawOpen=0.42, mouthFunnel=0.65, mouthPucker=0.3),
    "U": _both(jawOpen=0.14, mouthFunnel=0.35, mouthPucker=0.85),
    "M": _both(mouthPress=0.6, mouthRollLower=0.45, mouthRollUpper=0.45),
    "F": _both(jawOpen=0.1, mouthRollLower=0.75, mouthUpperUp=0.45, mouthShrugLower=0.1),
    "L": _both(jawOpen=0.34, mouthUpperUp=0.2, mouthLowerDown=0.2),
    "S": _both(jawOpen=0.05, mouthStretch=0.3, mouthUpperUp=0.3, mouthLowerDown=0.35, mouthSmile=0.15),
    "W": _both(jawOpen=0.06, mouthPucker=1.0),
    "R": _both(jawOpen=0.18, mouthFunnel=0.5, mouthPucker=0.35),
    "rest": {},
}
"""Mouth shapes by the sound they make."""


def expression(
    coefficients: Mapping[str, float],
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    gaze: tuple[float, float] = (0.0, 0.0),
) -> Expression:
    """An Expression from ARKit names and values in [0, 1]; unnamed ones are 0. Angles in radians, as in `mien.types`.
    `gaze` is added to what the eyeLook coefficients say; offsets are what coefficients mean on an average face. Raises
    KeyError for an unknown name."""
    values = np.zeros(len(COEFFICIENTS), np.float32)
    for name, value in coefficients.items():
        values[COEFFICIENT[name]] = min(max(value, 0.0), 1.0)

    def looked(positive: tuple[str, str], negative: tuple[str, str]) -> float:
        return float(sum(values[COEFFICIENT[n]] for n in positive) - sum(values[COEFFICIENT[n]] for n in negative)) / 2

    x = looked(("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight")) * EYE_RANGE[0]
    y = looked(("eyeLookUpLeft", "eyeLookUpRight"), ("eyeLookDownLeft", "eyeLookDownRight")) * EYE_RANGE[1]
    towards = np.array([gaze[0] + x, gaze[1] + y], np.float32)
    offsets = np.tensordot(values, canonical().basis, 1).astype(np.float32)
    return Expression(offsets, values, yaw, pitch, roll, towards)
