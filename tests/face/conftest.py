"""People to track: the astronaut of scikit-image (public domain), and somebody else made out of her."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from mien import models
from mien.face.attention_mesh import AttentionMesh
from mien.face.detect import BlazeFace, Detector
from mien.face.landmarks import FaceMesh
from mien.face.parts import open_detector, read_task
from mien.face.tracker import FaceTracker, Mesh
from mien.types import Face, Frame, Picture

LITE = ("face-mesh-lite", "face_landmark_with_attention.tflite")


def full_mesh() -> FaceMesh:
    """The mesh of `face-landmarker`; skips where the model is not on this machine."""
    if not models.available("face-landmarker"):
        pytest.skip("needs the model face-landmarker: `mien models pull face-landmarker`")
    parts = read_task(models.path("face-landmarker"))
    return FaceMesh(parts["face_landmarks_detector.tflite"], parts["face_blendshapes.tflite"])


def lite_mesh() -> AttentionMesh:
    """The mesh of `face-mesh-lite`; skips where the model is not on this machine."""
    if not models.available(*LITE):
        pytest.skip("needs the model face-mesh-lite: `mien models pull face-mesh-lite`")
    return AttentionMesh(models.path(*LITE).read_bytes())


@pytest.fixture(scope="session", params=["face-landmarker", "face-mesh-lite"])
def mesh(request: pytest.FixtureRequest) -> Mesh:
    """Each landmark model in turn."""
    return full_mesh() if request.param == "face-landmarker" else lite_mesh()


@pytest.fixture(scope="session")
def blazeface() -> Detector:
    if not (models.available("face-landmarker") or models.available("face-mesh-lite")):
        pytest.skip("needs a face model: `mien models pull face-landmarker`")
    detector = open_detector("blazeface")
    assert isinstance(detector, BlazeFace)
    return detector


@pytest.fixture
def tracker(blazeface: Detector, mesh: Mesh) -> FaceTracker:
    return FaceTracker(blazeface, mesh)


@pytest.fixture(scope="session")
def astronaut() -> Picture:
    """(512, 512, 3): a smiling woman before a flag."""
    data = pytest.importorskip("skimage.data", reason="needs scikit-image, of the extra mien[test]")
    picture: Picture = data.astronaut()
    return picture


@pytest.fixture(scope="session")
def ada(astronaut: Picture) -> Picture:
    """(240, 200, 3) the astronaut's head."""
    return astronaut[10:250, 125:325]


@pytest.fixture(scope="session")
def bob(ada: Picture) -> Picture:
    """(210, 215, 3) another head: mirrored, broader, darker, of other colours."""
    broad = cv2.resize(ada[:, ::-1], (215, 210), interpolation=cv2.INTER_AREA).astype(np.float32)
    tinted = broad @ np.array([[0.55, 0.05, 0], [0.1, 0.45, 0.05], [0, 0.1, 0.4]], np.float32).T
    return np.clip(tinted, 0, 255).astype(np.uint8)


def room(width: int = 640, height: int = 480) -> Picture:
    """A soft grey background with some structure that is no face."""
    y, x = np.mgrid[:height, :width]
    shade = 70 + 25 * np.sin(x / 90) + 20 * np.cos(y / 70 + x / 200)
    return np.repeat(shade[..., None], 3, axis=2).astype(np.uint8)


def placed(picture: Picture, head: Picture, x: float, y: float) -> Picture:
    """A copy of the picture with a head, elliptical and feathered, its top left corner at (x, y), anywhere."""
    height, width = head.shape[:2]
    mask = np.zeros((height, width), np.float32)
    edge = width // 25
    cv2.ellipse(mask, (width // 2, height // 2), (width // 2 - edge, height // 2 - edge), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(edge / 2, 0.5))
    shift = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    there = cv2.warpAffine(head, shift, size).astype(np.float32)
    share = cv2.warpAffine(mask, shift, size)[..., None]
    return (picture * (1 - share) + there * share).astype(np.uint8)


def run(tracker: FaceTracker, pictures: Iterable[Picture], *, rate: float = 30.0) -> list[list[Face]]:
    """The faces of every picture of a clip."""
    return [tracker(Frame(picture, i, i / rate)) for i, picture in enumerate(pictures)]
