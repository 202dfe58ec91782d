"""Head pose from landmarks: the turn, scale and place that carry the canonical face onto a tracked one.

`canonical.npz` was fitted by `python -m benchmarks.fit_face_model` and holds numbers only: the mean relaxed face of a
few people (symmetrised), how each of the 52 coefficients moves it, and how rigidly each landmark sits on the skull.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import numpy as np

from mien.face.anatomy import local
from mien.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """The average face, looking straight ahead. Unit: the distance between the outer eye corners."""

    shape: Array
    """(478, 3) float32, mean face at rest; origin between the outer eye corners, x right, y down, z away."""
    basis: Array
    """(52, 478, 3) float32, the offset of every landmark at each coefficient's full value."""
    turn_bias: Array
    """(2, 478, 3) float32, offset per radian of yaw and of pitch: how the landmark model misjudges a turned face."""
    rigidity: Array
    """(478,) float32, weights for finding the pose: high on brow ridge and nose bridge, low on jaw and lips."""


@cache
def canonical() -> Canonical:
    """The fitted average face, loaded once."""
    with (files("mien.face") / "canonical.npz").open("rb") as file, np.load(file) as data:
        fitted = Canonical(*(data[name].astype(np.float32) for name in ("shape", "basis", "turn_bias", "rigidity")))
    return replace(fitted, basis=local(fitted.shape, fitted.basis))


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """frame = scale · rotation · head + translation."""

    rotation: Array
    """(3, 3) float32, from the head's frame to the camera's."""
    scale: float
    """Pixels per inter-ocular unit."""
    translation: Array
    """(3,) float32, pixels."""

    def to_head(self, points: Array) -> Array:
        """(N, 3) points of the frame in the frame of the head."""
        turned = (points - self.translation) @ self.rotation / np.float32(self.scale)
        return np.asarray(turned, np.float32)

    def to_frame(self, points: Array) -> Array:
        """(N, 3) points of the head in the frame."""
        return np.asarray(points @ self.rotation.T * np.float32(self.scale) + self.translation, np.float32)

    @property
    def angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll in radians, with the signs of `mien.types`."""
        return angles(self.rotation)


def align(landmarks: Array, shape: Array, weights: Array) -> Pose:
    """The similarity that carries `shape` onto `landmarks`, both (N, 3), weighted least squares (Umeyama, 1991)."""
    w = (weights / weights.sum())[:, None]
    from_centre, to_centre = (w * shape).sum(0), (w * landmarks).sum(0)
    a, b = shape - from_centre, landmarks - to_centre
    u, d, vt = np.linalg.svd((w * b).T @ a)
    sign = np.array([1, 1, np.sign(np.linalg.det(u @ vt))], np.float32)
    rotation = (u * sign) @ vt
    scale = max(float((d * sign).sum() / (w * a * a).sum()), 1e-6)
    return Pose(rotation.astype(np.float32), scale, (to_centre - scale * rotation @ from_centre).astype(np.float32))


def head_pose(landmarks: Array) -> Pose:
    """Pose of a tracked face, (478, 3) landmarks in pixels."""
    mean = canonical()
    return align(landmarks, mean.shape, mean.rigidity)


def angles(rotation: Array) -> tuple[float, float, float]:
    """Yaw, pitch, roll in radians of a head-to-camera rotation; the inverse of `rotation_from`."""
    yaw = math.asin(max(-1.0, min(1.0, float(rotation[2, 0]))))
    return (
        yaw,
        math.atan2(-float(rotation[2, 1]), float(rotation[2, 2])),
        math.atan2(float(rotation[1, 0]), float(rotation[0, 0])),
    )


def rotation_from(yaw: float, pitch: float, roll: float) -> Array:
    """(3, 3) float32 rotation from the head's frame to the camera's: pitch first, then yaw, then roll."""
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (math.cos, math.sin))
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x, np.float32)
