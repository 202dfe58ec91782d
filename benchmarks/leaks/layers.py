"""Faces before and behind other faces and things, and pictures that jump: what a second attack tried."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.leaks.clips import Cast, Variant, clips_of, ticks
from benchmarks.leaks.stage import Shot, Stage, furnished


@clips_of(
    "one before another",
    *(
        Variant(f"{height:g} of the height, {place}, {roll}°", {"height": height, "at": at, "roll": roll})
        for height, place, at, roll in (
            (0.28, "before the chin", (0.08, 0.30), 0), (0.26, "before the face", (0.0, 0.06), 0),
            (0.24, "before the chest", (-0.05, 0.36), 180), (0.3, "before a cheek", (0.14, 0.16), 0),
        )
    ),
)  # fmt: skip
def before(cast: Cast, *, height: float, at: tuple[float, float], roll: float) -> Iterator[Shot]:
    """A child on a lap: a small face before a large one."""
    for time in ticks(2.0):
        stage = cast.stage(time)
        cast.known(stage, x=0.45, y=0.45, height=0.62)
        cast.put(stage, cast.other, 0.45 + at[0], 0.45 + at[1], height, roll=roll, matte="oval")
        yield stage.finish()


@clips_of(
    "a small known face before a large one",
    *(Variant(f"{height:g} of the height, {roll}°", {"height": height, "roll": roll})
      for height, roll in ((0.85, 0), (0.85, 160), (0.9, 40), (1.4, 0))),
)  # fmt: skip
def small_before_large(cast: Cast, *, height: float, roll: float) -> Iterator[Shot]:
    """The upright face that the tracker follows lies in the middle of a larger one."""
    for time in ticks(2.0):
        stage = cast.stage(time)
        cast.put(stage, cast.other, 0.5, 0.5, height, roll=roll, matte=cast.matte)
        cast.known(stage, x=0.5, y=0.5, height=0.27)
        yield stage.finish()


@clips_of(
    "so close that it fills the picture",
    *(Variant(f"{height:g} heights, {roll}°", {"height": height, "roll": roll})
      for height, roll in ((2.0, 0), (2.0, 90), (2.8, 0))),
)  # fmt: skip
def close_up(cast: Cast, *, height: float, roll: float) -> Iterator[Shot]:
    """Nothing but skin, beside a small picture of the known person, as in a call."""
    for time in ticks(2.0):
        stage = cast.stage(time)
        cast.put(stage, cast.other, 0.5, 0.45, height, roll=roll, matte="rectangle")
        cast.known(stage, x=0.14, y=0.82, height=0.24)
        yield stage.finish()


@clips_of(
    "jumps closer",
    *(Variant(f"{times:g} times, {fps} fps", {"times": times, "fps": fps})
      for times, fps in ((2.0, 12), (2.5, 15), (3.0, 30))),
)  # fmt: skip
def jumps(cast: Cast, *, times: float, fps: float) -> Iterator[Shot]:
    """An editor's punch-in on one person, before a room that does not change."""
    for number, time in enumerate(ticks(2.0, fps)):
        stage = cast.stage(time)
        cast.known(stage, x=0.5, y=0.5, height=0.27 * (times if number % 8 >= 4 else 1.0))
        yield stage.finish()


@clips_of(
    "behind a blind",
    *(Variant(f"{share:.0%} of it open, {shade}", {"share": share, "shade": shade})
      for share in (0.65, 0.5) for shade in (60, 225)),
)  # fmt: skip
def blinds(cast: Cast, *, share: float, shade: int) -> Iterator[Shot]:
    """Slats before the other person."""
    width, height = cast.size
    for time in ticks(2.0):
        stage = cast.stage(time)
        cast.known(stage, x=0.28)
        cast.put(stage, cast.other, 0.72, 0.48, 0.38, matte=cast.matte)
        step = 0.2 * 0.38 * height
        for top in np.arange(0, height, step):
            bottom = top + (1 - share) * step
            left = 0.52 * width
            stage.board([(left, top), (width, top), (width, bottom), (left, bottom)], (shade, shade, shade))
        yield stage.finish()


@clips_of(
    "a moment before a fine pattern",
    *(Variant(f"{side} pixels, {roll}°", {"side": side, "roll": roll}) for side, roll in ((10, 0), (10, 100), (6, 0))),
)  # fmt: skip
def moments(cast: Cast, *, side: int, roll: float) -> Iterator[Shot]:
    """Somebody is there for a few frames, between two looks, before a pattern of high contrast."""
    width, height = cast.size
    fine = np.where((np.indices((height, width)) // side).sum(0) % 2, 230, 30).astype(np.uint8)
    for number, time in enumerate(ticks(1.3, 30.0)):
        stage = cast.stage(time)
        stage.cover(np.full((height, width), 255, np.uint8), np.repeat(fine[..., None], 3, axis=2))
        cast.known(stage, x=0.25)
        if number in (13, 14, 15, 16, 23, 24, 25, 33):
            cast.put(stage, cast.other, 0.75, 0.45, 0.3, roll=roll, matte="oval")
        yield stage.finish()


@clips_of(
    "a fast pan",
    *(Variant(f"{speed:g} widths a second", {"speed": speed}) for speed in (0.8, 1.5)),
)  # fmt: skip
def pans(cast: Cast, *, speed: float) -> Iterator[Shot]:
    """The camera swings to another person."""
    width, height = cast.size
    room = np.concatenate([furnished(cast.size, 3), furnished(cast.size, 5), furnished(cast.size, 7)], axis=1)
    for time in ticks(1.6, 30.0):
        shift = min(max(speed * (time - 0.4), 0.0), 1.0)
        stage = Stage(cast.size, time, room=cast.room)
        x = round(shift * width)
        stage.cover(np.full((height, width), 255, np.uint8), np.ascontiguousarray(room[:, x : x + width]))
        cast.known(stage, x=0.4 - shift)
        cast.put(stage, cast.other, 1.5 - shift, 0.45, 0.34, matte=cast.matte)
        yield stage.finish()
