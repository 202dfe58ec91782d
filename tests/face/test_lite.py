"""`face-mesh-lite` stands in for `face-landmarker`: the same points, nearly the same coefficients."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from mien import models
from mien.errors import ModelError
from mien.face import parts
from mien.face.attention_mesh import LEFT_EYE, LIPS, RIGHT_EYE, AttentionMesh
from mien.face.coefficients import Coefficients
from mien.face.detect import BlazeFace, Detector
from mien.face.landmarks import Region
from mien.face.pose import Pose, canonical, rotation_from
from mien.media.reader import VideoReader
from mien.models.excerpt import excerpt
from mien.types import COEFFICIENT, LANDMARK_COUNT, Picture

from .conftest import full_mesh, lite_mesh, placed, room


def neutral_with(**values: float) -> np.ndarray:
    """(478, 3) the mean face in some pose, moved as the full model's coefficients say."""
    moved = np.zeros(52, np.float32)
    for name, value in values.items():
        moved[COEFFICIENT[name]] = value
    shape = canonical().shape + np.tensordot(moved, canonical().basis, 1)
    return Pose(rotation_from(0.2, -0.1, 0.3), 140, np.array([300, 240, 0], np.float32)).to_frame(shape)


@pytest.mark.parametrize("name", ["eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmileLeft", "browInnerUp"])
def test_coefficients_follow_the_movement_and_not_the_pose(name: str) -> None:
    read = Coefficients()
    low, high = read(neutral_with())[COEFFICIENT[name]], read(neutral_with(**{name: 0.8}))[COEFFICIENT[name]]
    assert high > low + 0.2
    head_on = read(canonical().shape * 200 + 500)
    assert np.abs(head_on - read(neutral_with())).max() < 0.05


def test_coefficients_tell_left_from_right() -> None:
    values = Coefficients()(neutral_with(eyeBlinkLeft=0.7))
    assert values[COEFFICIENT["eyeBlinkLeft"]] > values[COEFFICIENT["eyeBlinkRight"]] + 0.2


def test_the_heads_replace_landmarks_that_mirror_each_other() -> None:
    for group in (LIPS, RIGHT_EYE, LEFT_EYE):
        assert len(set(group.tolist())) == len(group)
    shape = canonical().shape
    assert np.abs(shape[RIGHT_EYE] * [-1, 1, 1] - shape[LEFT_EYE]).max() < 0.03


def test_both_meshes_see_the_same_face(blazeface: Detector, ada: Picture) -> None:
    full, lite = full_mesh(), lite_mesh()
    picture = placed(room(), ada, 220, 120)
    region = Region.around_detection(blazeface(picture)[0])
    for _ in range(3):
        region = Region.around_landmarks(full.landmarks(picture, region)[0])
    one, presence = full.landmarks(picture, region)
    other, lite_presence = lite.landmarks(picture, region)
    assert one.shape == other.shape == (LANDMARK_COUNT, 3)
    assert min(presence, lite_presence) > 0.9
    unit = np.linalg.norm(one[33] - one[263])
    apart = np.linalg.norm((one - other)[:, :2], axis=1) / unit
    assert apart.mean() < 0.04
    assert apart[468:].mean() < 0.03
    assert np.abs(full.coefficients(one) - lite.coefficients(other)).mean() < 0.05


def test_the_lite_coefficients_follow_the_full_ones_through_a_clip(shared: Path, blazeface: Detector) -> None:
    full, lite = full_mesh(), lite_mesh()
    seen = []
    region = None
    with VideoReader(shared / "data" / "clips" / "d9.mp4") as reader:
        for frame in reader:
            if frame.index % 3:
                continue
            region = region or Region.around_detection(blazeface(frame.image)[0])
            points, _ = full.landmarks(frame.image, region)
            others, _ = lite.landmarks(frame.image, region)
            region = Region.around_landmarks(points)
            seen.append((full.coefficients(points), lite.coefficients(others)))
    one, other = np.array(seen).swapaxes(0, 1)
    for name in ("eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthPucker", "browInnerUp"):
        assert np.corrcoef(one[:, COEFFICIENT[name]], other[:, COEFFICIENT[name]])[0, 1] > 0.9, name


def test_the_tracker_falls_back_by_itself_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lite_mesh()
    available = models.available
    monkeypatch.setattr(
        models, "available", lambda name, part=None: name != "face-landmarker" and available(name, part)
    )
    parts._say_lite.cache_clear()
    with caplog.at_level(logging.WARNING, logger="mien"):
        try:
            assert parts.open_tracker().model == "face-mesh-lite"
            assert parts.open_tracker().model == "face-mesh-lite"
        except ModelError:
            pytest.skip("needs the whole model face-mesh-lite: `mien models pull face-mesh-lite`")
    assert len([record for record in caplog.records if "face-mesh-lite" in record.message]) == 1


def test_without_any_model_the_error_says_what_to_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "available", lambda *_: False)
    for opened in (parts.open_mesh, parts.open_tracker, parts.open_finder, lambda: parts.open_detector("blazeface")):
        with pytest.raises(ModelError, match="mien models pull face-landmarker"):
            opened()


def test_the_full_model_is_taken_where_it_is() -> None:
    full_mesh()
    assert parts.open_tracker().model == "face-landmarker"


def test_damaged_files_are_said_to_be_damaged() -> None:
    for content in (b"", b"not a network", bytes(200), b"\xff" * 4096):
        with pytest.raises(ModelError, match="damaged"):
            excerpt(content, inputs=["input_1"], outputs=["output"])
        with pytest.raises(ModelError, match="damaged"):
            AttentionMesh(content)
        with pytest.raises(ModelError, match="damaged"):
            BlazeFace(content)
