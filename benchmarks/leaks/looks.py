"""Faces that are placed, sized, lit or coloured so that they are hard to find."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from benchmarks.leaks.clips import LARGE, Cast, Variant, clips_of, ticks
from benchmarks.leaks.stage import Look, Shot
from mien.types import Picture


@clips_of(
    "turned beside an upright person",
    *(Variant(f"{degrees}°", {"degrees": degrees}) for degrees in (180, 135, 90, 45, -45, -90, -135)),
)
def turned(cast: Cast, *, degrees: float) -> Iterator[Shot]:
    for time in ticks(2.4):
        stage = cast.stage(time)
        cast.known(stage, x=0.27)
        cast.put(stage, cast.other, 0.72, 0.5, 0.4, roll=degrees + 2 * np.sin(time), matte=cast.matte)
        yield stage.finish()


@clips_of("turning slowly", *(Variant(f"{speed}° a second", {"speed": speed}) for speed in (60, -90)))
def turning(cast: Cast, *, speed: float) -> Iterator[Shot]:
    for time in ticks(360 / abs(speed)):
        stage = cast.stage(time)
        cast.known(stage, x=0.27)
        cast.put(stage, cast.other, 0.72, 0.5, 0.4, roll=speed * time, matte=cast.matte)
        yield stage.finish()


@clips_of("tiny", *(Variant(f"face of {pixels} pixels at 720p", {"pixels": pixels}, LARGE) for pixels in (50, 35, 25)))
def tiny(cast: Cast, *, pixels: int) -> Iterator[Shot]:
    for time in ticks(2.4):
        stage = cast.stage(time)
        cast.known(stage, x=0.3, height=0.3)
        cast.put(stage, cast.other, 0.7 + 0.005 * np.sin(time), 0.35, pixels / 720, matte=cast.matte)
        yield stage.finish()


@clips_of(
    "huge",
    *(
        Variant(f"face of {share:.1f} heights{', alone' if alone else ''}", {"share": share, "alone": alone})
        for share, alone in ((1.2, False), (1.1, True), (0.9, False), (1.6, False))
    ),
)
def huge(cast: Cast, *, share: float, alone: bool) -> Iterator[Shot]:
    for time in ticks(2.0):
        stage = cast.stage(time)
        if not alone:
            cast.known(stage, x=0.2, height=0.25)
        cast.put(stage, cast.other, 0.65, 0.5 + 0.01 * np.sin(time), share, matte=cast.matte)
        yield stage.finish()


def gain(share: float) -> Look:
    return lambda picture: np.asarray(np.clip(picture * share, 0, 255), np.uint8)


def washed(picture: Picture) -> Picture:
    """Overexposed: the light parts are clipped."""
    return np.asarray(np.clip(picture * 1.6 + 50, 0, 255), np.uint8)


def soft(sigma: float) -> Look:
    return lambda picture: np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def smeared(length: int) -> Look:
    kernel = np.full((1, length), 1 / length, np.float32)
    return lambda picture: np.asarray(cv2.filter2D(picture, -1, kernel), np.uint8)


def noisy(sigma: float, rng: np.random.Generator) -> Look:
    return lambda picture: np.asarray(np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255), np.uint8)


def negative(picture: Picture) -> Picture:
    return np.asarray(255 - picture, np.uint8)


def grey(picture: Picture) -> Picture:
    return np.asarray(np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2), np.uint8)


def hue(degrees: float) -> Look:
    def shifted(picture: Picture) -> Picture:
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(int) + round(degrees / 2)) % 180
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.uint8)

    return shifted


def _beside(cast: Cast, look: Look, *, everywhere: bool) -> Iterator[Shot]:
    """Two upright people; the look is that of the whole picture, or of the second person only."""
    for time in ticks(2.4):
        stage = cast.stage(time)
        cast.known(stage, x=0.27)
        sway = 0.01 * np.sin(1.3 * time)
        own = None if everywhere else look
        cast.put(stage, cast.other, 0.72 + sway, 0.45, 0.34, matte=cast.matte, look=own)
        yield stage.finish(look if everywhere else None)


_BOTH = (Variant("the second person", {"everywhere": False}), Variant("the whole picture", {"everywhere": True}))


def _each(values: tuple[float, ...], word: str) -> tuple[Variant, ...]:
    return tuple(
        Variant(f"{word} {value:g}, {'the whole picture' if whole else 'the second person'}",
                {"amount": value, "everywhere": whole})
        for value in values for whole in (False, True)
    )  # fmt: skip


@clips_of("dark", *_each((0.15, 0.25), "gain"))
def dark(cast: Cast, *, amount: float, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, gain(amount), everywhere=everywhere)


@clips_of("overexposed", *_BOTH)
def overexposed(cast: Cast, *, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, washed, everywhere=everywhere)


@clips_of("blurred", *_each((3.0, 5.0), "sigma"))
def blurred(cast: Cast, *, amount: float, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, soft(amount), everywhere=everywhere)


@clips_of("motion blur", *_each((15.0, 25.0), "pixels"))
def motion_blur(cast: Cast, *, amount: float, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, smeared(int(amount)), everywhere=everywhere)


@clips_of("noisy", *_each((20.0, 35.0), "sigma"))
def grainy(cast: Cast, *, amount: float, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, noisy(amount, cast.rng), everywhere=everywhere)


@clips_of("low bit rate", *(Variant(f"crf {crf}", {}, crf=crf) for crf in (36, 42)))
def starved(cast: Cast) -> Iterator[Shot]:
    yield from _beside(cast, lambda picture: picture, everywhere=True)


@clips_of("colour negative", *_BOTH)
def inverted(cast: Cast, *, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, negative, everywhere=everywhere)


@clips_of("grey", *_BOTH)
def colourless(cast: Cast, *, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, grey, everywhere=everywhere)


@clips_of("hue shifted", *_each((90.0, 180.0), "degrees"))
def tinted(cast: Cast, *, amount: float, everywhere: bool) -> Iterator[Shot]:
    yield from _beside(cast, hue(amount), everywhere=everywhere)


@clips_of(
    "turned away",
    *(
        Variant(f"narrowed to {share:.0%}{', slowly' if slow else ''}", {"share": share, "slow": slow})
        for share in (0.55, 0.4) for slow in (False, True)
    ),
)  # fmt: skip
def turned_away(cast: Cast, *, share: float, slow: bool) -> Iterator[Shot]:
    """A face foreshortened as by a turn of the head: what a flat picture can do of a profile."""
    for time in ticks(3.0):
        stage = cast.stage(time)
        cast.known(stage, x=0.27)
        narrow = 1 - (1 - share) * min(1.0, time / 1.5) if slow else share
        cast.put(stage, cast.other, 0.72, 0.45, 0.38, squeeze=narrow, matte=cast.matte)
        yield stage.finish()
