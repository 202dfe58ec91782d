"""How long ago was what everybody now sees taken? A sink that comes after all others."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Final

from mien.media.camera import TIME_BASE
from mien.types import Picture

_RECENT: Final = 30
"""Pictures that count as recent, about a second."""


class Stopwatch:
    """Delays of a live run, in seconds from a frame's being taken to its picture's being with all other sinks."""

    def __init__(self, now: Callable[[], float]) -> None:
        """now: seconds on the clock of the frames' time stamps (`LiveSource.now`)."""
        self._now = now
        self._delays = array("f")

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """A picture is through; `pts` in units of `TIME_BASE`."""
        if pts is not None:
            self._delays.append(self._now() - float(pts * TIME_BASE))

    @property
    def recent(self) -> float:
        """Median of the newest."""
        return _percentile(self._delays[-_RECENT:], 50)

    def percentiles(self, *shares: float) -> tuple[float, ...]:
        """Delays that so many of a hundred stayed below; 0 where there were none."""
        return tuple(_percentile(self._delays, share) for share in shares)


def _percentile(delays: array[float], share: float) -> float:
    import numpy as np

    return float(np.percentile(delays, share)) if delays else 0.0
