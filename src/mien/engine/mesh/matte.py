"""Cuts the head out of a portrait, once: hair, ears and face with a soft edge, without shoulders and background.

A segmentation network says where somebody is, a guided filter (He et al., 2013) moves the edge to where the colours
change, and the colours at the edge are freed of the background (Forte, 2021, "Approximate Fast Foreground Colour
Estimation"). The matte is bent with the picture, so it is as steady as the picture is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.engine.mesh.curves import smoothstep
from mien.engine.mesh.topology import OVAL, SKIN
from mien.face.landmarks import unit_range
from mien.face.pose import head_pose
from mien.types import Array, Picture

EYE_CORNERS, MOUTH_CORNERS = [33, 263], [61, 291]
PeopleFinder = Callable[[Picture, tuple[int, int]], Array]
"""(h, w) float32 in [0, 1], how sure a person is there, for (H, W, 3) uint8 RGB and a size (w, h)."""

_COARSE: Final = 192
"""Pixels of the longer side of the network's map: it sees no more."""
_RADIUS: Final = 0.022
"""Reach of the guided filter, as a share of the picture's longer side."""
_STIFF: Final = 2e-3
"""Variance of the colours, in [0, 1], below which the filter takes them for one surface."""
_CUT: Final = (0.28, 0.8)
"""Opacities that become 0 and 1: less is a haze of background, more is the head."""
_FADE: Final = 0.5
"""Height over which the head fades below the chin, in distances between the outer eye corners."""
_ROWS, _FARTHEST, _ASIDE = 15, 3.0, 0.12
"""Rows beside the eyes in which the head's width is measured, how far, and the width of the soft end beyond it; in
distances between the outer eye corners."""
_JAW: Final = (0.75, 0.95)
"""Distances from the middle of the face, in halves of its width, between which the neck ends and hair can begin."""
_COLOURS, _COMMON, _FEWEST, _SAME, _CALM = 4, 0.15, 200, (10.0, 22.0), 0.006
"""Colours that hair is said to have; share of it that each must have; pixels it takes to know them; distances in Lab
between which a colour is one of them and another; and the blur before and after, as a share of the picture's longer
side."""
_THREAD, _STRANDS = 0.02, 0.06
"""Half the width of what is too thin to hold a part of the matte, and of what may stand out from the rest, as shares of
the picture's longer side."""
_WIDEST: Final = (1.7, 2.2)
"""Distances from the middle of the face, in halves of its width, between which everything fades: a back, somebody
else."""
_EDGE: Final = 0.03
"""Width of the soft edge along the border of the picture, where it cuts through the head, as a share of its side."""
_INSIDE: Final = 0.006
"""How far inside the matte's edge the colours are those of the head alone, as a share of the picture's longer side."""
_WIDE_BLUR, _NEAR_BLUR = 0.15, 0.012
"""Reach of the two steps of the colours' estimate, as shares of the picture's longer side."""


def cut_out(picture: Picture, landmarks: Array, people: PeopleFinder) -> Picture:
    """(H, W, 4) uint8 RGBA, not premultiplied: the head alone, its colours led on a little under its soft edge.

    picture (H, W, 4) uint8 RGBA; landmarks (478, 3) in its pixels. Where the network sees nobody, the face alone.
    """
    rgb = np.ascontiguousarray(picture[..., :3])
    image = unit_range(rgb)
    person = _person(rgb, people)
    refined = guided(image, person, max(2, round(_RADIUS * max(person.shape))), _STIFF)
    soft = smoothstep((refined - _CUT[0]) / (_CUT[1] - _CUT[0]))
    alpha = _connected(soft * _head(image, person, landmarks), landmarks)
    alpha = np.minimum(alpha, picture[..., 3] * np.float32(1 / 255))
    # Taken from a little further inside: a painted or blurred edge holds more of the background than its opacity says.
    colours = foreground(image, np.asarray(cv2.erode(alpha, _disc(_INSIDE * max(alpha.shape))), np.float32))
    whole = np.dstack([colours, alpha]) * 255
    return np.asarray(np.clip(np.rint(whole), 0, 255), np.uint8)


def guided(image: Array, coarse: Array, radius: int, stiff: float) -> Array:
    """(H, W) float32: a coarse map with its edges moved to those of (H, W, 3) float32 colours in [0, 1].

    In every window of `radius` pixels the map is fitted by a plane over the colours.
    """
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Array) -> Array:
        return np.asarray(cv2.blur(values, window, borderType=cv2.BORDER_REFLECT), np.float32)

    colour, level = mean(image), mean(coarse)
    products = mean((image[..., :, None] * image[..., None, :]).reshape(*coarse.shape, 9)[..., [0, 1, 2, 4, 5, 8]])
    spread = products[..., [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(*coarse.shape, 3, 3)
    spread = spread - colour[..., :, None] * colour[..., None, :] + stiff * np.eye(3, dtype=np.float32)
    together = mean(image * coarse[..., None]) - colour * level[..., None]
    slope = np.linalg.solve(spread, together[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * colour).sum(2)
    return np.asarray((mean(slope) * image).sum(2) + mean(offset), np.float32)


def foreground(image: Array, alpha: Array) -> Array:
    """(H, W, 3) float32 colours of what `alpha`, (H, W), shows of an (H, W, 3) image: the background taken off."""
    colours, behind = image, image
    for reach in (_WIDE_BLUR, _NEAR_BLUR):
        size = 2 * max(1, round(reach * max(alpha.shape) / 2)) + 1
        near = _weighted(colours, alpha, size)
        far = _weighted(behind, 1 - alpha, size)
        share = alpha[..., None]
        # The paper has `share` here. To its third power, an opacity a little off draws no dark or light outline.
        colours = np.clip(near + share**3 * (image - share * near - (1 - share) * far), 0, 1)
        behind = far
    return np.asarray(colours, np.float32)


def _weighted(colours: Array, weight: Array, size: int) -> Array:
    """Mean colours of the surroundings of each pixel, by weight."""
    weight = weight + np.float32(1e-4)
    total = cv2.blur(weight, (size, size))[..., None]
    return np.asarray(cv2.blur(colours * weight[..., None], (size, size)) / total, np.float32)


def _person(rgb: Picture, people: PeopleFinder) -> Array:
    """(H, W) float32 in [0, 1]: how sure a person is there."""
    height, width = rgb.shape[:2]
    scale = min(1.0, _COARSE / max(height, width))
    found = people(rgb, (max(1, round(width * scale)), max(1, round(height * scale))))
    return np.asarray(np.clip(cv2.resize(found, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


def _head(image: Array, person: Array, landmarks: Array) -> Array:
    """(H, W) float32: 1 where the head of a face with these landmarks can be, 0 from its shoulders down.

    Hair hangs straight: below the mouth the head is no wider than the person is beside the eyes, and beside the jaw it
    has the colours of the hair.
    """
    pose = head_pose(landmarks)
    cos, sin = float(np.cos(pose.angles[2])), float(np.sin(pose.angles[2]))
    axes = np.array([[cos, sin], [-sin, cos]], np.float32) / np.float32(pose.scale)
    skin = landmarks[:SKIN, :2] @ axes.T
    low, high = skin.min(0), skin.max(0)
    middle, half = float(low[0] + high[0]) / 2, float(high[0] - low[0]) / 2
    y, x = np.indices(person.shape, np.float32)
    across, down = axes[0, 0] * x + axes[0, 1] * y - middle, axes[1, 0] * x + axes[1, 1] * y
    eyes, mouth = float(skin[EYE_CORNERS, 1].mean()), float(skin[MOUTH_CORNERS, 1].mean())
    rows = np.linspace(eyes, (eyes + mouth) / 2, _ROWS, dtype=np.float32)
    left, right = (max(_width(person, axes, middle, rows, side), half) for side in (-1, 1))
    beyond = smoothstep(np.maximum(across - right, -left - across) / _ASIDE - 1)
    beside = smoothstep((np.abs(across) / half - _JAW[0]) / (_JAW[1] - _JAW[0]))
    other = np.maximum(beyond, beside * (1 - _hair_or_neck(image, person, landmarks, across, down)))
    hanging = 1 - other * smoothstep((down - mouth) / (float(high[1]) - mouth) + 0.5)
    below = 1 - smoothstep((down - high[1]) / _FADE)
    widest = 1 - smoothstep((np.abs(across) / half - _WIDEST[0]) / (_WIDEST[1] - _WIDEST[0]))
    rim = _EDGE * max(person.shape)
    border = np.minimum(np.minimum(x, person.shape[1] - 1 - x), np.minimum(y, person.shape[0] - 1 - y)) / rim
    return np.asarray(below * hanging * widest * smoothstep(border), np.float32)


def _hair_or_neck(image: Array, person: Array, landmarks: Array, across: Array, down: Array) -> Array:
    """(H, W) float32: 1 where a picture has the colours of the hair, or, above the chin, those of the face."""
    face = _face(landmarks, person.shape)
    grown = cv2.dilate(face, _disc(_THREAD * max(person.shape)))
    inside, mouth = np.nonzero(face), MOUTH_CORNERS
    chin = float(down[inside].max())
    row = np.rint(landmarks[mouth, 1]).astype(int).clip(0, person.shape[0] - 1)
    lips = float(down[row, np.rint(landmarks[mouth, 0]).astype(int).clip(0, person.shape[1] - 1)].mean())
    near = np.abs(across) < np.abs(across[inside]).max() * _WIDEST[0]
    hair = _like(image, (person > 0.9) & (grown == 0) & (down < lips) & near)
    skin = _like(image, face > 0) * (1 - smoothstep((down - (lips + chin) / 2) / _ASIDE))
    return np.asarray(np.maximum(hair, skin), np.float32)


def _like(image: Array, sample: NDArray[np.bool_]) -> Array:
    """(H, W) float32: 1 where an (H, W, 3) image has the colours that it has in a sample, 0 where it has others."""
    if sample.sum() < _FEWEST:
        return np.ones(sample.shape, np.float32)
    lab = cv2.cvtColor(cv2.GaussianBlur(image, (0, 0), _CALM * max(sample.shape)), cv2.COLOR_RGB2LAB)
    seen = np.ascontiguousarray(lab[sample], np.float32)
    cv2.setRNGSeed(1)
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 10, 0.0)
    _, labels, centres = cv2.kmeans(seen, _COLOURS, np.empty(0), criteria, 1, cv2.KMEANS_PP_CENTERS)
    common = centres[np.bincount(labels.ravel(), minlength=_COLOURS) >= _COMMON * len(seen)]
    off = np.min([np.linalg.norm(lab - centre, axis=2) for centre in common], axis=0)
    like = 1 - smoothstep((off - _SAME[0]) / (_SAME[1] - _SAME[0]))
    return np.asarray(cv2.GaussianBlur(like, (0, 0), _CALM * max(sample.shape)), np.float32)


def _width(person: Array, axes: Array, middle: float, rows: Array, side: int) -> float:
    """How far somebody reaches to one side of the middle of the face, in the median of some rows below the eyes."""
    steps = np.linspace(0, _FARTHEST, 200, dtype=np.float32)
    across, down = np.meshgrid(middle + side * steps, rows)
    frame = np.stack([across, down], -1) @ np.linalg.inv(axes).T.astype(np.float32)
    seen = cv2.remap(person, frame.astype(np.float32), np.empty(0), cv2.INTER_LINEAR, borderValue=0)
    ends = np.argmax(np.column_stack([seen < 0.5, np.ones(len(rows), bool)]), axis=1)
    return float(np.median(np.append(steps, _FARTHEST)[ends]))


def _connected(alpha: Array, landmarks: Array) -> Array:
    """The part of a matte that hangs together with the face, not by a thread; the face itself always."""
    face = _face(landmarks, alpha.shape)
    thread, around = (_disc(share * max(alpha.shape)) for share in (_THREAD, _STRANDS))
    solid = cv2.morphologyEx(np.maximum((alpha > 0.5).astype(np.uint8), face), cv2.MORPH_OPEN, thread)
    _, parts = cv2.connectedComponents(solid, connectivity=4)
    core = (parts == np.bincount(parts[face > 0]).argmax()).astype(np.uint8)
    near = cv2.blur(cv2.dilate(core, around) * np.float32(1), around.shape[::-1])
    blurred = cv2.GaussianBlur(face * np.float32(1), (0, 0), max(0.6, 0.004 * max(alpha.shape)))
    return np.asarray(np.maximum(alpha * near, blurred), np.float32)


def _face(landmarks: Array, shape: tuple[int, ...]) -> Picture:
    """(H, W) uint8, 1 inside the outline of the face."""
    face = np.zeros(shape, np.uint8)
    hull = cv2.convexHull(np.ascontiguousarray(landmarks[OVAL, :2], np.float32))
    cv2.fillConvexPoly(face, np.rint(hull).astype(np.int32), 1)
    return face


def _disc(radius: float) -> Picture:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
