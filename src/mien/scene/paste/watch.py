"""The first pass of Scene.PASTE: goes through the whole clip and notes every place that must not be seen.

Frames are searched closely some five times a second, at every cut, and wherever something turns up that was not there
a frame before. The finds of one look are linked to the looks before and after: a doubtful place beside a sure one is
believed, and where no detector sees a face that was or will be seen, it is followed by its texture, forwards and
backwards in time. So nobody is bare before they are noticed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from mien.face.boxes import around, shared
from mien.face.cuts import CutDetector
from mien.face.lookout import Lookout, Suspect
from mien.face.people import PeopleMap
from mien.scene.paste.belief import believed
from mien.scene.paste.follow import follow, thumbnail
from mien.scene.paste.looks import CELLS, Look, Map
from mien.scene.paste.places import Place
from mien.scene.paste.plan import Plan
from mien.scene.paste.whereabouts import Whereabouts
from mien.types import Array, Face, Frame, Picture

EVERY: Final = 0.2
"""Seconds between two looks at a picture in which nothing turns up."""
MEMORY: Final = 12.0
"""Seconds for which pictures are kept, small and grey, to follow somebody back to before they were noticed."""
_NEW: Final = 12
"""Grey levels, of 255, by which a cell must differ from everything around it a frame before."""
_ALL: Final = 0.3
"""Share of changed cells from which the whole picture is looked at again."""
_UNSEEN: Final = 75
"""Looks for which a place is followed at most since a detector last saw a face there."""
_PERSON: Final = 0.5
"""Certainty from which somebody is there."""
_SAME: Final = 0.6
"""Share of a suspect's box inside a tracked face's cover from which it is that face."""


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
        self._cells: Picture | None = None
        self._last: tuple[Frame, Sequence[Face]] | None = None
        self._whole = float("-inf")
        """When the whole picture was last looked at, seconds."""

    def __call__(self, frame: Frame, faces: Sequence[Face]) -> None:
        """Take in the next frame and everybody tracked in it."""
        cut, changed = self._is_cut(frame.image), self._turned_up(frame.image)
        self._whereabouts.see(frame.index, frame.time, {face.id: around(face.landmarks) for face in faces}, cut=cut)
        if len(faces) >= self._most:
            self._crowded.add(frame.index)
        due = cut or frame.time - self._whole >= EVERY - 1e-6 or changed.mean() > _ALL
        if due or changed.any():
            self._look(frame, faces, cut=cut, where=None if due else changed)
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
        return Plan(self._looks, self._whereabouts.missing(self._looks), self._crowded)

    def _turned_up(self, image: Picture) -> Map:
        """Where something is to be seen that was nowhere near in the last frame."""
        grey = cv2.cvtColor(cv2.resize(image, CELLS, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        before, self._cells = self._cells, np.asarray(grey, np.uint8)
        if before is None:
            return np.ones(CELLS[::-1], bool)
        around_it = np.ones((3, 3), np.uint8)
        most, least = cv2.dilate(before, around_it).astype(np.int16), cv2.erode(before, around_it).astype(np.int16)
        new = (grey > most + _NEW) | (grey < least - _NEW)
        # A single cell is noise or an edge; a face is larger.
        grouped = cv2.filter2D(new.astype(np.uint8), -1, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT) >= 3
        return np.asarray(new & grouped)

    def _look(self, frame: Frame, faces: Sequence[Face], *, cut: bool, where: Map | None) -> None:
        look = Look(frame.index, frame.time, cut, size=frame.image.shape[1::-1])
        before = self._looks[-1] if self._looks and not cut else None
        known = [Place(around(face.landmarks), face.roll, tracked=face.id) for face in faces]
        found = self._lookout(frame.image, where) if self._lookout else []
        people = self._people(frame.image, CELLS) if self._people else None
        for suspect in found:
            if not _explained(suspect, known, frame.image):
                overlapping = any(shared(suspect.box, _covered(place)) > 0 for place in known)
                sure = people is None or believed(suspect, people, look.size, overlapping=overlapping)
                (look.places if sure else look.doubtful).append(Place(suspect.box, suspect.roll))
        look.places += known
        if where is None:
            self._whole = frame.time
            look.people = None if people is None else people > _PERSON
        elif before is not None:
            _carry(before, look, where, frame.image.shape)
        if cut:
            self._recent.clear()
        self._recent.append((look, thumbnail(frame.image)))
        while self._recent[0][0].time < frame.time - MEMORY:
            self._recent.popleft()
        scale = self._recent[-1][1].shape[1] / frame.image.shape[1]
        self._forwards(scale)
        self._backwards(scale)
        self._looks.append(look)

    def _forwards(self, scale: float) -> None:
        """Link the newest look to the one before: doubtful places, then texture."""
        if len(self._recent) < 2:
            return
        (before, earlier), (now, later) = self._recent[-2], self._recent[-1]
        for place in before.places:
            if not any(place.meets(other) for other in now.places) and place.unseen < _UNSEEN:
                _extend(place, now, earlier, later, scale)

    def _backwards(self, scale: float) -> None:
        """Follow whoever is new in the newest look back to where they came from."""
        now = self._recent[-1][0]
        before = self._recent[-2][0].places if len(self._recent) > 1 else []
        for start in [place for place in now.places if not any(place.meets(other) for other in before)]:
            place: Place | None = start
            for n in range(len(self._recent) - 2, -1, -1):
                look, picture = self._recent[n]
                if place is None or any(place.meets(other) for other in look.places):
                    break
                place = _extend(place, look, self._recent[n + 1][1], picture, scale)


def _extend(place: Place, look: Look, from_picture: Picture, to_picture: Picture, scale: float) -> Place | None:
    """The place in a neighbouring look, added to it; None where nothing there goes on."""
    doubtful = next((other for other in look.doubtful if place.meets(other)), None)
    if doubtful is not None:
        look.doubtful.remove(doubtful)
        look.places.append(doubtful)
        return doubtful
    moved = follow(from_picture, to_picture, place.box * np.float32(scale))
    if moved is None:
        return None
    following = place.moved(moved / np.float32(scale))
    look.places.append(following)
    return following


def _explained(suspect: Suspect, known: Sequence[Place], image: Picture) -> bool:
    """Whether a suspect is one of the tracked faces, or its mirror image beyond the picture's edge."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = suspect.box
    centre = _reflected(np.array([(x0 + x1) / 2, (y0 + y1) / 2], np.float32), width, height)
    for place in known:
        left, top, right, bottom = _covered(place)
        inside = max(0.0, min(x1, right) - max(x0, left)) * max(0.0, min(y1, bottom) - max(y0, top))
        centred = left < centre[0] < right and top < centre[1] < bottom
        if inside >= _SAME * (x1 - x0) * (y1 - y0) or (centred and float(x1 - x0) > right - left):
            return True
        if centred and not (0 <= (x0 + x1) / 2 < width and 0 <= (y0 + y1) / 2 < height):
            return True
    return False


def _covered(place: Place) -> Array:
    """(4,) box of what the cover of a tracked face hides for certain."""
    grow = 0.15 * place.side
    return place.box + np.array([-grow, -2 * grow, grow, grow], np.float32)


def _reflected(point: Array, width: int, height: int) -> Array:
    """A point beyond the picture's edge, mirrored back into it."""
    size = np.array([width, height], np.float32)
    return np.asarray(size - np.abs(size - np.abs(point)), np.float32)


def _carry(before: Look, look: Look, where: Map, shape: Sequence[int]) -> None:
    """Take over what the look before found where this one did not look."""
    scale = np.array([CELLS[0] / shape[1], CELLS[1] / shape[0]] * 2)
    for place in before.places:
        if place.tracked is None and not any(place.meets(other) for other in look.places):
            x0, y0, x1, y1 = np.clip(place.box * scale, 0, [*CELLS, *CELLS]).astype(int)
            if not where[y0 : y1 + 1, x0 : x1 + 1].any():
                look.places.append(place)
