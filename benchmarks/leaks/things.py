"""Faces behind things: masks, hands, poles, glasses, caps, and pictures of faces."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.leaks.clips import Cast, Variant, clips_of, ticks
from benchmarks.leaks.people import Person
from benchmarks.leaks.stage import Shot, Stage, placed
from mien.types import Picture

_SECONDS = 2.4
_AT, _HIGH = (0.72, 0.45), 0.4


def worn(stage: Stage, who: Person, at: tuple[float, float], height: float, points: list[tuple[float, float]],
         colour: tuple[int, int, int]) -> None:  # fmt: skip
    """Something on a face; points in half widths and half heights of the face around its middle."""
    affine = placed(who, at, height)
    corners = [
        affine @ np.array([who.centre[0] + x * who.width / 2, who.centre[1] + y * who.height / 2, 1]) for x, y in points
    ]
    stage.board([(float(x), float(y)) for x, y in corners], colour)


def _arc(low: float, high: float, *, wide: float = 1.15) -> list[tuple[float, float]]:
    """A rounded band over the face between two heights."""
    turns = np.linspace(0, np.pi, 12)
    lower = [(wide * np.cos(t), low + (high - low) * (0.35 + 0.65 * np.sin(t))) for t in turns]
    return [(wide, low), *lower, (-wide, low)]


WORN: dict[str, tuple[list[tuple[float, float]], tuple[int, int, int]]] = {
    "mask": (_arc(0.05, 1.1), (150, 190, 215)),
    "sunglasses": ([(-1.05, -0.62), (1.05, -0.62), (0.9, -0.12), (0.15, -0.12), (0, -0.35), (-0.15, -0.12),
                    (-0.9, -0.12)], (18, 18, 20)),
    "cap": ([(-1.2, -0.45), (1.2, -0.45), (1.2, -1.3), (0.7, -1.8), (-0.7, -1.8), (-1.2, -1.3)], (40, 60, 120)),
    "hood": ([(-1.6, 1.4), (-1.6, -1.2), (-0.8, -1.9), (0.8, -1.9), (1.6, -1.2), (1.6, 1.4), (0.85, 1.4), (0.95, 0.0),
              (0.75, -0.65), (0, -0.85), (-0.75, -0.65), (-0.95, 0.0), (-0.85, 1.4)], (60, 62, 66)),
}  # fmt: skip


def _wearing(cast: Cast, things: tuple[str, ...], *, alone: bool = False) -> Iterator[Shot]:
    width, height = cast.size
    for time in ticks(_SECONDS):
        stage = cast.stage(time)
        if not alone:
            cast.known(stage, x=0.27)
        x = _AT[0] + 0.008 * np.sin(1.4 * time)
        cast.put(stage, cast.other, x, _AT[1], _HIGH, matte=cast.matte)
        for thing in things:
            points, colour = WORN[thing]
            worn(stage, cast.other, (x * width, _AT[1] * height), _HIGH * height, points, colour)
        yield stage.finish()


_ALONE = (Variant("beside another", {"alone": False}), Variant("alone", {"alone": True}))


@clips_of("surgical mask", *_ALONE)
def masked(cast: Cast, *, alone: bool) -> Iterator[Shot]:
    yield from _wearing(cast, ("mask",), alone=alone)


@clips_of("sunglasses", *_ALONE)
def sunglasses(cast: Cast, *, alone: bool) -> Iterator[Shot]:
    yield from _wearing(cast, ("sunglasses",), alone=alone)


@clips_of("cap or hood", Variant("cap", {"thing": "cap"}), Variant("hood", {"thing": "hood"}))
def hooded(cast: Cast, *, thing: str) -> Iterator[Shot]:
    yield from _wearing(cast, (thing,))


@clips_of(
    "mask with glasses or cap",
    Variant("mask and sunglasses", {"things": ("mask", "sunglasses")}),
    Variant("mask and cap", {"things": ("mask", "cap")}),
    Variant("cap and sunglasses", {"things": ("cap", "sunglasses")}),
)
def disguised(cast: Cast, *, things: tuple[str, ...]) -> Iterator[Shot]:
    yield from _wearing(cast, things)


@clips_of("hands before the face", *(Variant(part, {"part": part}) for part in ("mouth", "eyes", "all, then open")))
def hands(cast: Cast, *, part: str) -> Iterator[Shot]:
    width, height = cast.size
    for time in ticks(3.0):
        stage = cast.stage(time)
        cast.known(stage, x=0.27)
        cast.put(stage, cast.other, *_AT, _HIGH, matte=cast.matte)
        x, y = _AT[0] * width, _AT[1] * height
        half = _HIGH * height / 2
        away = half * 2.2 * max(0.0, time - 1.2) if part == "all, then open" else 0.0
        up = {"mouth": 0.55, "eyes": -0.35}.get(part, 0.1)
        for side in (-1, 1):
            _hand(stage, (x + side * (0.45 * half + away), y + up * half), half, side)
        yield stage.finish()


def _hand(stage: Stage, at: tuple[float, float], half: float, side: int) -> None:
    """A palm and four fingers, in the colour of skin."""
    mask = np.zeros(stage.picture.shape[:2], np.uint8)
    x, y = at
    cv2.ellipse(mask, (round(x), round(y + 0.15 * half)), (round(0.5 * half), round(0.42 * half)), 0, 0, 360, 255, -1)
    for finger in range(4):
        tip = (round(x - side * 0.1 * half + (finger - 1.5) * 0.22 * half), round(y - 0.55 * half))
        base = (round(x + (finger - 1.5) * 0.22 * half), round(y + 0.1 * half))
        cv2.line(mask, base, tip, 255, max(2, round(0.2 * half)), cv2.LINE_AA)
    shade = np.linspace(0.85, 1.05, mask.shape[1])[None, :, None] * np.array([205, 155, 130])
    stage.cover(mask, np.asarray(np.broadcast_to(np.clip(shade, 0, 255), stage.picture.shape), np.uint8))


@clips_of(
    "poles crossing",
    *(Variant(f"{wide:g} of a face wide, {speed:g} widths a second", {"wide": wide, "speed": speed})
      for wide, speed in ((0.2, 0.15), (0.5, 0.1), (1.0, 0.12), (1.6, 0.2))),
)  # fmt: skip
def poles(cast: Cast, *, wide: float, speed: float) -> Iterator[Shot]:
    """A pole passes before both people."""
    width, height = cast.size
    for time in ticks(4.0):
        stage = cast.stage(time)
        cast.known(stage, x=0.3)
        cast.put(stage, cast.other, 0.7, 0.45, 0.36, matte=cast.matte)
        thick = wide * 0.36 * height * 0.8
        for start in (0.12, 0.52):
            x = (start + speed * time) * width
            stage.board([(x, 0), (x + thick, 0), (x + thick, height), (x, height)], (88, 84, 80))
        yield stage.finish()


def _framed(stage: Stage, box: tuple[float, float, float, float], colour: tuple[int, int, int]) -> None:
    """A plain board (a phone, paper) for a picture to be on."""
    left, top, right, bottom = box
    stage.board([(left, top), (right, top), (right, bottom), (left, bottom)], colour)


@clips_of("mirror", Variant("as large", {"size": 0.3}), Variant("small", {"size": 0.16}))
def mirror(cast: Cast, *, size: float) -> Iterator[Shot]:
    width, height = cast.size
    for time in ticks(_SECONDS):
        stage = cast.stage(time)
        _framed(stage, (0.6 * width, 0.08 * height, 0.92 * width, 0.85 * height), (180, 190, 196))
        cast.put(stage, cast.main, 0.76, 0.4, size, flip=True, matte="oval")
        cast.known(stage, x=0.3)
        yield stage.finish()


@clips_of("poster", *(Variant(f"face of {size:.0%}", {"size": size}) for size in (0.2, 0.12)))
def poster(cast: Cast, *, size: float) -> Iterator[Shot]:
    for time in ticks(_SECONDS):
        stage = cast.stage(time)
        cast.put(stage, cast.other, 0.78, 0.3, size, matte="rectangle", time=0.0)
        cast.known(stage, x=0.35)
        yield stage.finish()


@clips_of("picture on a phone", *(Variant(f"leaning {roll}°", {"roll": roll}) for roll in (0, 25, 80)))
def phone(cast: Cast, *, roll: float) -> Iterator[Shot]:
    width, height = cast.size
    for time in ticks(_SECONDS):
        stage = cast.stage(time)
        cast.known(stage, x=0.35)
        x, y = (0.74 + 0.01 * np.sin(time)) * width, 0.55 * height
        turn = np.radians(roll)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        corners = [
            np.array([x, y]) + (a * 0.17 * along + b * 0.3 * across) * height
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        stage.board([(float(p[0]), float(p[1])) for p in corners], (16, 16, 18))
        stage.place(cast.other, (x, y), 0.2 * height, roll=roll, matte="oval", time=0.0)
        yield stage.finish()


@clips_of(
    "before pixelated or frosted glass", Variant("pixelated", {"how": "pixels"}), Variant("frosted", {"how": "frost"})
)
def frosted(cast: Cast, *, how: str) -> Iterator[Shot]:
    """Everything around the second person is coarse; both people are clear."""

    def coarse(picture: Picture) -> Picture:
        if how == "frost":
            return np.asarray(cv2.GaussianBlur(picture, (0, 0), 9), np.uint8)
        small = cv2.resize(picture, (32, 18), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, cast.size, interpolation=cv2.INTER_NEAREST), np.uint8)

    for time in ticks(_SECONDS):
        stage = cast.stage(time)
        cast.put(stage, cast.third, 0.5, 0.4, 0.3, matte="oval")
        hidden = np.full(stage.picture.shape[:2], 255, np.uint8)
        stage.cover(hidden, coarse(stage.picture))
        cast.known(stage, x=0.22)
        cast.put(stage, cast.other, 0.78, 0.45, 0.36, matte=cast.matte)
        yield stage.finish()
