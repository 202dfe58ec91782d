"""Scene.PASTE: the input picture with every face replaced, or a card in its place where that is not certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from mien.scene.card import card
from mien.scene.guard import GuardedRenderer
from mien.scene.paste import colour, placement, veil
from mien.scene.paste.figure import Figure
from mien.scene.paste.plan import Plan
from mien.types import Array, Face, Frame, Picture

_FEATHER, _SEAM = 0.12, 0.3
"""Widths of the soft edge outside the cover and of the seam's colours, in distances between the outer eye corners."""
_MOST_VEILED: Final = 0.6
"""Share of the picture under veils from which it is a card: there is little left to show."""
_UNCHANGED: Final = np.arange(256, dtype=np.uint8)[None, :, None]
"""(1, 256, 1) look-up table that leaves opacity as it is."""


class PasteScene:
    """Pastes the avatar over every face, and a veil over every other place that the plan says must not be seen.

    Fails closed: the card is shown instead of a frame

    - in which nobody is tracked,
    - for which the plan wants one: somebody seen before is missing, or there are more people than can be followed,
    - of which the plan knows nothing,
    - in which the engine failed or a face is too small or too strangely placed to be covered for certain,
    - of which veils would leave little.
    """

    def __init__(
        self, renderer: GuardedRenderer, plan: Plan, *, size: tuple[int, int], fit_colours: bool = True
    ) -> None:
        self.size = size
        self.cards = 0
        """Frames in whose place the card was shown so far."""
        self.veiled = 0
        """Frames with a veil so far."""
        self._frames = 0
        self._renderer, self._plan = renderer, plan
        self._fit_colours = fit_colours
        self._figure = Figure.of(renderer)
        self._skin = colour.mean_colour(renderer.neutral, placement.fill(renderer.outline, renderer.size))
        self._people: dict[int, _Person] = {}

    def __call__(self, tracked: Iterable[tuple[Frame, Sequence[Face]]]) -> Iterator[Frame]:
        """The stage of the pipeline."""
        for frame, faces in tracked:
            picture = self.compose(frame, faces)
            self._frames += 1
            self.cards += picture is None
            yield replace(frame, image=card(self.size) if picture is None else picture)

    def compose(self, frame: Frame, faces: Sequence[Face]) -> Picture | None:
        """(H, W, 3) uint8 RGB with all `faces` replaced; None where the frame must not be shown."""
        covers = [self._people.setdefault(face.id, _Person()).cover(face) for face in faces]
        orders = self._plan.at(frame.index, frame.time)
        sure = [cover for cover in covers if cover is not None]
        if not faces or len(sure) < len(faces) or orders.card is not None:
            return None
        hidden = np.zeros(frame.image.shape[:2], np.uint8)
        for cover in sure:
            hidden |= placement.fill(cover, self.size)
        here = {face.id for face in faces}
        places = [place for place in orders.places if place.tracked not in here]
        veiled = veil.over(places, orders.people, sure, self.size)
        if np.count_nonzero(veiled & ~hidden) > _MOST_VEILED * veiled.size:
            return None
        self.veiled += bool(veiled.any())
        hidden |= veiled
        picture: Picture = frame.image.copy()
        veil.lay(picture, veiled, hidden, self._skin)
        for face, cover in sorted(zip(faces, sure, strict=True), key=_height):  # the nearest last, on top
            if not self._replace(picture, frame, face, cover, hidden):
                return None
        return picture

    def verdict(self) -> list[str]:
        """Warnings at the end of a run. Raises EngineError where the engine never worked."""
        warnings = [trouble] if (trouble := self._renderer.verdict()) else []
        if self.veiled:
            warnings.append(
                f"{self.veiled} of {self._frames} frames have a veil over a place that is or may be a face and that no "
                "avatar could be fitted to."
            )
        if self.cards:
            warnings.append(
                f"{self.cards} of {self._frames} frames are a card: no face was found there, one seen before was "
                "not found again (--forget-after SECONDS lets go of people who have left), or there were too many."
            )
        return warnings

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
            if self._fit_colours:
                mask |= placement.fill(outline - corner, size)
                light = self._people[face.id].light
                light.observe(frame.image[here], placement.fill(placement.skin(face) - corner, size), frame.time)
                rendered = np.asarray(cv2.LUT(rendered, np.dstack([light.table(self._skin), _UNCHANGED])), np.uint8)
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

    def __init__(self) -> None:
        self.landmarks: Array | None = None
        self.light = colour.Light()

    def cover(self, face: Face) -> Array | None:
        """(N, 2) polygon that must not be seen, None where the landmarks are too small or too strange to be sure."""
        before, self.landmarks = self.landmarks, face.landmarks
        return placement.cover(face, before) if placement.certain(face.landmarks) else None


def _height(pair: tuple[Face, Array]) -> float:
    return float(pair[0].box[3] - pair[0].box[1])


def _region(points: Array, margin: float, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """x, y, width, height of the points' surroundings within the picture; None where they lie outside it."""
    low = np.maximum(np.floor(points.min(0) - margin - 1), 0).astype(int)
    high = np.minimum(np.ceil(points.max(0) + margin + 1), size).astype(int)
    width, height = high - low
    return (int(low[0]), int(low[1]), int(width), int(height)) if width > 0 and height > 0 else None
