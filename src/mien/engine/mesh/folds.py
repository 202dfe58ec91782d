"""Where skin folds when its muscles pull: lines and shadings on the average face, and which movements make them.

Faces differ in their folds; these are the ones that most people read: a frown between the brows, a forehead in waves, a
wrinkled nose, the corner from nose to mouth, crow's feet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mien.types import Expression

Path = tuple[tuple[float, float], ...]
"""Points on the average face, x and y in inter-ocular units, y downwards; x > 0 on the person's left."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines on the person's left; the right ones are their mirror images."""

    by: str
    """What folds the skin: a name of `pulls`."""
    depth: float
    """How much darker the middle of a line is, as a natural logarithm; below 0, lighter."""
    width: float
    """Standard deviation of the darkness across a line, in inter-ocular units."""
    paths: tuple[Path, ...]
    """The lines, from end to end; they fade towards both."""


FOLDS: Final = (
    Fold("frown", 0.46, 0.021, (((0.064, -0.31), (0.060, -0.24), (0.066, -0.17), (0.058, -0.11)),)),
    Fold("frown", 0.10, 0.018, (((-0.07, -0.055), (0.0, -0.07), (0.07, -0.055)),)),
    Fold("inner brow", 0.12, 0.017, (
        ((-0.27, -0.325), (-0.12, -0.335), (0.0, -0.33), (0.12, -0.335), (0.27, -0.325)),
        ((-0.30, -0.41), (-0.13, -0.425), (0.0, -0.415), (0.13, -0.425), (0.30, -0.41)),
        ((-0.24, -0.50), (0.0, -0.505), (0.24, -0.50)),
    )),
    Fold("outer brow", 0.30, 0.018, (
        ((0.16, -0.325), (0.32, -0.355), (0.46, -0.345), (0.60, -0.30)),
        ((0.14, -0.415), (0.32, -0.435), (0.48, -0.42), (0.60, -0.37)),
    )),
    Fold("cheek", 0.30, 0.014, (
        ((0.575, -0.02), (0.63, -0.055), (0.69, -0.075)), ((0.585, 0.015), (0.65, 0.015), (0.71, 0.01)),
        ((0.575, 0.05), (0.63, 0.08), (0.68, 0.10)),
    )),
    Fold("cheek", 0.30, 0.022, (((0.20, 0.13), (0.28, 0.185), (0.38, 0.205), (0.50, 0.165)),)),
    Fold("sneer", 0.30, 0.018, (
        ((0.0, 0.005), (0.045, 0.012), (0.085, 0.045)), ((0.015, 0.10), (0.055, 0.11), (0.095, 0.15)),
    )),
    Fold("sneer", 0.30, 0.030, (((0.13, 0.22), (0.19, 0.31), (0.235, 0.40)),)),
    Fold("lip", 0.30, 0.024, (((0.215, 0.36), (0.28, 0.475), (0.345, 0.58), (0.395, 0.69), (0.41, 0.79)),)),
    Fold("lip", 0.22, 0.050, (((0.25, 0.43), (0.31, 0.54), (0.36, 0.65), (0.37, 0.74)),)),
    Fold("dimple", 0.30, 0.020, (((0.345, 0.715), (0.372, 0.765), (0.372, 0.815), (0.35, 0.86)),)),
    Fold("corner", 0.34, 0.022, (((0.295, 0.815), (0.325, 0.87), (0.345, 0.94), (0.34, 1.01)),)),
    Fold("chin", 0.18, 0.030, (((-0.17, 1.0), (-0.08, 0.985), (0.0, 0.98), (0.08, 0.985), (0.17, 1.0)),)),
    Fold("puff", -0.24, 0.090, (((0.47, 0.60), (0.49, 0.68), (0.47, 0.76)),)),
    Fold("puff", 0.36, 0.032, (((0.30, 0.54), (0.325, 0.65), (0.335, 0.76), (0.33, 0.88)),)),
    Fold("puff", 0.30, 0.045, (((0.62, 0.52), (0.65, 0.65), (0.62, 0.80), (0.50, 0.93)),)),
    Fold("jaw", 0.20, 0.034, (((-0.14, 0.985), (0.0, 0.975), (0.14, 0.985)),)),
    Fold("jaw", -0.10, 0.070, (((-0.06, 1.12), (0.0, 1.13), (0.06, 1.12)),)),
)  # fmt: skip


def pulls(expression: Expression, side: str) -> dict[str, float]:
    """How strongly, 0 to 1, skin is folded on one side, "Left" or "Right" of the person, by what.

    The tracker reports no sneer and no raised cheek: brows down with the lip raised, and narrow eyes over a smile, say
    them as well.
    """

    def of(name: str) -> float:
        return expression[name + side]

    frown, lip, smile = of("browDown"), of("mouthUpperUp"), of("mouthSmile")
    sneer = max(of("noseSneer"), min(lip, 1.5 * frown))
    return {
        "frown": frown,
        "inner brow": expression["browInnerUp"],
        "outer brow": of("browOuterUp"),
        "cheek": max(of("cheekSquint"), min(of("eyeSquint"), smile), 0.6 * sneer),
        "sneer": sneer,
        "lip": max(0.7 * smile, 0.8 * lip, sneer),
        "dimple": max(of("mouthDimple"), 0.7 * of("mouthPress")),
        "corner": of("mouthFrown"),
        "chin": expression["mouthShrugLower"],
        "puff": expression["cheekPuff"],
        "jaw": expression["jawForward"],
    }
