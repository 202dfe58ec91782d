"""Scene.PASTE: the input picture with every face replaced, or a card in its place where that is not certain."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from mien.scene import placement
from mien.scene.card import card
from mien.scene.colour import ColourFit, own_figures
from mien.scene.guard import GuardedRenderer
from mien.types import Array, Face, Frame, Picture

LOOK_BACK: Final = 0.6
"""Seconds by which pictures are held back. A tracker that follows one face looks for newcomers only twice a second and
wants to be sure of them: somebody first found now may have been in sight, and not covered, for that long."""
_FEATHER: Final = 0.12
"""Width of the soft edge outside the cover, in distances between the outer eye corners."""


class PasteScene:
    """Pastes the avatar over every face. Fails closed: the card is shown instead of a frame

    - in which nobody is seen,
    - in which somebody is not seen who was before, for `forget_after` seconds, forever if None,
    - up to `look_back` seconds before somebody is seen for the first time,
    - in which the engine failed or a face is too small or too strangely placed to be covered for certain.
    """

    def __init__(
        self, renderer: GuardedRenderer, *, size: tuple[int, int], fit_colours: bool = True,
        forget_after: float | None = None, look_back: float = LOOK_BACK,
    ) -> None:  # fmt: skip
        self.size = size
        self.cards = 0
        """Frames in whose place the card was shown so far."""
        self._frames = 0
        self._renderer, self._forget_after, self._look_back = renderer, forget_after, look_back
        self._own = (
            own_figures(renderer.neutral, placement.fill(renderer.outline, renderer.size)) if fit_colours else None
        )
        self._skin = _mean_colour(renderer)
        self._people: dict[int, _Person] = {}

    def __call__(self, tracked: Iterable[tuple[Frame, Sequence[Face]]]) -> Iterator[Frame]:
        """The stage of the pipeline."""
        held: deque[Frame | None] = deque()
        times: deque[Frame] = deque()
        for frame, faces in tracked:
            newcomers = [face for face in faces if face.id not in self._people]
            if newcomers:
                held = deque([None] * len(held))
            picture = self.compose(frame, faces)
            held.append(None if picture is None else replace(frame, image=picture))
            times.append(replace(frame, image=_NOTHING))
            while times[-1].time - times[0].time >= self._look_back:
                yield self._shown(held.popleft(), times.popleft())
        while times:
            yield self._shown(held.popleft(), times.popleft())

    def compose(self, frame: Frame, faces: Sequence[Face]) -> Picture | None:
        """(H, W, 3) uint8 RGB with all `faces` replaced; None where the frame must not be shown."""
        for face in faces:
            self._people.setdefault(face.id, _Person()).seen = frame.time
        missing = self._missing(faces, frame.time)
        picture = frame.image.copy()
        for face in sorted(faces, key=lambda face: float(face.box[3] - face.box[1])):  # the nearest last, on top
            person = self._people[face.id]
            covered = self._replace(picture, frame, face, person)
            person.landmarks = face.landmarks
            if not covered:
                return None
        return None if missing or not faces else picture

    def verdict(self) -> list[str]:
        """Warnings at the end of a run. Raises EngineError where the engine never worked."""
        warnings = [trouble] if (trouble := self._renderer.verdict()) else []
        if self.cards:
            warnings.append(
                f"{self.cards} of {self._frames} frames are a card: no face was found there, or one seen before was "
                "not found again (--forget-after SECONDS lets go of people who have left)."
            )
        return warnings

    def _missing(self, faces: Sequence[Face], time: float) -> bool:
        """Whether somebody is out of sight who may still be in the picture."""
        here = {face.id for face in faces}
        if self._forget_after is not None:
            gone = [id for id, person in self._people.items() if time - person.seen > self._forget_after]
            for id in gone:
                del self._people[id]
        return any(id not in here for id in self._people)

    def _shown(self, frame: Frame | None, time: Frame) -> Frame:
        self._frames += 1
        self.cards += frame is None
        return frame or replace(time, image=card(self.size))

    def _replace(self, picture: Picture, frame: Frame, face: Face, person: _Person) -> bool:
        """Paste the avatar over one face of `picture`, in place. False where that cannot be done for certain."""
        anchors = placement.anchors(face)
        if not (np.isfinite(face.landmarks).all() and np.linalg.norm(anchors[1] - anchors[0]) >= placement.SMALLEST):
            return False
        rendered = self._renderer(placement.upright(face), time=frame.time)
        if rendered is None:
            return False
        before = person.landmarks if person.landmarks is not None else None
        cover = placement.cover(face, before)
        unit = float(np.linalg.norm(face.landmarks[263] - face.landmarks[33]))
        affine = placement.similarity(self._renderer.face, anchors)
        outline = placement.transform(affine, self._renderer.outline)
        region = _region(np.concatenate([cover, outline]), _FEATHER * unit, self.size)
        if region is None:
            return False
        x, y, width, height = region
        corner = np.array([x, y], np.float32)
        mask = placement.fill(cover - corner, (width, height))
        if self._own is not None:
            person.colours.observe(frame.image[y : y + height, x : x + width], mask, frame.time)
        mask |= placement.fill(outline - corner, (width, height))
        affine = affine - np.array([[0, 0, x], [0, 0, y]])
        avatar = self._warp(rendered, affine, (width, height), person.colours)
        opacity = placement.feather(mask, _FEATHER * unit)
        below = picture[y : y + height, x : x + width]
        below[:] = cv2.blendLinear(avatar, np.ascontiguousarray(below), opacity, 1 - opacity)
        return True

    def _warp(self, rendered: Picture, affine: Array, size: tuple[int, int], colours: ColourFit) -> Picture:
        """The avatar's picture in its place, (H, W, 3) uint8, nowhere transparent: beyond its edge and where it has no
        paint it goes on in its own colours."""
        shrink = float(np.hypot(affine[0, 0], affine[1, 0]))
        if shrink < 0.6:  # an average over the pixels that fall together, or they would flicker
            small = cv2.resize(rendered, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
            scale = np.diag([rendered.shape[1] / small.shape[1], rendered.shape[0] / small.shape[0]])
            rendered, affine = small, np.column_stack([affine[:, :2] @ scale, affine[:, 2]])  # type: ignore[assignment]
        placed = cv2.warpAffine(rendered, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        rgb = np.ascontiguousarray(placed[..., :3])
        alpha = placed[..., 3]
        if alpha.min() < 255:
            weight = alpha.astype(np.float32) / 255
            rgb = cv2.blendLinear(rgb, np.full_like(rgb, self._skin), weight, 1 - weight)  # type: ignore[assignment]
        return rgb if self._own is None else cv2.LUT(rgb, colours.table(self._own))  # type: ignore[return-value]


class _Person:
    """What PASTE remembers of somebody in the picture."""

    def __init__(self) -> None:
        self.seen = 0.0
        self.landmarks: Array | None = None
        self.colours = ColourFit()


_NOTHING: Final = np.zeros((0, 0, 3), np.uint8)


def _region(points: Array, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """x, y, width, height of the points' surroundings within the picture; None where they lie outside it."""
    low = np.maximum(np.floor(points.min(0) - margin - 1), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + margin + 1), size).astype(int)
    width, height = high - low
    return (int(low[0]), int(low[1]), int(width), int(height)) if width > 0 and height > 0 else None


def _mean_colour(renderer: GuardedRenderer) -> tuple[float, ...]:
    inside = placement.fill(renderer.outline, renderer.size)
    return cv2.mean(np.ascontiguousarray(renderer.neutral[..., :3]), mask=inside)[:3]
