"""What a clip is: a recipe with its settings, people and an avatar. Recipes register themselves by class."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from benchmarks.leaks.people import Person, person
from benchmarks.leaks.stage import Matte, Shot, Stage

SIZE: Final = (640, 360)
LARGE: Final = (1280, 720)
_LARGE_SHARE: Final = 0.12
"""Of the clips that are 1280×720 although their class does not need it."""
_MATTES: Final[tuple[Matte, ...]] = ("person", "person", "oval", "rectangle")
Settings = dict[str, Any]
Recipe = Callable[..., Iterator[Shot]]


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays, and on what stage."""

    main: Person
    """Known and upright, mostly in the middle."""
    other: Person
    """Whose face is hard to see."""
    third: Person
    size: tuple[int, int]
    room: int
    matte: Matte
    """How the other person is cut out."""
    rng: np.random.Generator = field(compare=False)

    def stage(self, time: float) -> Stage:
        return Stage(self.size, time, room=self.room)

    def known(self, stage: Stage, *, x: float = 0.5, y: float = 0.45, height: float = 0.34, roll: float = 0.0) -> None:
        """The main person; shares of the picture's width and height."""
        sway = 0.006 * np.sin(stage.time * 1.7)
        self.put(stage, self.main, x + sway, y, height, roll=roll)

    def put(self, stage: Stage, who: Person, x: float, y: float, height: float, **how: Any) -> None:
        """A person by shares of the picture's width and height."""
        stage.place(who, (x * self.size[0], y * self.size[1]), height * self.size[1], **how)


@dataclass(frozen=True, slots=True)
class Variant:
    """A recipe's settings under a name."""

    name: str
    settings: Settings
    size: tuple[int, int] = SIZE
    crf: int = 17


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of clips."""

    name: str
    recipe: Recipe
    variants: tuple[Variant, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip to make; small enough to be sent to another process."""

    kind: str
    variant: str
    people: tuple[str, str, str]
    matte: Matte
    avatar: str
    size: tuple[int, int] = SIZE

    @property
    def name(self) -> str:
        return f"{self.kind}: {self.variant}, {self.people[1]} by {self.people[0]}, {self.matte}, {self.size[1]}p"

    @property
    def settings(self) -> Variant:
        return next(v for v in KINDS[self.kind].variants if v.name == self.variant)

    def shots(self) -> Iterator[Shot]:
        """Its frames, made as they are asked for, the same each time."""
        variant = self.settings
        seed = zlib.crc32(f"{self.kind}/{self.variant}/{self.people}".encode())
        main, other, third = (person(name) for name in self.people)
        cast = Cast(main, other, third, self.size, seed % 12, self.matte, np.random.default_rng(seed))
        return KINDS[self.kind].recipe(cast, **variant.settings)


KINDS: Final[dict[str, Kind]] = {}


def clips_of(name: str, *variants: Variant) -> Callable[[Recipe], Recipe]:
    """Decorator: registers a recipe as a class of clips."""

    def register(recipe: Recipe) -> Recipe:
        KINDS[name] = Kind(name, recipe, variants)
        return recipe

    return register


def ticks(seconds: float, fps: float = 15.0) -> Iterator[float]:
    """Times of the frames."""
    return (number / fps for number in range(max(1, round(seconds * fps))))


def order(wanted: tuple[str, ...], *, people: int, names: tuple[str, ...], avatars: tuple[str, ...]) -> list[Clip]:
    """Every variant of the classes wanted, each with `people` sets of people, and with alternating avatars. Who plays,
    and how they are cut out, is drawn by lot, the same each time."""
    clips = []
    for kind in wanted:
        for number, variant in enumerate(KINDS[kind].variants):
            for repeat in range(people):
                lot = random.Random(f"{kind}/{variant.name}/{repeat}")
                main, *rest = lot.sample(names, len(names))
                other, third = rest[0], rest[-1]
                matte = lot.choice(_MATTES)
                size = LARGE if lot.random() < _LARGE_SHARE else variant.size
                avatar = avatars[(number + repeat + lot.randrange(2) * (number // 2)) % len(avatars)]
                clips.append(Clip(kind, variant.name, (main, other, third), matte, avatar, size))
    return clips
