"""Clips with a real face that may be used by anybody: the public-domain portrait that scikit-image carries."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import encode_clip
from mien import models
from mien.types import Picture


def portrait(side: int = 320) -> Picture:
    """(side, side, 3) uint8 RGB: the astronaut's head and shoulders."""
    data = pytest.importorskip("skimage.data")
    picture = np.asarray(data.astronaut(), np.uint8)[0:300, 90:390]
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def needs_face_model() -> None:
    """Skip where no face model is on this machine."""
    if not (models.available("face-landmarker") or models.available("face-mesh-lite")):
        pytest.skip("no face model on this machine: mien models pull face-landmarker, or set MIEN_MODELS")


def needs_paste_models() -> None:
    """Skip where a model that scene `paste` needs is not on this machine."""
    needs_face_model()
    if not models.available("selfie-segmentation"):
        pytest.skip("no model of people on this machine: mien models pull selfie-segmentation")


def moved(picture: Picture, dx: float = 0.0, dy: float = 0.0, degrees: float = 0.0) -> Picture:
    """The picture shifted by pixels and turned, edges repeated."""
    height, width = picture.shape[:2]
    affine = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    affine[:, 2] += (dx, dy)
    return np.asarray(cv2.warpAffine(picture, affine, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def swaying(count: int, *, side: int = 320) -> list[Picture]:
    """A head that sways, `count` frames of it."""
    still = portrait(side)
    return [moved(still, 6 * np.sin(n / 4), 3 * np.cos(n / 5), 6 * np.sin(n / 6)) for n in range(count)]


def clip(path: Path, pictures: list[Picture] | None = None, **options: object) -> Path:
    """An MP4 of pictures, by default a second of a swaying head."""
    return encode_clip(path, pictures=swaying(25) if pictures is None else pictures, **options)  # type: ignore[arg-type]
