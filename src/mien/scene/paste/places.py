"""Places of the picture that must not be seen, at one moment of the clip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.face.boxes import iou
from mien.types import Array

CELLS: Final = (96, 54)
"""Columns and rows of the coarse maps in which changes and people are noted."""
Map = NDArray[np.bool_]
"""(h, w) bool in `CELLS`: a coarse map of the frame."""
NEAR: Final = 0.75
"""Distance of two centres, in widths of the larger box, up to which two places are taken for the same face."""
_GROWN: Final = 2.5
"""Ratio of sizes up to which they are."""
_LASTING, LASTING_LOOKS = 0.4, 3
"""Seconds and looks for which a face must have been seen to be followed far: a pattern that looks like one in a single
picture would be veiled for as long as it is there."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Somewhere that a face is, or may be."""

    box: Array
    """(4,) float32: x0, y0, x1, y1 in pixels of the frame, brow to chin; it can reach beyond the frame."""
    roll: float = 0.0
    """Radians, clockwise in the picture."""
    tracked: int | None = None
    """The tracker's number of the face; None for a place that no tracked face explains."""
    since: float = 0.0
    """Seconds into the clip at which the face was first believed to be here."""
    seen: int = 1
    """Looks at which it was."""
    unseen: int = 0
    """Looks since then; the place was followed by its texture, or by doubtful finds."""
    lost: float | None = None
    """Seconds into the clip at which it went behind a known face, out of sight; None while it can be followed."""

    @property
    def centre(self) -> Array:
        """(2,) float32, pixels."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2, np.float32)

    @property
    def side(self) -> float:
        """Length of the longer side, pixels."""
        return float((self.box[2:] - self.box[:2]).max())

    def lasting(self, time: float) -> bool:
        """Whether the face has been seen for so long by now, seconds, that it is followed far."""
        return self.tracked is not None or (self.seen >= LASTING_LOOKS and time - self.since >= _LASTING)

    def meets(self, other: Place) -> bool:
        """Whether both can be the same face a moment apart."""
        if not 1 / _GROWN < self.side / other.side < _GROWN:
            return False
        between = float(np.linalg.norm(self.centre - other.centre))
        return iou(self.box, other.box) > 0.1 or between < NEAR * max(self.side, other.side)

    def moved(self, box: Array) -> Place:
        """The same face elsewhere, followed there and not detected."""
        return replace(self, box=box.astype(np.float32), tracked=None, unseen=self.unseen + 1)
