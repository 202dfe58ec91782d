"""How much of a real face a picture still shows, by texture: nothing of the product's own tracker is asked.

Input and output are compared in small windows of the face, at a size at which a face is at most 128 pixels high. A
window is *exposed* where its fine structure (what is left after the light's slow changes are taken out) is the same
in both, by normalised cross-correlation: at least `ALIKE` where the pixels are nearly the same too, or `CERTAIN`
over a large piece.
Smooth skin has no structure to compare; next to exposed structure it counts as exposed too where its pixels differ by
next to nothing. A face is exposed where half of an eye, a nose or a mouth is, or `LARGE` of it in one piece. An avatar
that opens its mouth as wide shows the same dark oval at the same place, so a feature in a small piece must also be the
same in its finest structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.leaks.people import FEATURES
from benchmarks.leaks.stage import Region
from mien.types import Array, Picture

Mask = NDArray[np.bool_]

ALIKE: Final = 0.9
"""Normalised cross-correlation from which a window shows the same, if its pixels are nearly the same too."""
CERTAIN: Final = 0.97
"""Normalised cross-correlation that is enough in a piece of `LARGE`, in whatever light: under a veil, or darkened."""
LARGE: Final = 0.12
"""Share of a whole face that, exposed in one piece, is a face exposed."""
SLIVER: Final = 0.06
"""Share of a whole face from which an exposed piece is mentioned."""
_FEATURE: Final = 0.5
"""Share of a whole eye, nose or mouth."""
_FINEST: Final = 0.7
"""Correlation of the finest structure from which a feature is the same, where there is such structure: .77 and more in
bare faces, noisy, dark or coded at a low bit rate; up to .62 in a mouth that an avatar opens just as wide."""
_HEIGHT: Final = 128
"""Larger faces are compared at this height, pixels."""
_WINDOW: Final = 1 / 9
"""Side of a window in heights of the face, and its least side in pixels."""
_LEAST_WINDOW: Final = 5
_CONTRAST: Final = (0.3, 3.0)
"""Bounds of the output's contrast in a window over the input's."""
_NEAR: Final = 0.35
_NEAR_LEAST: Final = 3.0
"""Mean difference of a window's pixels, in its contrast, and in levels of 255, up to which it is the same picture: an
avatar with the same expression has its eyes and its mouth in the same places."""
_TEXTURE: Final = 0.3
"""Windows with less than so much of the face's own contrast (its 80th percentile) have no structure to compare."""
_FAINT: Final = 0.7
"""Nor have those with less contrast than this, levels of 255: coding noise."""
_SAME: Final = 0.25
"""Smooth skin is the same where the difference is below so much of the face's own contrast, at most `_SAME_MOST`."""
_SAME_MOST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a frame shows of one face."""

    share: float
    """Of the whole face, exposed in one piece, 0 to 1."""
    features: tuple[str, ...]
    """Eyes, nose, mouth that are exposed."""
    visible: float
    """Share of the face that the input shows."""

    @property
    def exposed(self) -> bool:
        return bool(self.features) or self.share >= LARGE

    @property
    def sliver(self) -> bool:
        return not self.exposed and self.share >= SLIVER


def exposure(before: Picture, after: Picture, region: Region) -> Exposure:
    """What (H, W, 3) uint8 RGB `after` shows of a face that is in `before`."""
    size = float(region.whole.sum())
    pieces, labels, scale = shown(before, after, region)
    a, b, _, _ = _scaled(before, after, region)
    whole = region.whole * scale**2
    count, numbered = cv2.connectedComponents(pieces.astype(np.uint8), connectivity=4)
    sizes = np.bincount(numbered[pieces], minlength=count)[1:]
    share = float(sizes.max()) / float(whole.sum()) if sizes.size else 0.0
    features = [
        name
        for label, name in FEATURES.items()
        if np.count_nonzero(pieces & (labels == label)) >= _FEATURE * max(1.0, float(whole[label]))
        and (share >= SLIVER or _finest_alike(a, b, pieces & (labels == label)))
    ]
    visible = float(np.count_nonzero(region.labels)) / size
    return Exposure(min(share, 1.0), tuple(features), min(visible, 1.0))


def shown(before: Picture, after: Picture, region: Region) -> tuple[Mask, Picture, float]:
    """(h, w) bool: pixels of the face that are exposed; (h, w) uint8 labels; and the scale at which both are."""
    a, b, labels, scale = _scaled(before, after, region)
    face = labels > 0
    side = max(_LEAST_WINDOW, round(region.height * scale * _WINDOW)) | 1
    fine_a, fine_b = _fine(a, side), _fine(b, side)
    contrast = _deviation(fine_a, side)
    own = float(np.percentile(contrast[face], 80))
    textured = contrast >= max(_FAINT, _TEXTURE * own)
    difference = cv2.blur(np.abs(a - b), (side, side))
    alike = np.zeros(a.shape, np.float32)
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            alike = np.maximum(alike, _correlation(fine_a, _shifted(fine_b, dx, dy), contrast, side))
    near = difference <= np.maximum(_NEAR_LEAST, _NEAR * contrast)
    smooth = ~textured & (difference <= min(_SAME_MOST, max(1.0, _SAME * own)))
    same = _grown(_widened((alike >= ALIKE) & near & textured & face, side) & face, smooth & face)
    in_any_light = same | _widened((alike >= CERTAIN) & textured & face, side) & face
    # An avatar's grin can have the structure of a grin, so a small piece in another light says nothing.
    return same | _pieces(in_any_light, LARGE * float(region.whole.sum()) * scale**2), labels, scale


def _finest_alike(a: Array, b: Array, where: Mask) -> bool:
    """Whether the structure of single pixels is the same, or none is there to tell, as in a blurred picture."""
    first, second = (luma - cv2.GaussianBlur(luma, (0, 0), 1.2) for luma in (a, b))
    first, second = first[where] - first[where].mean(), second[where] - second[where].mean()
    if first.std() < 1.5 * _FAINT:
        return True
    return float((first * second).mean() / max(first.std() * second.std(), 1e-6)) >= _FINEST


def _scaled(before: Picture, after: Picture, region: Region) -> tuple[Array, Array, Picture, float]:
    """Luma of the face's surroundings in both pictures, and its labels, at the size of comparison; and the scale."""
    margin = round(0.2 * region.height) + 2
    rows, columns = before.shape[:2]
    h, w = region.labels.shape
    y0, y1 = max(0, region.y - margin), min(rows, region.y + h + margin)
    x0, x1 = max(0, region.x - margin), min(columns, region.x + w + margin)
    labels = np.zeros((y1 - y0, x1 - x0), np.uint8)
    labels[region.y - y0 : region.y - y0 + h, region.x - x0 : region.x - x0 + w] = region.labels
    a, b = (cv2.cvtColor(picture[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY) for picture in (before, after))
    scale = min(1.0, _HEIGHT / region.height)
    if scale < 1:
        a, b = (cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) for luma in (a, b))
        labels = cv2.resize(labels, a.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return a.astype(np.float32), b.astype(np.float32), labels, scale


def _fine(luma: Array, side: int) -> Array:
    """Structure smaller than a window, less the grain of single pixels."""
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), 0.7) - cv2.GaussianBlur(luma, (0, 0), side / 2), np.float32)


def _deviation(fine: Array, side: int) -> Array:
    mean = cv2.blur(fine, (side, side))
    return np.sqrt(np.maximum(cv2.blur(fine * fine, (side, side)) - mean * mean, 1e-6))


def _correlation(a: Array, b: Array, contrast: Array, side: int) -> Array:
    """Of the windows around pixels; 0 where the contrast has become another."""
    window = (side, side)
    covariance = cv2.blur(a * b, window) - cv2.blur(a, window) * cv2.blur(b, window)
    other = _deviation(b, side)
    ratio = other / contrast
    kept = (ratio >= _CONTRAST[0]) & (ratio <= _CONTRAST[1])
    return np.asarray(np.where(kept, covariance / (contrast * other), 0), np.float32)


def _shifted(picture: Array, dx: int, dy: int) -> Array:
    return np.roll(picture, (dy, dx), axis=(0, 1))


def _widened(centres: Mask, side: int) -> Mask:
    """All that the windows around the centres show."""
    return np.asarray(cv2.dilate(centres.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def _pieces(mask: Mask, least: float) -> Mask:
    """The connected pieces of so many pixels and more."""
    _, numbered = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    sizes = np.bincount(numbered.ravel())
    sizes[0] = 0
    return (sizes >= least)[numbered] & mask


def _grown(seeds: Mask, room: Mask) -> Mask:
    """The seeds, and the pieces of room that touch them."""
    _, numbered = cv2.connectedComponents((seeds | room).astype(np.uint8), connectivity=4)
    touched = np.unique(numbered[seeds])
    return np.isin(numbered, touched[touched > 0])
