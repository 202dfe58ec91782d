"""Lids that close cleanly: the skin an eye would show if it were not there, laid over lashes that the warp would smear.

A drawn eye has a thick dark edge, a photographed one has lashes and shadow. Stretched over a closing eye they become a
black smear. So where such an edge is, a closing lid takes the colours of the skin around the eye instead.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.engine.mesh.blend import blend, box_around, polygon_mask, smooth_outline
from mien.engine.mesh.curves import ease, smoothstep
from mien.engine.mesh.geometry import Motion
from mien.engine.mesh.grain import grain
from mien.engine.mesh.topology import EyePoints
from mien.types import Array, Picture

_ABOVE, _BELOW, _ASIDE = 0.2, 0.14, 0.12
"""Widths of the eye by which lashes and the drawn edge reach beyond the opening."""
_DARKER: Final = (0.2, 0.2)
"""Share by which a lid's edge must be darker than its skin for the skin to be laid over it, and the range over which
this grows to the full."""
_SHADOW: Final = (0.6, 0.8)
"""Lightness against the skin below the eye: up to the first it is a line or hair, from the second on skin."""
_REACHES: Final = ((0.08, 1.0), (0.25, 0.05), (0.6, 0.002))
"""Widths of the eye over which skin is averaged, and the weight of each average: a near one counts where there is
one."""
_SHADE: Final = 0.96
"""Lids lie a little in the shadow of the brow."""
_GRAIN: Final = 0.6
"""How much of a cheek's fine structure a lid has."""
_SOFT: Final = 0.07
"""Softness of the border, in widths of the eye."""


class Lid:
    """The skin of one eye's lids, prepared."""

    def __init__(self, picture: Picture, landmarks: Array, eye: EyePoints, brow: Array) -> None:
        """picture (H, W, 3) uint8 RGB; landmarks (478, 3) and the points of the brow, (N, 2), in its pixels."""
        self._eye = eye
        points = landmarks[:, :2].astype(np.float32)
        self._corners = points[[eye.upper[0], eye.upper[-1]]]
        self._width = float(np.linalg.norm(self._corners[1] - self._corners[0]))
        outline = smooth_outline(points[eye.outline])
        size = (picture.shape[1], picture.shape[0])
        self._box = box = box_around(outline, size, self._width * 0.6)
        patch = np.ascontiguousarray(picture[box[1] : box[3], box[0] : box[2]])
        region = self._region(points, box)
        self._grain = grain(picture, points)
        hull = np.asarray(cv2.convexHull(np.ascontiguousarray(brow))[:, 0], np.float32)
        self._skin = self._without_eye(patch, region, polygon_mask(hull, box), points)
        self._alpha = np.asarray(cv2.GaussianBlur(region, (0, 0), max(0.8, _SOFT * self._width)), np.float32)
        self._strength = self._needed(patch, points, box)

    def _region(self, points: Array, box: tuple[int, int, int, int]) -> Array:
        """(h, w) 0 to 1: the opening with its lashes."""
        along = (self._corners[1] - self._corners[0]) / self._width
        down = np.array([-along[1], along[0]], np.float32) * self._width
        upper, lower = points[self._eye.upper] - _ABOVE * down, points[self._eye.lower] + _BELOW * down
        upper[[0, -1]] += 0.5 * _ABOVE * down
        lower[[0, -1]] -= 0.5 * _BELOW * down
        aside = _ASIDE * self._width * along
        around = np.concatenate([[self._corners[0] - aside], upper, [self._corners[1] + aside], lower[::-1]])
        return polygon_mask(around.astype(np.float32), box)

    def _without_eye(self, patch: Picture, region: Array, brow: Array, points: Array) -> Array:
        """(h, w, 3) the patch with skin in the place of the eye: the average of the skin around it, the nearer the
        heavier. Lashes, lines and the brow are darker than skin, and do not count."""
        colours = patch.astype(np.float32)
        x, y = np.rint(points[self._eye.bag] - self._box[:2]).astype(int).T
        calm = np.asarray(cv2.GaussianBlur(colours, (0, 0), max(1.0, 0.04 * self._width)))
        below = np.median(calm[np.clip(y, 0, len(calm) - 1), np.clip(x, 0, calm.shape[1] - 1)], axis=0)
        light = calm.mean(-1) / max(float(below.mean()), 1.0)
        is_skin = smoothstep((light - _SHADOW[0]) / (_SHADOW[1] - _SHADOW[0])) * (region < 0.02) * (brow < 0.02)
        filled, weight = np.zeros_like(colours), np.full(light.shape, 1e-6, np.float32)
        filled += weight[..., None] * below.astype(np.float32)
        for reach, share in _REACHES:
            sigma = reach * self._width
            weight += share * np.asarray(cv2.GaussianBlur(is_skin, (0, 0), sigma), np.float32)
            filled += share * np.asarray(cv2.GaussianBlur(colours * is_skin[..., None], (0, 0), sigma), np.float32)
        filled *= _SHADE / weight[..., None]
        height, width = light.shape
        fine = self._grain[:height, :width]
        filled[: fine.shape[0], : fine.shape[1]] += _GRAIN * fine[..., None]
        return np.clip(filled, 0, 255)

    def _needed(self, patch: Picture, points: Array, box: tuple[int, int, int, int]) -> float:
        """0 to 1: how much the edge of the upper lid differs from its skin."""
        edge = points[self._eye.upper[1:-1]]
        crease = points[self._eye.crease]
        band = np.concatenate([edge + t * (crease - edge) for t in (0.0, 0.15, 0.3, 0.45, 0.6)]) - [box[0], box[1]]
        x, y = np.clip(np.rint(band).astype(int), 0, [patch.shape[1] - 1, patch.shape[0] - 1]).T
        seen, skin = patch[y, x].mean(-1), self._skin[y, x].mean(-1)
        darkest = float(np.percentile(seen / np.maximum(skin, 1), 25))
        return ease((1 - darkest - _DARKER[0]) / _DARKER[1])

    def draw(self, picture: Picture, motion: Motion, index: int) -> None:
        """Lay the skin over the closing lids of an already warped picture, in place. `index` 0 for the right eye."""
        closed = float(motion.closed[index])
        if closed * self._strength < 0.02:
            return
        places = motion.skin
        corners = places[[self._eye.upper[0], self._eye.upper[-1]]]
        factor = complex(*(corners[1] - corners[0])) / complex(*(self._corners[1] - self._corners[0]))
        linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]], np.float32)
        height, width = picture.shape[:2]
        outline = smooth_outline(places[self._eye.outline])
        box = box_around(outline, (width, height), self._width * 0.75)
        size = (box[2] - box[0], box[3] - box[1])
        offset = corners.mean(0) - [box[0], box[1]] - linear @ (self._corners.mean(0) - [self._box[0], self._box[1]])
        affine = np.concatenate([linear, np.asarray(offset, np.float32)[:, None]], 1)
        skin = cv2.warpAffine(self._skin, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        alpha = cv2.warpAffine(self._alpha, affine, size, flags=cv2.INTER_LINEAR)
        still_open = polygon_mask(outline, box, soften=0.6) * smoothstep(np.array((0.97 - closed) / 0.1))
        strength = self._strength * ease(closed / 0.35)
        blend(picture, box, np.asarray(skin, np.float32), np.asarray(alpha * (1 - still_open) * strength, np.float32))
