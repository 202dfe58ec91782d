"""The first pass of Scene.PASTE: goes through the whole clip and notes every place that must not be seen.

Frames are searched closely some three times a second, at every cut, and wherever something turns up that was not there
a frame before. The finds of one look are linked to the looks before and after: a doubtful place beside a sure one is
believed, and where no detector sees a face that was or will be seen, it is followed by its texture, forwards and
backwards in time. So nobody is bare before they are noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from mien.face.boxes import area, around, iou, shared
from mien.face.cuts import CutDetector
from mien.face.lookout import Lookout
from mien.face.people import PeopleMap
from mien.scene.paste.belief import believed, explains
from mien.scene.paste.changes import Changes
from mien.scene.paste.follow import follow, thumbnail
from mien.scene.paste.looks import Look
from mien.scene.paste.places import CELLS, LASTING_LOOKS, Map, Place
from mien.scene.paste.plan import Plan
from mien.scene.paste.whereabouts import Whereabouts
from mien.types import Face, Frame, Picture

EVERY: Final = 0.3
"""Seconds between two looks at a picture in which nothing turns up: at what has changed since it was last searched."""
MEMORY: Final = 12.0
"""Seconds for which pictures are kept, small and grey, to follow somebody back to before they were noticed."""
REFRESH: Final = 2.0
"""Seconds after which everything is searched again, changed or not."""
_ALL: Final = 0.6
"""Share of changed cells from which the whole picture is searched."""
_UNSEEN, _UNSEEN_BRIEF = 50, 4
"""Looks for which a place is followed at most since a face was last believed to be there; one not seen for long."""
BRIEF_MEMORY: Final = 1.5
"""Seconds for which a face not seen for long is followed back."""
HIDDEN: Final = 2.5
"""Seconds for which a face that goes behind a known one stays covered: it can look out again at any moment."""
_BEHIND: Final = 0.1
"""Share of a place that a known face must hide for this."""
_SAME: Final = 0.4
"""Intersection over union from which a doubtful find says better than the texture where a face has gone."""
_PERSON: Final = 0.5
"""Certainty from which somebody is there."""


class Watch:
    """Called with every frame and its tracked faces, in order; `plan` at the end.

    `lookout` and `people` are the witnesses, None in tests that need none. `most` is how many faces the tracker
    follows: a frame with so many is a crowd, and there may be more.
    """

    def __init__(
        self, lookout: Lookout | None, people: PeopleMap | None, *, most: int = 32, forget_after: float | None = None
    ) -> None:
        self._lookout, self._people, self._most = lookout, people, most
        self._looks: list[Look] = []
        self._recent: deque[tuple[Look, Picture]] = deque()
        """Looks of the last `MEMORY` seconds and their pictures in grey."""
        self._whereabouts = Whereabouts(forget_after)
        self._crowded: set[int] = set()
        self._is_cut = CutDetector()
        self._changes = Changes()
        self._last: tuple[Frame, Sequence[Face]] | None = None
        self._due = float("-inf")
        """When all that had changed was last searched, seconds."""
        self._whole = float("-inf")
        """When the whole picture was last searched, seconds."""

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Take in the next frame and everybody tracked in it."""
        cut, sudden = self._is_cut(frame.image), self._changes(frame.image)
        self._whereabouts.see(frame.index, frame.time, {face.id: around(face.landmarks) for face in faces}, cut=cut)
        if len(faces) >= self._most:
            self._crowded.add(frame.index)
        due = frame.time - self._due >= EVERY - 1e-6
        if sudden.any() and not cut and self._last and self._looks[-1].index != self._last[0].index:
            # What is gone now may have come unnoticed, before a pattern as fine as the cells.
            self._look(*self._last, cut=False, where=sudden)
        if cut or due or sudden.any():
            where = self._changes.unsearched() if due else sudden
            everything = cut or where.mean() > _ALL or frame.time - self._whole >= REFRESH
            self._look(frame, faces, cut=cut, where=None if everything else where)
            self._due = frame.time if due or everything else self._due
        self._last = (frame, faces)

    def stage(self, tracked: Iterable[tuple[Frame, Sequence[Face]]]) -> Iterator[Frame]:
        """The stage of a pipeline without sinks."""
        for frame, faces in tracked:
            self(frame, faces)
            yield frame

    def plan(self) -> Plan:
        """What to cover, and which frames must not be shown."""
        if self._last and (not self._looks or self._looks[-1].index != self._last[0].index):
            self._look(*self._last, cut=False, where=None)
        self._settle()
        return Plan(self._looks, self._whereabouts.missing(self._looks), self._crowded)

    def _look(self, frame: Frame, faces: Sequence[Face], *, cut: bool, where: Map | None) -> None:
        look = Look(frame.index, frame.time, cut, size=frame.image.shape[1::-1])
        known = [_tracked(face) for face in faces]
        found = self._lookout(frame.image, where) if self._lookout else []
        self._changes.searched(where)
        people = self._people(frame.image, CELLS) if self._people else None
        for suspect in found:
            if not any(explains(place, suspect, look.size) for place in known):
                sure = people is None or believed(suspect, people, look.size, known)
                (look.places if sure else look.doubtful).append(Place(suspect.box, suspect.roll, since=look.time))
        look.places += known
        look.people = None if people is None else people > _PERSON
        if where is None:
            self._whole = frame.time
        if cut:
            self._settle()
        self._recent.append((look, thumbnail(frame.image)))
        while self._recent[0][0].time < frame.time - MEMORY:
            self._recent.popleft()[0].settle()
        scale = self._recent[-1][1].shape[1] / frame.image.shape[1]
        self._forwards(scale)
        self._backwards(scale)
        self._looks.append(look)

    def _settle(self) -> None:
        while self._recent:
            self._recent.popleft()[0].settle()

    def _forwards(self, scale: float) -> None:
        """Link the newest look to the one before: what was seen then, doubtful places, then texture."""
        if len(self._recent) < 2:
            return
        (before, earlier), (now, later) = self._recent[-2], self._recent[-1]
        now.places = [_linked(place, before, now) for place in now.places]
        for place in before.places:
            most = _UNSEEN if place.lasting(before.time) else _UNSEEN_BRIEF
            if place.unseen < most and not any(_goes_on(place, other, before, now) for other in now.places):
                _extend(place, now, earlier, later, scale)

    def _backwards(self, scale: float) -> None:
        """Follow whoever is new in the newest look, or has been seen for long enough by now, back to where they came
        from."""
        now = self._recent[-1][0]
        for start in list(now.places):
            lasting = start.lasting(now.time)
            place: Place | None = start
            later = now
            for n in range(len(self._recent) - 2, -1, -1):
                look, picture = self._recent[n]
                if place is None or (not lasting and now.time - look.time > BRIEF_MEMORY):
                    break
                already = next((other for other in look.places if _goes_on(other, place, look, later)), None)
                if already is not None and (already.lasting(now.time) or not lasting):
                    break
                place = already or _extend(place, look, self._recent[n + 1][1], picture, scale)
                later = look


def _tracked(face: Face) -> Place:
    """Where a tracked face is. The tracker is sure of it, so it is followed far when it is lost."""
    return Place(around(face.landmarks), face.roll, face.id, since=float("-inf"), seen=LASTING_LOOKS)


def _linked(place: Place, before: Look, now: Look) -> Place:
    """A place of the newest look, with what is known of the same face from the look before."""
    known = next((other for other in before.places if _goes_on(other, place, before, now)), None)
    return replace(place, since=known.since, seen=known.seen + 1) if known and place.tracked is None else place


def _goes_on(place: Place, other: Place, before: Look, now: Look) -> bool:
    """Whether `other`, in the look `now`, can be the face that was at `place` in the look before. A tracked face is
    only itself, unless the tracker has just found or just lost it."""
    if place.tracked is not None and place.tracked == other.tracked:
        return True
    lost = place.tracked is None or place.tracked not in now.tracked
    found = other.tracked is None or other.tracked not in before.tracked
    return lost and found and place.meets(other)


def _extend(place: Place, look: Look, from_picture: Picture, to_picture: Picture, scale: float) -> Place | None:
    """The place in a neighbouring look, added to it; None where nothing there goes on."""
    doubtful = max(look.doubtful, key=lambda other: iou(place.box, other.box), default=None)
    following: Place | None = None
    if doubtful is None or iou(place.box, doubtful.box) < _SAME:
        moved = follow(from_picture, to_picture, place.box * np.float32(scale)) if place.lost is None else None
        following = place.moved(moved / np.float32(scale)) if moved is not None else _hidden(place, look)
    if following is None and doubtful is not None and place.meets(doubtful):
        look.doubtful.remove(doubtful)
        following = replace(doubtful, since=place.since, seen=place.seen, unseen=place.unseen + 1)
    if following is not None:
        look.places.append(following)
    return following


def _hidden(place: Place, look: Look) -> Place | None:
    """The place where it was, while a known face hides a part of it; None where there is none, and after `HIDDEN`."""
    lost = look.time if place.lost is None else place.lost
    behind = any(
        other.tracked is not None and shared(other.box, place.box) > _BEHIND * area(place.box) for other in look.places
    )
    if not behind or abs(look.time - lost) > HIDDEN:
        return None
    return replace(place, tracked=None, lost=lost)
