"""Moves eyelids, irises and eyebrows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig import Brow, Eye
from mien.types import Array, Expression

Points = NDArray[np.float64]
Index = NDArray[np.intp]
Edge = Callable[[Points], Points]

_CLOSED: Final = 0.9
"""The measured eyeBlink at which lids touch: trackers seldom report a full 1."""
_REACH: Final = 0.5
"""Distance from a lid's edge, in opening heights, at which the skin around an eye no longer moves with it."""


def smoothstep(x: Points) -> Points:
    """0 below 0, 1 above 1, with level ends."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


@dataclass(frozen=True, slots=True)
class LidState:
    """Where the lids of one eye are."""

    upper: float
    """0 at rest, 1 where closed lids meet, below 0 wide open."""
    lower: float
    tilt: float
    """How much further the upper lid is down at the inner corner (above 0) or at the outer one (below 0)."""
    meet: float

    @property
    def openness(self) -> float:
        """1 at rest, 0 closed."""
        return 1 - max(self.upper, 0.0) * self.meet - self.lower * (1 - self.meet)

    @staticmethod
    def of(expression: Expression, side: str, eye: Eye) -> LidState:
        """Read off the coefficients of a side, "right" or "left"."""
        e, suffix = expression, side.capitalize()
        blink = min(e["eyeBlink" + suffix] / _CLOSED, 1.0)
        squint, cheek = e["eyeSquint" + suffix], e["cheekSquint" + suffix]
        down, inner = e["browDown" + suffix], e["browInnerUp"]
        look = max(min(float(e.gaze[1]) / 0.45, 1.0), -1.0)
        wide = e["eyeWide" + suffix] * (1 - 0.6 * squint)
        upper = 0.3 * squint + 0.1 * down + (0.34 * -look if look < 0 else 0.0) + 0.08 * cheek
        upper -= eye.wide / max(eye.meet, 0.2) * (wide + 0.35 * max(look, 0.0))
        lower = min(0.85 * squint + cheek, 1.0)
        open_ = 1 - blink
        tilt = open_ * (0.34 * down * (1 - inner) - 0.26 * inner * (1 - down) * (1 - 0.85 * wide))
        meet = eye.meet * (1 - 0.55 * cheek)
        return LidState(blink + open_ * min(upper, 0.85), blink + open_ * lower, tilt, meet)


class Lids:
    """Everything of one eye that moves with its lids: opening, lashes, lid skin, creases."""

    def __init__(
        self, eye: Eye, opening: Points, vertices: Index, rest: Points, *, lashes: Index, middle: float
    ) -> None:
        """`opening` is the opening's outline, (M, 2); `lashes` numbers, from 1, the paths that ride
        unbent on the nearer lid, 0 for others; `middle` is the x of the nose, which tells inner from outer."""
        self.eye, self.vertices = eye, vertices
        x, y = rest[vertices].T
        x0, x1 = opening[:, 0].min(), opening[:, 0].max()
        upper, lower = _edges(opening)
        self._upper, self._height = upper(x), np.maximum(lower(x) - upper(x), 0.0)
        tall = float(self._height.max(initial=1e-6))
        self._v = np.clip((y - self._upper) / np.maximum(self._height, 1e-6), 0, 1)
        self._v[self._height < 1e-3] = 0.5
        for lash in np.unique(lashes[lashes > 0]):
            self._v[lashes == lash] = round(float(self._v[lashes == lash].mean()))
        away = np.maximum(self._upper - y, y - self._upper - self._height) / tall
        self._weight = np.where(lashes > 0, 1.0, 1 - smoothstep(away / _REACH))
        across = (x - x0) / (x1 - x0)
        self._inner = np.clip(across if (x0 + x1) / 2 < middle else 1 - across, 0, 1) - 0.5

    def displacement(self, state: LidState) -> Points:
        """(len(vertices),) how far down each vertex goes."""
        close = state.upper + state.tilt * self._inner if state.tilt else np.full_like(self._inner, state.upper)
        close = np.minimum(close, 1.0)
        down = np.where(close > 0, close * state.meet, close * self.eye.meet) * self._height
        up = state.lower * (1 - state.meet) * self._height
        shift: Points = self._weight * (down * (1 - self._v) - up * self._v)
        return shift


def _edges(outline: Points) -> tuple[Edge, Edge]:
    """The upper and the lower edge of a closed outline as functions of x."""
    left, right = int(outline[:, 0].argmin()), int(outline[:, 0].argmax())
    low, high = sorted((left, right))
    ways = [outline[low : high + 1], np.vstack([outline[high:], outline[: low + 1]])]
    ways = [way[np.argsort(way[:, 0], kind="stable")] for way in ways]
    ways.sort(key=lambda way: float(way[:, 1].mean()))
    upper, lower = ways
    return lambda x: np.interp(x, *upper.T), lambda x: np.interp(x, *lower.T)


def iris_shift(eye: Eye, gaze: Array) -> tuple[float, float]:
    """How far an iris moves for a gaze (2,): nearly proportional, then softly held inside the eye."""
    x, y = float(gaze[0]), float(gaze[1])
    return eye.gaze[0] * math.tanh(x / 0.42), -eye.gaze[1] * math.tanh(y / 0.34)


class BrowBend:
    """One eyebrow: its inner and its outer end rise and fall by themselves."""

    def __init__(self, brow: Brow, vertices: Index, rest: Points, middle: float) -> None:
        self.brow, self.vertices = brow, vertices
        x = rest[vertices, 0]
        x0, x1 = float(x.min()), float(x.max())
        across = (x - x0) / max(x1 - x0, 1e-6)
        on_left = (x0 + x1) / 2 < middle
        self._outer = 1 - across if on_left else across
        self._inwards = 1.0 if on_left else -1.0

    def displacement(self, expression: Expression, side: str) -> Points:
        """(len(vertices), 2)"""
        e, suffix, t = expression, side.capitalize(), self._outer
        inner, outer, down = e["browInnerUp"], e["browOuterUp" + suffix], e["browDown" + suffix]
        blink, squint = e["eyeBlink" + suffix], e["eyeSquint" + suffix]
        rise = inner * (1 - t) ** 1.3 + outer * np.sin(np.pi * (0.12 + 0.68 * t)) + 0.25 * inner * outer
        fall = down * (1.05 - 1.15 * t) + 0.3 * inner * (1 - outer) * t + 0.07 * blink + 0.1 * squint
        dx = self._inwards * (1 - t) * (0.45 * down * self.brow.lower + 0.1 * inner * self.brow.rise)
        return np.column_stack([dx, self.brow.lower * fall - self.brow.rise * rise])
