"""Shapes the mouth: corners, lips, opening, teeth and tongue, and the jaw and cheeks around them.

Along the seam of the lips, n runs from -1 at the avatar's right corner (left in the picture) to 1 at its left corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig import Head, Mouth
from mien.avatar.svg_path import CLOSE, CUBIC, MOVE, Path2D
from mien.engine.puppet.eyes import smoothstep
from mien.types import Expression

Points = NDArray[np.float64]
Index = NDArray[np.intp]
Pair = tuple[float, float]
"""Values at the avatar's right and left corner."""


@dataclass(frozen=True, slots=True)
class MouthState:
    """Where the lips are; lengths in half widths of the resting mouth."""

    corner_x: Pair
    """Outwards."""
    corner_y: Pair
    """Downwards."""
    lift: Pair
    """How far the upper lip rises off the seam."""
    drop: Pair
    """How far the lower lip falls."""
    middle: float
    """How far the middle of the seam goes down."""
    shift: float
    """The whole mouth to the right of the picture."""
    upper_lip: float
    """Thickness, 1 at rest."""
    lower_lip: float
    purse: float
    """0 to 1, lips pushed forward, which hides the teeth."""
    roundness: float
    """0: the opening is a lens with sharp corners; 1: an ellipse."""
    square: float
    """0 to 1, lips drawn straight: the opening is as high near its corners as in the middle."""
    jaw: float
    """0 to 1, how far the chin has fallen."""
    chin_up: float
    """0 to 1, the chin pushed up."""
    sideways: float
    """The jaw to the right of the picture, -1 to 1."""

    @staticmethod
    def of(e: Expression, mouth: Mouth, half_width: float) -> MouthState:
        """Read off the coefficients."""
        jaw, pucker, funnel, puff = e["jawOpen"], e["mouthPucker"], e["mouthFunnel"], e["cheekPuff"]
        purse = mouth.protrude
        parted = max(jaw - e["mouthClose"], 0.0)
        carried = 0.3 * min(jaw, e["mouthClose"]) * mouth.open / half_width
        rolled_up, rolled_low = e["mouthRollUpper"], e["mouthRollLower"]
        shrug = 0.6 * e["mouthShrugLower"] + 0.4 * e["mouthShrugUpper"]
        aside = e["mouthLeft"] - e["mouthRight"]
        corner_x, corner_y, lift, drop, pressed = [], [], [], [], []
        for side, towards in (("Right", -aside), ("Left", aside)):
            smile, frown, stretch = e["mouthSmile" + side], e["mouthFrown" + side], e["mouthStretch" + side]
            dimple, press = e["mouthDimple" + side], e["mouthPress" + side]
            raised = min(e["mouthUpperUp" + side] + 0.5 * e["noseSneer" + side], 1.3)
            lowered = e["mouthLowerDown" + side]
            outwards = 0.28 * smile + 0.34 * stretch + 0.2 * dimple + 0.06 * press - 0.04 * frown + 0.12 * towards
            narrow = (0.42 * pucker + 0.24 * funnel) * purse + 0.14 * parted * (1 - smile) * (1 - 0.6 * stretch)
            narrow += 0.1 * puff
            corner_x.append(outwards * mouth.smile - min(narrow, 0.52))
            lift.append(
                0.32 * raised * (1 - 0.6 * rolled_up)
                + (0.24 * funnel + 0.6 * min(pucker * parted, 0.2)) * purse
                + 0.06 * parted
                + 0.03 * stretch
            )
            drop.append(mouth.open / half_width * parted**0.9 + 0.32 * lowered + 0.26 * funnel * purse + 0.08 * stretch)
            # A lip that is drawn up by the nose takes its corner down with it, unless that smiles.
            up = 0.44 * smile * (1 - 0.35 * parted) + 0.1 * dimple - 0.44 * frown - 0.34 * stretch - 0.09 * press
            up += 0.06 * max(towards, 0.0) - (0.14 * raised + 0.1 * min(5 * parted, 1.0)) * (1 - smile)
            between = (0.2 + 0.25 * min(pucker + funnel, 1.0)) * (1 - 0.7 * smile)
            corner_y.append(between * drop[-1] + 0.75 * carried - up * mouth.smile)
            pressed.append(press)
        tight = 0.5 * sum(pressed)
        smiling = 0.5 * (e["mouthSmileLeft"] + e["mouthSmileRight"])
        frowning = 0.5 * (e["mouthFrownLeft"] + e["mouthFrownRight"])
        stretched = 0.5 * (e["mouthStretchLeft"] + e["mouthStretchRight"])
        lips = (
            1 + (0.2 * pucker + 0.1 * funnel) * purse - 0.55 * tight - 0.14 * smiling - 0.25 * stretched - 0.15 * puff
        )
        return MouthState(
            corner_x=(corner_x[0], corner_x[1]),
            corner_y=(corner_y[0], corner_y[1]),
            lift=(lift[0], lift[1]),
            drop=(drop[0], drop[1]),
            middle=(0.1 * smiling - 0.12 * frowning) * mouth.smile - 0.16 * shrug + carried,
            shift=0.42 * aside + 0.28 * (e["jawLeft"] - e["jawRight"]),
            upper_lip=max(lips - 0.75 * rolled_up + 0.1 * e["mouthShrugUpper"], 0.15),
            lower_lip=max(lips - 0.75 * rolled_low + 0.22 * e["mouthShrugLower"] + 0.3 * e["jawForward"], 0.15),
            purse=min(1.0, pucker + 0.6 * funnel),
            roundness=min(1.0, pucker + funnel + 0.35 * parted),
            square=min(1.0, stretched + 0.5 * (e["noseSneerLeft"] + e["noseSneerRight"])) * (1 - smiling),
            jaw=jaw,
            chin_up=max(e["mouthShrugLower"], 0.6 * e["jawForward"]),
            sideways=e["jawLeft"] - e["jawRight"],
        )  # fmt: skip


class Lips:
    """Everything that moves with the mouth. `side` is 0 for what goes with the upper lip and 1 for the lower one."""

    def __init__(self, mouth: Mouth, seam: Points, head: Head) -> None:
        """`seam` is the resting line of the lips, (M, 2)."""
        self.mouth, self._head = mouth, head
        self._seam = seam[np.argsort(seam[:, 0], kind="stable")]
        x0, x1 = float(self._seam[0, 0]), float(self._seam[-1, 0])
        self.half_width, self.centre_x = (x1 - x0) / 2, (x0 + x1) / 2
        self.y = float(self._seam[:, 1].mean())

    def seam_at(self, x: Points) -> Points:
        """Height of the resting seam."""
        return np.interp(x, self._seam[:, 0], self._seam[:, 1])

    def opening(self, overlap: float) -> tuple[Path2D, Points]:
        """The opening of the closed mouth, tucked `overlap` under either lip, and its vertices' sides."""
        segments = 14
        x = self.centre_x + self.half_width * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 3 * segments + 1))
        y = self.seam_at(x)
        tuck = overlap * np.sqrt(np.clip(1 - self._n(x) ** 2, 0, 1))
        points = np.vstack([np.column_stack([x, y - tuck]), np.column_stack([x, y + tuck])[::-1][1:]])
        commands = np.array([MOVE] + [CUBIC] * (2 * segments) + [CLOSE], np.uint8)
        return Path2D(commands, points), (np.arange(len(points)) > 3 * segments).astype(float)

    def _n(self, x: Points) -> Points:
        return (x - self.centre_x) / self.half_width

    def field(self, points: Points, side: Points, thick: Points) -> LipField:
        """The movement of `points` with the lips; `thick` is 1 for what swells with them."""
        n = self._n(points[:, 0])
        return LipField(self, n, points[:, 1] - self.seam_at(points[:, 0]), side, thick)

    def reach(self, points: Points) -> Points:
        """How strongly skin at `points` follows the lips: 1 at them, fading away."""
        n = self._n(points[:, 0])
        beyond = np.maximum(np.abs(n) - 1, 0) / 0.55
        away = (points[:, 1] - self.seam_at(points[:, 0])) / (0.95 * self.half_width)
        reach: Points = np.exp(-(beyond**2) - away**2)
        return reach

    def jaw_reach(self, points: Points) -> Points:
        """How strongly `points` follow the jaw: 0 at the mouth, 1 at the chin."""
        top = self.y - 0.35 * self.half_width
        return smoothstep((points[:, 1] - top) / max(self.mouth.chin_y - top, 1.0))

    def jaw(self, points: Points, reach: Points, state: MouthState, e: Expression) -> Points:
        """(N, 2) how skin moves with the jaw and how cheeks fill; `reach` from `jaw_reach`."""
        cx, rx = self._head.centre[0], self._head.radius[0]
        out = (points[:, 0] - cx) / rx
        near = np.exp(-(((points[:, 1] - self.y + 0.55 * self.half_width) / (1.25 * self.half_width)) ** 2))
        smile = np.where(out < 0, e["mouthSmileRight"], e["mouthSmileLeft"])
        fill = (17.0 * e["cheekPuff"] + 2.2 * smile) * rx / 100
        narrow = 0.05 * rx * (state.jaw + 0.5 * e["mouthPucker"])
        dx = fill * near * out - narrow * out * near + 0.17 * rx * state.sideways * reach
        dy = reach * (self.mouth.chin * state.jaw - 0.14 * self.mouth.chin * state.chin_up)
        return np.column_stack([dx, dy])


class LipField:
    """A set of points ready to be moved with the lips."""

    def __init__(self, lips: Lips, n: Points, s: Points, side: Points, thick: Points) -> None:
        self._lips, self._n, self._s, self._side, self._thick = lips, n, s, side, thick
        reach = np.minimum(np.abs(n), 1.12)
        self._corner, self._sign = reach**1.95, np.sign(n) * reach
        self._lens = np.clip(1 - n**2, 0, 1)
        self._left = smoothstep((n + 1) / 2)

    def displacement(self, m: MouthState) -> Points:
        """(N, 2)"""
        w, left = self._lips.half_width, self._left
        on_left = self._n > 0
        outwards, down = (
            np.where(on_left, m.corner_x[1], m.corner_x[0]),
            np.where(on_left, m.corner_y[1], m.corner_y[0]),
        )
        profile = self._lens ** (0.62 - 0.14 * m.roundness - 0.22 * m.square)
        lift = (m.lift[0] + (m.lift[1] - m.lift[0]) * left) * profile
        drop = (m.drop[0] + (m.drop[1] - m.drop[0]) * left) * profile
        dy = (
            down * self._corner
            + m.middle * (1 - self._corner)
            + np.where(self._side > 0.5, drop, -lift) * np.abs(2 * self._side - 1)
        )
        thickness = np.where(self._side > 0.5, m.lower_lip, m.upper_lip) - 1
        return np.column_stack([w * (outwards * self._sign + m.shift), w * dy + thickness * self._thick * self._s])


def teeth_shift(n: Points, m: MouthState, half_width: float, *, lower: float) -> Points:
    """(N, 2) for teeth and tongue: the upper ones hardly move, the lower ones (`lower` 0 to 1) go with the jaw."""
    corner_x = 0.5 * (m.corner_x[0] + m.corner_x[1])
    lifted = 0.5 * (m.corner_y[0] + m.corner_y[1])
    drop = 0.5 * (m.drop[0] + m.drop[1])
    curve = np.minimum(n**2, 1.2)
    dy = (0.5 * lifted * curve + 0.6 * m.middle - 0.45 * m.purse) * (1 - lower) + lower * (drop + 0.2 * m.purse)
    return half_width * np.column_stack([0.45 * corner_x * n + m.shift, dy])
