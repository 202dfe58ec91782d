"""Keeps account of everybody who was seen: each must be covered, or be known to have gone, before a frame is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from mien.face.boxes import area
from mien.scene.paste.looks import Look
from mien.scene.paste.places import Place
from mien.types import Array

BRIEF, BRIEF_MEMORY = 0.5, 2.0
"""Somebody seen for less than `BRIEF` seconds in all is forgotten after `BRIEF_MEMORY` seconds."""
_BEFORE_CUT, _AFTER_CUT = 0.5, 1.0
"""Seconds before and after a cut in which somebody who is lost and somebody who is found can be the same person."""
_REACH, _SPEED = 1.5, 3.0
"""How far from where somebody was lost they can be found again, in widths of their face: at once, and more a second."""


@dataclass(slots=True, eq=False)
class _Sighting:
    """One frame in which somebody was tracked."""

    row: int
    """Number of the frame in the order seen."""
    box: Array


@dataclass(slots=True, eq=False)
class _Person:
    """Somebody in the clip, under one number of the tracker."""

    number: int
    """Of the tracker, when first seen."""
    sightings: list[_Sighting] = field(default_factory=list)
    """In order of time."""


class Whereabouts:
    """`see` every frame in order; `missing` at the end."""

    def __init__(self, forget_after: float | None = None) -> None:
        self._forget_after = forget_after
        self._indices: list[int] = []
        self._times: list[float] = []
        self._cuts: list[int] = []
        """How many cuts came before or with each frame."""
        self._people: list[_Person] = []
        self._current: dict[int, _Person] = {}

    def see(self, index: int, time: float, boxes: Mapping[int, Array], *, cut: bool) -> None:
        """The faces tracked in a frame: boxes (4,) in pixels by the tracker's number."""
        row = len(self._times)
        self._indices.append(index)
        self._times.append(time)
        self._cuts.append((self._cuts[-1] if self._cuts else 0) + cut)
        for number, box in boxes.items():
            person = self._current.get(number)
            if person is None or not self._reachable(person, box, row):
                person = _Person(number)
                self._people.append(person)
                self._current[number] = person
            person.sightings.append(_Sighting(row, box))

    def missing(self, looks: Sequence[Look]) -> set[int]:
        """Indices of the frames in which somebody who was seen before is neither tracked nor covered at a place that
        was followed, and may still be there."""
        rows = {index: row for row, index in enumerate(self._indices)}
        at = [rows[look.index] for look in looks]
        self._join_over_cuts()
        gone: set[int] = set()
        taken: set[tuple[int, int]] = set()
        for person in self._people:
            gone.update(self._indices[row] for row in self._missed(person, looks, at, taken))
        return gone

    def _reachable(self, person: _Person, box: Array, row: int) -> bool:
        """Whether somebody can have come from where they were last seen. A look-alike at the other end of the room
        must not stand for somebody who is hidden."""
        last = person.sightings[-1]
        if last.row >= row - 1 or self._cuts[last.row] != self._cuts[row]:
            return True
        side = max(float((last.box[2:] - last.box[:2]).max()), float((box[2:] - box[:2]).max()))
        between = float(np.linalg.norm(last.box[:2] + last.box[2:] - box[:2] - box[2:])) / 2
        return between < side * (_REACH + _SPEED * (self._times[row] - self._times[last.row]))

    def _join_over_cuts(self) -> None:
        """Where as many people are found after a cut as were lost at it, they are the same ones: a new shot is framed
        anew, and nothing says that anybody else is in it."""
        for row in range(1, len(self._cuts)):
            if self._cuts[row] == self._cuts[row - 1]:
                continue
            lost = [person for person in self._people if self._is_lost_at(person, row)]
            found = [person for person in self._people if self._is_found_at(person, row)]
            if len(lost) > len(found):
                continue
            for old, new in zip(sorted(lost, key=_size_last), sorted(found, key=_size_first), strict=False):
                old.sightings += new.sightings
                self._people.remove(new)

    def _is_lost_at(self, person: _Person, row: int) -> bool:
        """Whether somebody was last seen just before the cut at `row`."""
        last = person.sightings[-1].row
        return last < row and self._cuts[last] == self._cuts[row - 1] and self._since(last, row) <= _BEFORE_CUT

    def _is_found_at(self, person: _Person, row: int) -> bool:
        """Whether somebody was first seen just after the cut at `row`."""
        first = person.sightings[0].row
        return first >= row and self._cuts[first] == self._cuts[row] and self._since(row, first) <= _AFTER_CUT

    def _since(self, row: int, later: int) -> float:
        return self._times[later] - self._times[row]

    def _missed(
        self, person: _Person, looks: Sequence[Look], at: Sequence[int], taken: set[tuple[int, int]]
    ) -> list[int]:
        """Rows in which one person is missing."""
        seen = {sighting.row: sighting.box for sighting in person.sightings}
        first, brief = person.sightings[0].row, self._length(seen) < BRIEF
        followed = self._followed(seen, looks, at, taken)
        rows = []
        last = self._times[first]
        for row in range(first, len(self._times)):
            if row in seen or row in followed:
                last = self._times[row]
                continue
            away = self._times[row] - last
            forgotten = (brief and away > BRIEF_MEMORY) or (
                self._forget_after is not None and away > self._forget_after
            )
            if not forgotten:
                rows.append(row)
        return rows

    def _length(self, seen: Mapping[int, Array]) -> float:
        """Seconds for which somebody was seen in all: from each frame to the next, however far apart they are."""
        ends = [*self._times[1:], self._times[-1] + self._usual()]
        return sum(ends[row] - self._times[row] for row in seen)

    def _usual(self) -> float:
        """Seconds from one frame to the next."""
        return float(np.median(np.diff(self._times))) if len(self._times) > 1 else 0.0

    def _followed(
        self, seen: Mapping[int, Array], looks: Sequence[Look], at: Sequence[int], taken: set[tuple[int, int]]
    ) -> set[int]:
        """Rows in which a person who is not tracked is covered all the same: from look to look there is an unbroken
        chain of places that begins where they were tracked last.

        `taken` are the places, by look and number, that stand for somebody: none stands for two.
        """
        rows: set[int] = set()
        place: Place | None = None
        linked = -1
        theirs: set[int] = set()
        """Other numbers that the tracker has given this person."""
        for n, (row, look) in enumerate(zip(at, looks, strict=True)):
            if row in seen:
                place, linked = Place(seen[row]), row
                continue
            since = max(at[n - 1] if n else 0, linked)
            latest = max((r for r in range(since, row) if r in seen), default=None)
            if latest is not None:
                place, linked = Place(seen[latest]), latest
            number = None if place is None or look.cut else self._next(place, n, look, linked, taken, theirs)
            place = None
            if number is not None:
                place = look.places[number]
                taken.add((n, number))
                if place.tracked is not None:
                    theirs.add(place.tracked)
                rows.update(range(linked + 1, row + 1))
                linked = row
        return rows

    def _next(
        self, place: Place, n: int, look: Look, linked: int, taken: Set[tuple[int, int]], theirs: Set[int]
    ) -> int | None:
        """The number of the nearest place in a look that can be the same face. A face tracked before is somebody
        else's; one that the tracker has only just found is theirs, under another number."""
        free = [
            (float(np.linalg.norm(place.centre - other.centre)), number)
            for number, other in enumerate(look.places)
            if other.lost is None
            and (n, number) not in taken
            and place.meets(other)
            and (other.tracked in theirs or self._new(other, linked))
        ]
        return min(free)[1] if free else None

    def _new(self, place: Place, since: int) -> bool:
        """Whether nobody was tracked under a place's number by row `since`; a place without a number is nobody's."""
        people = [person for person in self._people if person.number == place.tracked]
        return all(person.sightings[0].row > since for person in people)


def _size_first(person: _Person) -> float:
    return area(person.sightings[0].box)


def _size_last(person: _Person) -> float:
    return area(person.sightings[-1].box)
