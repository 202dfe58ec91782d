"""Finds faces in a whole frame: where they are and how they lean, for the landmark model to look closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

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


class Detector(Protocol):
    """Anything that finds faces in a picture."""

    name: str

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        """All faces in (H, W, 3) uint8 RGB, best first. `thorough` also searches for small ones, which takes longer."""
        ...


class BlazeFace:
    """Google's short-range face detector (Bazarevsky et al., 2019, arXiv:1907.05047), 128×128.

    A face narrower than about a tenth of the picture is too small for its grid, so where the whole picture shows none
    the search goes on in overlapping square tiles.
    """

    name = "blazeface"
    _SIDE = 128

    def __init__(self, content: bytes, *, threshold: float = 0.5) -> None:
        self._network = Network(content, name="face detector", threads=1)
        self._threshold = threshold
        self._anchors = _anchors()

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        height, width = image.shape[:2]
        found = self._search(image, 0, 0, max(height, width))
        if thorough:
            for side in (min(height, width), min(height, width) // 2):
                if self._SIDE <= side < max(height, width):
                    for y in _starts(height, side):
                        for x in _starts(width, side):
                            found += self._search(image[y : y + side, x : x + side], x, y, side)
        return merge(found)

    def _search(self, image: Picture, x0: int, y0: int, side: int) -> list[Detection]:
        """Detections in one square of the frame (letter-boxed at its centre), in pixels of the frame."""
        height, width = image.shape[:2]
        scale = self._SIDE / side
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        left, top = (self._SIDE - w) // 2, (self._SIDE - h) // 2
        square = np.zeros((self._SIDE, self._SIDE, 3), np.uint8)
        square[top : top + h, left : left + w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
        tensor = square[None].astype(np.float32) * np.float32(2 / 255) - 1
        boxes, logits = self._network(tensor)
        logits = logits[0, :, 0]
        keep = np.flatnonzero(logits > np.log(self._threshold / (1 - self._threshold)))
        detections = []
        for i in keep:
            points = boxes[0, i].reshape(-1, 2).copy()
            points[[0, *range(2, 8)]] += self._anchors[i]
            points = (points - [left, top]) / scale + [x0, y0]
            centre, extent = points[0], boxes[0, i, 2:4] / scale
            eyes = points[3] - points[2]
            detections.append(
                Detection(
                    np.concatenate([centre - extent / 2, centre + extent / 2]).astype(np.float32),
                    float(np.arctan2(eyes[1], eyes[0])),
                    float(1 / (1 + np.exp(-logits[i]))),
                )
            )
        return detections


def _anchors() -> Array:
    """(896, 2) centres in pixels of the 128×128 input: two per cell of a 16×16 grid, six per cell of an 8×8 one."""
    layers = []
    for cells, repeats in ((16, 2), (8, 6)):
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x, y], -1).reshape(-1, 2) + 0.5) * (128 / cells)
        layers.append(np.repeat(centres, repeats, axis=0))
    return np.concatenate(layers).astype(np.float32)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of that side begin, overlapping by at least half, so that a face never falls between two."""
    if length <= side:
        return [0]
    count = int(np.ceil((length - side) / (side / 2))) + 1
    return [round(x) for x in np.linspace(0, length - side, count)]


def iou(a: Array, b: Array) -> float:
    """Intersection over union of two boxes (x0, y0, x1, y1)."""
    x = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    y = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    overlap = x * y
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - overlap
    return float(overlap / union) if union > 0 else 0.0


def merge(found: list[Detection], *, overlap: float = 0.3) -> list[Detection]:
    """One detection per face, best first: those that overlap are averaged, weighted by their scores."""
    rest = sorted(found, key=lambda d: -d.score)
    merged = []
    while rest:
        same = [d for d in rest if iou(rest[0].box, d.box) > overlap] or rest[:1]
        rest = [d for d in rest[1:] if d not in same]
        weights = np.array([d.score for d in same])
        box = np.average([d.box for d in same], axis=0, weights=weights).astype(np.float32)
        roll = float(np.arctan2(*np.average([[np.sin(d.roll), np.cos(d.roll)] for d in same], axis=0, weights=weights)))
        merged.append(Detection(box, roll, same[0].score))
    return merged
