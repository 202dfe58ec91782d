"""How the 468 skin landmarks hang together: features by index, and the triangles between them.

Indices are those of Google's face mesh. Every list runs from the left of the picture to the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face.pose import canonical
from mien.types import COEFFICIENT, Array

Indices = NDArray[np.int32]

SKIN = 468

LIP_UPPER_OUTER = np.array([61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291])
LIP_LOWER_OUTER = np.array([61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291])
LIP_UPPER_INNER = np.array([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308])
LIP_LOWER_INNER = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
LIPS = np.concatenate([LIP_UPPER_OUTER, LIP_LOWER_OUTER[-2:0:-1]])
"""Closed polygon around both lips."""
MOUTH = np.concatenate([LIP_UPPER_INNER, LIP_LOWER_INNER[-2:0:-1]])
"""Closed polygon around the mouth's opening."""

LIP_UPPER_BETWEEN = np.array([[184, 74, 73, 72, 11, 302, 303, 304, 408], [183, 42, 41, 38, 12, 268, 271, 272, 407]])
LIP_LOWER_BETWEEN = np.array([[77, 90, 180, 85, 16, 315, 404, 320, 307], [96, 89, 179, 86, 15, 316, 403, 319, 325]])
"""The two rows between the outer edge of a lip and its inner edge, outer first, without the corners."""

OVAL = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])  # fmt: skip
"""Closed polygon around the face, clockwise in the picture from the top of the forehead."""


@dataclass(frozen=True, slots=True, eq=False)
class EyePoints:
    """Indices of one eye."""

    upper: Indices
    """Edge of the upper lid, corner to corner, both included."""
    lower: Indices
    """Edge of the lower lid, corner to corner, both included."""
    crease: Indices
    """The row of landmarks above the upper lid's edge, one for each point between its corners."""
    bag: Indices
    """The row of landmarks below the lower lid's edge, likewise."""
    brow: Indices
    """The eyebrow, upper edge and lower."""
    iris: int
    """Centre of the iris; the four points after it lie on its rim."""
    side: str
    """The person's own side, as in coefficient names."""

    @property
    def outline(self) -> Indices:
        """Closed polygon around the opening."""
        return np.concatenate([self.upper, self.lower[-2:0:-1]])


RIGHT_EYE = EyePoints(
    np.array([33, 246, 161, 160, 159, 158, 157, 173, 133], np.int32),
    np.array([33, 7, 163, 144, 145, 153, 154, 155, 133], np.int32),
    np.array([247, 30, 29, 27, 28, 56, 190], np.int32),
    np.array([25, 110, 24, 23, 22, 26, 112], np.int32),
    np.array([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], np.int32),
    468,
    "Right",
)
LEFT_EYE = EyePoints(
    np.array([362, 398, 384, 385, 386, 387, 388, 466, 263], np.int32),
    np.array([362, 382, 381, 380, 374, 373, 390, 249, 263], np.int32),
    np.array([414, 286, 258, 257, 259, 260, 467], np.int32),
    np.array([341, 256, 252, 253, 254, 339, 255], np.int32),
    np.array([300, 293, 334, 296, 336, 285, 295, 282, 283, 276], np.int32),
    473,
    "Left",
)
EYES = (RIGHT_EYE, LEFT_EYE)


@cache
def triangles() -> Indices:
    """(T, 3) int32 triangles over the skin landmarks, holes of eyes and mouth filled.

    Delaunay of the average face seen from the front with its mouth open, so that no triangle joins the two lips.
    """
    mean = canonical()
    open_mouth = mean.shape[:SKIN, :2].copy()
    for name, amount in (("jawOpen", 1.0), ("mouthFunnel", 0.5)):
        open_mouth += amount * mean.basis[COEFFICIENT[name], :SKIN, :2]
    found = delaunay(open_mouth)
    inside = _inside(open_mouth[found].mean(1), open_mouth[OVAL])
    return found[inside]


def delaunay(points: Array) -> Indices:
    """(T, 3) int32 Delaunay triangles of (N, 2) points, by OpenCV."""
    low, high = points.min(0), points.max(0)
    scaled = ((points - low) / (high - low).max() * 1000 + 10).astype(np.float32)
    plane = cv2.Subdiv2D((0, 0, 1021, 1021))
    for x, y in scaled.tolist():
        plane.insert((x, y))
    corners = np.reshape(plane.getTriangleList(), (-1, 3, 1, 2))
    away = ((scaled - corners) ** 2).sum(-1)
    nearest = away.argmin(-1)
    found = (away.min(-1) < 1e-3).all(1)  # OpenCV adds triangles with corners of its own, far outside
    return np.asarray(nearest[found], np.int32)


def _inside(points: Array, polygon: Array) -> NDArray[np.bool_]:
    contour = np.ascontiguousarray(polygon, np.float32)
    return np.array([cv2.pointPolygonTest(contour, (float(x), float(y)), False) >= 0 for x, y in points])
