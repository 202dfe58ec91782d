"""Faces that are seen in part: cut by the picture's edge, half hidden, coming and going."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.leaks.clips import Cast, Variant, clips_of, ticks
from benchmarks.leaks.stage import Shot, Stage

SIDES = ("left", "right", "top", "bottom")
_FACE = 0.36
"""Height of a face at the edge, in heights of the picture."""


@clips_of(
    "cut by the edge",
    *(
        Variant(f"{side} {share:.0%} {'breathing' if moving else 'still'}",
                {"side": side, "share": share, "moving": moving})
        for share in (0.5, 0.4, 0.3, 0.6, 0.8) for side in SIDES for moving in (True, False)
    ),
)  # fmt: skip
def cut(cast: Cast, *, side: str, share: float, moving: bool) -> Iterator[Shot]:
    for time in ticks(2.0):
        stage = cast.stage(time)
        _main_aside(cast, stage, side)
        wave = 0.01 * np.sin(2.2 * time) if moving else 0.0
        _at_edge(cast, stage, side, share + wave, time=time if moving else 0.0)
        yield stage.finish()


@clips_of(
    "half hidden",
    *(
        Variant(f"{half} half, {thing}", {"half": half, "thing": thing})
        for half in ("upper", "lower", "left", "right") for thing in ("pole", "book")
    ),
)  # fmt: skip
def half_hidden(cast: Cast, *, half: str, thing: str) -> Iterator[Shot]:
    width, height = cast.size
    for time in ticks(2.4):
        stage = cast.stage(time)
        cast.known(stage, x=0.28)
        sway = 0.004 * np.sin(1.9 * time)
        cast.put(stage, cast.other, 0.75 + sway, 0.45, 0.4, matte=cast.matte)
        x, y, reach = 0.75 * width, 0.45 * height, 0.26 * height
        ends = {
            "upper": (x - 2 * reach, y - 1.2 * reach, x + 2 * reach, y),
            "lower": (x - 2 * reach, y, x + 2 * reach, y + 1.2 * reach),
            "left": (x - 1.2 * reach, y - 2 * reach, x, y + 2 * reach),
            "right": (x, y - 2 * reach, x + 1.2 * reach, y + 2 * reach),
        }
        left, top, right, bottom = ends[half]
        if thing == "pole":
            left, right = (0.0, float(width)) if half in ("upper", "lower") else (left, right)
            top, bottom = (0.0, float(height)) if half in ("left", "right") else (top, bottom)
        colour = (92, 96, 99) if thing == "pole" else (122, 40, 44)
        stage.board([(left, top), (right, top), (right, bottom), (left, bottom)], colour)
        yield stage.finish()


def _behind(cast: Cast, *, share: float, moving: bool) -> Iterator[Shot]:
    """The known person's head hides a part of the other's, who may come out from behind it."""
    wide = 0.36 / cast.other.height * cast.other.width * cast.size[1] / cast.size[0]
    for time in ticks(3.0):
        stage = cast.stage(time)
        now = share * min(1.0, max(0.0, (time - 0.5) / 1.5)) if moving else share
        edge = 0.45 + 0.5 * 0.4 / cast.main.height * cast.main.width * cast.size[1] / cast.size[0]
        cast.put(stage, cast.other, edge + (now - 0.5) * wide, 0.43, 0.36, matte=cast.matte)
        cast.known(stage, x=0.45, y=0.47, height=0.4)
        yield stage.finish()


def _shares(*shares: float) -> list[Variant]:
    return [
        Variant(f"{share:.0%} seen{', looking out' if moving else ''}", {"share": share, "moving": moving})
        for share in shares for moving in (False, True)
    ]  # fmt: skip


clips_of("one behind another", *_shares(0.5, 0.7))(_behind)
clips_of("a third in sight behind another", *_shares(0.35))(_behind)


@clips_of(
    "coming in slowly",
    *(
        Variant(f"{side} in {seconds} s at {fps} fps", {"side": side, "seconds": seconds, "fps": fps})
        for side, seconds, fps in (
            ("left", 3, 30), ("bottom", 3, 15), ("right", 1, 30), ("top", 3, 15), ("left", 8, 15), ("right", 3, 60),
            ("bottom", 1, 60), ("left", 3, 5), ("right", 8, 5), ("top", 1, 15), ("bottom", 8, 15), ("left", 8, 30),
            ("right", 1, 5), ("left", 1, 60),
        )
    ),
)  # fmt: skip
def coming(cast: Cast, *, side: str, seconds: float, fps: float) -> Iterator[Shot]:
    for time in ticks(seconds + 1.6, fps):
        stage = cast.stage(time)
        _main_aside(cast, stage, side)
        _at_edge(cast, stage, side, 1.25 * min(1.0, max(0.0, (time - 0.6) / seconds)))
        yield stage.finish()


@clips_of(
    "leaving slowly",
    *(
        Variant(f"{side} in {seconds} s at {fps} fps", {"side": side, "seconds": seconds, "fps": fps})
        for side, seconds, fps in (
            ("right", 3, 30), ("left", 1, 15), ("bottom", 3, 15), ("top", 3, 15), ("left", 8, 5), ("right", 1, 60),
        )
    ),
)  # fmt: skip
def leaving(cast: Cast, *, side: str, seconds: float, fps: float) -> Iterator[Shot]:
    for time in ticks(seconds + 1.6, fps):
        stage = cast.stage(time)
        _main_aside(cast, stage, side)
        _at_edge(cast, stage, side, 1.25 * min(1.0, max(0.0, 1 - (time - 0.6) / seconds)))
        yield stage.finish()


@clips_of(
    "leaving and coming back",
    *(
        Variant(f"out {first}, in {then}, away {away} s", {"first": first, "then": then, "away": away})
        for first, then, away in (("left", "left", 1.0), ("right", "left", 2.5), ("bottom", "top", 0.4))
    ),
)  # fmt: skip
def returning(cast: Cast, *, first: str, then: str, away: float) -> Iterator[Shot]:
    for time in ticks(4.5 + away):
        stage = cast.stage(time)
        cast.known(stage, x=0.5)
        out, back = 1.25 * (1 - (time - 1) / 1.5), 1.25 * (time - 2.5 - away) / 1.5
        if time < 2.5:
            _at_edge(cast, stage, first, min(1.25, out))
        elif time > 2.5 + away:
            _at_edge(cast, stage, then, min(1.25, back))
        yield stage.finish()


def _main_aside(cast: Cast, stage: Stage, side: str) -> None:
    """The known person, a little away from the side at which the other one is."""
    cast.known(stage, x={"left": 0.58, "right": 0.42, "top": 0.3, "bottom": 0.3}[side])


def _at_edge(cast: Cast, stage: Stage, side: str, share: float, *, time: float | None = None) -> None:
    """The other person with so much of the face within the picture; nothing for 0 and less, apart from the edge by
    what is beyond 1."""
    if share <= 0:
        return
    width, height = cast.size
    high = _FACE * height
    wide = high / cast.other.height * cast.other.width
    x, y = {
        "left": ((share - 0.5) * wide, 0.47 * height),
        "right": (width - (share - 0.5) * wide, 0.47 * height),
        "top": (0.74 * width, (share - 0.5) * high),
        "bottom": (0.74 * width, height - (share - 0.5) * high),
    }[side]
    stage.place(cast.other, (x, y), high, matte=cast.matte, time=time)
