"""What fills and strokes are painted with: plain colours and gradients of an SVG file."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.svg_path import MAX_COORDINATE, Path2D
from mien.avatar.svg_style import Colour, parse_colour, parse_transform
from mien.errors import AvatarError

Points = NDArray[np.float64]

SVG: Final = "{http://www.w3.org/2000/svg}"
XLINK: Final = "{http://www.w3.org/1999/xlink}href"


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """A linear (x1, y1, x2, y2) or radial (cx, cy, r, fx, fy) gradient."""

    kind: str
    geometry: tuple[float, ...]
    matrix: Points
    """(3, 3), from the gradient's own space to the drawing's."""
    stops: tuple[tuple[float, Colour], ...]
    spread: str = "pad"


Ink = Colour | Gradient


_URL: Final = re.compile(r"""url\(\s*(["']?)#([^"'()\s]+)\1\s*\)""")
"""No part of it can match what the next one can: what does not fit is known after one look at each character."""


def referred(value: str) -> str | None:
    """The id in `url(#id)`, at the beginning of `value`; None where there is none."""
    match = _URL.match(value)
    return match[2] if match else None


def label(element: ET.Element) -> str:
    """How messages call an element."""
    return repr((element.get("id") or str(element.tag).removeprefix(SVG))[:80])


@dataclass(frozen=True, slots=True)
class References:
    """Looks up what elements of a file refer to."""

    name: str
    """The file, for messages."""
    by_id: Mapping[str, ET.Element]
    charge: Callable[[ET.Element], None]
    """Counts the work that an element makes, each time it is parsed."""

    def target(self, element: ET.Element) -> ET.Element:
        """What the element refers to, in the same file. Raises AvatarError."""
        reference = element.get("href") or element.get(XLINK) or ""
        target = self.by_id.get(reference[1:]) if reference.startswith("#") else None
        if target is None:
            raise AvatarError(
                f"{self.name}: {label(element)} refers to {reference[:80]!r}, which is not in this file. Bring it in."
            )
        return target

    def ink(self, value: str, opacity: str, path: Path2D, matrix: Points, current: str = "black") -> Ink | None:
        """The paint that a `fill` or `stroke` means for `path`, drawn under `matrix`; None for none."""
        name = referred(value)
        if name is None:
            if value.strip().lower() == "currentcolor":
                value = current
            colour = parse_colour(value)
            return None if colour is None else (*colour[:3], colour[3] * unit(opacity))
        element = self.by_id.get(name)
        if element is None or str(element.tag) not in {SVG + "linearGradient", SVG + "radialGradient"}:
            raise AvatarError(f"{self.name}: the paint {value[:80]!r} names no gradient of this file.")
        return self._gradient(element, unit(opacity), path, matrix)

    def _chain(self, element: ET.Element) -> Iterator[ET.Element]:
        """The gradient and those it inherits from."""
        for _ in range(8):
            yield element
            if not (element.get("href") or element.get(XLINK)):
                return
            element = self.target(element)
        raise AvatarError(f"{self.name}: the gradient {label(element)} inherits from itself.")

    def _gradient(self, element: ET.Element, opacity: float, path: Path2D, matrix: Points) -> Gradient:
        chain = list(self._chain(element))
        for link in chain:
            self.charge(link)

        def value(key: str, default: str) -> str:
            return next((found for link in chain if (found := link.get(key)) is not None), default)

        kind = str(element.tag).removeprefix(SVG)
        if kind == "linearGradient":
            geometry = tuple(length(value(k, d)) for k, d in (("x1", "0"), ("y1", "0"), ("x2", "100%"), ("y2", "0")))
        else:
            cx, cy, r = (length(value(key, "50%")) for key in ("cx", "cy", "r"))
            geometry = cx, cy, max(r, 1e-6), length(value("fx", str(cx))), length(value("fy", str(cy)))
        own = parse_transform(value("gradientTransform", ""))
        if value("gradientUnits", "objectBoundingBox") == "objectBoundingBox":
            inverse: Points = np.eye(3)
            if abs(np.linalg.det(matrix)) > 1e-12:
                inverse = np.linalg.inv(matrix).astype(np.float64)
            x0, y0, x1, y1 = path.transformed(inverse).box
            box = np.array([[max(x1 - x0, 1e-6), 0, x0], [0, max(y1 - y0, 1e-6), y0], [0, 0, 1.0]])
            own = box @ own
        source = next((link for link in chain if link.find(SVG + "stop") is not None), element)
        stops = tuple(self._stop(stop, opacity) for stop in source if stop.tag == SVG + "stop")
        if not stops:
            raise AvatarError(f"{self.name}: the gradient {label(element)} has no stops.")
        return Gradient(kind, geometry, matrix @ own, stops, value("spreadMethod", "pad"))

    def _stop(self, stop: ET.Element, opacity: float) -> tuple[float, Colour]:
        self.charge(stop)
        style = dict(item.split(":", 1) for item in stop.get("style", "").split(";") if ":" in item)
        style = {key.strip(): value.strip() for key, value in style.items()}
        colour = parse_colour(style.get("stop-color", stop.get("stop-color", "black"))) or (0.0, 0.0, 0.0, 0.0)
        alpha = unit(style.get("stop-opacity", stop.get("stop-opacity", "1")))
        return unit(stop.get("offset", "0")), (*colour[:3], colour[3] * alpha * opacity)


def length(text: str) -> float:
    """A length in user units; % counts as a fraction of 1, px is allowed."""
    text = text.strip().removesuffix("px")
    value = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if not abs(value) <= MAX_COORDINATE:
        raise ValueError(f"{text} is not a usable length")
    return value


def unit(text: str) -> float:
    value = length(text)
    return min(max(value, 0.0), 1.0)
