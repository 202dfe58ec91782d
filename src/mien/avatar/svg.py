"""Reads the SVG subset that avatars are drawn in, as cubic Bézier paths with flat or gradient paint.

Everything is resolved on the way in: inherited styles, transforms, `<use>`, units of gradients. Lines, arcs and
quadratic curves become cubics. Whatever could reach outside the file or blow up in memory is refused.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig_file import read_file
from mien.avatar.svg_ink import SVG, Ink, References, label, length, referred, unit
from mien.avatar.svg_path import MAX_COORDINATE, Path2D, basic_shape, parse_path
from mien.avatar.svg_style import angle_free_numbers, parse_transform
from mien.avatar.svg_tree import MAX_DEPTH, parse_tree
from mien.errors import AvatarError

Points = NDArray[np.float64]

MAX_BYTES: Final = 4 << 20
MAX_POINTS: Final = 60_000
MAX_STEPS: Final = 20_000
"""Elements visited, those that `<use>` repeats counted each time."""
MAX_WORK: Final = 8 << 20
"""Characters parsed, those of repeated elements and of shared gradients counted each time."""
_ELEMENT_WORK: Final = 20
"""What an element itself counts for, in characters."""

_SHAPES: Final = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
_SILENT: Final = frozenset({"title", "desc", "metadata", "defs", "linearGradient", "radialGradient", "clipPath"})
_INHERITED: Final = (
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "color",
)  # fmt: skip
_PROPERTIES: Final = (*_INHERITED, "opacity", "display", "visibility", "clip-path", "filter", "mask")


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One painted path of a drawing."""

    id: str
    layer: str
    """The id of the top-level group it is in."""
    path: Path2D
    fill: Ink | None = None
    stroke: Ink | None = None
    stroke_width: float = 1.0
    cap: str = "butt"
    join: str = "miter"
    miter: float = 4.0
    even_odd: bool = False
    opacity: float = 1.0
    clip: str = ""
    """The id of the shape whose inside this one may show in, or "" for anywhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """An SVG file, flattened."""

    origin: tuple[float, float]
    """The top left corner of the viewBox."""
    width: float
    height: float
    shapes: tuple[Shape, ...]
    """In order of painting, the lowest first."""
    clips: Mapping[str, Shape]
    """Shapes that only clip others, by id; their `layer` is that of the first shape they clip."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Ids of the top-level groups, the lowest first."""
        return tuple(dict.fromkeys(shape.layer for shape in self.shapes))

    def shape(self, name: str) -> Shape | None:
        """The painted or clipping shape of that id."""
        return next((shape for shape in self.shapes if shape.id == name), self.clips.get(name))


def read_drawing(path: Path) -> Drawing:
    """Read an SVG file. Raises AvatarError, naming the file and the element, for whatever cannot be drawn."""
    return parse_drawing(read_file(path, limit=MAX_BYTES), str(path))


def parse_drawing(data: bytes, name: str) -> Drawing:
    """The drawing in `data`; `name` is for messages. Raises AvatarError."""
    try:
        return _Reader(parse_tree(data, name), name).drawing()
    except (ValueError, OverflowError, FloatingPointError) as error:
        raise AvatarError(f"{name}: {error}.") from error


@dataclass(frozen=True, slots=True)
class _State:
    """What a child inherits."""

    matrix: Points
    style: Mapping[str, str]
    layer: str
    opacity: float = 1.0
    clip: str = ""


@dataclass(slots=True)
class _Reader:
    root: ET.Element
    name: str
    shapes: list[Shape] = field(default_factory=list)
    clips: dict[str, Shape] = field(default_factory=dict)
    by_id: dict[str, ET.Element] = field(default_factory=dict)
    refer: References = field(init=False)
    points: int = 0
    steps: int = 0
    work: int = 0

    def __post_init__(self) -> None:
        self.refer = References(self.name, self.by_id, self._charge)

    def drawing(self) -> Drawing:
        if self.root.tag != SVG + "svg":
            raise AvatarError(f"{self.name} has no <svg> at its root. Save it as plain SVG.")
        for element in self.root.iter():
            key = element.get("id")
            if key and self.by_id.setdefault(key, element) is not element:
                raise AvatarError(f"{self.name}: two elements have the id {key[:80]!r}. Rename one of them.")
        origin, width, height = self._view()
        style = self._style(self.root, {})
        for child in self.root:
            kind = self._kind(child)
            if kind in _SHAPES or kind == "use":
                raise AvatarError(f"{self.name}: {label(child)} is outside every layer. Put it into a top-level group.")
            if kind == "g":
                layer = child.get("id")
                if not layer:
                    raise AvatarError(f"{self.name}: a top-level group has no id. Name every layer.")
                self._walk(child, _State(np.eye(3), style, layer))
        if not self.shapes:
            raise AvatarError(f"{self.name} draws nothing. Put paths into top-level groups.")
        return Drawing(origin, width, height, tuple(self.shapes), self.clips)

    def _view(self) -> tuple[tuple[float, float], float, float]:
        box = angle_free_numbers(self.root.get("viewBox", ""))
        if len(box) != 4:
            raise AvatarError(f'{self.name}: <svg> needs viewBox="0 0 512 512" (or another four numbers).')
        x, y, width, height = box
        if not (16 <= width <= 8192 and 16 <= height <= 8192):
            raise AvatarError(f"{self.name}: the viewBox is {width:g} × {height:g}; each side must be 16 to 8192.")
        return (x, y), width, height

    def _kind(self, element: ET.Element) -> str:
        """The tag without its namespace, or "" for what editors add for themselves. Raises for what cannot be drawn."""
        tag = str(element.tag)
        if tag.startswith("{") and not tag.startswith(SVG):
            return ""
        kind = tag.removeprefix(SVG)
        if kind in _SILENT:
            return ""
        if kind not in _SHAPES and kind not in {"g", "use"}:
            raise AvatarError(
                f"{self.name}: <{kind}> cannot be drawn. Use paths, basic shapes, groups and gradients; turn text into "
                "paths and style sheets into presentation attributes."
            )
        return kind

    def _style(self, element: ET.Element, inherited: Mapping[str, str]) -> dict[str, str]:
        style = {key: inherited[key] for key in _INHERITED if key in inherited}
        declared = {key: value for key in _PROPERTIES if (value := element.get(key)) is not None}
        for item in element.get("style", "").split(";"):
            key, colon, value = item.partition(":")
            if colon:
                declared[key.strip()] = value.strip()
        for unsupported in ("filter", "mask"):
            if declared.get(unsupported, "none") != "none":
                raise AvatarError(f"{self.name}: {label(element)} has a {unsupported}. Draw it with gradients instead.")
        style.update({key: value for key, value in declared.items() if value != "inherit"})
        return style

    def _charge(self, element: ET.Element) -> None:
        """Count what it takes to parse an element. Raises AvatarError where a drawing takes too much."""
        self.work += sum(map(len, element.attrib.values())) + _ELEMENT_WORK * (1 + len(element))
        if self.work > MAX_WORK:
            raise AvatarError(f"{self.name} repeats {label(element)} too often. Simplify the drawing.")

    def _walk(self, element: ET.Element, state: _State, depth: int = 0) -> None:
        self.steps += 1
        if depth > MAX_DEPTH or self.steps > MAX_STEPS:
            raise AvatarError(f"{self.name}: {label(element)} refers to itself or is repeated too often.")
        self._charge(element)
        kind = self._kind(element)
        if not kind:
            return
        style = self._style(element, state.style)
        if style.get("display") == "none" or style.get("visibility") == "hidden":
            return
        matrix = state.matrix @ parse_transform(element.get("transform", ""))
        opacity = state.opacity * unit(style.get("opacity", "1"))
        state = replace(state, matrix=matrix, style=style, opacity=opacity)
        if style.get("clip-path", "none") != "none":
            if state.clip:
                raise AvatarError(f"{self.name}: {label(element)} is clipped inside a clipped group. Clip once.")
            state = replace(state, clip=self._clip(style["clip-path"], state))
        if kind == "g":
            for child in element:
                self._walk(child, state, depth + 1)
        elif kind == "use":
            moved = np.eye(3)
            moved[:2, 2] = length(element.get("x", "0")), length(element.get("y", "0"))
            self._walk(self.refer.target(element), replace(state, matrix=matrix @ moved), depth + 1)
        else:
            self.shapes.append(self._shape(element, kind, state))

    def _clip(self, reference: str, state: _State) -> str:
        name = referred(reference)
        element = self.by_id.get(name) if name else None
        if element is None or element.tag != SVG + "clipPath":
            raise AvatarError(f"{self.name}: clip-path {reference[:80]!r} names no <clipPath> of this file.")
        self._charge(element)
        parts = [child for child in element if self._kind(child)]
        if len(parts) != 1:
            raise AvatarError(f"{self.name}: the clipPath {name!r} must hold exactly one path or <use>.")
        part = parts[0]
        kind = self._kind(part)
        if kind == "use":
            target = self.refer.target(part)
            if target.get("id") is None or self._kind(target) not in _SHAPES:
                raise AvatarError(f"{self.name}: the clipPath {element.get('id')!r} must use a single path.")
            return str(target.get("id"))
        if kind == "g":
            raise AvatarError(f"{self.name}: the clipPath {element.get('id')!r} must hold exactly one path or <use>.")
        name = str(element.get("id"))
        if name not in self.clips:
            part_matrix = state.matrix @ parse_transform(part.get("transform", ""))
            clip = self._shape(part, kind, replace(state, matrix=part_matrix, clip=""))
            self.clips[name] = replace(clip, id=name)
        return name

    def _shape(self, element: ET.Element, kind: str, state: _State) -> Shape:
        try:
            path = parse_path(element.get("d", "")) if kind == "path" else basic_shape(kind, element.attrib)
            path = path.transformed(state.matrix)
        except ValueError as error:
            raise AvatarError(f"{self.name}: {label(element)}: {error}.") from error
        self.points += len(path.points)
        if self.points > MAX_POINTS:
            raise AvatarError(f"{self.name} has more than {MAX_POINTS} path points. Simplify its paths.")
        style = state.style
        scale = math.sqrt(abs(np.linalg.det(state.matrix[:2, :2])))
        return Shape(
            id=element.get("id") or "",
            layer=state.layer,
            path=path,
            fill=self._ink("fill", "black", path, state),
            stroke=self._ink("stroke", "none", path, state),
            stroke_width=min(length(style.get("stroke-width", "1")) * scale, MAX_COORDINATE),
            cap=style.get("stroke-linecap", "butt"),
            join=style.get("stroke-linejoin", "miter"),
            miter=length(style.get("stroke-miterlimit", "4")),
            even_odd=style.get("fill-rule") == "evenodd",
            opacity=state.opacity,
            clip=state.clip,
        )

    def _ink(self, key: str, default: str, path: Path2D, state: _State) -> Ink | None:
        style = state.style
        value, opacity = style.get(key, default), style.get(key + "-opacity", "1")
        return self.refer.ink(value, opacity, path, state.matrix, style.get("color", "black"))
