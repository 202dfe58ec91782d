"""Searches a picture for anything that may be a face: cut by the edge, turned, upside down, half hidden, negative.

The tracker wants few false faces, since it has to follow them. A scene that must not show a face wants the opposite: a
wall taken for a face costs little, a face taken for a wall costs everything. The search looks at overlapping tiles of
several sizes, each in four turns. Beyond its edge the picture is continued by its mirror image: half a face at the edge
then looks like a whole one, and the detector finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Array, Picture

WEAK: Final = 0.25
"""Least score that is reported at all."""
LEVELS: Final = (2.0, 1.0, 0.5)
"""Sides of the tiles, as shares of the picture's shorter side; the first is for faces larger than the picture."""
_STEP: Final = 0.5
"""Distance between tiles, as a share of their side."""
_SIDE: Final = 128
"""Pixels across a tile as the detector sees it."""
_ALIKE, _NEAR = 2.0, 0.35
"""Ratio of sizes, and distance of the middles in widths of the larger box, up to which two finds are the same face.
Half a face that looks out from behind another lies farther from it."""
_OUTSIDE: Final = 0.15
"""Least share of a find's box that must lie in the picture: the rest is found in the mirror image only."""


@dataclass(frozen=True, slots=True, eq=False)
class Suspect:
    """A place that may be a face."""

    box: Array
    """(4,) float32: x0, y0, x1, y1 in pixels, brow to chin. It can reach beyond the picture."""
    roll: float
    """Radians, clockwise in the picture."""
    score: float
    """Best score of all looks, 0 to 1."""
    looks: int
    """How many looks saw it: some thirty see a whole face, few see a pattern that looks like one."""


_TURNS: Final = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
_Tile = tuple[int, int, int]
"""Side of a tile in pixels of the picture, and its corner in the scaled one."""
_Finds = dict[tuple[int, int], Array]
"""(N, 6) finds by a tile's corner."""
_NOTHING: Final = np.zeros((0, 6), np.float32)


class TileDetector(Protocol):
    """A face detector for one small square picture, such as `BlazeFace`."""

    def raw(self, picture: Picture) -> Array:
        """(N, 6) float32 for (128, 128, 3) uint8: x0, y0, x1, y1 in pixels, roll in radians, score."""
        ...


class Lookout:
    """Called with pictures of one clip in order, answers with their suspects. It remembers its finds in each tile, so
    that tiles which have not changed need not be searched again. `detectors` work side by side, one thread each."""

    def __init__(self, detectors: Sequence[TileDetector], *, levels: Sequence[float] = LEVELS) -> None:
        self._detectors, self._levels = list(detectors), tuple(levels)
        # Each detector keeps to its thread: a network is not for two at once.
        self._threads = [ThreadPoolExecutor(1, "mien-lookout") for _ in self._detectors]
        self._found: dict[_Tile, Array] = {}

    def __call__(self, image: Picture, changed: NDArray[np.bool_] | None = None) -> list[Suspect]:
        """All places in (H, W, 3) uint8 RGB that may be a face, the likeliest first.

        `changed`: (h, w) coarse map of the picture, true wherever it is not as it was when it was searched last; None
        if everything is to be searched.
        """
        height, width = image.shape[:2]
        if changed is None:
            self._found.clear()
        sides = [max(round(min(height, width) * level), 8) for level in self._levels]
        # While the threads look at one level's tiles, the next level's are made ready.
        searches = [(side, self._search(image, side, changed)) for side in sides]
        for side, jobs in searches:
            for job in jobs:
                for (x, y), finds in job.result().items():
                    finds[:, :4] = finds[:, :4] / (_SIDE / side) - side // 2
                    self._found[side, x, y] = finds
        return suspects(np.concatenate([_NOTHING, *self._found.values()]), width, height)

    def close(self) -> None:
        """End the threads."""
        for thread in self._threads:
            thread.shutdown()

    def _search(self, image: Picture, side: int, changed: NDArray[np.bool_] | None) -> list[Future[_Finds]]:
        """Begin to look at the tiles of `side` pixels; each thread's share of the finds."""
        half, scale = side // 2, _SIDE / side
        padded = _mirrored(image, half)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        size = [max(round(length * scale), 1) for length in padded.shape[1::-1]]
        small = _at_least_a_tile(np.asarray(cv2.resize(padded, size, interpolation=how), np.uint8))
        corners = _corners(small.shape[1], small.shape[0])
        if changed is not None:
            corners = [at for at in corners if _touches(changed, at, small.shape, half * scale)]
        shares = [corners[n :: len(self._detectors)] for n in range(len(self._detectors))]
        return [
            thread.submit(_look_at, detector, small, share)
            for thread, detector, share in zip(self._threads, self._detectors, shares, strict=True)
        ]


def suspects(finds: Array, width: int, height: int) -> list[Suspect]:
    """(N, 6) finds of single looks, joined to one suspect for each place; those outside the picture are dropped."""
    finds = finds[np.argsort(-finds[:, 5])]
    x0, y0, x1, y1 = finds[:, :4].T
    inside = np.clip(np.minimum(x1, width) - np.maximum(x0, 0), 0, None)
    inside *= np.clip(np.minimum(y1, height) - np.maximum(y0, 0), 0, None)
    finds = finds[inside > _OUTSIDE * (x1 - x0) * (y1 - y0)]
    joined = []
    while len(finds):
        same = _same(finds[0], finds)
        group, finds = finds[same], finds[~same]
        weights = group[:, 5] ** 2
        centre = np.average((group[:, :2] + group[:, 2:4]) / 2, axis=0, weights=weights)
        sizes = (group[:, 2:4] - group[:, :2]).max(1)
        usual = float(np.average(sizes, weights=weights))
        half = min(float(sizes[group[:, 5] >= 0.6 * group[0, 5]].max()), 1.5 * usual) / 2
        box = np.concatenate([centre - half, centre + half]).astype(np.float32)
        joined.append(Suspect(box, float(group[0, 4]), float(group[0, 5]), len(group)))
    return joined


def _same(find: Array, finds: Array) -> NDArray[np.bool_]:
    """(N,) which of (N, 6) finds are the same face as one: in about the same place, of about the same size."""
    sizes, size = (finds[:, 2:4] - finds[:, :2]).max(1), float((find[2:4] - find[:2]).max())
    between = np.abs((finds[:, :2] + finds[:, 2:4] - find[:2] - find[2:4]) / 2).max(1)
    alike = np.maximum(sizes / size, size / sizes) < _ALIKE
    return np.asarray(alike & (between < _NEAR * np.maximum(sizes, size)))


def _look_at(detector: TileDetector, picture: Picture, corners: Sequence[tuple[int, int]]) -> _Finds:
    """Finds in tiles of a picture that is scaled so that a tile is `_SIDE` pixels wide."""
    found = {}
    for x, y in corners:
        tile = picture[y : y + _SIDE, x : x + _SIDE]
        turns = [_best(detector.raw(_turned(tile, turn))) for turn in range(4)]
        here = [_turned_back(finds, turn) for turn, finds in enumerate(turns) if len(finds)]
        found[x, y] = np.concatenate([_NOTHING, *here]) + np.array([x, y, x, y, 0, 0], np.float32)
    return found


def _turned(tile: Picture, turn: int) -> Picture:
    """A tile, turned by quarter turns against the clock."""
    return np.ascontiguousarray(tile) if turn == 0 else np.asarray(cv2.rotate(tile, _TURNS[turn - 1]), np.uint8)


def _best(finds: Array) -> Array:
    """The best of all finds of one look that share a place."""
    if len(finds) < 2:
        return finds
    finds = finds[np.argsort(-finds[:, 5])]
    kept: list[Array] = []
    while len(finds):
        kept.append(finds[0])
        finds = finds[~_same(finds[0], finds)]
    return np.stack(kept)


def _turned_back(finds: Array, turn: int) -> Array:
    """Finds in a tile that was turned by quarter turns against the clock, as they lie in the tile before."""
    centre, half = (finds[:, :2] + finds[:, 2:4]) / 2, (finds[:, 2:4] - finds[:, :2]).max(1, keepdims=True) / 2
    last = _SIDE - 1
    x, y = centre[:, :1], centre[:, 1:]
    x, y = [(x, y), (last - y, x), (last - x, last - y), (y, last - x)][turn]
    return np.concatenate([x - half, y - half, x + half, y + half, finds[:, 4:5] + turn * np.pi / 2, finds[:, 5:]], 1)


def _corners(width: int, height: int) -> list[tuple[int, int]]:
    """Where tiles begin in a picture of that size."""
    starts = []
    for length in (width, height):
        count = int(np.ceil(max(length - _SIDE, 0) / (_SIDE * _STEP))) + 1
        starts.append(np.unique(np.linspace(0, max(length - _SIDE, 0), count).round().astype(int)))
    return [(int(x), int(y)) for y in starts[1] for x in starts[0]]


def _touches(changed: NDArray[np.bool_], corner: tuple[int, int], shape: Sequence[int], border: float) -> bool:
    """Whether a tile of a padded picture holds a true cell of a coarse map of the picture without its border."""
    rows, columns = changed.shape
    height, width = shape[0] - 2 * border, shape[1] - 2 * border
    x0, y0 = ((corner[0] - border) / width * columns, (corner[1] - border) / height * rows)
    x1, y1 = x0 + _SIDE / width * columns, y0 + _SIDE / height * rows
    cells = changed[max(int(y0), 0) : max(int(np.ceil(y1)), 0), max(int(x0), 0) : max(int(np.ceil(x1)), 0)]
    return bool(cells.any())


def _mirrored(image: Picture, border: int) -> Picture:
    return np.asarray(cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REFLECT), np.uint8)


def _at_least_a_tile(picture: Picture) -> Picture:
    """The picture, continued to the right and below where it is smaller than a tile."""
    below, right = (max(_SIDE - length, 0) for length in picture.shape[:2])
    if not (below or right):
        return picture
    return np.asarray(cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
