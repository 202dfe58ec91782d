"""Notices where one shot ends and another picture begins."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.types import Picture

CUT: Final = 28.0
"""Mean absolute difference of two thumbnails, of 255, that makes a cut."""


class CutDetector:
    """Called with every frame in order."""

    def __init__(self) -> None:
        self._thumbnail: Picture | None = None

    def __call__(self, image: Picture) -> bool:
        """Whether (H, W, 3) uint8 begins another shot; the first frame does."""
        small = np.asarray(cv2.resize(image, (32, 18), interpolation=cv2.INTER_LINEAR), np.uint8)
        previous, self._thumbnail = self._thumbnail, small
        if previous is None:
            return True
        # Lights that go on or off are no cut: the same picture, brighter or darker.
        gain = min(max((float(small.mean()) + 1) / (float(previous.mean()) + 1), 0.4), 2.5)
        return float(cv2.absdiff(cv2.convertScaleAbs(previous, alpha=gain), small).mean()) > CUT
