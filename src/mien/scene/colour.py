"""Fits the avatar's colours to the light of the picture it is pasted into."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Picture

_SETTLE: Final = 0.6
"""Seconds over which the driver's figures are averaged: no flicker."""
_CONTRAST: Final = (0.6, 1.5)
"""Limits of what the contrast may change by, so that a flat painting does not turn harsh."""


class ColourFit:
    """Matches mean and spread of the avatar's skin to those of the driver's, channel by channel.

    What passes from the driver's face into the picture is six numbers, averaged over more than half a second: how
    bright, how coloured and how contrasty the face is as a whole. They have no place in the picture, so no feature, edge
    or texture of the face can be in them; the neck and hands beside the cover show as much.
    """

    def __init__(self) -> None:
        self._figures: NDArray[np.float64] | None = None
        self._time = 0.0

    def observe(self, frame: Picture, inside: Picture, time: float) -> None:
        """Take in the driver's skin: `inside` is (H, W) uint8, not 0 on the face."""
        figures = _figures(frame, inside)
        step = time - self._time
        if self._figures is None or not 0 <= step < 1:
            self._figures = figures
        else:
            self._figures = self._figures + (1 - math.exp(-step / _SETTLE)) * (figures - self._figures)
        self._time = time

    def table(self, own: NDArray[np.float64]) -> NDArray[np.uint8]:
        """(1, 256, 3) uint8 look-up table that carries the avatar's `own` figures to the driver's."""
        assert self._figures is not None
        (mean, spread), (own_mean, own_spread) = self._figures, own
        gain = np.clip(spread / np.maximum(own_spread, 1), *_CONTRAST)
        levels = (np.arange(256)[:, None] - own_mean) * gain + mean
        return np.clip(np.rint(levels), 0, 255).astype(np.uint8)[None]


def own_figures(picture: Picture, outline: Picture) -> NDArray[np.float64]:
    """(2, 3) mean and spread of the avatar's face. `outline` is (H, W) uint8, not 0 on it."""
    return _figures(np.ascontiguousarray(picture[..., :3]), outline)


def _figures(picture: Picture, inside: Picture) -> NDArray[np.float64]:
    mean, spread = cv2.meanStdDev(picture, mask=inside)
    return np.stack([mean[:, 0], spread[:, 0]])
