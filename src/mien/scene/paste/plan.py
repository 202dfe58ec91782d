"""What the first pass hands to the second: numbers only."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.scene.paste.looks import Look
from mien.scene.paste.places import Map, Place

AROUND: Final = 0.45
"""Seconds before and after a look for which what it found is covered: between looks a face may come, go and move."""
_PAN: Final = 0.3
"""Seconds between two cuts below which they are none."""


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """What holds for one frame."""

    places: tuple[Place, ...]
    """What must not be seen; those with a `tracked` number only where the tracker does not find them."""
    people: Map | None
    """Where people are whom no face explains; None where there are none."""
    card: str | None
    """Why the frame must not be shown; None where it may."""


class Plan:
    """Asked for each frame of the second pass."""

    def __init__(self, looks: Sequence[Look], missing: Set[int], crowded: Set[int]) -> None:
        self._looks, self._missing, self._crowded = looks, missing, crowded
        self._times = [look.time for look in looks]
        self._indices = [look.index for look in looks]
        self._cuts = _real_cuts(looks)

    def at(self, index: int, time: float) -> Orders:
        """The orders for the frame of that number, `time` seconds into the clip."""
        if not self._looks or index > self._indices[-1]:
            return Orders((), None, "not seen in the first pass")
        near = self._near(index, time)
        places = tuple(place for n in near for place in self._looks[n].places)
        maps = [found for n in near if (found := self._looks[n].strangers) is not None]
        card = "crowd" if index in self._crowded else "somebody is missing" if index in self._missing else None
        return Orders(places, np.logical_or.reduce(maps) if maps else None, card)

    def _near(self, index: int, time: float) -> range:
        """Numbers of the looks whose finds hold for a frame: the ones before and after it, and all that are near, up to
        the next cut."""
        after = bisect_left(self._indices, index)
        before = after if self._indices[after] == index else after - 1
        first = min(bisect_left(self._times, time - AROUND), before)
        last = max(bisect_right(self._times, time + AROUND) - 1, after)
        for n in range(before, first - 1, -1):
            if n in self._cuts:
                first = n
                break
        for n in range(before + 1, last + 1):
            if n in self._cuts:
                last = n - 1
                break
        return range(max(first, 0), last + 1)


def _real_cuts(looks: Sequence[Look]) -> set[int]:
    """Numbers of the looks with which another shot begins. Several cuts in quick succession are a fast pan."""
    cuts = [(n, look.time) for n, look in enumerate(looks) if look.cut and n > 0]
    return {n for n, time in cuts if not any(0 < abs(time - other) < _PAN for _, other in cuts)}
