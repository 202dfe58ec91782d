"""A frame in the making: people placed over a room by an affine, things before them, and what of each face is seen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from benchmarks.leaks.people import Person
from mien.types import Array, Picture

Matte = Literal["person", "rectangle", "oval"]
Look = Callable[[Picture], Picture]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What is seen of one face in one frame, by construction."""

    x: int
    y: int
    """Upper left corner of `labels` in the frame."""
    labels: Picture
    """(h, w) uint8: which part of the face each pixel shows; 0 where it is none, hidden, or cut away."""
    whole: Array
    """(6,) float32: pixels of each label if nothing were hidden or cut away; the number 0 is unused."""
    height: float
    """Brow to chin, pixels."""
    who: str


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A finished frame."""

    picture: Picture
    time: float
    faces: tuple[Region, ...]


_Placed = Region
"""A face as it was placed, before anything else came to lie over it."""


class Stage:
    """One frame, painted from back to front. Points are (x, y) pixels, sizes pixels, angles degrees clockwise."""

    def __init__(self, size: tuple[int, int], time: float, *, room: int = 0) -> None:
        self.size, self.time = size, time
        self.picture = furnished(size, room).copy()
        self._owner = np.zeros(self.picture.shape[:2], np.uint8)
        """Which placed person each pixel shows, counted from 1; 0 for things."""
        self._placed: list[_Placed] = []

    def place(
        self, who: Person, at: tuple[float, float], height: float, *, roll: float = 0.0, flip: bool = False,
        squeeze: float = 1.0, matte: Matte = "person", look: Look | None = None, time: float | None = None,
    ) -> None:  # fmt: skip
        """A person whose face is `height` pixels high around `at`; `look` changes the crop's colours first. With the
        matte "person", the crop's lowest row goes on downwards, so that no bust hangs in the air."""
        number = who.at(self.time if time is None else time)
        picture = who.pictures[number] if look is None else look(who.pictures[number])
        affine = placed(who, at, height, roll=roll, flip=flip, squeeze=squeeze)
        alpha = _mattes(who.mattes[number], who.labels[number], matte)
        window = self._window(affine, picture.shape, downwards=matte == "person" and abs(roll) < 20)
        if window is None:
            return
        x, y, width, height_ = window
        affine = affine - np.array([[0, 0, x], [0, 0, y]])
        shrink = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        how = cv2.INTER_LINEAR
        if shrink < 0.6:  # area averaging, as a camera does
            factor = shrink / 0.9
            picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            alpha = cv2.resize(alpha, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
        fit = affine @ np.diag([who.pictures[number].shape[1] / picture.shape[1],
                                who.pictures[number].shape[0] / picture.shape[0], 1.0])  # fmt: skip
        colours = cv2.warpAffine(picture, fit, (width, height_), flags=how, borderMode=cv2.BORDER_REPLICATE)
        if matte == "person":  # the frame of nothing keeps what goes on beyond the crop to its lowest row
            alpha[:, [0, -1]] = 0
            alpha[0] = 0
            border = cv2.BORDER_REPLICATE
        else:
            border = cv2.BORDER_CONSTANT
        share = cv2.warpAffine(alpha, fit, (width, height_), flags=how, borderMode=border)
        labels = cv2.warpAffine(who.labels[number], affine, (width, height_), flags=cv2.INTER_NEAREST)
        self._lay(x, y, colours, share)
        whole = np.bincount(who.labels[number].ravel(), minlength=6).astype(np.float32)[:6]
        whole *= float(abs(np.linalg.det(affine[:, :2])))
        whole[0] = 0
        self._placed.append(
            _Placed(x, y, np.asarray(np.where(share > 127, labels, 0), np.uint8), whole, height, who.name)
        )
        self._owner[y : y + height_, x : x + width][share > 127] = len(self._placed)

    def cover(self, mask: Picture, paint: Picture | tuple[int, int, int]) -> None:
        """A thing before everything so far: where the (H, W) uint8 mask is, the paint (a colour, or a picture)."""
        colours = np.empty_like(self.picture)
        colours[:] = paint
        self._lay(0, 0, colours, mask)
        self._owner[mask > 127] = 0

    def board(self, points: list[tuple[float, float]], paint: Picture | tuple[int, int, int]) -> None:
        """A thing with corners, before everything so far."""
        mask = np.zeros(self.picture.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(points).astype(np.int32)], 255, cv2.LINE_AA)
        self.cover(mask, paint)

    def keep(self, mask: Picture) -> None:
        """Let the faces placed so far count as hidden where the (H, W) mask is 255: pixelated, for one."""
        self._owner[mask > 127] = 0

    def finish(self, look: Look | None = None) -> Shot:
        """The frame, its colours changed by `look`, and what is seen of each face."""
        faces = []
        for number, face in enumerate(self._placed, start=1):
            rows, columns = face.labels.shape
            owner = self._owner[face.y : face.y + rows, face.x : face.x + columns]
            seen = np.where(owner == number, face.labels, 0)
            ys, xs = np.nonzero(seen)
            if ys.size:
                y, x = int(ys.min()), int(xs.min())
                labels = np.ascontiguousarray(seen[y : ys.max() + 1, x : xs.max() + 1])
                faces.append(Region(face.x + x, face.y + y, labels, face.whole, face.height, face.who))
        picture = self.picture if look is None else look(self.picture)
        return Shot(picture, self.time, tuple(faces))

    def _lay(self, x: int, y: int, colours: Picture, share: Picture) -> None:
        part = self.picture[y : y + share.shape[0], x : x + share.shape[1]]
        alpha = share.astype(np.float32) / 255
        part[:] = cv2.blendLinear(np.ascontiguousarray(colours), np.ascontiguousarray(part), alpha, 1 - alpha)

    def _window(self, affine: Array, shape: tuple[int, ...], *, downwards: bool) -> tuple[int, int, int, int] | None:
        """x, y, width, height of what the crop covers of the frame."""
        rows, columns = shape[:2]
        corners = np.array([[0, 0, 1], [columns, 0, 1], [0, rows, 1], [columns, rows, 1]]) @ affine.T
        low = np.clip(np.floor(corners.min(0)), 0, self.size).astype(int)
        high = np.clip(np.ceil(corners.max(0)), 0, self.size).astype(int)
        if downwards and high[1] > 0:
            high[1] = self.size[1]
        width, height = high - low
        return (int(low[0]), int(low[1]), int(width), int(height)) if width > 0 and height > 0 else None


def placed(
    who: Person, at: tuple[float, float], height: float, *, roll: float = 0.0, flip: bool = False, squeeze: float = 1.0
) -> Array:
    """(2, 3) affine from the crop to the frame."""
    scale = height / who.height
    cos, sin = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turn = np.array([[cos, -sin], [sin, cos]]) @ np.diag([scale * squeeze * (-1 if flip else 1), scale])
    return np.column_stack([turn, np.array(at) - turn @ np.array(who.centre)])


@functools.lru_cache(maxsize=64)
def furnished(size: tuple[int, int], seed: int) -> Picture:
    """(H, W, 3) uint8: a room of plain shapes, soft light and a little grain."""
    width, height = size
    rng = np.random.default_rng(1000 + seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    wall = rng.uniform(90, 190, 3)
    picture = wall + 30 * (x[..., None] - 0.9) * rng.uniform(-1, 1) - 25 * y[..., None]
    picture = np.asarray(np.clip(picture, 0, 255), np.uint8)
    for _ in range(7):
        left, top = rng.uniform(-0.1, 0.9) * width, rng.uniform(-0.1, 0.9) * height
        right, bottom = left + rng.uniform(0.1, 0.4) * width, top + rng.uniform(0.1, 0.5) * height
        colour = tuple(int(value) for value in np.clip(wall + rng.normal(0, 40, 3), 10, 245))
        cv2.rectangle(picture, (int(left), int(top)), (int(right), int(bottom)), colour, -1, cv2.LINE_AA)
    picture = cv2.GaussianBlur(picture, (0, 0), height / 180)
    grain = rng.normal(0, 3, (height, width, 1))
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def _mattes(matte: Picture, labels: Picture, kind: Matte) -> Picture:
    if kind == "person":
        return matte.copy()
    if kind == "rectangle":
        return np.full_like(matte, 255)
    rows, columns = np.nonzero(labels)
    x, y = float(columns.mean()), float(rows.mean())
    oval = np.zeros_like(matte)
    axes = (round(0.85 * float(np.ptp(columns))), round(0.95 * float(np.ptp(rows))))
    cv2.ellipse(oval, (round(x), round(y - 0.05 * float(np.ptp(rows)))), axes, 0, 0, 360, 255, -1)
    return np.asarray(cv2.GaussianBlur(oval, (0, 0), 4), np.uint8)
