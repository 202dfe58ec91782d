"""Faces that come, go and change in time: crowds, look-alikes, few frames, flicker, jumps, zooms, cuts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.leaks.clips import LARGE, Cast, Variant, clips_of, ticks
from benchmarks.leaks.looks import gain, hue
from benchmarks.leaks.people import cast as everybody
from benchmarks.leaks.people import person
from benchmarks.leaks.stage import Shot, Stage


@clips_of("crowd", *(Variant(f"{count} people", {"count": count}, LARGE) for count in (40, 20, 8)))
def crowd(cast: Cast, *, count: int) -> Iterator[Shot]:
    names = everybody()
    columns = {8: 4, 20: 5, 40: 8}[count]
    rows = count // columns
    shift = cast.rng.uniform(-0.012, 0.012, (count, 2))
    for time in ticks(2.0, 10):
        stage = cast.stage(time)
        for number in range(count):
            row, column = divmod(number, columns)
            x = (column + 0.5) / columns + shift[number, 0] + 0.002 * np.sin(time + number)
            y = (row + 0.45) / rows + shift[number, 1]
            who = person(names[number % len(names)])
            look = hue(24 * (number // len(names))) if number >= len(names) else None
            cast.put(stage, who, x, y, min(0.5 / rows, 0.3), matte="oval", look=look, time=time + 0.37 * number)
        yield stage.finish()


def _standing(cast: Cast, stage: Stage, x: float, *, who: str = "other", height: float = 0.36) -> None:
    chosen = {"main": cast.main, "other": cast.other, "third": cast.third}[who]
    cast.put(stage, chosen, x, 0.45, height, matte=cast.matte)


@clips_of(
    "look-alike",
    *(
        Variant(f"{what}, {who}", {"what": what, "twin": who == "a twin"})
        for what in ("half in sight behind a pole", "takes the place") for who in ("a twin", "another person")
    ),
)  # fmt: skip
def look_alike(cast: Cast, *, what: str, twin: bool) -> Iterator[Shot]:
    """A is known, then hidden; B, who looks like A, comes in elsewhere while A is half in sight again. Or A leaves
    while B comes in at the same place."""
    width, height = cast.size

    def lookalike(stage: Stage, x: float) -> None:
        if twin:
            cast.put(
                stage, cast.other, x, 0.45, 0.36, flip=True, look=gain(0.93), matte=cast.matte, time=stage.time + 1
            )
        else:
            _standing(cast, stage, x, who="third")

    for time in ticks(6.0):
        stage = cast.stage(time)
        if what == "takes the place":
            _standing(cast, stage, 0.5 + max(0.0, time - 1.5) * 0.3)
            lookalike(stage, -0.15 + min(0.65, max(0.0, time - 1.5) * 0.3))
            yield stage.finish()
            continue
        _standing(cast, stage, 0.7)
        half = 0.2 * height
        hidden = 0.0 if time < 1.2 else 1.0 if time < 2.4 else 0.5
        x = 0.7 * width - half
        if hidden:
            right = x + 2 * half * hidden + (0.3 * half if hidden == 1.0 else 0)
            stage.board([(x - half, 0), (right, 0), (right, height), (x - half, height)], (96, 92, 90))
        if time >= 2.4:
            lookalike(stage, 0.27)
        yield stage.finish()


@clips_of(
    "few frames a second",
    *(
        Variant(f"{fps} fps, seen for {seconds:g} s", {"fps": fps, "seconds": seconds})
        for fps in (2, 3, 5) for seconds in (0.8, 1.4, 2.0)
    ),
)  # fmt: skip
def few_frames(cast: Cast, *, fps: float, seconds: float) -> Iterator[Shot]:
    """Somebody is there for a moment, then half cut by the edge for the rest."""
    for time in ticks(9.0, fps):
        stage = cast.stage(time)
        cast.known(stage, x=0.35)
        if 1.0 <= time < 1.0 + seconds:
            _standing(cast, stage, 0.75)
        elif time >= 5.0:
            _standing(cast, stage, 1.0)
        yield stage.finish()


@clips_of("uneven frame rate", *(Variant(f"pattern {n}", {"seed": n}) for n in (1, 2, 3)))
def uneven(cast: Cast, *, seed: int) -> Iterator[Shot]:
    rng = np.random.default_rng(seed)
    time = 0.0
    while time < 8.0:
        stage = cast.stage(time)
        cast.known(stage, x=0.32)
        if 2.0 <= time < 6.5:
            _standing(cast, stage, 1.05 - 0.35 * min(1.0, (time - 2.0) / 2.5))
        yield stage.finish()
        time += float(rng.choice([1 / 60, 1 / 30, 0.1, 0.4, 0.9], p=[0.3, 0.4, 0.15, 0.1, 0.05]))


@clips_of(
    "flicker",
    *(
        Variant(f"{there} of {of} frames", {"there": there, "of": of})
        for there, of in ((1, 2), (2, 10), (1, 10), (5, 10))
    ),
)  # fmt: skip
def flicker(cast: Cast, *, there: int, of: int) -> Iterator[Shot]:
    for number, time in enumerate(ticks(3.0, 25)):
        stage = cast.stage(time)
        cast.known(stage, x=0.3)
        if number % of < there:
            _standing(cast, stage, 0.72)
        yield stage.finish()


@clips_of("teleports", *(Variant(f"every {every} frames", {"every": every}) for every in (1, 3, 8)))
def teleports(cast: Cast, *, every: int) -> Iterator[Shot]:
    places = cast.rng.uniform((0.1, 0.25, 0.2), (0.9, 0.7, 0.45), (60, 3))
    for number, time in enumerate(ticks(3.0, 20)):
        stage = cast.stage(time)
        cast.known(stage, x=0.3, height=0.28)
        x, y, height = places[number // every]
        cast.put(stage, cast.other, float(x), float(y), float(height), matte=cast.matte)
        yield stage.finish()


@clips_of("zoom", Variant("slow", {"cut": False}), Variant("cut", {"cut": True}))
def zoom(cast: Cast, *, cut: bool) -> Iterator[Shot]:
    for time in ticks(4.0):
        stage = cast.stage(time)
        factor = (1.0 if time % 2 < 1 else 2.6) if cut else 1 + 1.9 * (0.5 - 0.5 * np.cos(time * np.pi / 2))
        for who, x in ((cast.main, 0.32), (cast.other, 0.68)):
            cast.put(stage, who, 0.5 + (x - 0.5) * factor, 0.45, 0.3 * factor, matte="person")
        yield stage.finish()


@clips_of("hard cuts", *(Variant(f"every {s:g} s", {"every": s}) for s in (1.0, 0.4, 0.16)))
def hard_cuts(cast: Cast, *, every: float) -> Iterator[Shot]:
    people = (cast.main, cast.other, cast.third)
    for time in ticks(4.0, 25):
        number = int(time / every + 1e-6)
        stage = Stage(cast.size, time, room=number % 5)
        x, y, height = ((0.5, 0.45, 0.5), (0.3, 0.45, 0.35), (0.7, 0.5, 0.42), (0.5, 0.4, 0.28))[number % 4]
        cast.put(stage, people[number % 3], x, y, height, matte="person")
        if number % 2:
            cast.put(stage, people[(number + 1) % 3], 1 - x if x != 0.5 else 0.85, y, 0.3, matte="person")
        yield stage.finish()


@clips_of(
    "fades", Variant("from and to black", {"across": False}), Variant("one person into another", {"across": True})
)
def fades(cast: Cast, *, across: bool) -> Iterator[Shot]:
    for time in ticks(4.0):
        stage = cast.stage(time)
        level = 0.5 - 0.5 * np.cos(time * np.pi / 2)
        if not across:
            cast.known(stage, x=0.3)
            _standing(cast, stage, 0.72)
            shot = stage.finish(gain(float(level)))
            yield shot if level > 0.12 else Shot(shot.picture, time, ())  # as good as black
            continue
        first, second = cast.stage(time), cast.stage(time)
        cast.put(first, cast.main, 0.5, 0.45, 0.42)
        cast.put(second, cast.other, 0.62, 0.45, 0.38)
        one, two = first.finish(), second.finish()
        mixed = np.asarray(np.rint(one.picture * (1 - level) + two.picture * level), np.uint8)
        # A face that is fainter than a third of the picture is not called visible.
        faces = (one.faces if level < 0.67 else ()) + (two.faces if level > 0.33 else ())
        yield Shot(mixed, time, faces)


@clips_of(
    "alone and hard to see",
    *(
        Variant(what, {"what": what})
        for what in ("half cut", "upside down", "tiny", "dark", "negative", "walks through", "appears late")
    ),
)
def alone(cast: Cast, *, what: str) -> Iterator[Shot]:
    """Nobody else is in the picture."""
    from benchmarks.leaks.looks import negative

    for time in ticks(3.0):
        stage = cast.stage(time)
        if what == "half cut":
            cast.put(stage, cast.other, 1.0, 0.45, 0.4, matte=cast.matte)
        elif what == "upside down":
            cast.put(stage, cast.other, 0.5, 0.5, 0.4, roll=180, matte=cast.matte)
        elif what == "tiny":
            cast.put(stage, cast.other, 0.5, 0.4, 0.07, matte=cast.matte)
        elif what == "dark":
            cast.put(stage, cast.other, 0.5, 0.45, 0.4, matte=cast.matte, look=gain(0.12))
        elif what == "negative":
            cast.put(stage, cast.other, 0.5, 0.45, 0.4, matte=cast.matte, look=negative)
        elif what == "walks through":
            cast.put(stage, cast.other, -0.2 + 1.4 * time / 3, 0.45, 0.4, matte=cast.matte)
        elif time > 2.0:
            cast.put(stage, cast.other, 0.5, 0.45, 0.4, matte=cast.matte)
        yield stage.finish()
