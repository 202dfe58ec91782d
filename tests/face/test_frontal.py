"""A turned head is read as it would be from the front."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien import models
from mien.engine import registry
from mien.face.frontal import frontal, read_coefficients
from mien.face.landmarks import Region
from mien.face.parts import open_finder, open_mesh
from mien.face.pose import Pose, canonical, head_pose, rotation_from
from mien.types import COEFFICIENT, Array, Avatar, Expression, Picture


class Brows:
    """Reads how far the left brow is above the right one, and counts."""

    def __init__(self) -> None:
        self.seen: list[Array] = []

    def coefficients(self, landmarks: Array) -> Array:
        self.seen.append(landmarks)
        unit = np.linalg.norm(landmarks[263, :2] - landmarks[33, :2])
        raised = (landmarks[105, 1] - landmarks[334, 1]) / unit
        return np.full(52, np.clip(0.5 + raised, 0, 1), np.float32)


def placed(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> tuple[Array, Pose]:
    """The average face as the landmark model sees it at these angles, radians, and the pose that is found."""
    mean = canonical()
    misjudged = np.tensordot(np.array([yaw, pitch], np.float32), mean.turn_bias, 1)
    points = Pose(rotation_from(yaw, pitch, roll), 180.0, np.array([320, 240, 0], np.float32)).to_frame(
        mean.shape + misjudged
    )
    return points, head_pose(points)


def test_a_head_that_looks_ahead_is_read_once_and_as_it_is() -> None:
    points, pose = placed(0.03, -0.05)
    reader = Brows()
    read_coefficients(reader, points, pose)
    assert len(reader.seen) == 1
    assert reader.seen[0] is points


@given(st.floats(0.26, 0.5), st.floats(-0.25, 0.25), st.floats(-0.5, 0.5), st.booleans())
def test_a_turn_does_not_raise_a_brow(yaw: float, pitch: float, roll: float, left: bool) -> None:
    points, pose = placed(-yaw if left else yaw, pitch, roll)
    even = Brows().coefficients(canonical().shape)[0]
    assert read_coefficients(Brows(), points, pose)[0] == pytest.approx(even, abs=0.03)
    assert np.abs(frontal(points, pose) - canonical().shape)[:, :2].max() < 0.05


def test_the_passage_from_ahead_to_turned_has_no_step() -> None:
    def read(yaw: float) -> float:
        points = Pose(rotation_from(yaw, 0, 0.2), 180.0, np.zeros(3, np.float32)).to_frame(canonical().shape)
        return float(read_coefficients(Brows(), points, head_pose(points))[0])

    values = [read(math.radians(angle)) for angle in np.arange(0, 25, 0.25)]
    assert np.abs(np.diff(values)).max() < 0.02


@pytest.mark.skipif(not models.available("face-landmarker"), reason="needs the model face-landmarker")
@pytest.mark.parametrize("degrees", [-25, 25])
def test_a_real_face_that_is_turned_throughout_stays_even(astronaut: Picture, degrees: float) -> None:
    photo = np.dstack([astronaut, np.full(astronaut.shape[:2], 255, np.uint8)])[:300, 60:360]
    renderer = registry.for_avatar("picture").prepare(Avatar("a", None, "picture", photo), size=512)
    mesh = open_mesh()

    def drawn(yaw: float) -> Array:
        """Landmarks of the photo turned so far."""
        picture = np.ascontiguousarray(renderer(replace(Expression.neutral(), yaw=yaw))[..., :3])
        found = open_finder()(picture)[0]
        return mesh.landmarks(picture, Region.around_landmarks(found.landmarks))[0]

    def uneven(coefficients: Array) -> Array:
        pairs = ("browOuterUp", "eyeBlink", "mouthSmile", "mouthFrown", "eyeWide")
        return np.array([coefficients[COEFFICIENT[f"{n}Left"]] - coefficients[COEFFICIENT[f"{n}Right"]] for n in pairs])

    rest = uneven(mesh.coefficients(drawn(0.0)))
    turned = drawn(math.radians(degrees))
    as_seen = np.abs(uneven(mesh.coefficients(turned)) - rest)
    ahead = np.abs(uneven(read_coefficients(mesh, turned, head_pose(turned))) - rest)
    assert ahead.max() < max(0.1, 0.8 * as_seen.max())
