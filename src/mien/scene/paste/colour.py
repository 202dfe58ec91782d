"""Fits an avatar's colours to the picture it is pasted into: its light as a whole, and the seam."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Array, Picture

_SETTLE: Final = 0.6
"""Seconds over which the driver's mean colour is taken: no flicker."""
_EXPOSURE: Final = (0.35, 1.8)
_BRIGHTEST: Final = 0.9
"""Level, of 1, that the mean of the avatar's skin never exceeds by it: it would lose its features."""
_TINT: Final = (0.78, 1.35)
"""Limits of what a channel may change by beside the exposure."""
_SHADOW: Final = (0.4, 0.85)
"""Levels, as shares of the skin's, from which the tint begins and from which it is whole: dark hair would else turn
purple, and a yellowed painting's shadows blue."""
_SEAM_SIDE: Final = 96
"""Pixels of the longer side at which the seam's correction is worked out; it is smooth, more would only cost."""


class Light:
    """Gives the avatar's face the mean colour of the driver's: exposure and tint, nothing else.

    What passes from the driver's face into the picture is three numbers, its mean colour averaged over half a second.
    They have no place in the picture, so no feature, edge or texture of the face can be in them; neck and hands beside
    the cover show as much.
    """

    def __init__(self) -> None:
        self._mean: NDArray[np.float64] | None = None
        self._time = 0.0

    def observe(self, frame: Picture, inside: Picture, time: float) -> None:
        """Take in the driver's skin: `inside` is (H, W) uint8, not 0 on the face."""
        mean = mean_colour(frame, inside)
        step = time - self._time
        if self._mean is None or not 0 <= step < 1:
            self._mean = mean
        else:
            self._mean = self._mean + (1 - math.exp(-step / _SETTLE)) * (mean - self._mean)
        self._time = time

    def table(self, own: NDArray[np.float64]) -> Picture:
        """(1, 256, 3) uint8 look-up table that carries the avatar's `own` mean colour to the driver's. Black stays
        black; where it gets brighter, white stays white."""
        mean = own if self._mean is None else self._mean
        source = float(np.clip(own.mean(), 8, 247)) / 255
        exposure = float(np.clip(mean.mean() / (255 * source), *_EXPOSURE))
        tint = np.clip(mean / np.maximum(own, 1) / exposure, *_TINT)
        level = np.arange(256) / 255
        shown = _exposed(level, source, min(source * exposure, _BRIGHTEST))[:, None]
        lit = np.clip((level / source - _SHADOW[0]) / (_SHADOW[1] - _SHADOW[0]), 0, 1)[:, None]
        tint = 1 + (tint - 1) * lit
        curves = np.where(tint > 1, 1 - (1 - shown) ** tint, shown * tint)
        rising = np.maximum.accumulate(curves, axis=0)
        return np.asarray(np.clip(np.rint(rising * 255), 0, 255), np.uint8)[None]


def _exposed(level: NDArray[np.float64], source: float, goal: float) -> NDArray[np.float64]:
    """Levels in [0, 1] with `source` carried to `goal`: all by one factor, but what is brighter than `source` bends
    towards white, and shadows stay shadows."""
    factor = goal / source
    if factor <= 1:
        return level * factor
    above = np.clip((level - source) / (1 - source), 0, 1)
    bent = 1 - (1 - goal) * (1 - above) ** (factor * (1 - source) / (1 - goal))
    return np.asarray(np.where(level <= source, level * factor, bent))


def mean_colour(picture: Picture, inside: Picture) -> NDArray[np.float64]:
    """(3,) mean of (H, W, 3) uint8 RGB where `inside`, (H, W) uint8, is not 0."""
    return np.array(cv2.mean(np.ascontiguousarray(picture[..., :3]), mask=inside)[:3])


def meet(avatar: Picture, frame: Picture, covered: Picture, width: float) -> Picture:
    """The avatar with its colours led, towards the edge of the cover, to those just outside it, over `width` pixels.

    avatar, frame: (H, W, 3) uint8 RGB; covered: (H, W) uint8, 255 on the cover. Only pixels of the frame that lie
    entirely outside the cover are read, which the output shows anyway: nothing hidden can come through.
    """
    height, full_width = covered.shape
    scale = min(1.0, _SEAM_SIDE / max(height, full_width))
    size = (max(1, round(full_width * scale)), max(1, round(height * scale)))
    hidden, theirs, ours = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (covered, frame, avatar))
    # A ring outside: a pixel of the small picture counts if not one of its own pixels is covered.
    hidden = cv2.dilate(np.where(hidden > 0, 255, 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    distance = cv2.distanceTransform(cv2.bitwise_not(hidden), cv2.DIST_L2, 3)
    ring = ((hidden == 0) & (distance <= max(2.0, width * scale))).astype(np.float32)
    sigma = max(1.0, width * scale / 2)
    difference = (theirs.astype(np.float32) - ours.astype(np.float32)) * ring[..., None]
    spread = cv2.GaussianBlur(difference, (0, 0), sigma)
    weight = cv2.GaussianBlur(ring, (0, 0), sigma)
    correction = cv2.resize(spread / np.maximum(weight, _EDGE)[..., None], (full_width, height))
    return np.asarray(np.clip(avatar + correction, 0, 255), np.uint8)


def surroundings(frame: Picture, covered: Picture, otherwise: NDArray[np.float64]) -> Picture:
    """(H, W, 3) uint8: what lies around the cover, led on smoothly underneath it; all `otherwise`, (3,), where nothing
    lies around it.

    Arguments as for `meet`, and as there no pixel of the frame is read of which the cover hides any part.
    """
    height, width = covered.shape
    scale = min(1.0, _SEAM_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    hidden, theirs = (cv2.resize(a, size, interpolation=cv2.INTER_AREA) for a in (covered, frame))
    hidden = cv2.dilate(np.where(hidden > 0, 255, 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    weight = (hidden == 0).astype(np.float32)
    levels = [(theirs * weight[..., None], weight)]  # colours times weights, ever coarser
    while min(levels[-1][1].shape) > 1:
        levels.append((cv2.pyrDown(levels[-1][0]), cv2.pyrDown(levels[-1][1])))
    colours, weight = (level.sum((0, 1)) for level in levels[-1])
    mean = colours / weight if weight > 0 else otherwise.astype(np.float32)
    filled = np.broadcast_to(mean, levels[-1][0].shape)
    for colours, weight in reversed(levels):  # where a level knows nothing, the next coarser one does
        known = np.minimum(2 * weight, 1)[..., None]
        own = colours / np.maximum(weight, np.float32(1e-3))[..., None]
        filled = own * known + cv2.resize(filled, weight.shape[::-1]) * (1 - known)
    return np.asarray(cv2.resize(np.clip(np.rint(filled), 0, 255).astype(np.uint8), (width, height)), np.uint8)


_EDGE: Final = np.float32(0.4)
"""What the ring's blurred weight comes to at its own inner edge: there the correction is whole, further in it fades."""


def blend(over: Picture, below: Picture, opacity: Array) -> Picture:
    """(H, W, 3) uint8: `over` where `opacity`, (H, W) float32, is 1, `below` where it is 0."""
    return cv2.blendLinear(over, np.ascontiguousarray(below), opacity, 1 - opacity)  # type: ignore[return-value]
