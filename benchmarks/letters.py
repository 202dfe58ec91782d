"""What a face can do, as expressions to draw: each of the 52 coefficients alone, then what people do with them."""

from __future__ import annotations

from typing import Final

from mien.avatar.expressions import EMOTION_PRESETS, expression
from mien.types import COEFFICIENTS, EMOTIONS, Expression

AMOUNTS: Final = (0.5, 1.0)
"""At which each coefficient is drawn."""
STRENGTHS: Final = (0.4, 0.7, 1.0)
"""At which each emotion is drawn."""

ALONE: Final[dict[str, tuple[Expression, ...]]] = {
    name: tuple(expression({name: amount}) for amount in AMOUNTS) for name in COEFFICIENTS[1:]
}
"""Each coefficient at `AMOUNTS`."""


def _both(**values: float) -> dict[str, float]:
    return {name + side: value for name, value in values.items() for side in ("Left", "Right")}


ACTS: Final[dict[str, Expression]] = {
    "wink left": expression({"eyeBlinkLeft": 1, "cheekSquintLeft": 0.6, "mouthSmileLeft": 0.3}),
    "wink right": expression({"eyeBlinkRight": 1, "cheekSquintRight": 0.6, "mouthSmileRight": 0.3}),
    "eyes shut": expression(_both(eyeBlink=1)),
    "half shut": expression(_both(eyeBlink=0.5)),
    "brow left up": expression({"browOuterUpLeft": 1, "browInnerUp": 0.3}),
    "brow right up": expression({"browOuterUpRight": 1, "browInnerUp": 0.3}),
    "brows together": expression(_both(browDown=1)),
    "worried brows": expression({"browInnerUp": 1} | _both(browDown=0.3)),
    "half smile left": expression({"mouthSmileLeft": 0.9, "cheekSquintLeft": 0.3}),
    "half smile right": expression({"mouthSmileRight": 0.9, "cheekSquintRight": 0.3}),
    "sneer left": expression({"noseSneerLeft": 1, "mouthUpperUpLeft": 0.7, "cheekSquintLeft": 0.4}),
    "sneer right": expression({"noseSneerRight": 1, "mouthUpperUpRight": 0.7, "cheekSquintRight": 0.4}),
    "contempt": expression({"mouthDimpleLeft": 1, "mouthSmileLeft": 0.35, "mouthPressLeft": 0.5, "eyeSquintLeft": 0.2}),
    "disgust, shut": expression(
        _both(browDown=0.6, eyeSquint=0.5, cheekSquint=0.5, noseSneer=1, mouthUpperUp=0.5, mouthFrown=0.5)
        | {"mouthShrugLower": 0.6}
    ),
    "disgust, open": expression(
        _both(browDown=0.7, eyeSquint=0.6, cheekSquint=0.5, noseSneer=1, mouthUpperUp=0.9, mouthLowerDown=0.5)
        | {"jawOpen": 0.25}
    ),
    "pressed lips": expression(_both(mouthPress=1) | {"mouthRollLower": 0.5, "mouthRollUpper": 0.5}),
    "kiss": expression({"mouthPucker": 1}),
    "oh": expression({"mouthFunnel": 0.9, "jawOpen": 0.35}),
    "cheeks puffed": expression({"cheekPuff": 1, "mouthPucker": 0.3}),
    "mouth left": expression({"mouthLeft": 1}),
    "mouth right": expression({"mouthRight": 1}),
    "jaw left": expression({"jawLeft": 1, "jawOpen": 0.15}),
    "jaw right": expression({"jawRight": 1, "jawOpen": 0.15}),
    "crossed eyes": expression(_both(eyeLookIn=0.9)),
    "look left": expression({"eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9}),
    "look right": expression({"eyeLookInLeft": 0.9, "eyeLookOutRight": 0.9}),
    "look up": expression(_both(eyeLookUp=0.9)),
    "look down": expression(_both(eyeLookDown=0.9)),
    "shout": expression({"jawOpen": 0.9} | _both(mouthUpperUp=0.5, mouthLowerDown=0.6, browDown=0.5, mouthStretch=0.3)),
    "laugh": expression({"jawOpen": 0.5} | _both(mouthSmile=1, cheekSquint=0.8, eyeSquint=0.4, mouthUpperUp=0.5)),
}  # fmt: skip
"""What people do, one picture each."""

FEELINGS: Final[dict[str, tuple[Expression, ...]]] = {
    emotion: tuple(
        expression({name: value * strength for name, value in EMOTION_PRESETS[emotion].items()})
        for strength in STRENGTHS
    )
    for emotion in EMOTIONS
    if emotion != "neutral"
}
"""The emotions at `STRENGTHS`, as the demo acts them."""
