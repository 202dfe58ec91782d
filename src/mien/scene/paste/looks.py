"""What one look at a frame found, in the first pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.scene.paste.places import Place

Map = NDArray[np.bool_]
"""(h, w) bool in `CELLS`: a coarse map of the frame."""
CELLS: Final = (96, 54)
"""Columns and rows of the coarse map in which changes and people are noted."""


@dataclass(slots=True, eq=False)
class Look:
    """What one look at the picture found."""

    index: int
    time: float
    cut: bool
    """Whether another shot begins here: nothing is linked to the look before."""
    places: list[Place] = field(default_factory=list)
    doubtful: list[Place] = field(default_factory=list)
    """Believed once a look before or after finds a face there."""
    people: Map | None = None
    """Where people are; None where nobody could be asked."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the frame, pixels."""

    @property
    def tracked(self) -> set[int]:
        """The tracker's numbers of the faces in sight."""
        return {place.tracked for place in self.places if place.tracked is not None}
