"""Frown lines: two upright folds between the brows, which landmarks do not show.

Somebody who cries or is in pain draws the brows together and up at once. Their landmarks stay nearly where they were,
and the mouth, drawn wide, reads as a smile: the skin between the brows alone tells that this is no joy.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from mien.face.calibration import RunningQuantile
from mien.face.pose import canonical
from mien.types import COEFFICIENT, Array, Picture

_ANCHORS: Final = np.array([168, 55, 285])
"""Landmarks that carry the skin between the brows: the root of the nose and the inner ends of the brows."""
_ACROSS, _TOP, _BOTTOM = 0.10, -0.34, -0.10
"""Where the lines are on the average face, in inter-ocular units: to either side of the middle, and from the forehead
down to the root of the nose."""
_SCALE: Final = 110.0
"""Pixels per inter-ocular unit at which they are looked at."""
_LINE, _BESIDE = 0.7, 2.75
"""Widths in these pixels, as standard deviations, of a line and of the skin it is compared with."""
_COARSEST: Final = 60.0
"""Inter-ocular distance in pixels of the frame below which lines are lost in its own coarseness."""
_HAIR: Final = 0.62
"""Share of the median brightness: where a tenth of the place is darker, hair hangs over it."""
_DEEPEST: Final = 0.2
"""A line that is deeper is none of the skin's: the deepest frown of nine people reaches .14."""
_BEGINS, _FULL = 0.008, 0.024
"""Depth beyond rest where a frown begins, and where it is a full one."""
_MEMORY, _SHARE, _REST_LIMIT = 60.0, 0.25, 0.02
"""Rest is this quantile of so many seconds, and no more than so deep: nobody rests in a deep frown."""
_USUAL, _USUAL_SECONDS = 0.005, 6.0
"""Where most people's lines rest, counted like as many seconds that were seen: somebody may begin in tears."""
_SMOOTH: Final = 0.12
"""Seconds over which the depth is averaged."""
_PAUSE, _LONGEST = 0.06, 0.2
"""Seconds from one look to the next, and the most that one counts for: lines do not come and go as lids do."""
_EXPLAINED: Final = 0.4
"""Lowered brows, as landmarks show them, that explain the lines: an angry frown is no worry."""
_SMILES: Final = 0.25
"""Smile, as the network reads it, from which lines and mouth contradict each other for certain."""
_RAISED, _DRAWN_IN = 0.75, 0.3
"""How far worry raises the inner brows, and draws both together."""
_NO_SMILE: Final = 0.9
"""How much of a smile is none in full worry."""
_WIDE, _DOWN = 0.4, 0.6
"""What becomes of it: a mouth drawn wide, and corners drawn down."""
_PARTED: Final = 0.35
"""Open jaw or raised lip from which it stays a smile: people who laugh aloud wrinkle their brows too."""


def depth_of(image: Picture, landmarks: Array) -> float | None:
    """How much darker than the skin beside it the deepest upright line between the brows is, as a share; 0.03 is a deep
    one. None where no skin can be seen well enough.

    image (H, W, 3) uint8 RGB; landmarks (478, 3) in its pixels.
    """
    if float(np.linalg.norm(landmarks[263, :2] - landmarks[33, :2])) < _COARSEST:
        return None
    margin = 0.1
    corner = np.array([-_ACROSS - margin, _TOP], np.float32)
    size = round((2 * _ACROSS + 2 * margin) * _SCALE), round((_BOTTOM - _TOP) * _SCALE)
    to = (canonical().shape[_ANCHORS, :2] - corner) * np.float32(_SCALE)
    affine = cv2.getAffineTransform(np.ascontiguousarray(landmarks[_ANCHORS, :2], np.float32), to.astype(np.float32))
    seen = cv2.warpAffine(image, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    skin = cv2.GaussianBlur(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), (0, 0), _LINE).astype(np.float32)
    beside = round(margin * _SCALE)
    middle = skin[:, beside:-beside]
    light = np.sort(middle, axis=None)
    if light[len(light) // 10] < _HAIR * max(float(light[len(light) // 2]), 1.0):
        return None
    # A line as long as the place survives the average along it.
    across = (skin / skin.mean(1, keepdims=True)).mean(0)
    valley = cv2.GaussianBlur(across[None], (0, 0), _BESIDE)[0] - across
    depth = max(0.0, float(valley[beside:-beside].max()))
    return depth if depth < _DEEPEST else None


class FrownLines:
    """One person's frown lines, against those that they have at rest."""

    def __init__(self) -> None:
        self._rest = RunningQuantile(
            np.zeros(1, np.float32), np.full(1, _REST_LIMIT, np.float32), share=np.full(1, _SHARE), memory=_MEMORY
        )
        self._rest.add(np.full(1, _USUAL, np.float32), _USUAL_SECONDS)
        self._fixed: float | None = None
        self._depth, self._looked = 0.0, -math.inf

    def calibrate(self) -> None:
        """Take the lines of this moment as this person's own, until `release`."""
        self._fixed = self._depth

    def release(self) -> None:
        """Go back to estimating them."""
        self._fixed = None

    def __call__(self, image: Picture, landmarks: Array, time: float) -> float:
        """0 to 1: how deep a frown is, at `time` seconds; as in `depth_of`."""
        step = time - self._looked
        if step < _PAUSE:
            return self._strength()
        depth = depth_of(image, landmarks)
        if depth is None:
            depth = 0.0
        else:
            self._rest.add(np.full(1, depth, np.float32), min(step, _LONGEST))
        self._depth += (depth - self._depth) * (1 - math.exp(-step / _SMOOTH))
        self._looked = time
        return self._strength()

    def _strength(self) -> float:
        rest = float(self._rest.value[0]) if self._fixed is None else self._fixed
        return min(max((self._depth - rest - _BEGINS) / (_FULL - _BEGINS), 0.0), 1.0)


def with_worry(coefficients: Array, frown: float) -> Array:
    """(52,) coefficients with brows drawn together and up where lines say `frown`, 0 to 1, landmarks say no lowered
    brow, and the mouth seems to smile; a shut mouth, drawn wide by crying, becomes a stretched one. Without a smile a
    frown is anger or thought, and nothing changes."""
    lowered = (coefficients[COEFFICIENT["browDownLeft"]] + coefficients[COEFFICIENT["browDownRight"]]) / 2
    smiling = (coefficients[COEFFICIENT["mouthSmileLeft"]] + coefficients[COEFFICIENT["mouthSmileRight"]]) / 2
    worry = frown * (1 - min(float(lowered) / _EXPLAINED, 1.0)) * min(float(smiling) / _SMILES, 1.0)
    if worry <= 0:
        return coefficients
    shown: Array = coefficients.copy()
    raised = COEFFICIENT["browInnerUp"]
    shown[raised] = max(shown[raised], _RAISED * worry)
    parted = max(
        float(coefficients[COEFFICIENT[name]]) for name in ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight")
    )
    crying = _NO_SMILE * worry * (1 - min(parted / _PARTED, 1.0))
    for side in ("Left", "Right"):
        brow, smile, wide, down = (
            COEFFICIENT[f"{name}{side}"] for name in ("browDown", "mouthSmile", "mouthStretch", "mouthFrown")
        )
        shown[brow] = max(shown[brow], _DRAWN_IN * worry)
        turned = crying * shown[smile]
        shown[smile] -= turned
        shown[wide] = min(shown[wide] + _WIDE * turned, 1.0)
        shown[down] = min(shown[down] + _DOWN * turned, 1.0)
    return shown
