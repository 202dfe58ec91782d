"""Scene.PASTE: the input picture with every face replaced, or a card in its place where that is not certain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from mien.scene import colour, placement
from mien.scene.card import card
from mien.scene.figure import Figure
from mien.scene.guard import GuardedRenderer
from mien.types import Array, Face, Frame, Picture

LOOK_BACK: Final = 40
"""Frames by which pictures are held back. A tracker that follows one face looks for newcomers at one piece of the frame
at a time, 36 of them at most: somebody first found now may have been in sight, and not covered, for that long."""
BRIEF, BRIEF_MEMORY = 0.5, 2.0
"""Seconds: who was seen for less than the one in all is let go after the other."""
_FEATHER, _SEAM = 0.12, 0.3
"""Widths of the soft edge outside the cover and of the seam's colours, in distances between the outer eye corners."""
_SAME_PLACE: Final = 1.0
"""Seconds for which somebody who was lost and comes back under another number is known by the place."""
_GAP: Final = 0.1
"""Seconds between two sightings that still count as one."""


class PasteScene:
    """Pastes the avatar over every face. Fails closed: the card is shown instead of a frame

    - in which nobody is seen,
    - in which somebody is not seen who was before, for `forget_after` seconds, forever if None. Whoever was seen for
      less than half a second in all, a passer-by or a pattern taken for a face, is waited for two seconds only,
    - up to `look_back` frames before somebody is seen for the first time,
    - in which the engine failed or a face is too small or too strangely placed to be covered for certain.
    """

    def __init__(
        self, renderer: GuardedRenderer, *, size: tuple[int, int], fit_colours: bool = True,
        forget_after: float | None = None, look_back: int = LOOK_BACK,
    ) -> None:  # fmt: skip
        self.size = size
        self.cards = 0
        """Frames in whose place the card was shown so far."""
        self._frames = 0
        self._renderer, self._forget_after, self._look_back = renderer, forget_after, look_back
        self._fit_colours = fit_colours
        self._figure = None if fit_colours else Figure.of(renderer)
        self._skin = colour.mean_colour(renderer.neutral, placement.fill(renderer.outline, renderer.size))
        self._people: dict[int, _Person] = {}

    def __call__(self, tracked: Iterable[tuple[Frame, Sequence[Face]]]) -> Iterator[Frame]:
        """The stage of the pipeline."""
        held: deque[Frame | None] = deque()
        times: deque[Frame] = deque()
        for frame, faces in tracked:
            if any(self._is_new(face, frame.time) for face in faces):
                held = deque([None] * len(held))
            picture = self.compose(frame, faces)
            held.append(None if picture is None else replace(frame, image=picture))
            times.append(replace(frame, image=_NOTHING))
            if len(times) > self._look_back:
                yield self._shown(held.popleft(), times.popleft())
        while times:
            yield self._shown(held.popleft(), times.popleft())

    def compose(self, frame: Frame, faces: Sequence[Face]) -> Picture | None:
        """(H, W, 3) uint8 RGB with all `faces` replaced; None where the frame must not be shown."""
        covers = [self._meet(face, frame.time).cover(face) for face in faces]
        if not faces or self._missing(faces, frame.time):
            return None
        hidden = np.zeros(frame.image.shape[:2], np.uint8)
        for cover in covers:
            if cover is None:
                return None
            hidden |= placement.fill(cover, self.size)
        picture: Picture = frame.image.copy()
        for face, cover in sorted(zip(faces, covers, strict=True), key=_height):  # the nearest last, on top
            if cover is None or not self._replace(picture, frame, face, cover, hidden):
                return None
        return picture

    def verdict(self) -> list[str]:
        """Warnings at the end of a run. Raises EngineError where the engine never worked."""
        warnings = [trouble] if (trouble := self._renderer.verdict()) else []
        if self.cards:
            warnings.append(
                f"{self.cards} of {self._frames} frames are a card: no face was found there, or one seen before was "
                "not found again (--forget-after SECONDS lets go of people who have left)."
            )
        return warnings

    def _meet(self, face: Face, time: float) -> _Person:
        person = self._people.setdefault(face.id, _Person(time))
        person.see(time)
        return person

    def _is_new(self, face: Face, time: float) -> bool:
        """Whether a face may have gone unnoticed and uncovered until now: nobody known is or was just in its place."""
        x, y = face.landmarks[:468, :2].mean(0)
        before = [person for person in self._people.values() if time - person.last < _SAME_PLACE]
        return face.id not in self._people and not any(person.stood_at(float(x), float(y)) for person in before)

    def _missing(self, faces: Sequence[Face], time: float) -> bool:
        """Whether somebody is out of sight who may still be in the picture."""
        here = {face.id for face in faces}
        self._people = {n: p for n, p in self._people.items() if n in here or not p.forgotten(time, self._forget_after)}
        return any(number not in here for number in self._people)

    def _shown(self, frame: Frame | None, time: Frame) -> Frame:
        self._frames += 1
        self.cards += frame is None
        return frame or replace(time, image=card(self.size))

    def _replace(self, picture: Picture, frame: Frame, face: Face, cover: Array, hidden: Picture) -> bool:
        """Paste the avatar over one face of `picture`, in place. False where that cannot be done for certain.

        cover (N, 2): what must not be seen of this face; hidden (H, W), not 0 where any face's cover lies.
        """
        rendered = self._renderer(placement.upright(face), time=frame.time)
        if rendered is None:
            return False
        unit = float(np.linalg.norm(face.landmarks[263] - face.landmarks[33]))
        affine = placement.similarity(self._renderer.face, placement.anchors(face))
        outline = placement.transform(affine, self._renderer.outline)
        extent = [cover, outline]
        if self._figure is not None:
            extent.append(placement.transform(affine, self._figure.corners(rendered)))
        region = _region(np.concatenate(extent), 2 * _FEATHER * unit, self.size)
        if region is None:
            return False
        x, y, width, height = region
        here = np.s_[y : y + height, x : x + width]
        size, corner = (width, height), np.array([x, y], np.float32)
        affine = affine - np.array([[0, 0, x], [0, 0, y]], np.float32)
        if self._figure is not None:
            mask = placement.fill(cover - corner, size)
            room = colour.surroundings(picture[here], mask | hidden[here], self._skin)
            soft = placement.feather(mask, _FEATHER * unit)
            picture[here] = self._figure.before(colour.blend(room, picture[here], soft), rendered, affine, soft)
            return True
        mask = placement.fill(cover - corner, size) | placement.fill(outline - corner, size)
        avatar = self._warp(rendered, affine, size)
        if self._fit_colours:
            light = self._people[face.id].light
            light.observe(frame.image[here], placement.fill(placement.skin(face) - corner, size), frame.time)
            lit = np.asarray(cv2.LUT(avatar, light.table(self._skin)), np.uint8)
            avatar = colour.meet(lit, picture[here], mask | hidden[here], _SEAM * unit)
        picture[here] = colour.blend(avatar, picture[here], placement.feather(mask, _FEATHER * unit))
        return True

    def _warp(self, rendered: Picture, affine: Array, size: tuple[int, int]) -> Picture:
        """The avatar's picture in its place, (H, W, 3) uint8, nowhere transparent: beyond its edge and where it has no
        paint it goes on in its own colours."""
        rendered, affine = placement.shrunk(rendered, affine)
        placed: Picture = cv2.warpAffine(  # type: ignore[assignment]
            rendered, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        rgb = np.asarray(cv2.cvtColor(placed, cv2.COLOR_RGBA2RGB), np.uint8)
        alpha = placed[..., 3]
        if alpha.min() < 255:
            plain = np.full_like(rgb, np.rint(self._skin).astype(np.uint8))
            rgb = colour.blend(rgb, plain, alpha.astype(np.float32) / np.float32(255))
        return rgb


class _Person:
    """What PASTE remembers of somebody in the picture."""

    def __init__(self, time: float) -> None:
        self.last = time
        self.duration = 0.0
        self.landmarks: Array | None = None
        self.light = colour.Light()

    def cover(self, face: Face) -> Array | None:
        """(N, 2) polygon that must not be seen, None where the landmarks are too small or too strange to be sure."""
        before, self.landmarks = self.landmarks, face.landmarks
        return placement.cover(face, before) if placement.certain(face.landmarks) else None

    def stood_at(self, x: float, y: float) -> bool:
        """Whether this person's face was last seen at a point of the picture."""
        if self.landmarks is None:
            return False
        low, high = self.landmarks[:468, :2].min(0), self.landmarks[:468, :2].max(0)
        return bool(low[0] <= x <= high[0] and low[1] <= y <= high[1])

    def see(self, time: float) -> None:
        self.duration += min(time - self.last, _GAP)
        self.last = time

    def forgotten(self, time: float, forget_after: float | None) -> bool:
        away = time - self.last
        brief = self.duration < BRIEF and away > BRIEF_MEMORY
        return brief or (forget_after is not None and away > forget_after)


def _height(pair: tuple[Face, Array | None]) -> float:
    return float(pair[0].box[3] - pair[0].box[1])


_NOTHING: Final = np.zeros((0, 0, 3), np.uint8)


def _region(points: Array, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """x, y, width, height of the points' surroundings within the picture; None where they lie outside it."""
    low = np.maximum(np.floor(points.min(0) - margin - 1), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + margin + 1), size).astype(int)
    width, height = high - low
    return (int(low[0]), int(low[1]), int(width), int(height)) if width > 0 and height > 0 else None
