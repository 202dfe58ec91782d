"""Which parts of the picture have changed: since the last frame, and since they were last searched."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.scene.paste.places import CELLS, Map
from mien.types import Array, Picture

_SUDDEN: Final = 12.0
"""Grey levels, of 255, by which a cell must differ from everything around it a frame before."""
_GROUP: Final = 3
"""Cells of a 3×3 block that must do so: a single one is noise or an edge, a face is larger."""
_BLOCK, _VARIED = 15, 6.0
"""Cells of a 5×5 block that must be other than a frame before, where the surroundings of each vary by so many times the
levels above: before a fine pattern, everything lies within what is around it."""
_SLOW: Final = 5.0
"""Grey levels by which a cell must differ from its last searched state."""
_CONTRAST: Final = 50.0
"""Spread of the picture's grey levels for which these levels hold: in a dark picture less counts as much."""


class Changes:
    """Called with every frame in order; `searched` says what was looked at since."""

    def __init__(self) -> None:
        shape = CELLS[::-1]
        self._now: Array = np.zeros(shape, np.float32)
        self._searched: Array = np.full(shape, np.inf, np.float32)
        self._share = 1.0

    def __call__(self, image: Picture) -> Map:
        """Where something is to be seen in (H, W, 3) uint8 RGB that was nowhere near in the last frame."""
        small = np.asarray(cv2.resize(image, CELLS, interpolation=cv2.INTER_AREA))
        before, self._now = self._now, cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
        self._share = min(1.0, max(float(self._now.std()) / _CONTRAST, 0.1))
        around = np.ones((3, 3), np.uint8)
        level = _SUDDEN * self._share
        most, least = cv2.dilate(before, around), cv2.erode(before, around)
        new = (self._now > most + level) | (self._now < least - level)
        varied = most - least > _VARIED * level
        other = varied & (np.abs(self._now - before) > level)
        return np.asarray((new & (_count(new, 3) >= _GROUP)) | (other & (_count(other, 5) >= _BLOCK)))

    def unsearched(self) -> Map:
        """Where the picture is not as it was when it was last searched there."""
        changed = np.abs(self._now - self._searched) > _SLOW * self._share
        return np.asarray(cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)

    def searched(self, where: Map | None) -> None:
        """The present picture has been searched, all of it or `where`."""
        if where is None:
            self._searched = self._now.copy()
        else:
            self._searched[where] = self._now[where]


def _count(cells: Map, side: int) -> Array:
    """How many cells are true in the block of `side`×`side` around each."""
    blocks = cv2.boxFilter(cells.astype(np.float32), -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blocks, np.float32)
