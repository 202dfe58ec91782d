"""All points of an avatar's drawing in one array, and where they go for an expression."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig import Layer, Motion, Rig
from mien.avatar.svg import Shape
from mien.avatar.toml_table import SIDES
from mien.engine.puppet.eyes import BrowBend, Lids, LidState, iris_shift, smoothstep
from mien.engine.puppet.head import HeadTurn, neck_follow
from mien.engine.puppet.mouth import LipField, Lips, MouthState, teeth_shift
from mien.face.gaze import each_eye
from mien.types import Expression

Points = NDArray[np.float64]
Index = NDArray[np.intp]

_LONGEST: Final = 0.05
_LONGEST_FEATURE: Final = 0.02
"""Curves are cut to these shares of the drawing's width so that they bend smoothly."""
SHUT: Final = 0.05
"""Openness below which an eye counts as closed and nothing between its lids is drawn."""
_FLOOR: Final = {"teeth-upper": 0.0, "teeth-lower": 0.9, "tongue": 0.8}


@dataclass(frozen=True, slots=True, eq=False)
class Limb:
    """A shape's stretch of the point array: its anchor first, then its path."""

    shape: Shape
    layer: Layer
    start: int
    stop: int

    @property
    def vertices(self) -> Index:
        return np.arange(self.start, self.stop)


class Flesh:
    """The avatar's points at rest and everything that moves them."""

    def __init__(self, rig: Rig, shapes: Iterable[Shape]) -> None:
        self.rig = rig
        self.lips = _lips(rig)
        sides: list[tuple[int, Points]] = []
        self.limbs: list[Limb] = []
        blocks: list[Points] = []
        at = 0
        for shape in shapes:
            layer = rig.layers[shape.layer]
            if self.lips and rig.mouth and shape.id == rig.mouth.opening:
                has_lips = any(other.part.startswith("lip-") for other in rig.layers.values())
                path, side = self.lips.opening(0.035 * self.lips.half_width if has_lips else 0.0)
                sides.append((at + 1, side))
            else:
                feature = layer.part.split("-")[0] in {"eye", "lash", "brow", "lip", "mouth"}
                path = shape.path.split((_LONGEST_FEATURE if feature else _LONGEST) * rig.drawing.width)
            x0, y0, x1, y1 = path.box
            blocks += [np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]), path.points]
            self.limbs.append(Limb(replace(shape, path=path), layer, at, at + 1 + len(path.points)))
            at += 1 + len(path.points)
        self.rest = np.vstack(blocks)
        self.anchors = np.array([limb.start for limb in self.limbs])
        self.owner = np.repeat(np.arange(len(self.limbs)), [limb.stop - limb.start for limb in self.limbs])
        self._rig_eyes()
        self._rig_mouth(sides)
        self._rig_motions()
        self.head = self._head_turn()

    def _of(self, *parts: str) -> Index:
        """Vertices of all layers that are one of these parts."""
        found = [limb.vertices for limb in self.limbs if limb.layer.part in parts]
        return np.concatenate(found) if found else np.zeros(0, np.intp)

    def _rig_eyes(self) -> None:
        middle = self.rig.head.centre[0]
        self.lids, self.irises, self.brows = dict[str, Lids](), dict[str, Index](), dict[str, BrowBend]()
        for side in SIDES:
            if side in self.rig.eyes:
                eye = self.rig.eyes[side]
                opening = self.rig.drawing.shape(eye.opening)
                assert opening is not None
                outline = opening.path.polyline(12)
                skin, lash = self._of("eye-" + side), self._of("lash-" + side)
                vertices = np.concatenate([skin, lash])
                lashes = np.concatenate([np.zeros(len(skin), np.intp), 1 + self.owner[lash]])
                self.lids[side] = Lids(eye, outline, vertices, self.rest, lashes=lashes, middle=middle)
                self.irises[side] = self._of("iris-" + side)
            vertices = self._of("brow-" + side)
            if side in self.rig.brows and len(vertices):
                self.brows[side] = BrowBend(self.rig.brows[side], vertices, self.rest, middle)

    def _rig_mouth(self, sides: list[tuple[int, Points]]) -> None:
        self._lip_vertices: Index = np.zeros(0, np.intp)
        if self.lips is None:
            return
        upper, lower, seam = self._of("lip-upper"), self._of("lip-lower"), self._of("mouth")
        side_of = np.full(len(self.rest), 0.5)
        side_of[upper], side_of[lower] = 0.0, 1.0
        for start, side in sides:
            side_of[start : start + len(side)] = side
        self._lip_vertices = np.concatenate([upper, lower, seam])
        side = side_of[self._lip_vertices]
        self._lip_field = self.lips.field(self.rest[self._lip_vertices], side, np.ones(len(side)))
        self._inside = {part: self._of(part) for part in _FLOOR}
        self._rig_skin(self.lips)

    def _rig_skin(self, lips: Lips) -> None:
        """What the mouth and the jaw carry along: each vertex follows the lips near them and the jaw elsewhere."""
        mouth, jaw = np.zeros(len(self.rest)), np.zeros(len(self.rest))
        for limb in self.limbs:
            mouth[limb.start : limb.stop], jaw[limb.start : limb.stop] = limb.layer.mouth, limb.layer.jaw
        self._skin = np.flatnonzero((mouth > 0) | (jaw > 0))
        points = self.rest[self._skin]
        height = (points[:, 1] - lips.seam_at(points[:, 0])) / (0.12 * lips.half_width)
        self._skin_lips: LipField = lips.field(points, smoothstep(height / 2 + 0.5), np.zeros(len(points)))
        self._skin_mouth = np.minimum(mouth[self._skin] * lips.reach(points), 1.0)[:, None]
        self._skin_jaw = jaw[self._skin] * lips.jaw_reach(points)
        self._skin_cheek = (jaw[self._skin] > 0)[:, None]

    def _rig_motions(self) -> None:
        self._motions: list[tuple[Motion, Index]] = []
        for motion in self.rig.motions:
            found = [limb.vertices for limb in self.limbs if limb.shape.layer == motion.layer]
            self._motions.append((motion, np.concatenate(found) if found else np.zeros(0, np.intp)))

    def _head_turn(self) -> HeadTurn:
        depth, bulge, follow, ear = (np.zeros(len(self.rest)) for _ in range(4))
        for limb in self.limbs:
            at = slice(limb.start, limb.stop)
            depth[at], bulge[at] = limb.layer.depth, limb.layer.bulge
            ear[at] = {"ear-right": -1.0, "ear-left": 1.0}.get(limb.layer.part, 0.0)
            follow[at] = 0.0 if limb.layer.part in {"body", "backdrop"} else 1.0
        neck = self._of("neck")
        if len(neck):
            follow[neck] = neck_follow(self.rest[neck, 1])
        return HeadTurn(self.rig.head, self.rest, depth, bulge, follow, ear)

    def openness(self, expression: Expression) -> dict[str, float]:
        """How far each eye is open, 1 at rest."""
        return {side: LidState.of(expression, side, lids.eye).openness for side, lids in self.lids.items()}

    def opacities(self, expression: Expression) -> dict[str, float]:
        """The opacity of every layer that may not be at 1."""
        opacity = dict(self.rig.opacity)
        for motion in self.rig.motions:
            if motion.opacity:
                opacity[motion.layer] = opacity.get(motion.layer, 1.0) + motion.opacity * _amount(motion, expression)
        return opacity

    def posed(self, expression: Expression, time: float) -> Points:
        """(N, 2) all points for the expression, in units of the drawing."""
        points = self.rest.copy()
        for motion, vertices in self._motions:
            if amount := _amount(motion, expression):
                points[vertices] += _moved(motion, amount, self.rest[vertices]) - self.rest[vertices]
        gazes = dict(zip(("right", "left"), each_eye(expression), strict=True))
        for side, lids in self.lids.items():
            points[lids.vertices, 1] += lids.displacement(LidState.of(expression, side, lids.eye))
            points[self.irises[side]] += iris_shift(lids.eye, gazes[side])
        for side, brow in self.brows.items():
            points[brow.vertices] += brow.displacement(expression, side)
        if self.lips is not None:
            self._speak(points, self.lips, expression)
        return self.head(points, expression, time)

    def _speak(self, points: Points, lips: Lips, expression: Expression) -> None:
        state = MouthState.of(expression, lips.mouth, lips.half_width)
        points[self._lip_vertices] += self._lip_field.displacement(state)
        for part, vertices in self._inside.items():
            n = (self.rest[vertices, 0] - lips.centre_x) / lips.half_width
            points[vertices] += teeth_shift(n, state, lips.half_width, lower=_FLOOR[part])
        near = self._skin_mouth
        jaw = lips.jaw(self.rest[self._skin], self._skin_jaw, state, expression) * self._skin_cheek
        points[self._skin] += near * self._skin_lips.displacement(state) + (1 - near) * jaw


def _lips(rig: Rig) -> Lips | None:
    if rig.mouth is None:
        return None
    seam = rig.drawing.shape(rig.mouth.seam)
    assert seam is not None
    return Lips(rig.mouth, seam.path.polyline(10), rig.head)


def _amount(motion: Motion, expression: Expression) -> float:
    return min(max(sum(weight * expression[name] for name, weight in motion.by), 0.0), 1.0)


def _moved(motion: Motion, amount: float, points: Points) -> Points:
    pivot = np.array(motion.pivot)
    angle = math.radians(motion.rotate) * amount
    cos, sin = math.cos(angle), math.sin(angle)
    scale = 1 + (np.array(motion.scale) - 1) * amount
    x, y = ((points - pivot) * scale).T
    turned: Points = np.column_stack([cos * x - sin * y, sin * x + cos * y])
    turned += pivot + np.array(motion.move) * amount
    return turned
