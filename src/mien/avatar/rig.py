"""A vector avatar: its drawing and what each layer of it does. Reads and checks `rig.toml` and the SVG beside it.

All lengths are in the units of the drawing's viewBox. "Left" and "right" are the avatar's own, as in `mien.types`:
its right eye is the one on the left of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from mien.avatar.rig_file import RIG_FILE, read_table
from mien.avatar.svg import Drawing, read_drawing
from mien.avatar.toml_table import SIDES, Point, Table
from mien.types import COEFFICIENTS

VERSION: Final = 1

PARTS: Final[tuple[str, ...]] = (
    "backdrop", "body", "neck", "head", "ear-right", "ear-left", "face", "eye-right", "eye-left", "lash-right",
    "lash-left", "iris-right", "iris-left", "brow-right", "brow-left", "lip-upper", "lip-lower", "mouth", "teeth-upper",
    "teeth-lower", "tongue",
)  # fmt: skip
"""What a layer can be."""


@dataclass(frozen=True, slots=True)
class Layer:
    """How one top-level group of the drawing moves."""

    part: str
    depth: float = 0.0
    """How far in front of the skull: it slides this far, times the sine of the angle, when the head turns."""
    bulge: float = 1.0
    """How much of the head's own roundness it follows: 1 lies on the face, 0 is flat."""
    jaw: float = 0.0
    """How much of the jaw's drop reaches it, rising from the mouth (nothing) to the chin (all)."""
    mouth: float = 0.0
    """How much it moves with the lips nearest to it, fading with distance: folds, moustaches, freckles."""


@dataclass(frozen=True, slots=True)
class Head:
    centre: Point
    """Where the face is nearest to the viewer when it looks straight ahead."""
    radius: Point
    neck: Point
    """The point about which the head leans."""
    bulge: float = 40.0
    """How far `centre` lies in front of the head's rim."""
    turn: float = 1.0
    """How much of the driver's turn is shown."""


@dataclass(frozen=True, slots=True)
class Eye:
    opening: str
    """The id of the shape that is the white of the eye, or whatever lies between the lids."""
    gaze: Point = (7.0, 5.0)
    """How far the iris travels sideways and up or down at the end of its range."""
    meet: float = 0.8
    """Where closed lids meet: 0 at the top of the opening, 1 at its bottom."""
    wide: float = 0.25
    """How far the upper lid rises when the eye is wide open, as a share of the opening."""


@dataclass(frozen=True, slots=True)
class Brow:
    rise: float = 14.0
    lower: float = 9.0


@dataclass(frozen=True, slots=True)
class Mouth:
    seam: str
    """The id of the open path along which the lips meet, from the one corner to the other."""
    opening: str
    """The id of the shape that shows between parted lips; its outline is redrawn for every picture."""
    open: float = 46.0
    """How far the lower lip falls when the jaw is wide open."""
    chin: float = 24.0
    """How far the chin falls then."""
    chin_y: float = 345.0
    """Height of the chin."""
    smile: float = 1.0
    """How strongly its corners move."""
    protrude: float = 1.0
    """How strongly it purses."""


@dataclass(frozen=True, slots=True)
class Motion:
    """A movement of one layer of the artist's own choice: ears that droop, frown lines that appear."""

    layer: str
    by: tuple[tuple[str, float], ...]
    """Coefficients and their weights; the weighted sum, cut to 0 to 1, is how far the movement has gone."""
    move: Point = (0.0, 0.0)
    rotate: float = 0.0
    """Degrees, clockwise."""
    scale: Point = (1.0, 1.0)
    opacity: float = 0.0
    """Added to the layer's opacity."""
    pivot: Point = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    """A checked avatar, ready for the puppet engine."""

    folder: Path
    art: str
    """The drawing's file name in `folder`."""
    title: str
    licence: str
    drawing: Drawing
    head: Head
    eyes: Mapping[str, Eye]
    """By side; an avatar may lack either."""
    brows: Mapping[str, Brow]
    mouth: Mouth | None
    layers: Mapping[str, Layer]
    opacity: Mapping[str, float]
    """Resting opacity of layers that do not rest at 1."""
    motions: tuple[Motion, ...]
    outline: str
    """The id of the shape that is the face's outline."""


def read_rig(folder: Path) -> Rig:
    """Read and check an avatar's folder. Raises AvatarError naming the file, the key and what to do."""
    return parse_rig(read_table(folder), folder)


def parse_rig(table: Mapping[str, Any], folder: Path) -> Rig:
    """The rig that a TOML table describes, with the drawing it names in `folder`. Raises AvatarError."""
    top = Table(table, str(folder / RIG_FILE), "")
    version = top.number("version", low=0, high=1e6)
    if version != VERSION:
        raise top.error("version", f"is {version:g}; this mien reads version {VERSION}")
    art = top.text("art", "art.svg")
    if Path(art).name != art or not art.lower().endswith(".svg") or not art.isprintable():
        raise top.error("art", f"is {art!r}; give the name of an .svg file in the same folder")
    drawing = read_drawing(folder / art)
    rig = Rig(
        folder=folder,
        art=art,
        title=top.text("title"),
        licence=top.text("licence", ""),
        drawing=drawing,
        head=_head(top.table("head")),
        eyes={side: _eye(table) for side, table in top.sides("eye")},
        brows={side: _brow(table) for side, table in top.sides("brow")},
        mouth=_mouth(top.table("mouth")) if "mouth" in table else None,
        layers=(layers := _layers(top.table("layers"))),
        opacity=_opacities(top.table("layers"), layers),
        motions=tuple(_motion(motion) for motion in top.tables("motion")),
        outline=top.text("outline"),
    )
    top.done()
    _check(rig, top)
    return rig


def _head(t: Table) -> Head:
    head = Head(
        t.point("centre"), t.point("radius", low=1), t.point("neck"), t.number("bulge", 40), t.number("turn", 1)
    )
    t.done()
    return head


def _eye(t: Table) -> Eye:
    eye = Eye(
        t.text("opening"), t.point("gaze", (7.0, 5.0)), t.number("meet", 0.8, low=0, high=1),
        t.number("wide", 0.25, low=0, high=2),
    )  # fmt: skip
    t.done()
    return eye


def _brow(t: Table) -> Brow:
    brow = Brow(t.number("rise", 14), t.number("lower", 9))
    t.done()
    return brow


def _mouth(t: Table) -> Mouth:
    mouth = Mouth(
        t.text("seam"), t.text("opening"), t.number("open", 46, low=0), t.number("chin", 24, low=0), t.number("chin_y"),
        t.number("smile", 1, low=0, high=4), t.number("protrude", 1, low=0, high=2),
    )  # fmt: skip
    t.done()
    return mouth


def _layers(t: Table) -> dict[str, Layer]:
    layers = {}
    for name in t.values:
        row = t.table(name)
        part = row.text("part")
        if part not in PARTS:
            raise row.error("part", f"is {part!r}; it must be one of {', '.join(PARTS)}")
        bulge = row.number("bulge", 0.0 if part in {"backdrop", "body", "neck"} else 1.0)
        jaw, mouth = row.number("jaw", 0.0, low=0, high=2), row.number("mouth", 0.0, low=0, high=2)
        layers[name] = Layer(part, row.number("depth", 0.0), bulge, jaw, mouth)
        row.number("opacity", 1.0, low=0, high=1)
        row.done()
    return layers


def _opacities(t: Table, layers: Mapping[str, Layer]) -> dict[str, float]:
    rest = {name: t.table(name).number("opacity", 1.0, low=0, high=1) for name in layers}
    return {name: opacity for name, opacity in rest.items() if opacity != 1.0}


def _motion(t: Table) -> Motion:
    by = t.table("by")
    for name in by.values:
        if name not in COEFFICIENTS:
            near = get_close_matches(name, COEFFICIENTS, n=1)
            raise by.error(name, "is no expression coefficient" + (f"; did you mean {near[0]}?" if near else ""))
    motion = Motion(
        t.text("layer"), tuple((name, by.number(name, low=-10, high=10)) for name in by.values),
        t.point("move", (0.0, 0.0)), t.number("rotate", 0.0, low=-360, high=360), t.point("scale", (1.0, 1.0)),
        t.number("opacity", 0.0, low=-1, high=1), t.point("pivot", (0.0, 0.0)),
    )  # fmt: skip
    t.done()
    return motion


def _check(rig: Rig, top: Table) -> None:
    """Whether the names in the rig and those in the drawing fit together."""
    drawn = dict.fromkeys(rig.drawing.layers)
    for name in drawn:
        if name not in rig.layers:
            raise top.error(f"layers.{name}", "is missing, but the drawing has a layer of that name. Say what it is")
    for name in rig.layers:
        if name not in drawn:
            known = ", ".join(layer[:80] for layer in list(drawn)[:30])
            raise top.error(f"layers.{name}", f"names no layer of the drawing. It has {known}")
    for motion in rig.motions:
        if motion.layer not in drawn:
            raise top.error("motion.layer", f"is {motion.layer!r}, which is no layer of the drawing")
    named = {f"eye.{side}.opening": eye.opening for side, eye in rig.eyes.items()} | {"outline": rig.outline}
    if rig.mouth is not None:
        named |= {"mouth.seam": rig.mouth.seam, "mouth.opening": rig.mouth.opening}
    for key, name in named.items():
        shape = rig.drawing.shape(name)
        if shape is None:
            raise top.error(key, f"is {name!r}, which is the id of no path in the drawing")
        x0, y0, x1, y1 = shape.path.box
        if x1 - x0 < 1e-3 or (y1 - y0 < 1e-3 and key not in {"mouth.seam", "mouth.opening"}):
            raise top.error(key, f"is {name!r}, a path without any extent")
    for name, layer in rig.layers.items():
        kind, _, side = layer.part.partition("-")
        if kind in {"eye", "lash", "iris"} and side in SIDES and side not in rig.eyes:
            raise top.error(f"eye.{side}", f"is missing, but the layer {name!r} belongs to that eye")
        if (kind in {"lip", "mouth", "teeth", "tongue"} or layer.mouth or layer.jaw) and rig.mouth is None:
            raise top.error("mouth", f"is missing, but the layer {name!r} moves with it")
