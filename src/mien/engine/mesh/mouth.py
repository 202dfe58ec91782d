"""What shows when lips part: a dark cavity, teeth and tongue, in the picture's own colours and grain."""

from __future__ import annotations

import cv2
import numpy as np

from mien.engine.mesh.blend import blend, box_around, line_mask, polygon_mask, smooth_outline
from mien.engine.mesh.geometry import Motion, smoothstep
from mien.engine.mesh.topology import LIP_LOWER_INNER, LIP_LOWER_OUTER, LIP_UPPER_INNER, LIP_UPPER_OUTER, MOUTH
from mien.types import Array, Expression, Picture

_TEETH = (160, 56)
"""Width and height of the painted rows of teeth; the mouth's width at rest is 120 of them."""


class Mouth:
    """The inside of an avatar's mouth, prepared."""

    def __init__(self, picture: Picture, landmarks: Array) -> None:
        """picture (H, W, 3) uint8 RGB, landmarks (478, 3) in its pixels."""
        points = landmarks[:, :2].astype(np.float32)
        height, width = picture.shape[:2]
        self._rest = points
        self.width = float(np.linalg.norm(points[291] - points[61]))
        lips = np.concatenate([LIP_UPPER_OUTER, LIP_LOWER_OUTER[-2:0:-1]])
        box = box_around(points[lips], (width, height), 4)
        x0, y0, x1, y1 = box
        patch = picture[y0:y1, x0:x1].astype(np.float32)
        red = polygon_mask(points[lips], box) - polygon_mask(points[MOUTH], box)
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
        self.tooth = self._tooth_colour(picture, points, lip_colour)
        self._upper = _paint_teeth(8, 1.0)
        self._lower = _paint_teeth(8, 0.8)
        self._grain = _grain(picture, points)

    def _tooth_colour(self, picture: Picture, points: Array, lip: Array) -> Array:
        """As light as the light parts of the face, a little warm: teeth of a painting are in its own palette."""
        face = box_around(points[:468], (picture.shape[1], picture.shape[0]), 0)
        skin = picture[face[1] : face[3], face[0] : face[2]].reshape(-1, 3).astype(np.float32)
        light = np.percentile(skin, 97, axis=0)
        grey = light.mean()
        return np.asarray(np.minimum(1.02 * (0.6 * light + 0.4 * grey), 245), np.float32)

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
        parted = float(smoothstep(np.array(opening / 0.05)))
        if parted < 1:
            # Where lips meet there is a dark line, thinning towards the corners.
            line = line_mask((upper + lower) / 2, box, width=max(1.0, self.width * 0.022))
            blend(picture, box, self.line, line * (0.55 * (1 - parted)))
        if opening < 0.012:
            return
        mask = polygon_mask(smooth_outline(places[MOUTH]), box, soften=0.7)
        blend(picture, box, self._inside(places, motion, expression, box, opening), mask)

    def _inside(
        self, places: Array, motion: Motion, expression: Expression, box: tuple[int, int, int, int], opening: float
    ) -> Array:
        """(h, w, 3) the inside of the mouth as seen in the box."""
        size = (box[2] - box[0], box[3] - box[1])
        inside = np.broadcast_to(self.cavity, (size[1], size[0], 3)).copy()
        along = places[308] - places[78]
        angle = float(np.arctan2(along[1], along[0]))
        down = np.array([-np.sin(angle), np.cos(angle)], np.float32)
        unit = self.width
        jaw = float(np.dot((places[14] + places[13]) / 2 - places[13], down)) * 2
        show = float(smoothstep(np.array((opening - 0.05) / 0.12)))
        middle = (places[13] + places[14]) / 2
        # Tongue: a soft mound on the floor of the mouth.
        tongue_at = places[14] - down * (0.02 * unit) + down * (0.10 * unit)
        yy, xx = np.mgrid[box[1] : box[3], box[0] : box[2]].astype(np.float32)
        dx, dy = xx - tongue_at[0], yy - tongue_at[1]
        u = (dx * np.cos(angle) + dy * np.sin(angle)) / (0.30 * unit)
        v = (-dx * np.sin(angle) + dy * np.cos(angle)) / (max(0.30 * jaw, 0.02 * unit) + 0.10 * unit)
        mound = 1 - smoothstep((np.hypot(u, v) - 0.45) / 0.55)
        inside += (mound * 0.85 * show)[..., None] * (self.tongue - inside)
        # Teeth: the upper row hangs from the head, the lower one rides on the jaw.
        reveal_up = 0.35 + 0.65 * max(expression["mouthUpperUpLeft"], expression["mouthUpperUpRight"])
        smile = max(expression["mouthSmileLeft"], expression["mouthSmileRight"])
        reveal_up = min(1.0, reveal_up + 0.3 * smile)
        self._teeth(inside, self._upper, places[13] - down * (0.15 - 0.05 * reveal_up) * unit, angle, box, show, 1.0)
        low = max(expression["mouthLowerDownLeft"], expression["mouthLowerDownRight"])
        at = places[14] + down * (0.17 - 0.09 * low) * unit
        self._teeth(inside, self._lower[::-1], at, angle, box, show * 0.9, 0.8)
        # The upper lip throws a shadow, and light falls off to the corners.
        depth = ((xx - middle[0]) * down[0] + (yy - middle[1]) * down[1]) / max(opening * unit, 1)
        side = np.abs((xx - middle[0]) * np.cos(angle) + (yy - middle[1]) * np.sin(angle)) / (0.5 * unit)
        light = (0.72 + 0.28 * smoothstep((depth + 0.55) / 0.4)) * (1 - 0.55 * smoothstep((side - 0.35) / 0.6))
        inside *= light[..., None]
        grain = self._grain[: size[1], : size[0]] if min(self._grain.shape[:2]) >= max(size) else None
        if grain is not None:
            inside += grain[..., None] * (0.4 + inside.mean(-1, keepdims=True) / 255)
        return inside

    def _teeth(
        self,
        inside: Array,
        row: Array,
        at: Array,
        angle: float,
        box: tuple[int, int, int, int],
        show: float,
        light: float,
    ) -> None:
        """Lay a painted row of teeth, its upper middle at `at`, over the inside. In place."""
        scale = self.width / 120
        cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
        linear = np.array([[cos, -sin], [sin, cos]], np.float32)
        upside = row is not self._upper
        anchor = np.array([_TEETH[0] / 2, _TEETH[1] if upside else 0], np.float32)
        anchor[1] = 0 if not upside else 0
        offset = at - [box[0], box[1]] - linear @ anchor
        affine = np.concatenate([linear, np.asarray(offset, np.float32)[:, None]], 1)
        laid = cv2.warpAffine(row, affine, (inside.shape[1], inside.shape[0]), flags=cv2.INTER_LINEAR)
        inside += (laid[..., 1] * show)[..., None] * (self.tooth * light * laid[..., :1] - inside)


def _paint_teeth(count: int, length: float) -> Array:
    """(h, w, 2) float32: shade and alpha of a row of teeth, gums up, seen from the front."""
    width, height = _TEETH
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u = (x - width / 2) / (width / 2)
    # The arch turns away to the sides: teeth narrow and darken there.
    around = np.arcsin(np.clip(u, -0.999, 0.999)) / (np.pi / 2)
    part = np.abs((around * count / 2) % 1 - 0.5) * 2
    gap = smoothstep((part - 0.86) / 0.14)
    tip = (
        height * (0.62 * length + 0.10 * np.sqrt(np.clip(1 - u * u, 0, 1))) * (1 - 0.06 * smoothstep((part - 0.5) * 2))
    )
    alpha = (1 - smoothstep((y - tip) / 4)) * (1 - smoothstep((np.abs(u) - 0.86) / 0.14))
    shade = (0.72 + 0.28 * np.sqrt(np.clip(1 - u * u, 0, 1))) * (1 - 0.22 * gap) * (0.86 + 0.14 * y / height)
    return np.stack([shade, alpha], -1).astype(np.float32)


def _grain(picture: Picture, points: Array) -> Array:
    """(h, w) float32 fine structure of a cheek (brush strokes, film grain), tiled to the size of a mouth."""
    side = int(np.linalg.norm(points[291] - points[61]) * 0.6)
    x, y = points[[50, 280]].mean(0) if side < 8 else points[50]
    x0 = int(np.clip(x - side / 2, 0, max(picture.shape[1] - side, 0)))
    y0 = int(np.clip(y - side / 2, 0, max(picture.shape[0] - side, 0)))
    patch = picture[y0 : y0 + side, x0 : x0 + side].astype(np.float32).mean(-1)
    fine = patch - cv2.GaussianBlur(patch, (0, 0), max(1.5, side * 0.05))
    tile = np.hstack([fine, fine[:, ::-1]])
    tile = np.vstack([tile, tile[::-1]])
    return np.tile(tile, (3, 3)).astype(np.float32)
