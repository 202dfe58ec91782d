"""Acts without an actor: expressions over time from a script of keyed moments, blinks and spoken sounds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mien.avatar.expressions import EMOTION_PRESETS, VISEMES, expression
from mien.types import Expression

_BLINK: Final = 0.13
"""Seconds that lids take to shut or to open."""
_SOUND: Final = 0.11
"""Seconds of one spoken sound."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the face does at a time; between moments it moves smoothly from one to the next."""

    at: float
    """Seconds."""
    emotion: str = "neutral"
    strength: float = 0.0
    """0 to 1."""
    yaw: float = 0.0
    """Degrees, as are pitch, roll and gaze; signs as in `mien.types`."""
    pitch: float = 0.0
    roll: float = 0.0
    gaze: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Script:
    """A performance."""

    moments: Sequence[Moment]
    """In order of time."""
    blinks: Sequence[float] = ()
    """Seconds at which the lids are shut."""
    speech: Sequence[tuple[float, str]] = field(default=())
    """Seconds at which speaking begins, and what is said: names of `VISEMES`, a letter a sound; a space is a pause."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.moments[-1].at

    def at(self, time: float) -> Expression:
        """The expression at `time` seconds."""
        index = bisect_right([moment.at for moment in self.moments], time)
        after = self.moments[min(index, len(self.moments) - 1)]
        before = self.moments[max(0, index - 1)]
        share = _smooth((time - before.at) / (after.at - before.at)) if after.at > before.at else 1.0
        coefficients: dict[str, float] = {}
        for moment, weight in ((before, 1 - share), (after, share)):
            _add(coefficients, EMOTION_PRESETS[moment.emotion], moment.strength * weight)
        said = self._said(time)
        for name in list(coefficients):
            if said and name.startswith(("mouth", "jaw")):
                coefficients[name] *= 0.45  # a mouth that speaks has less left over for the rest
        _add(coefficients, said, 1.0)
        lids = max((1 - abs(time - blink) / _BLINK for blink in self.blinks), default=0.0)
        _add(coefficients, dict.fromkeys(("eyeBlinkLeft", "eyeBlinkRight"), 1.0), _smooth(lids))

        def mixed(a: float, b: float) -> float:
            return math.radians(a + (b - a) * share)

        return expression(
            coefficients, yaw=mixed(before.yaw, after.yaw), pitch=mixed(before.pitch, after.pitch),
            roll=mixed(before.roll, after.roll),
            gaze=(mixed(before.gaze[0], after.gaze[0]), mixed(before.gaze[1], after.gaze[1])),
        )  # fmt: skip

    def sound(self, time: float) -> tuple[str, float]:
        """The sound spoken at `time` and how far into it, 0 to 1; ("", 0) in silence."""
        for start, text in self.speech:
            number, into = divmod((time - start) / _SOUND, 1)
            if 0 <= number < len(text) and text[int(number)] in VISEMES:
                return text[int(number)], into
        return "", 0.0

    def _said(self, time: float) -> dict[str, float]:
        """The mouth's shape in speech: each sound runs into the next."""
        coefficients: dict[str, float] = {}
        for offset, weight in ((-0.05, 0.25), (0.0, 0.5), (0.05, 0.25)):
            sound, _ = self.sound(time + offset)
            _add(coefficients, VISEMES.get(sound, {}), weight)
        return coefficients


def posed(emotion: str, *, strength: float = 1.0, yaw: float = 0.0) -> Expression:
    """One of the seven emotions, held still. `yaw` in radians."""
    coefficients = {name: value * strength for name, value in EMOTION_PRESETS[emotion].items()}
    return expression(coefficients, yaw=yaw)


def _add(to: dict[str, float], values: Mapping[str, float], weight: float) -> None:
    for name, value in values.items():
        to[name] = to.get(name, 0.0) + value * weight


def _smooth(x: float) -> float:
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)
