"""Draws paths into a NumPy picture with ThorVG's software rasteriser.

ThorVG comes with `thorvg-python`; its C functions are called here directly, with whole arrays of points, because the
package's own wrapper makes one Python object per point.
"""

from __future__ import annotations

import ctypes
import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.svg import Shape
from mien.avatar.svg_ink import Gradient, Ink
from mien.errors import EngineError
from mien.types import Picture

_STRAIGHT_RGBA: Final = 2
_PLAIN_CANVAS: Final = 0
_CAPS: Final = {"butt": 0, "round": 1, "square": 2}
_JOINS: Final = {"miter": 0, "round": 1, "bevel": 2}
_SPREADS: Final = {"pad": 0, "reflect": 1, "repeat": 2}
_STOP: Final = np.dtype([("offset", "f4"), ("rgba", "u1", 4)])

_P, _U8, _U32, _F, _B = ctypes.c_void_p, ctypes.c_uint8, ctypes.c_uint32, ctypes.c_float, ctypes.c_bool
_SIGNATURES: Final[dict[str, tuple[type | None, tuple[type, ...]]]] = {
    "engine_init": (_U32, (_U32,)),
    "swcanvas_create": (_P, (_U8,)),
    "swcanvas_set_target": (_U32, (_P, _P, _U32, _U32, _U32, _U8)),
    "canvas_add": (_U32, (_P, _P)),
    "canvas_update": (_U32, (_P,)),
    "canvas_draw": (_U32, (_P, _B)),
    "canvas_sync": (_U32, (_P,)),
    "canvas_destroy": (_U32, (_P,)),
    "shape_new": (_P, ()),
    "shape_reset": (_U32, (_P,)),
    "shape_append_path": (_U32, (_P, _P, _U32, _P, _U32)),
    "shape_set_fill_color": (_U32, (_P, _U8, _U8, _U8, _U8)),
    "shape_set_fill_rule": (_U32, (_P, _U32)),
    "shape_set_gradient": (_U32, (_P, _P)),
    "shape_set_stroke_width": (_U32, (_P, _F)),
    "shape_set_stroke_color": (_U32, (_P, _U8, _U8, _U8, _U8)),
    "shape_set_stroke_gradient": (_U32, (_P, _P)),
    "shape_set_stroke_cap": (_U32, (_P, _U32)),
    "shape_set_stroke_join": (_U32, (_P, _U32)),
    "shape_set_stroke_miterlimit": (_U32, (_P, _F)),
    "paint_set_clip": (_U32, (_P, _P)),
    "paint_set_opacity": (_U32, (_P, _U8)),
    "paint_set_visible": (_U32, (_P, _B)),
    "paint_set_transform": (_U32, (_P, _P)),
    "linear_gradient_new": (_P, ()),
    "linear_gradient_set": (_U32, (_P, _F, _F, _F, _F)),
    "radial_gradient_new": (_P, ()),
    "radial_gradient_set": (_U32, (_P, _F, _F, _F, _F, _F, _F)),
    "gradient_set_color_stops": (_U32, (_P, _P, _U32)),
    "gradient_set_spread": (_U32, (_P, _U32)),
    "gradient_set_transform": (_U32, (_P, _P)),
}


class _ThorVG:
    """The C functions without their `tvg_` prefix. A handle of our own: signatures set here stay ours."""

    def __init__(self) -> None:
        from thorvg_python.engine import THORVG_LIB

        if THORVG_LIB is None:
            raise EngineError(
                "The drawing library of thorvg-python cannot be loaded. Reinstall it: pip install thorvg-python."
            )
        library = ctypes.CDLL(THORVG_LIB._name)
        self.calls = {}
        for name, (result, arguments) in _SIGNATURES.items():
            function = library["tvg_" + name]
            function.restype, function.argtypes = result, list(arguments)
            self.calls[name] = function
        self.calls["engine_init"](0)


_library: _ThorVG | None = None
_drawing = threading.RLock()
"""Canvases share the rasteriser's scratch memory, so two threads must not draw at once. Re-entrant, because a collected
canvas may be destroyed while another draws."""


def _thorvg() -> _ThorVG:
    global _library
    if _library is None:
        _library = _ThorVG()
    return _library


class Canvas:
    """A picture and the paths on it, kept from frame to frame; only their points, places and opacities change."""

    def __init__(self, width: int, height: int) -> None:
        self._tvg = _thorvg().calls
        self.picture: Picture = np.zeros((height, width, 4), np.uint8)
        self._handle = self._tvg["swcanvas_create"](_PLAIN_CANVAS)
        code = self._tvg["swcanvas_set_target"](
            self._handle, self.picture.ctypes.data, width, width, height, _STRAIGHT_RGBA
        )
        if code:
            raise EngineError(f"The drawing library refused a canvas of {width} × {height} pixels (code {code}).")

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            with _drawing:
                self._tvg["canvas_destroy"](self._handle)
            self._handle = None

    def add(self, shape: Shape, commands: NDArray[np.uint8]) -> PathPaint:
        """A new path with the shape's paint, above all earlier ones; its points come later."""
        paint = PathPaint(self._tvg, commands)
        paint.dress(shape)
        self._tvg["canvas_add"](self._handle, paint.handle)
        return paint

    def draw(self, *, clear: bool) -> None:
        """Render all paths, over what is in the picture unless `clear`."""
        with _drawing:
            self._tvg["canvas_update"](self._handle)
            self._tvg["canvas_draw"](self._handle, clear)
            self._tvg["canvas_sync"](self._handle)


class PathPaint:
    """One path on a canvas."""

    def __init__(self, tvg: dict[str, ctypes._NamedFuncPointer], commands: NDArray[np.uint8]) -> None:
        self._tvg = tvg
        self.handle = tvg["shape_new"]()
        self._commands = np.ascontiguousarray(commands, np.uint8)
        self._reset, self._append = tvg["shape_reset"], tvg["shape_append_path"]
        self._place, self._fade, self._show = (
            tvg["paint_set_transform"],
            tvg["paint_set_opacity"],
            tvg["paint_set_visible"],
        )
        self._command_data, self._command_count = self._commands.ctypes.data, len(self._commands)
        self._gradients: list[tuple[ctypes._NamedFuncPointer, int]] = []
        self._opacity, self.visible = 255, True

    def dress(self, shape: Shape) -> None:
        """Set fill and stroke, once."""
        tvg = self._tvg
        tvg["shape_set_fill_rule"](self.handle, int(shape.even_odd))
        if isinstance(shape.fill, Gradient):
            self._ink("shape_set_gradient", shape.fill)
        elif shape.fill:
            tvg["shape_set_fill_color"](self.handle, *_bytes(shape.fill))
        if shape.stroke and shape.stroke_width > 0:
            self._stroke(shape, shape.stroke)

    def _stroke(self, shape: Shape, ink: Ink) -> None:
        tvg = self._tvg
        tvg["shape_set_stroke_width"](self.handle, shape.stroke_width)
        tvg["shape_set_stroke_cap"](self.handle, _CAPS.get(shape.cap, 0))
        tvg["shape_set_stroke_join"](self.handle, _JOINS.get(shape.join, 0))
        tvg["shape_set_stroke_miterlimit"](self.handle, max(shape.miter, 1.0))
        if isinstance(ink, Gradient):
            self._ink("shape_set_stroke_gradient", ink)
        else:
            tvg["shape_set_stroke_color"](self.handle, *_bytes(ink))

    def _ink(self, setter: str, gradient: Gradient) -> None:
        handle = self._gradient(gradient)
        self._gradients.append((self._tvg[setter], handle))
        self._tvg[setter](self.handle, handle)

    def _gradient(self, gradient: Gradient) -> int:
        tvg = self._tvg
        if gradient.kind == "linearGradient":
            handle = tvg["linear_gradient_new"]()
            tvg["linear_gradient_set"](handle, *gradient.geometry)
        else:
            cx, cy, r, fx, fy = gradient.geometry
            handle = tvg["radial_gradient_new"]()
            tvg["radial_gradient_set"](handle, cx, cy, r, fx, fy, 0.0)
        stops = np.zeros(len(gradient.stops), _STOP)
        stops["offset"] = np.maximum.accumulate([offset for offset, _ in gradient.stops])
        stops["rgba"] = [_bytes(colour) for _, colour in gradient.stops]
        tvg["gradient_set_color_stops"](handle, stops.ctypes.data, len(stops))
        tvg["gradient_set_spread"](handle, _SPREADS.get(gradient.spread, 0))
        matrix = np.ascontiguousarray(gradient.matrix, np.float32)
        tvg["gradient_set_transform"](handle, matrix.ctypes.data)
        return int(handle)

    def clip_by(self, commands: NDArray[np.uint8]) -> PathPaint:
        """Let this path show only inside a new one, which is returned so that it can be moved."""
        clip = PathPaint(self._tvg, commands)
        self._tvg["shape_set_fill_color"](clip.handle, 255, 255, 255, 255)
        self._tvg["paint_set_clip"](self.handle, clip.handle)
        return clip

    def place(self, points: int, count: int, matrix: int) -> None:
        """Redraw with the (count, 2) float32 array at the address `points`, under the (3, 3) float32 matrix at the
        address `matrix`."""
        self._reset(self.handle)
        self._append(self.handle, self._command_data, self._command_count, points, count)
        self._place(self.handle, matrix)
        for setter, gradient in self._gradients:
            setter(self.handle, gradient)  # the same one again: a gradient is laid out anew only when it is set

    def fade(self, opacity: float) -> None:
        """Set the opacity, 0 to 1; at 0 nothing is rasterised."""
        value = round(255 * min(max(opacity, 0.0), 1.0))
        if value != self._opacity:
            self._opacity = value
            self._fade(self.handle, value)
        if (value > 0) != self.visible:
            self.visible = value > 0
            self._show(self.handle, self.visible)


def _bytes(colour: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    r, g, b, a = (round(255 * channel) for channel in colour)
    return r, g, b, a
