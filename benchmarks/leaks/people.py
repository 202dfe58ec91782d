"""Whom the clips show: heads and shoulders cut from clips and pictures, with the place of every part of the face."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Final

import cv2
import numpy as np

from benchmarks.material import DATA
from mien import models
from mien.errors import ModelError
from mien.face.parts import open_finder, open_tracker
from mien.face.tracker import FaceTracker
from mien.media.images import read_image
from mien.media.reader import VideoReader
from mien.models.litert import Network
from mien.types import Array, Face, Picture

SKIN, RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = 1, 2, 3, 4, 5
"""Labels of the pixels of a face; 0 is no face. An eye includes lids and brow."""
FEATURES: Final = {RIGHT_EYE: "eye", LEFT_EYE: "eye", NOSE: "nose", MOUTH: "mouth"}
_POINTS: Final = {
    RIGHT_EYE: (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 70, 63, 105, 66, 107, 46,
                53, 52, 65, 55),
    LEFT_EYE: (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466, 300, 293, 334, 296, 336,
               276, 283, 282, 295, 285),
    NOSE: (6, 197, 195, 5, 4, 1, 2, 98, 97, 326, 327, 64, 294, 48, 278, 49, 279, 129, 358),
    MOUTH: (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
}  # fmt: skip
"""Landmarks whose hull is a part of the face."""
_FRAMES: Final = 60
_FACE_HEIGHT: Final = 240
"""Larger faces are made so small, pixels: memory."""
_MODEL: Final = ("face-mesh-lite", "selfie_segmentation.tflite")


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Head and shoulders over some time; always at the same place of the crop."""

    name: str
    pictures: tuple[Picture, ...]
    """(H, W, 3) uint8 RGB each."""
    mattes: tuple[Picture, ...]
    """(H, W) uint8: 255 where the person is."""
    labels: tuple[Picture, ...]
    """(H, W) uint8: which part of the face a pixel shows."""
    centre: tuple[float, float]
    """Middle of the face in the crop, over all frames."""
    width: float
    """Of the face, cheek to cheek, pixels of the crop."""
    height: float
    """Of the face, brow to chin, pixels of the crop."""
    fps: float

    def at(self, time: float) -> int:
        """Number of the frame at a time: forwards, then backwards, again and again."""
        last = len(self.pictures) - 1
        step = int(time * self.fps) % (2 * last) if last else 0
        return step if step <= last else 2 * last - step


def cast() -> tuple[str, ...]:
    """Names of all the people there are material for; the command works in any clone with the last."""
    if not (DATA / "clips").is_dir():
        return ("astronaut", "astronaut-mirrored")
    return ("d9", "single_face", "s18", "d12", "d10", "portrait", "d14", "WolfgangLanger_Pexels", "d3", "d0")


@functools.lru_cache(maxsize=10)
def person(name: str) -> Person:
    """One of the `cast`, cut out once. Raises MienError where no face model is on this machine."""
    if name.startswith("astronaut"):
        from skimage import data

        picture = np.asarray(data.astronaut(), np.uint8)[0:340, 60:400]
        return _still(name, np.ascontiguousarray(picture[:, ::-1]) if name.endswith("mirrored") else picture)
    if name == "portrait":
        return _still(name, read_image(DATA / "portraits" / "single_face.jpg")[..., :3])
    return _filmed(name)


def labelled(landmarks: Array, shape: tuple[int, int]) -> Picture:
    """(H, W) uint8 labels of a face with (478, 2 or more) landmarks in pixels."""
    labels = np.zeros(shape, np.uint8)
    points = np.round(landmarks[:, :2]).astype(np.int32)
    cv2.fillConvexPoly(labels, cv2.convexHull(points[:468]), SKIN)
    for label, numbers in _POINTS.items():
        cv2.fillConvexPoly(labels, cv2.convexHull(points[list(numbers)]), label)
    return labels


def _still(name: str, picture: Picture) -> Person:
    (found, *_) = open_finder()(picture)
    return _cut(name, [picture], [found.landmarks], fps=1.0)


def _filmed(name: str) -> Person:
    pictures: list[Picture] = []
    landmarks: list[Array] = []
    with VideoReader(DATA / "clips" / f"{name}.mp4") as reader:
        tracker: FaceTracker = open_tracker()
        for frame in islice(reader, 2 * _FRAMES):
            faces = tracker(frame)
            if len(pictures) < _FRAMES and faces:
                pictures.append(frame.image)
                landmarks.append(max(faces, key=_size).landmarks)
        return _cut(name, pictures, landmarks, fps=reader.fps)


def _size(face: Face) -> float:
    return float(face.box[3] - face.box[1])


def _cut(name: str, pictures: list[Picture], landmarks: list[Array], *, fps: float) -> Person:
    """Crop everything alike, around where the face mostly is."""
    boxes = np.array([[*points[:468, :2].min(0), *points[:468, :2].max(0)] for points in landmarks])
    x0, y0, x1, y1 = np.median(boxes, axis=0)
    high, x = y1 - y0, (x0 + x1) / 2
    rows, columns = pictures[0].shape[:2]
    left, right = max(0, int(x - 1.5 * high)), min(columns, int(x + 1.5 * high))
    top, bottom = max(0, int(y0 - high)), min(rows, int(y1 + 1.2 * high))
    scale = min(1.0, _FACE_HEIGHT / high)
    cut, labels, mattes = [], [], []
    matte = _matting()
    for picture, points in zip(pictures, landmarks, strict=True):
        crop = picture[top:bottom, left:right]
        small = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        placed = (points[:, :2] - (left, top)) * scale
        cut.append(small)
        labels.append(labelled(placed.astype(np.float32), small.shape[:2]))
        mattes.append(matte(small, labels[-1]))
    centre = ((x - left) * scale, ((y0 + y1) / 2 - top) * scale)
    return Person(
        name, tuple(cut), tuple(mattes), tuple(labels), centre, float(x1 - x0) * scale, float(high) * scale, fps
    )


def _matting() -> Callable[[Picture, Picture], Picture]:
    """A function from a crop and its labels to a matte: by the segmentation model, or an oval without it."""
    try:
        network = Network(models.path(*_MODEL).read_bytes(), name="selfie segmentation", threads=1)
    except ModelError:
        return lambda crop, labels: _oval(labels)

    def segmented(crop: Picture, labels: Picture) -> Picture:
        rows, columns = network.input_shape[1:3]
        seen = cv2.resize(crop, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        (likely,) = network(seen[None])
        matte = cv2.resize(likely[0, ..., 0], crop.shape[1::-1])
        soft = np.clip((matte - 0.3) / 0.4, 0, 1)
        return np.maximum(np.asarray(soft * 255, np.uint8), _face_only(labels))

    return segmented


def _face_only(labels: Picture) -> Picture:
    return np.asarray(np.where(labels > 0, 255, 0), np.uint8)


def _oval(labels: Picture) -> Picture:
    """(H, W) uint8: an oval around head and hair, soft at its edge, and shoulders below it."""
    rows, columns = np.nonzero(labels)
    x, y = float(columns.mean()), float(rows.mean())
    wide, high = float(np.ptp(columns)), float(np.ptp(rows))
    matte = np.zeros(labels.shape, np.uint8)
    cv2.ellipse(matte, (round(x), round(y - 0.1 * high)), (round(0.72 * wide), round(0.85 * high)), 0, 0, 360, 255, -1)
    shoulders = (round(x), round(y + 1.7 * high))
    cv2.ellipse(matte, shoulders, (round(1.3 * wide), round(0.9 * high)), 0, 0, 360, 255, -1)
    return np.maximum(np.asarray(cv2.GaussianBlur(matte, (0, 0), 3), np.uint8), _face_only(labels))
