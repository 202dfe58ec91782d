"""Paths as cubic Bézier curves: parsing of SVG path data and basic shapes, splitting, flattening."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.svg_style import angle_free_numbers

Points = NDArray[np.float64]

MAX_COORDINATE: Final = 1e5
MOVE, CUBIC, CLOSE = 1, 3, 0
"""Path commands, numbered as the rasteriser numbers them."""

_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_FLAG: Final = re.compile("[01]")
_GAP: Final = re.compile(r"[\s,]*")
_ARITY: Final = {
    letter: count
    for letters, count in {
        "Mm": 2,
        "Ll": 2,
        "Hh": 1,
        "Vv": 1,
        "Cc": 6,
        "Ss": 4,
        "Qq": 4,
        "Tt": 2,
        "Aa": 7,
        "Zz": 0,
    }.items()
    for letter in letters
}
"""How many numbers each command takes."""
_CIRCLE: Final = 4 / 3 * math.tan(math.pi / 8)
_LARGEST_NUMBER: Final = 1e12
"""Radii of arcs may be larger than any coordinate; their squares must fit into a float."""
_FLAGS_OF_ARC: Final = (3, 4)
"""Which of an arc's seven numbers are a single 0 or 1; optimisers write nothing between them and what follows."""
_MAX_SEGMENTS: Final = 4000


@dataclass(frozen=True, slots=True, eq=False)
class Path2D:
    """A path of cubic curves only."""

    commands: NDArray[np.uint8]
    """MOVE takes one point, CUBIC three, CLOSE none."""
    points: Points
    """(N, 2)"""

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 around all control points."""
        if not len(self.points):
            return 0.0, 0.0, 0.0, 0.0
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def transformed(self, matrix: Points) -> Path2D:
        """The path under a (3, 3) affine matrix. Raises ValueError where coordinates get unusable."""
        points = self.points @ matrix[:2, :2].T + matrix[:2, 2]
        if not (np.abs(points) <= MAX_COORDINATE).all():
            raise ValueError(f"a coordinate is beyond ±{MAX_COORDINATE:g}")
        return Path2D(self.commands, points)

    def split(self, longest: float) -> Path2D:
        """The same curves in pieces at most about `longest` long, so that they can be bent."""
        commands: list[int] = []
        points: list[Points] = []
        at, cursor = np.zeros(2), 0
        for command in self.commands:
            if command == CUBIC:
                curve = np.vstack([at, self.points[cursor : cursor + 3]])
                length = float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())
                pieces = min(max(1, math.ceil(length / longest)), 64)
                for piece in _pieces(curve, pieces):
                    commands.append(CUBIC)
                    points.append(piece[1:])
                at, cursor = self.points[cursor + 2], cursor + 3
            else:
                commands.append(int(command))
                if command == MOVE:
                    at = self.points[cursor]
                    points.append(at[None])
                    cursor += 1
        flat = np.vstack(points) if points else np.zeros((0, 2))
        return Path2D(np.array(commands, np.uint8), flat)

    def polyline(self, steps: int = 8) -> Points:
        """(M, 2) points along all curves."""
        t = np.linspace(0, 1, steps + 1)[1:, None]
        out: list[Points] = []
        at, cursor = np.zeros(2), 0
        for command in self.commands:
            if command == MOVE:
                at = self.points[cursor]
                out.append(at[None])
                cursor += 1
            elif command == CUBIC:
                a, b, c = self.points[cursor : cursor + 3]
                out.append((1 - t) ** 3 * at + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c)
                at, cursor = c, cursor + 3
        return np.vstack(out) if out else np.zeros((0, 2))


def _pieces(curve: Points, count: int) -> list[Points]:
    """The (4, 2) Bézier curve as `count` curves over equal parts of its parameter."""
    pieces = []
    rest = curve
    for left in range(count, 1, -1):
        t = 1 / left
        a = rest[:-1] + t * np.diff(rest, axis=0)
        b = a[:-1] + t * np.diff(a, axis=0)
        c = b[0] + t * (b[1] - b[0])
        pieces.append(np.array([rest[0], a[0], b[0], c]))
        rest = np.array([c, b[1], a[2], rest[3]])
    pieces.append(rest)
    return pieces


class _Pen:
    """Collects commands and points."""

    def __init__(self) -> None:
        self.commands: list[int] = []
        self.points: list[tuple[float, float]] = []
        self.at = self.start = (0.0, 0.0)

    def _add(self, command: int) -> None:
        if len(self.commands) >= _MAX_SEGMENTS:
            raise ValueError(f"a path has more than {_MAX_SEGMENTS} segments")
        self.commands.append(command)

    def move(self, x: float, y: float) -> None:
        self._add(MOVE)
        self.points.append((x, y))
        self.at = self.start = (x, y)

    def line(self, x: float, y: float) -> None:
        (px, py) = self.at
        self.cubic(px + (x - px) / 3, py + (y - py) / 3, x - (x - px) / 3, y - (y - py) / 3, x, y)

    def cubic(self, ax: float, ay: float, bx: float, by: float, x: float, y: float) -> None:
        if not self.commands or self.commands[-1] == CLOSE:
            self.move(*self.at)
        self._add(CUBIC)
        self.points += [(ax, ay), (bx, by), (x, y)]
        self.at = (x, y)

    def close(self) -> None:
        if self.commands and self.commands[-1] != CLOSE:
            if math.dist(self.at, self.start) > 1e-9:
                self.line(*self.start)
            self._add(CLOSE)
        self.at = self.start

    def path(self) -> Path2D:
        points = np.array(self.points, np.float64).reshape(-1, 2)
        if not (np.abs(points) <= MAX_COORDINATE).all():
            raise ValueError(f"a coordinate is beyond ±{MAX_COORDINATE:g}")
        return Path2D(np.array(self.commands, np.uint8), points)


def parse_path(text: str) -> Path2D:
    """The path in an SVG `d` attribute. Raises ValueError."""
    pen = _Pen()
    command, control, previous = "", (0.0, 0.0), ""
    for letter, v in _segments(text):
        command = letter.upper()
        if not pen.commands and command != "M":
            raise ValueError("path data must begin with M")
        x, y = pen.at
        ox, oy = (x, y) if letter.islower() else (0.0, 0.0)
        reflected = (2 * x - control[0], 2 * y - control[1])
        if command == "M":
            pen.move(ox + v[0], oy + v[1])
        elif command == "L":
            pen.line(ox + v[0], oy + v[1])
        elif command == "H":
            pen.line(ox + v[0], y)
        elif command == "V":
            pen.line(x, oy + v[0])
        elif command in {"C", "S"}:
            first = (ox + v[0], oy + v[1]) if command == "C" else reflected if previous in {"C", "S"} else (x, y)
            control = (ox + v[-4], oy + v[-3])
            pen.cubic(*first, *control, ox + v[-2], oy + v[-1])
        elif command in {"Q", "T"}:
            control = (ox + v[0], oy + v[1]) if command == "Q" else reflected if previous in {"Q", "T"} else (x, y)
            ex, ey = ox + v[-2], oy + v[-1]
            cx, cy = control
            pen.cubic(
                x + (cx - x) * 2 / 3, y + (cy - y) * 2 / 3, ex + (cx - ex) * 2 / 3, ey + (cy - ey) * 2 / 3, ex, ey
            )
        elif command == "A":
            _arc(pen, v, ox + v[5], oy + v[6])
        else:
            pen.close()
        previous = command
    return pen.path()


def _segments(text: str) -> Iterator[tuple[str, list[float]]]:
    """Each command letter with one set of its numbers; repeated sets get the letter again.

    Every character is read once: a pattern is matched only where the last one ended, and none can match in two ways.
    """
    at = _after_gap(text, 0)
    while at < len(text):
        letter = text[at]
        arity = _ARITY.get(letter)
        if arity is None:
            raise ValueError(f"path data has an unexpected {letter!r}")
        at = _after_gap(text, at + 1)
        if arity == 0:
            yield letter, []
            continue
        sets = 0
        while True:
            numbers, at = _numbers(text, at, letter, arity)
            if len(numbers) < arity:
                break
            yield letter, numbers
            letter = {"M": "L", "m": "l"}.get(letter, letter)
            sets += 1
        if numbers or not sets:
            raise ValueError(f"path command {letter} has {len(numbers)} numbers, not {arity}")


def _numbers(text: str, at: int, letter: str, count: int) -> tuple[list[float], int]:
    """Up to `count` numbers from `at` on, and where what follows them begins."""
    numbers: list[float] = []
    while len(numbers) < count:
        pattern = _FLAG if letter in "Aa" and len(numbers) in _FLAGS_OF_ARC else _NUMBER
        match = pattern.match(text, at)
        if match is None:
            break
        number = float(match[0])
        if not abs(number) <= _LARGEST_NUMBER:
            raise ValueError(f"a number is beyond ±{_LARGEST_NUMBER:g}")
        numbers.append(number)
        at = _after_gap(text, match.end())
    return numbers, at


def _after_gap(text: str, at: int) -> int:
    match = _GAP.match(text, at)
    return match.end() if match else at


def _arc(pen: _Pen, v: list[float], x: float, y: float) -> None:
    """An elliptical arc as cubics (SVG 1.1, appendix F.6.5)."""
    rx, ry, turn, large, sweep = abs(v[0]), abs(v[1]), math.radians(v[2]), bool(v[3]), bool(v[4])
    x0, y0 = pen.at
    if rx < 1e-9 or ry < 1e-9 or math.dist((x0, y0), (x, y)) < 1e-9:
        pen.line(x, y)
        return
    cos, sin = math.cos(turn), math.sin(turn)
    dx, dy = (x0 - x) / 2, (y0 - y) / 2
    px, py = cos * dx + sin * dy, cos * dy - sin * dx
    too_small = math.sqrt(max(1.0, (px / rx) ** 2 + (py / ry) ** 2))
    rx, ry = rx * too_small, ry * too_small
    under = (rx * ry) ** 2 / max((rx * py) ** 2 + (ry * px) ** 2, 1e-18) - 1
    k = math.sqrt(max(0.0, under)) * (-1 if large == sweep else 1)
    qx, qy = k * rx * py / ry, -k * ry * px / rx
    cx, cy = cos * qx - sin * qy + (x0 + x) / 2, sin * qx + cos * qy + (y0 + y) / 2
    begin = math.atan2((py - qy) / ry, (px - qx) / rx)
    span = math.atan2((-py - qy) / ry, (-px - qx) / rx) - begin
    span = span % (2 * math.pi) if sweep else -(-span % (2 * math.pi))
    count = max(1, math.ceil(abs(span) / (math.pi / 2) - 1e-9))
    step = span / count
    k = 4 / 3 * math.tan(step / 4)

    def place(ux: float, uy: float) -> tuple[float, float]:
        return cx + cos * rx * ux - sin * ry * uy, cy + sin * rx * ux + cos * ry * uy

    for i in range(count):
        a, b = begin + i * step, begin + (i + 1) * step
        ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        end = (x, y) if i == count - 1 else place(cb, sb)
        pen.cubic(*place(ca - k * sa, sa + k * ca), *place(cb + k * sb, sb - k * cb), *end)


def basic_shape(kind: str, attributes: Mapping[str, str]) -> Path2D:
    """A rect, circle, ellipse, line, polyline or polygon as a path. Raises ValueError."""

    def number(key: str, default: float = 0.0) -> float:
        text = attributes.get(key)
        value = default if text is None else float(text.strip().removesuffix("px"))
        if not math.isfinite(value):
            raise ValueError(f"{key} is {value}")
        return value

    pen = _Pen()
    if kind == "rect":
        _rounded(
            pen,
            number("x"),
            number("y"),
            number("width"),
            number("height"),
            number("rx", number("ry")),
            number("ry", number("rx")),
        )
    elif kind in {"circle", "ellipse"}:
        rx, ry = (number("r"),) * 2 if kind == "circle" else (number("rx"), number("ry"))
        _rounded(pen, number("cx") - rx, number("cy") - ry, 2 * rx, 2 * ry, rx, ry)
    else:
        if kind == "line":
            numbers = [number(key) for key in ("x1", "y1", "x2", "y2")]
        else:
            numbers = angle_free_numbers(attributes.get("points", ""))
        if len(numbers) % 2:
            raise ValueError("points has an odd count of numbers")
        for i, (x, y) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
            (pen.line if i else pen.move)(x, y)
        if kind == "polygon":
            pen.close()
    return pen.path()


def _rounded(pen: _Pen, x: float, y: float, w: float, h: float, rx: float, ry: float) -> None:
    if w <= 0 or h <= 0:
        return
    rx, ry = min(max(rx, 0.0), w / 2), min(max(ry, 0.0), h / 2)
    kx, ky = rx * (1 - _CIRCLE), ry * (1 - _CIRCLE)
    right, bottom = x + w, y + h
    pen.move(x + rx, y)
    pen.line(right - rx, y)
    pen.cubic(right - kx, y, right, y + ky, right, y + ry)
    pen.line(right, bottom - ry)
    pen.cubic(right, bottom - ky, right - kx, bottom, right - rx, bottom)
    pen.line(x + rx, bottom)
    pen.cubic(x + kx, bottom, x, bottom - ky, x, bottom - ry)
    pen.line(x, y + ry)
    pen.cubic(x, y + ky, x + kx, y, x + rx, y)
    pen.close()
