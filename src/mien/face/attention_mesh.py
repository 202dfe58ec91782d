"""The 478 landmarks of MediaPipe's attention mesh, which any package index carries inside the `mediapipe` wheel.

Its file asks for three operations that LiteRT lacks, so it runs in two halves with those operations here in between:
a trunk finds 468 points and a map of features; windows on that map around the lips and each eye go through three small
heads, which place lips, lids and irises more exactly (Grishchenko et al., 2020, arXiv:2006.10962).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.face.coefficients import Coefficients
from mien.face.landmarks import Region, place, sigmoid, unit_range
from mien.models.excerpt import excerpt
from mien.models.litert import Network
from mien.types import LANDMARK_COUNT, Array, Picture

_SIDE, _MAP, _WINDOW, _FINE = 192, 48, 16, 64
"""Units across the picture, the trunk's map, a head's window on it, and the points that the head returns."""
_MARGIN = 1.5
"""How much larger a window is than the points it is laid around."""

LIPS = np.array([
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409,
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408,
    62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407,
])  # fmt: skip
"""Landmarks in the order of the lips' head: four rings, each the lower edge from the right corner, then the upper."""
RIGHT_EYE = np.array([
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173,
    130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190,
    226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189,
    35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105, 66, 107, 55, 193,
])  # fmt: skip
"""Landmarks in the order of an eye's head: the lids, the rings around them, the brow."""
LEFT_EYE = np.array([
    263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398,
    359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414,
    446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413,
    265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465, 383, 300, 293, 334, 296, 336, 285, 417,
])  # fmt: skip
_LID_RING = 16
"""The first points of an eye's head are the edge of the lids."""


@dataclass(frozen=True, slots=True)
class _Head:
    """A window on the trunk's map and what comes out of it."""

    window: str
    points: NDArray[np.int64]
    """Landmarks that it is laid around and that its output replaces."""
    level: tuple[int, int]
    """Two landmarks that lie level in the window."""
    output: str
    iris_output: str = ""
    iris: int = 0
    """First of the five iris landmarks."""


_HEADS = (
    _Head("transform_tensor_bilinear_v2", LIPS, (61, 291), "reshape_1"),
    _Head("transform_tensor_bilinear_v2_1", RIGHT_EYE, (33, 133), "reshape_3", "reshape_4", 468),
    _Head("transform_tensor_bilinear_v2_2", LEFT_EYE, (362, 263), "reshape_6", "reshape_7", 473),
)


class AttentionMesh:
    """MediaPipe's `face_landmark_with_attention.tflite`; coefficients come from `Coefficients`, a fit of our own."""

    name = "face-mesh-lite"

    def __init__(self, content: bytes) -> None:
        self._trunk = Network(
            excerpt(content, inputs=["input_1"], outputs=["output_mesh_identity", "p_re_lu_3", "conv_faceflag"]),
            name="face landmarks",
            threads=1,
        )
        self._coefficients: Coefficients | None = None
        outputs = [name for head in _HEADS for name in (head.output, head.iris_output) if name]
        self._heads = Network(
            excerpt(content, inputs=[head.window for head in _HEADS], outputs=outputs), name="lips and eyes", threads=1
        )

    def landmarks(self, image: Picture, region: Region) -> tuple[Array, float]:
        """(478, 3) float32 points in the frame and the presence score in [0, 1]."""
        crop = region.crop(image, _SIDE)
        mesh, features, presence = self._trunk(unit_range(crop)[None])
        points = np.empty((LANDMARK_COUNT, 3), np.float32)
        points[:468] = mesh.reshape(-1, 3)
        affines = [_window(points[head.points, :2], points[list(head.level), :2]) for head in _HEADS]
        answers = iter(self._heads(*(_sample(features[0], affine)[None] for affine in affines)))
        for head, affine in zip(_HEADS, affines, strict=True):
            linear = affine[:, :2].T * np.float32(_WINDOW / _FINE)
            points[head.points, :2] = next(answers)[0] @ linear + affine[:, 2]
            if head.iris_output:
                iris = slice(head.iris, head.iris + 5)
                points[iris, :2] = next(answers)[0] @ linear + affine[:, 2]
                points[iris, 2] = points[head.points[:_LID_RING], 2].mean()
        return place(points, region, _SIDE), sigmoid(float(presence.reshape(-1)[0]))

    def coefficients(self, landmarks: Array) -> Array:
        """(52,) float32 in [0, 1] from (478, 3) landmarks in pixels."""
        if self._coefficients is None:
            self._coefficients = Coefficients()
        return self._coefficients(landmarks)


def _window(points: Array, level: Array) -> Array:
    """(2, 3) affine from a window's pixels to the picture's: a box, level with two points, around all of them."""
    across = level[1] - level[0]
    along = across / max(float(np.linalg.norm(across)), 1e-6)
    axes = np.stack([along, [-along[1], along[0]]])
    turned = points @ axes.T
    low, high = turned.min(0), turned.max(0)
    linear = axes.T * ((high - low) * _MARGIN / _WINDOW)
    centre = axes.T @ ((low + high) / 2)
    return np.column_stack([linear, centre - linear @ np.full(2, _WINDOW / 2)]).astype(np.float32)


def _sample(features: Array, affine: Array) -> Array:
    """(16, 16, C) window of the (48, 48, C) map, bilinear, with the pixel's centre at ½; 0 beyond the map."""
    shrink = np.float32(_MAP / _SIDE)
    linear, offset = affine[:, :2] * shrink, affine[:, 2] * shrink
    y, x = np.mgrid[:_WINDOW, :_WINDOW].astype(np.float32) + 0.5
    where = np.stack([x, y], -1).reshape(-1, 2) @ linear.T + offset - 0.5
    inside = np.all((where >= 0) & (where <= _MAP - 1), axis=1)
    corner = np.clip(np.floor(where).astype(np.int64), 0, _MAP - 2)
    across, down = (where - corner).T[..., None].astype(np.float32)
    flat = features.reshape(-1, features.shape[-1])
    index = corner[:, 1] * _MAP + corner[:, 0]
    upper = flat[index] * (1 - across) + flat[index + 1] * across
    lower = flat[index + _MAP] * (1 - across) + flat[index + _MAP + 1] * across
    window = (upper * (1 - down) + lower * down) * inside[:, None]
    return np.asarray(window.reshape(_WINDOW, _WINDOW, -1), np.float32)
