"""Lines and shadings that skin gets where it is pushed together: a frown, raised brows, a sneer, a smile, full cheeks.

Bending a picture moves what it shows, but a wrinkled nose is hardly a movement: it is folds that were not there. They
are laid into the picture before it is bent, so that they move with its skin, and in its own shadows: an oil painting's
are brown, a drawing's hardly darker than its skin.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np

from mien.engine.mesh.blend import box_around, smooth_line
from mien.engine.mesh.curves import smoothstep
from mien.engine.mesh.folds import FOLDS, Fold, Path, pulls
from mien.engine.mesh.topology import EYES, LIPS, OVAL, SKIN, Indices, triangles
from mien.face.pose import canonical
from mien.types import Array, Expression, Picture

_SHOULDERS: Final = (0.3, 2.4)
"""Skin beside a line bulges and catches the light: how much lighter, as a share of the line's depth, and how much
wider."""
_FADE: Final = 0.4
"""Share of a line's length over which it begins and ends."""
_LEAST: Final = 0.02
"""Pulls below this fold nothing."""
_DARK: Final = 10
"""Percentile of the skin's own lightness that counts as its shadow."""
_TONE: Final = (0.35, 0.7)
"""Limits of how much darker, as a natural logarithm, shadow is than skin. A line as deep as 1 would be as dark."""
_HUE: Final = (0.5, 1.6)
"""Limits of how much more one of R, G and B darkens than the others."""
_WARM: Final = (0.8, 1.03, 1.17)
"""How skin darkens in a fold, in R, G and B: light that comes out of skin again is red."""
_SKIN: Final = (14.0, 30.0)
"""Distance in colour (a and b of CIELAB) from the cheeks up to which something is skin, and from which on it is not:
hair, a hat, a painted lip."""
_EYES_APART: Final = 0.72
"""Inter-ocular units between the centres of the average face's eyes."""
_STEPS: Final = 6
"""Samples of a line between two of its points."""
_CHEEKS: Final = (50, 101, 205, 187, 280, 330, 425, 411, 9, 151)
"""Landmarks on cheeks and forehead."""
_NOTHING: Final = 0.004
"""Shade, as a natural logarithm, that nobody sees."""

_Region = tuple[int, int, int, int]


class Creases:
    """The folds of one picture's face, prepared."""

    def __init__(self, picture: Picture, landmarks: Array) -> None:
        """picture (H, W, 3) uint8 RGB; landmarks (478, 3) in its pixels."""
        points = landmarks[:SKIN, :2].astype(np.float32)
        box = box_around(points[OVAL], (picture.shape[1], picture.shape[0]), 0)
        patch = np.ascontiguousarray(picture[box[1] : box[3], box[0] : box[2]])
        unit = float(np.linalg.norm(points[EYES[0].outline].mean(0) - points[EYES[1].outline].mean(0))) / _EYES_APART
        skin = _skin(patch, points - box[:2])
        self._tone = _tone(patch, points - box[:2])
        self._maps: dict[tuple[str, str], tuple[_Region, Array]] = {}
        for side, mirror in (("Left", 1.0), ("Right", -1.0)):
            for name in dict.fromkeys(fold.by for fold in FOLDS):
                shade = sum(
                    (_shade(fold, mirror, points - box[:2], skin.shape, unit) for fold in FOLDS if fold.by == name),
                    np.zeros_like(skin),
                )
                self._maps[name, side] = _cut(shade * skin, box)

    def __call__(self, picture: Picture, expression: Expression) -> Picture:
        """The picture, (H, W, 4) uint8 RGBA, with the folds of an expression; itself where there are none."""
        folded = [
            (pull, self._maps[name, side])
            for side in ("Left", "Right")
            for name, pull in pulls(expression, side).items()
            if pull > _LEAST
        ]
        if not folded:
            return picture
        boxes = np.array([box for _, (box, _) in folded])
        x0, y0 = boxes[:, :2].min(0).tolist()
        x1, y1 = boxes[:, 2:].max(0).tolist()
        shade = np.zeros((y1 - y0, x1 - x0), np.float32)
        for pull, ((left, top, right, bottom), folds) in folded:
            shade[top - y0 : bottom - y0, left - x0 : right - x0] += np.float32(pull) * folds
        creased: Picture = picture.copy()
        region = creased[y0:y1, x0:x1, :3]
        light = cv2.exp(shade[..., None] * -self._tone)
        region[:] = cv2.multiply(region, light, dtype=cv2.CV_8U)
        return creased


def _shade(fold: Fold, mirror: float, points: Array, shape: tuple[int, ...], unit: float) -> Array:
    """(h, w) how dark the fold makes the skin, 1 being the depth of the picture's own shadow."""
    lines = np.zeros(shape, np.float32)
    for path in fold.paths:
        _draw(lines, _placed(path, mirror, points))
    width = max(fold.width * unit, 0.7)
    # The middle of a blurred line one pixel wide is this dark.
    peak = 1 / (np.sqrt(2 * np.pi) * width)
    deep = cv2.GaussianBlur(lines, (0, 0), width)
    share, wider = _SHOULDERS
    light = cv2.GaussianBlur(lines, (0, 0), width * wider)
    return np.asarray((deep - share * light) * (fold.depth / peak), np.float32)


def _placed(path: Path, mirror: float, points: Array) -> Array:
    """(N, 2) a path of the average face on a face whose landmarks are `points`, (468, 2), sampled densely."""
    corners, weights = _on_triangles(path, mirror)
    return np.asarray((points[corners] * weights[..., None]).sum(1), np.float32)


@cache
def _on_triangles(path: Path, mirror: float) -> tuple[Indices, Array]:
    """Landmarks around each sample of a path, (N, 3), and how much it belongs to each of them, (N, 3)."""
    mean = canonical().shape[:SKIN, :2]
    corners = triangles()
    a, b, c = (mean[corners[:, i]] for i in range(3))
    sampled = smooth_line(np.array(path, np.float32), steps=_STEPS) * np.array([mirror, 1], np.float32)
    at = sampled[:, None] - a
    area = _cross(b - a, c - a)
    of_b, of_c = _cross(at, c - a) / area, _cross(b - a, at) / area
    weights = np.stack([1 - of_b - of_c, of_b, of_c], -1)
    inside = weights.min(-1).argmax(1)
    return corners[inside], np.asarray(weights[np.arange(len(sampled)), inside], np.float32)


def _cross(a: Array, b: Array) -> Array:
    return np.asarray(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0], np.float32)


def _draw(lines: Array, places: Array) -> None:
    """Draw (N, 2) places as a line one pixel wide that fades towards its ends. In place."""
    along = np.linspace(0, 1, len(places) - 1)
    strength = smoothstep(np.minimum(along, 1 - along) / _FADE + 0.1)
    fixed = np.rint(places).astype(int).tolist()
    for start, end, value in zip(fixed[:-1], fixed[1:], strength.tolist(), strict=True):
        cv2.line(lines, start, end, value)


def _skin(patch: Picture, points: Array) -> Array:
    """(h, w) 0 to 1: how surely each pixel is skin, by its colour against the cheeks'."""
    colour = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2LAB), (0, 0), 1.5)[..., 1:].astype(np.float32)
    x, y = _inside(points[list(_CHEEKS)], patch)
    away = np.linalg.norm(colour - np.median(colour[y, x], axis=0), axis=2)
    sure = 1 - smoothstep((away - _SKIN[0]) / (_SKIN[1] - _SKIN[0]))
    return np.asarray(cv2.GaussianBlur(sure, (0, 0), 1.5), np.float32)


def _tone(patch: Picture, points: Array) -> Array:
    """(3,) how much darker, as natural logarithms, the shadows of this skin are than its middle, in R, G and B."""
    features = np.concatenate([LIPS, *(np.concatenate([eye.outline, eye.brow]) for eye in EYES)])
    x, y = _inside(np.delete(points, features, axis=0), patch)
    colours = cv2.GaussianBlur(patch, (0, 0), 1.5)[y, x].astype(np.float32) + 1
    light = colours.mean(1)
    dark = np.median(colours[light <= np.percentile(light, _DARK)], axis=0)
    ratio = np.log(np.maximum(np.median(colours, axis=0) / dark, 1.01))
    depth = float(ratio.mean())
    hue = (np.clip(ratio / depth, *_HUE) + _WARM) / 2
    return np.asarray(hue / hue.mean() * np.clip(depth, *_TONE), np.float32)


def _inside(points: Array, patch: Picture) -> tuple[Array, Array]:
    """x and y of (N, 2) points as indices of a picture."""
    x, y = np.clip(np.rint(points).astype(int), 0, [patch.shape[1] - 1, patch.shape[0] - 1]).T
    return x, y


def _cut(shade: Array, box: _Region) -> tuple[_Region, Array]:
    """The part of (h, w) that is not 0: where it is in the picture of which `box` is seen, and itself."""
    y, x = np.nonzero(np.abs(shade) > _NOTHING)
    if not len(x):
        return (box[0], box[1], box[0], box[1]), np.zeros((0, 0), np.float32)
    left, top, right, bottom = int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1
    region = (box[0] + left, box[1] + top, box[0] + right, box[1] + bottom)
    return region, np.ascontiguousarray(shade[top:bottom, left:right])
