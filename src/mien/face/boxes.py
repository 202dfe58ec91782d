"""Boxes (x0, y0, x1, y1) in pixels: how much they share, and one out of many that mean the same face."""

from __future__ import annotations

import numpy as np

from mien.types import Array


def area(box: Array) -> float:
    """Pixels inside; 0 for a box turned inside out."""
    return max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1]))


def shared(a: Array, b: Array) -> float:
    """Pixels inside both."""
    return area(np.array([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])]))


def iou(a: Array, b: Array) -> float:
    """Intersection over union, 0 to 1."""
    both = shared(a, b)
    union = area(a) + area(b) - both
    return both / union if union > 0 else 0.0


def containment(a: Array, b: Array) -> float:
    """Intersection over the smaller box, 0 to 1: a mouth found inside a face counts as that face again."""
    smaller = min(area(a), area(b))
    return shared(a, b) / smaller if smaller > 0 else 0.0


def around(landmarks: Array) -> Array:
    """(4,) float32 box around the skin landmarks of a (478, 3) face."""
    skin = landmarks[:468, :2]
    return np.concatenate([skin.min(0), skin.max(0)]).astype(np.float32)
