"""SVG's small value languages: colours, number lists and transforms."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float, float]
"""Red, green, blue and alpha, each 0 to 1, not premultiplied."""

_NAMED: Final = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "gray": "#808080",
    "grey": "#808080", "yellow": "#ffff00", "orange": "#ffa500", "pink": "#ffc0cb", "brown": "#a52a2a",
    "purple": "#800080", "silver": "#c0c0c0", "gold": "#ffd700", "navy": "#000080", "teal": "#008080",
}  # fmt: skip
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_TRANSFORM: Final = re.compile(r"(matrix|translate|scale|rotate|skewX|skewY)\s*\(([^()]*)\)")


def angle_free_numbers(text: str) -> list[float]:
    """The plain numbers in a list separated by blanks or commas. Raises ValueError for anything else in it."""
    if _NUMBER.sub("", text).strip(" ,\t\r\n"):
        raise ValueError(f"{text[:40]!r} is not a list of numbers")
    return [float(number) for number in _NUMBER.findall(text)]


def parse_colour(text: str) -> Colour | None:
    """#rgb, #rrggbb, #rrggbbaa, rgb(), rgba() or a common name; None for `none`. Raises ValueError."""
    text = text.strip().lower()
    if text in {"none", "transparent"}:
        return None
    hexadecimal = _NAMED.get(text, text)
    if match := re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})", hexadecimal):
        digits = match[1] if len(match[1]) > 3 else "".join(2 * d for d in match[1])
        r, g, b, *a = (int(digits[i : i + 2], 16) / 255 for i in range(0, len(digits), 2))
        return r, g, b, a[0] if a else 1.0
    if match := re.fullmatch(r"rgba?\(([^()]*)\)", text):
        parts = [part for part in re.split(r"[\s,/]+", match[1].strip()) if part]
        if len(parts) in {3, 4}:
            channels = [
                float(p[:-1]) / 100 if p.endswith("%") else float(p) / (255, 255, 255, 1)[i]
                for i, p in enumerate(parts)
            ]
            if all(math.isfinite(channel) for channel in channels):
                r, g, b, *a = (min(max(channel, 0.0), 1.0) for channel in channels)
                return r, g, b, a[0] if a else 1.0
    raise ValueError(f"{text[:40]!r} is not a colour this format knows; write it as #rrggbb")


def parse_transform(text: str) -> NDArray[np.float64]:
    """The (3, 3) matrix of an SVG transform list. Raises ValueError."""
    matrix = np.eye(3)
    if _TRANSFORM.sub("", text).strip(" ,\t\r\n"):
        raise ValueError(f"{text[:40]!r} is not an SVG transform")
    for name, arguments in _TRANSFORM.findall(text):
        matrix = matrix @ _single(name, angle_free_numbers(arguments))
    if not np.isfinite(matrix).all():
        raise ValueError(f"the transform {text[:40]!r} overflows")
    return matrix


def _single(name: str, v: list[float]) -> NDArray[np.float64]:
    m = np.eye(3)
    if name == "matrix" and len(v) == 6:
        m[:2] = [[v[0], v[2], v[4]], [v[1], v[3], v[5]]]
    elif name == "translate" and len(v) in {1, 2}:
        m[:2, 2] = v[0], v[1] if len(v) == 2 else 0.0
    elif name == "scale" and len(v) in {1, 2}:
        m[0, 0], m[1, 1] = v[0], v[-1]
    elif name == "rotate" and len(v) in {1, 3}:
        cos, sin = math.cos(math.radians(v[0])), math.sin(math.radians(v[0]))
        cx, cy = v[1:] or (0.0, 0.0)
        m[:2] = [[cos, -sin, cx - cos * cx + sin * cy], [sin, cos, cy - sin * cx - cos * cy]]
    elif name in {"skewX", "skewY"} and len(v) == 1:
        m[(0, 1) if name == "skewX" else (1, 0)] = math.tan(math.radians(v[0]))
    else:
        raise ValueError(f"{name}() has {len(v)} numbers")
    return m
