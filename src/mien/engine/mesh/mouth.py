"""What shows when lips part: a dark cavity, teeth and tongue, in the picture's own colours and grain."""

from __future__ import annotations

import cv2
import numpy as np

from mien.engine.mesh.blend import blend, box_around, line_mask, polygon_mask, smooth_outline
from mien.engine.mesh.curves import ease, smoothstep
from mien.engine.mesh.geometry import Motion
from mien.engine.mesh.grain import grain
from mien.engine.mesh.topology import (
    EYES,
    LIP_LOWER_INNER,
    LIP_UPPER_INNER,
    LIPS,
    MOUTH,
    OVAL,
)
from mien.types import Array, Expression, Picture

_TEETH = (216, 90)
"""Width and height of the painted rows of teeth; the mouth's width at rest is 120 of them. They reach beyond it, for a
mouth that is drawn aside shows the teeth of that side."""
_TIP = 80
"""Height of the biting edge in it."""
_TINT = 0.65
"""How much of the picture's light teeth take the colour of; the rest is their own, a warm white."""
_OVERBITE = 0.045
"""How far shut upper teeth hang over the lower ones, in widths of the mouth."""
_LOWER_TEETH = 0.15
"""How much of the lower teeth is to be seen over a lip that is not drawn down."""
_CORNERS = 0.5
"""How much darker the mouth is in its corners."""
_SOFT = 0.012
"""Softness of the lips' inner edge, in widths of the mouth."""
_EDGE = 0.035
"""How far below the line of the closed lips the upper teeth end, in widths of the mouth."""


class Mouth:
    """The inside of an avatar's mouth, prepared."""

    def __init__(self, picture: Picture, landmarks: Array) -> None:
        """picture (H, W, 3) uint8 RGB, landmarks (478, 3) in its pixels."""
        points = landmarks[:, :2].astype(np.float32)
        height, width = picture.shape[:2]
        self._rest = points
        self.width = float(np.linalg.norm(points[291] - points[61]))
        box = box_around(points[LIPS], (width, height), 4)
        x0, y0, x1, y1 = box
        patch = picture[y0:y1, x0:x1].astype(np.float32)
        red = polygon_mask(points[LIPS], box) - polygon_mask(points[MOUTH], box)
        lip = patch[red > 0.9] if (red > 0.9).sum() > 10 else patch.reshape(-1, 3)
        lip_colour = np.median(lip, axis=0)
        line = line_mask(points[LIP_UPPER_INNER], box, width=2)
        darkest = np.percentile(patch[line > 0.4], 15, axis=0) if (line > 0.4).any() else lip_colour * 0.5
        self.line = np.minimum(darkest, lip_colour * 0.7).astype(np.float32)
        # A cavity is the lips' own hue, with nearly all light gone.
        self.cavity = (0.55 * self.line * np.array([1, 0.75, 0.75]) * 0.45 + 0.45 * lip_colour * 0.12).astype(
            np.float32
        )
        self.tongue = (0.62 * lip_colour * np.array([1, 0.82, 0.85])).astype(np.float32)
        self.tooth = self._tooth_colour(picture, points)
        self._upper = _paint_teeth(10)
        self._lower = np.ascontiguousarray(_paint_teeth(12)[::-1]) * np.array([0.85, 1], np.float32)
        self._grain = grain(picture, points)

    def _tooth_colour(self, picture: Picture, points: Array) -> Array:
        """As light as the light parts of the skin or the white of the eyes, whichever is lighter, and a little warm:
        teeth of a painting are in its own palette."""
        size = (picture.shape[1], picture.shape[0])
        candidates = [np.full(3, 60.0)]
        for outline, share in ((OVAL, 96), *((eye.outline, 90) for eye in EYES)):
            x0, y0, x1, y1 = box = box_around(points[outline], size, 0)
            inside = picture[y0:y1, x0:x1][polygon_mask(points[outline], box) > 0.9]
            if len(inside) > 10:
                candidates.append(np.percentile(inside, share, axis=0))
        light = max(candidates, key=lambda colour: float(colour.mean()))
        own = _TINT * light + (1 - _TINT) * light.mean() * np.array([1.03, 1.0, 0.93])
        return np.asarray(np.minimum(own, 235), np.float32)

    def draw(self, picture: Picture, motion: Motion, expression: Expression) -> None:
        """Fill the opening between the lips of an already warped picture. In place."""
        height, width = picture.shape[:2]
        places = motion.skin
        upper, lower = places[LIP_UPPER_INNER], places[LIP_LOWER_INNER]
        gaps = np.linalg.norm(lower - upper, axis=1)
        opening = float(gaps[3:8].mean()) / self.width
        box = box_around(places[MOUTH], (width, height), 3)
        if box[2] - box[0] < 2 or box[3] - box[1] < 2:
            return
        parted = ease(opening / 0.05)
        if parted < 1:
            # Where lips meet there is a dark line, thinning towards the corners.
            line = line_mask((upper + lower) / 2, box, width=max(1.0, self.width * 0.022))
            blend(picture, box, self.line, line * (0.55 * (1 - parted)))
        if opening < 0.012:
            return
        mask = polygon_mask(smooth_outline(places[MOUTH]), box, soften=max(0.7, _SOFT * self.width))
        blend(picture, box, self._inside(motion, expression, box, opening), mask)

    def _inside(self, motion: Motion, expression: Expression, box: tuple[int, int, int, int], opening: float) -> Array:
        """(h, w, 3) the inside of the mouth as seen in the box; `opening` in widths of the mouth."""
        places = motion.skin
        along = places[308] - places[78]
        angle = float(np.arctan2(along[1], along[0]))
        down = np.array([-np.sin(angle), np.cos(angle)], np.float32)
        yy, xx = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float32)
        middle = (places[13] + places[14]) / 2
        # Every pixel's place along the mouth and across it, in widths of the mouth.
        x = ((xx - middle[0]) * down[1] - (yy - middle[1]) * down[0]) / self.width
        y = ((xx - middle[0]) * down[0] + (yy - middle[1]) * down[1]) / self.width
        # Light still reaches between lips that hardly part.
        dark = self.line + ease((opening - 0.02) / 0.2) * (self.cavity - self.line)
        inside = np.broadcast_to(dark, (*x.shape, 3)).copy()
        # Barely parted lips show nothing but the dark between them.
        show = ease((opening - 0.05) / 0.12)
        floor = float(np.dot(places[14] - middle, down)) / self.width
        self._lay_tongue(inside, x, y - floor, opening, show)
        # The upper row hangs from the skull, the lower one rides on the jaw, and lips only uncover them.
        edge = motion.teeth + down * (_EDGE * self.width)
        lowered = max(expression["mouthLowerDownLeft"], expression["mouthLowerDownRight"])
        lip = float(np.dot(places[14] - edge, down))
        dropped = max(motion.jaw - _OVERBITE * self.width, lip - (0.1 + 0.1 * lowered) * self.width)
        bared = _LOWER_TEETH + (1 - _LOWER_TEETH) * ease(lowered / 0.5)
        self._lay_teeth(inside, self._lower, edge + down * dropped, angle, box, 0.82 * show * bared)
        self._lay_teeth(inside, self._upper, edge, angle, box, show)
        # The upper lip throws a shadow, and light falls off to the corners of the opening.
        shadow = 0.72 + 0.28 * smoothstep((y / max(opening, 0.01) + 0.55) / 0.4)
        aside = np.abs(x) * (2 * self.width / max(float(np.linalg.norm(along)), 1.0))
        inside *= (shadow * (1 - _CORNERS * smoothstep((aside - 0.45) / 0.55)))[..., None]
        height, width = x.shape
        if height <= self._grain.shape[0] and width <= self._grain.shape[1]:
            inside += self._grain[:height, :width, None] * (0.4 + inside.mean(-1, keepdims=True) / 255)
        return np.asarray(inside, np.float32)

    def _lay_tongue(self, inside: Array, x: Array, y: Array, opening: float, show: float) -> None:
        """A soft mound on the floor of the mouth; `y` from the lower lip. In place."""
        mound = np.hypot(x / 0.30, (y - 0.08) / (max(0.45 * opening, 0.02) + 0.10))
        inside += ((1 - smoothstep((mound - 0.45) / 0.55)) * 0.85 * show)[..., None] * (self.tongue - inside)

    def _lay_teeth(
        self, inside: Array, row: Array, edge: Array, angle: float, box: tuple[int, int, int, int], show: float
    ) -> None:
        """Lay a painted row of teeth, the middle of its biting edge at `edge`, over the inside. In place."""
        scale = self.width / 120
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        linear = np.array([[cos, -sin], [sin, cos]], np.float32)
        anchor = np.array([_TEETH[0] / 2, _TIP if row is self._upper else _TEETH[1] - _TIP], np.float32)
        offset = edge - [box[0], box[1]] - linear @ anchor
        affine = np.concatenate([linear, np.asarray(offset, np.float32)[:, None]], 1)
        laid = cv2.warpAffine(row, affine, (inside.shape[1], inside.shape[0]), flags=cv2.INTER_LINEAR)
        # Shade is the mouth's own dark, not grey.
        shaded = self.cavity + laid[..., :1] * (self.tooth - self.cavity)
        inside += (laid[..., 1] * show)[..., None] * (shaded - inside)


def _paint_teeth(count: int) -> Array:
    """(h, w, 2) float32: shade and alpha of a row of teeth, gums up, seen from the front."""
    width, height = _TEETH
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u = (x - width / 2) / (width / 2)
    # The arch turns away to the sides: teeth narrow and darken there.
    round_ = np.sqrt(np.clip(1 - u * u, 0, 1))
    around = np.arcsin(np.clip(u, -0.999, 0.999)) / (np.pi / 2)
    part = np.abs((around * count / 2) % 1 - 0.5) * 2
    gap = smoothstep((part - 0.84) / 0.16)
    tip = _TIP - 4 * (1 - round_) - 1.5 * smoothstep((part - 0.5) * 2)
    alpha = (1 - smoothstep((y - tip) / 3)) * (1 - smoothstep((np.abs(u) - 0.88) / 0.12))
    shade = (0.64 + 0.36 * round_) * (1 - 0.08 * gap) * (0.85 + 0.15 * np.clip(y / _TIP, 0, 1))
    return np.stack([shade, alpha], -1).astype(np.float32)
