"""Eyes that look around: the eyeball behind the lids, taken apart into its white and its iris."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.engine.mesh.blend import blend, box_around, line_mask, polygon_mask, smooth_outline
from mien.engine.mesh.curves import ease, smoothstep
from mien.engine.mesh.geometry import Motion
from mien.engine.mesh.topology import EyePoints
from mien.types import Array, Picture

_CONTRAST: Final = 50.0
"""Grey levels by which the white must be lighter than the iris for the picture to say how wide this is."""
_ASIDE, _LARGEST = 0.15, 0.42
"""Widths of the eye by which its middle may lie aside from the landmark's, and its largest radius."""
_LASHES, _THIN = 0.8, 0.25
"""Strength of the line where shut lids meet, and the share of its length over which it thins out at either end."""


class Eye:
    """One eye of an avatar, prepared: what is behind its lids, completed where they hide it."""

    def __init__(self, picture: Picture, landmarks: Array, eye: EyePoints, index: int) -> None:
        """picture (H, W, 3) uint8 RGB, landmarks (478, 3) in its pixels; index 0 for the right eye, 1 for the left."""
        self._eye, self._index = eye, index
        points = landmarks[:, :2]
        self._corners = points[[eye.upper[0], eye.upper[-1]]].astype(np.float32)
        self.width = float(np.linalg.norm(self._corners[1] - self._corners[0]))
        self._opened = float(np.linalg.norm(points[eye.upper[4]] - points[eye.lower[4]]))
        self._iris = points[eye.iris].astype(np.float32)
        rim = np.linalg.norm(points[eye.iris + 1 : eye.iris + 5] - self._iris, axis=1)
        # Lids hide the top and bottom of the rim: the sides say more.
        self.radius = float(np.clip(np.median(rim) * 1.05, 0.12 * self.width, 0.33 * self.width))
        height, width = picture.shape[:2]
        outline = smooth_outline(points[eye.outline])
        self._box = box_around(outline, (width, height), self.width * 0.7)
        x0, y0, x1, y1 = self._box
        patch = picture[y0:y1, x0:x1]
        opening = polygon_mask(outline, self._box)
        self._fit_iris(patch, opening)
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        self._distance = np.hypot(xx - self._iris[0], yy - self._iris[1])
        self._sprite, self._alpha = self._complete_iris(patch, opening)
        self._white = self._complete_white(patch, opening)
        lids = line_mask(points[eye.upper], self._box, width=max(1.5, self.width * 0.05))
        dark = patch[lids > 0.5]
        skin = np.median(patch.reshape(-1, 3), axis=0)
        self.lash = np.percentile(dark, 12, axis=0).astype(np.float32) if len(dark) else skin.astype(np.float32) * 0.5
        self.lash = np.minimum(self.lash, skin.astype(np.float32) * 0.62)

    def _fit_iris(self, patch: Picture, opening: Array) -> None:
        """Take the iris as wide as it is drawn, where it stands out dark against white on both sides: cartoons have
        larger ones than landmarks say, and what is left of one would stay behind when the eye looks aside."""
        light = patch.astype(np.float32).mean(-1)
        x, y = (self._iris - self._box[:2]).tolist()
        reach = max(1, round(0.04 * self.width))
        inside = np.asarray(cv2.erode(opening, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0.9)
        rows = slice(max(round(y - 0.3 * self.radius), 0), round(y + 0.3 * self.radius) + 1)
        seen = np.asarray(inside[rows].any(axis=0))
        if seen.sum() < 6 or not 0 <= round(x) < len(seen):
            return
        across = np.where(inside[rows], light[rows], np.nan)[:, seen]
        columns = np.flatnonzero(seen)
        level = np.nanmedian(across, axis=0)
        white, dark = np.percentile(level, 90), np.median(level[np.abs(columns - x) < 0.7 * self.radius])
        if not white - dark > _CONTRAST:
            return
        outside = columns[level > (white + dark) / 2]
        left, right = outside[outside < x], outside[outside > x]
        if not len(left) or not len(right):
            return
        middle, radius = (left[-1] + right[0]) / 2, (right[0] - left[-1]) / 2
        if abs(middle - x) < _ASIDE * self.width and self.radius < radius < _LARGEST * self.width:
            self._iris = np.array([self._box[0] + middle, self._iris[1]], np.float32)
            self.radius = float(radius)

    def _complete_iris(self, patch: Picture, opening: Array) -> tuple[Array, Array]:
        """The whole iris, (h, w, 3) colours and (h, w) alpha: what lids hide takes the colour at its radius."""
        seen = (opening > 0.9) & (self._distance < self.radius)
        bins = np.clip((self._distance / self.radius * 12).astype(int), 0, 11)
        colours = patch.astype(np.float32)
        profile = np.zeros((12, 3), np.float32)
        usual = colours[seen].mean(0) if seen.any() else colours[self._distance < self.radius].mean(0)
        last = usual
        for i in range(12):
            here = seen & (bins == i)
            last = colours[here].mean(0) if here.sum() >= 3 else last
            profile[i] = last
        steps = np.clip(self._distance / self.radius * 12 - 0.5, 0, 11)
        low = steps.astype(int)
        part = (steps - low)[..., None]
        painted = profile[low] * (1 - part) + profile[np.minimum(low + 1, 11)] * part
        visible = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), 0.8)[..., None]
        visible = np.minimum(visible, smoothstep((opening - 0.5) * 2)[..., None])
        edge = max(1.0, 0.16 * self.radius)
        alpha = 1 - smoothstep((self._distance - self.radius + edge * 0.5) / edge)
        return np.asarray(painted + visible * (colours - painted), np.float32), alpha

    def _complete_white(self, patch: Picture, opening: Array) -> Array:
        """The eyeball without its iris, (h, w, 3): the white that shows, spread under lids and iris."""
        # Not what lies close to the lids: their shadow and lashes are not the eyeball's colour.
        reach = max(1, round(0.05 * self.width))
        inner = cv2.erode(opening, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
        seen = (inner > 0.95) & (self._distance > self.radius * 1.12)
        if seen.sum() < 12:
            # No white shows (an animal, a narrowed eye): the eyeball's own mean, a little lighter.
            base = patch[opening > 0.5].reshape(-1, 3).mean(0) if (opening > 0.5).any() else np.full(3, 128.0)
            return np.full(patch.shape, base * 1.1, np.float32)
        # A highlight is no colour of the white; spread, it would light up the whole eye.
        lightest = np.percentile(patch[seen], 70, axis=0)
        colours = np.minimum(patch, lightest).astype(np.float32) * seen[..., None]
        filled = np.zeros_like(colours)
        known = np.zeros(seen.shape, np.float32)
        # Near colours first, then ever wider averages for what is far from any white.
        for sigma in (0.06, 0.15, 0.4, 1.0):
            blur = cv2.GaussianBlur(colours, (0, 0), sigma * self.width)
            weight = cv2.GaussianBlur(seen.astype(np.float32), (0, 0), sigma * self.width)
            share = (1 - known) * np.clip(weight * 4, 0, 1)
            filled += share[..., None] * blur / np.maximum(weight, 1e-4)[..., None]
            known += share
        filled += (1 - known)[..., None] * np.minimum(patch[seen], lightest).mean(0)
        # What shows of the white itself stays as it is, right up to the lids.
        own = smoothstep((opening - 0.5) * 2) * smoothstep((self._distance / self.radius - 1.05) / 0.15)
        soft = np.asarray(cv2.GaussianBlur(own, (0, 0), max(0.8, 0.03 * self.width)))
        return np.asarray(filled + soft[..., None] * (patch - filled), np.float32)

    def draw(self, picture: Picture, motion: Motion) -> None:
        """Put the eyeball into the opening between the lids of an already warped picture. In place."""
        height, width = picture.shape[:2]
        places = motion.skin
        outline = smooth_outline(places[self._eye.outline])
        box = box_around(outline, (width, height), 2 + self.width * 0.05)
        if box[2] - box[0] < 2 or box[3] - box[1] < 2:
            return
        closed = float(motion.closed[self._index])
        moved = self._moved(places, motion)
        if closed < 0.97 and moved > 0.01:
            opening = polygon_mask(outline, box, soften=0.6) * np.float32(moved)
            ball = self._place(self._white, places, None, box)
            sprite = self._place(self._sprite, places, motion.irises[self._index], box)
            alpha = self._place(self._alpha, places, motion.irises[self._index], box)[..., None]
            ball += alpha * (sprite - ball)
            blend(picture, box, ball, opening)
        if closed > 0.3:
            strength = ease((closed - 0.3) / 0.6)
            lash = line_mask(places[self._eye.upper], box, width=max(1.6, self.width * 0.04))
            blend(picture, box, self.lash, lash * _thinning(places[self._eye.upper], box) * (_LASHES * strength))

    def _moved(self, places: Array, motion: Motion) -> float:
        """0 where the eye rests, and the picture's own pixels are the best there is, to 1 where it looks elsewhere or
        opens differently."""
        corners = places[[self._eye.upper[0], self._eye.upper[-1]]]
        look = motion.irises[self._index] - self._iris - (corners - self._corners).mean(0)
        opened = np.linalg.norm(places[self._eye.upper[4]] - places[self._eye.lower[4]])
        change = max(float(np.linalg.norm(look)) / 0.05, abs(float(opened) - self._opened) / 0.06) / self.width
        return ease((change - 0.2) / 0.8)

    def _place(self, layer: Array, places: Array, iris: Array | None, box: tuple[int, int, int, int]) -> Array:
        """A layer of the eyeball turned and scaled with the corners of the eye, its iris brought to `iris`."""
        corners = places[[self._eye.upper[0], self._eye.upper[-1]]]
        before, after = self._corners[1] - self._corners[0], corners[1] - corners[0]
        factor = complex(*after) / complex(*before)
        linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]], np.float32)
        origin, target = (self._iris, iris) if iris is not None else (self._corners.mean(0), corners.mean(0))
        offset = target - [box[0], box[1]] - linear @ (origin - [self._box[0], self._box[1]])
        affine = np.concatenate([linear, np.asarray(offset, np.float32)[:, None]], 1)
        size = (box[2] - box[0], box[3] - box[1])
        border = cv2.BORDER_REPLICATE if layer.ndim == 3 else cv2.BORDER_CONSTANT
        return np.asarray(cv2.warpAffine(layer, affine, size, flags=cv2.INTER_LINEAR, borderMode=border), np.float32)


def _thinning(line: Array, box: tuple[int, int, int, int]) -> Array:
    """(h, w) 1 along the middle of a line of (N, 2) points, 0 beyond its ends."""
    along = line[-1] - line[0]
    yy, xx = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float32)
    share = ((xx - line[0, 0]) * along[0] + (yy - line[0, 1]) * along[1]) / max(float(along @ along), 1e-6)
    return smoothstep(np.minimum(share, 1 - share) / _THIN)
