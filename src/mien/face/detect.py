"""Finds faces in a whole frame: where they are and how they lean, for the landmark model to look closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from mien.face.boxes import iou
from mien.face.landmarks import Region
from mien.models.litert import Network
from mien.types import Array, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """One face found in a frame."""

    box: Array
    """(4,) float32: x0, y0, x1, y1 in pixels, brow to chin as BlazeFace frames a face."""
    roll: float
    """Radians, clockwise in the picture; 0 where the detector does not know."""
    score: float
    """0 to 1."""

    def moved(self, x: float, y: float) -> Detection:
        """The same, found in a piece of the frame that begins at (x, y)."""
        return Detection(self.box + np.array([x, y, x, y], np.float32), self.roll, self.score)


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    name: str
    reach: float
    """Width of the smallest face that one look finds, as a share of the picture's longer side; 0 if any."""
    pause: int
    """Frames from one look to the next while everybody is in sight: more for slow detectors."""

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        """All faces in (H, W, 3) uint8 RGB, best first. Not `thorough`: one look at the whole picture. `thorough`:
        also at its tiles, where `reach` is short, which costs some twenty looks."""
        ...


Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 of a piece of the frame, in pixels."""


def windows(width: int, height: int, reach: float, *, levels: int = 2) -> list[Window]:
    """The whole picture, then square tiles for what a detector of that reach does not see in it.

    The first level's tiles are as large as the picture allows, every further one's half as large: two levels find faces
    down to about 1/20 of the shorter side. Tiles overlap by the largest face that only they can show.
    """
    found = [(0, 0, width, height)]
    if reach <= 0:
        return found
    for side in (min(width, height) >> level for level in range(levels)):
        if 96 <= side < max(width, height):
            found += [(x, y, x + side, y + side) for y in _starts(height, side) for x in _starts(width, side)]
    return found


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of that side begin, overlapping by a third or more."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side * 2 / 3))) + 1
    return [round(x) for x in np.linspace(0, length - side, count)]


def look(detector: Detector, image: Picture, window: Window) -> list[Detection]:
    """One look at a piece of the frame, told in pixels of the frame."""
    x0, y0, x1, y1 = window
    return [d.moved(x0, y0) for d in detector(image[y0:y1, x0:x1], thorough=False)]


class BlazeFace:
    """Google's short-range face detector (Bazarevsky et al., 2019, arXiv:1907.05047), 128×128."""

    name = "blazeface"
    reach = 0.1
    pause = 4
    _SIDE = 128
    _SURE = 0.8
    """Score that needs no second look."""
    _CLOSE = 0.74
    """Score that a less sure face must reach when it fills the detector's picture as faces in training did: hands and
    shadows seldom do (of 100 false ones in five clips, 3; of 358 true ones, all)."""

    def __init__(self, content: bytes, *, threshold: float = 0.4, strict: bool = True) -> None:
        """`threshold` is the least score of a first look. `strict` gives doubtful faces a second one from close by;
        without it, drawings and animals come through, and whoever asks must judge for themselves."""
        self._network = Network(content, name="face detector", threads=1)
        self._threshold, self._strict = threshold, strict
        self._anchors = _anchors()

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        height, width = image.shape[:2]
        pieces = windows(width, height, self.reach if thorough else 0)
        found = merge([d.moved(x0, y0) for x0, y0, x1, y1 in pieces for d in self._search(image[y0:y1, x0:x1])])
        if not self._strict:
            return found
        sure = [d if d.score >= self._SURE else self._closer(image, d) for d in found]
        return sorted((d for d in sure if d is not None), key=lambda d: -d.score)

    def _closer(self, image: Picture, detection: Detection) -> Detection | None:
        """The detection with the score that it gets from close by; None where it was no face."""
        region = Region.around_detection(detection, grow=2.0)
        seen = self._search(region.crop(image, self._SIDE))
        middle = np.array([self._SIDE / 2] * 2)
        scores = [d.score for d in seen if np.abs((d.box[:2] + d.box[2:]) / 2 - middle).max() < self._SIDE / 6]
        best = max(scores, default=0.0)
        return Detection(detection.box, detection.roll, best) if best >= self._CLOSE else None

    def raw(self, picture: Picture) -> Array:
        """(N, 6) float32 finds in (128, 128, 3) uint8 RGB, one for each anchor that reaches the threshold, not merged:
        x0, y0, x1, y1 in pixels, roll in radians, score."""
        boxes, logits = self._network(picture[None].astype(np.float32) * np.float32(2 / 255) - 1)
        found = np.flatnonzero(logits[0, :, 0] > np.log(self._threshold / (1 - self._threshold)))
        points = boxes[0, found].reshape(-1, 8, 2) + self._anchors[found, None]  # centre, extent, right eye, left eye …
        centres, halves, eyes = points[:, 0], boxes[0, found, 2:4] / 2, points[:, 3] - points[:, 2]
        rolls, scores = np.arctan2(eyes[:, 1], eyes[:, 0]), 1 / (1 + np.exp(-logits[0, found, 0]))
        return np.column_stack([centres - halves, centres + halves, rolls, scores]).astype(np.float32)

    def _search(self, image: Picture) -> list[Detection]:
        """Detections in one look at a picture, letter-boxed at the centre of a square."""
        height, width = image.shape[:2]
        scale = self._SIDE / max(height, width)
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (self._SIDE - w) // 2, (self._SIDE - h) // 2
        square = np.zeros((self._SIDE, self._SIDE, 3), np.uint8)
        if scale < 0.25:
            # Averaging all of a large frame takes longer than the network; sixteen of its pixels for one are enough.
            image = np.asarray(cv2.resize(image, (2 * w, 2 * h), interpolation=cv2.INTER_LINEAR), np.uint8)
        square[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
        finds = self.raw(square)
        boxes = (finds[:, :4] - np.array([left, top, left, top], np.float32)) / np.float32(scale)
        return [Detection(box, float(find[4]), float(find[5])) for box, find in zip(boxes, finds, strict=True)]


def _anchors() -> Array:
    """(896, 2) centres in pixels of the 128×128 input: two per cell of a 16×16 grid, six per cell of an 8×8 one."""
    layers = []
    for cells, repeats in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) * (128 / cells)
        layers.append(np.repeat(centres, repeats, axis=0))
    return np.concatenate(layers).astype(np.float32)


def merge(found: list[Detection], *, overlap: float = 0.3) -> list[Detection]:
    """One detection per face, best first: those that overlap are averaged, weighted by their scores."""
    rest = sorted(found, key=lambda d: -d.score)
    merged = []
    while rest:
        same = [d for d in rest if d is rest[0] or iou(rest[0].box, d.box) > overlap]
        rest = [d for d in rest if not any(d is other for other in same)]
        weights = np.array([d.score for d in same])
        box = np.average([d.box for d in same], axis=0, weights=weights).astype(np.float32)
        roll = float(np.arctan2(*np.average([[np.sin(d.roll), np.cos(d.roll)] for d in same], axis=0, weights=weights)))
        merged.append(Detection(box, roll, same[0].score))
    return merged
