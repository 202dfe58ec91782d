"""Draws a rig for an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.avatar.rig import Rig
from mien.avatar.svg import Shape
from mien.engine.puppet.canvas import Canvas, PathPaint
from mien.engine.puppet.flesh import SHUT, Flesh, Limb
from mien.types import Array, Expression, Picture

Points = NDArray[np.float64]


class PuppetRenderer:
    """A puppet ready to move; follows `mien.engine.base.Renderer` and `HasBackdrop`."""

    def __init__(self, rig: Rig, size: int, *, backdrop: bool = True) -> None:
        drawing = rig.drawing
        self._origin = np.array(drawing.origin)
        self._scale = size / max(drawing.width, drawing.height)
        self.size = max(1, round(drawing.width * self._scale)), max(1, round(drawing.height * self._scale))
        self._backdrop = _backdrop(rig, self.size, self._scale) if backdrop else None
        self._flesh = Flesh(rig, _moving_shapes(rig, with_backdrop=backdrop and self._backdrop is None))
        self._canvas = Canvas(*self.size)
        self._paint()
        self.face, self.outline = self._landmarks()

    def without_backdrop(self) -> PuppetRenderer:
        """The same puppet before nothing."""
        return PuppetRenderer(self._flesh.rig, max(self.size), backdrop=False)

    def _paint(self) -> None:
        """Put every path on the canvas and note which part of the point array feeds it."""
        limbs = self._flesh.limbs
        by_id = {limb.shape.id: limb for limb in limbs if limb.shape.id}
        clipping = set(self._flesh.rig.drawing.clips)
        self._paints: list[tuple[int, Limb, PathPaint]] = []
        self._clips: list[tuple[Limb, PathPaint]] = []
        for number, limb in enumerate(limbs):
            if limb.shape.id in clipping:
                continue
            paint = self._canvas.add(limb.shape, limb.shape.path.commands)
            self._paints.append((number, limb, paint))
            if limb.shape.clip:
                clip = by_id[limb.shape.clip]
                self._clips.append((clip, paint.clip_by(clip.shape.path.commands)))

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        flesh, expression = self._flesh, _finite(expression)
        posed = flesh.posed(expression, time)
        local, matrices = self._local(posed, expression)
        absolute = np.ascontiguousarray((posed - self._origin) * self._scale, np.float32)
        local_data, matrix_data, absolute_data = local.ctypes.data, matrices.ctypes.data, absolute.ctypes.data
        opacity = flesh.opacities(expression)
        shut = {
            flesh.rig.eyes[side].opening for side, openness in flesh.openness(expression).items() if openness < SHUT
        }
        for number, limb, paint in self._paints:
            shape = limb.shape
            hidden = bool(shut) and (shape.clip in shut or shape.id in shut)
            paint.fade(0.0 if hidden else shape.opacity * opacity.get(shape.layer, 1.0))
            if paint.visible:
                first = limb.start + 1
                paint.place(local_data + 8 * first, limb.stop - first, matrix_data + 36 * number)
        for limb, clip in self._clips:
            first = limb.start + 1
            clip.place(absolute_data + 8 * first, limb.stop - first, _IDENTITY.ctypes.data)
        if self._backdrop is None:
            self._canvas.draw(clear=True)
        else:
            np.copyto(self._canvas.picture, self._backdrop)
            self._canvas.draw(clear=False)
        picture: Picture = self._canvas.picture.copy()
        return picture

    def _local(self, posed: Points, expression: Expression) -> tuple[Array, Array]:
        """Points relative to their shape's own place and lean, and the (n, 3, 3) matrices that put them there: so that
        gradients, which lie in the shape's resting place, travel with it."""
        flesh = self._flesh
        at, rest = posed[flesh.anchors], flesh.rest[flesh.anchors]
        lean = flesh.head.lean(flesh.head.angles(expression)[2])[flesh.anchors]
        cos, sin = np.cos(lean), np.sin(lean)
        c, s = cos[flesh.owner], sin[flesh.owner]
        x, y = (posed - at[flesh.owner]).T
        local = np.column_stack([c * x + s * y, c * y - s * x]) + rest[flesh.owner]
        matrices = np.zeros((len(at), 3, 3), np.float32)
        k, at = self._scale, at - self._origin
        matrices[:, 0, 0] = matrices[:, 1, 1] = k * cos
        matrices[:, 0, 1], matrices[:, 1, 0] = -k * sin, k * sin
        matrices[:, 0, 2] = k * (at[:, 0] - cos * rest[:, 0] + sin * rest[:, 1])
        matrices[:, 1, 2] = k * (at[:, 1] - sin * rest[:, 0] - cos * rest[:, 1])
        matrices[:, 2, 2] = 1
        return np.ascontiguousarray(local, np.float32), matrices

    def _landmarks(self) -> tuple[Array, Array]:
        rig, k = self._flesh.rig, self._scale
        centre = np.array(rig.head.centre)
        spots = [centre + np.array(offset) for offset in ((-40, 0), (40, 0), (0, 60))]
        for i, side in enumerate(("right", "left")):
            shape = rig.drawing.shape(rig.eyes[side].opening) if side in rig.eyes else None
            if shape is not None:
                x0, y0, x1, y1 = shape.path.box
                spots[i] = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        if self._flesh.lips is not None:
            spots[2] = np.array([self._flesh.lips.centre_x, self._flesh.lips.y])
        outline = rig.drawing.shape(rig.outline)
        assert outline is not None
        contour = outline.path.polyline(6)
        return ((np.array(spots) - self._origin) * k).astype(np.float32), ((contour - self._origin) * k).astype(
            np.float32
        )


def _finite(expression: Expression) -> Expression:
    """The expression with coefficients within [0, 1] and zeros for whatever is not a number."""
    angles = np.nan_to_num([expression.yaw, expression.pitch, expression.roll], posinf=0.0, neginf=0.0)
    return replace(
        expression,
        coefficients=np.clip(np.nan_to_num(expression.coefficients), 0, 1),
        yaw=float(angles[0]), pitch=float(angles[1]), roll=float(angles[2]),
        gaze=np.clip(np.nan_to_num(expression.gaze), -1.5, 1.5),
    )  # fmt: skip


_IDENTITY = np.eye(3, dtype=np.float32)


def _moving_shapes(rig: Rig, *, with_backdrop: bool) -> Iterator[Shape]:
    for shape in (*rig.drawing.shapes, *rig.drawing.clips.values()):
        if with_backdrop or rig.layers[shape.layer].part != "backdrop":
            yield shape


def _backdrop(rig: Rig, size: tuple[int, int], scale: float) -> Picture | None:
    """The layers behind the avatar, drawn once; None where they do not cover the picture."""
    canvas = Canvas(*size)
    matrix = np.diag([scale, scale, 1]).astype(np.float32)
    matrix[:2, 2] = -scale * np.array(rig.drawing.origin)
    kept = []
    for shape in rig.drawing.shapes:
        if rig.layers[shape.layer].part == "backdrop":
            points = np.ascontiguousarray(shape.path.points, np.float32)
            paint = canvas.add(shape, shape.path.commands)
            paint.fade(shape.opacity * rig.opacity.get(shape.layer, 1.0))
            paint.place(points.ctypes.data, len(points), matrix.ctypes.data)
            kept.append(points)
    canvas.draw(clear=True)
    return canvas.picture.copy() if (canvas.picture[..., 3] == 255).all() else None
