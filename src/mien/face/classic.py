"""The field's classic detectors behind the same protocol: Haar cascades, and SSD networks of OpenCV's dnn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import InputError
from mien.face.detect import Detection, merge, windows
from mien.media.plain_file import read_plain
from mien.media.quiet import quiet_stderr
from mien.media.readable import check_readable
from mien.types import Array, Picture

_LARGEST_NETWORK: Final = 1 << 30
"""Bytes of a file; the public face SSD has 10 MB."""


class HaarDetector:
    """OpenCV's own frontal-face cascade (Viola and Jones, 2001), with the settings most live demos use.

    It knows no lean, and misses faces leaning by more than some 20°.
    """

    name = "haar"
    reach = 0.0
    pause = 15
    _WIDTH = 640
    """Wider pictures are searched at this width: it costs 28 ms there already."""
    _LOWER = 0.06
    """Share of its size by which its square, forehead to lips, has to go down to be brow to chin as BlazeFace's."""

    def __init__(self, *, scale: float = 1.3, neighbours: int = 5) -> None:
        """`scale` from one size searched to the next; `neighbours` that a find must have."""
        from cv2.data import haarcascades

        folder = Path(haarcascades)
        self._cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))
        if self._cascade.empty():
            raise InputError(f"OpenCV's Haar cascade is not in {folder}. Use --detector blazeface.")
        self._scale, self._neighbours = scale, neighbours

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        """Faces in (H, W, 3) uint8 RGB; its own search covers all sizes, so `thorough` changes nothing."""
        shrink = min(1.0, self._WIDTH / image.shape[1])
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        if shrink < 1:
            grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        boxes, _, weights = self._cascade.detectMultiScale3(
            grey, scaleFactor=self._scale, minNeighbors=self._neighbours, outputRejectLevels=True
        )
        found = [
            Detection(np.array([x, y + self._LOWER * h, x + w, y + (1 + self._LOWER) * h], np.float32) / shrink, 0.0, s)
            for (x, y, w, h), s in zip(boxes, _squashed(weights), strict=True)
        ]
        return sorted(found, key=lambda d: -d.score)


def _squashed(weights: Sequence[float]) -> list[float]:
    """The cascade's last-stage sums as scores: 0.5 where it hesitated, towards 1 where it did not."""
    return [float(1 / (1 + np.exp(-w / 2))) for w in np.ravel(weights)]


class SsdDetector:
    """A single-shot detector in Caffe's format, such as OpenCV's 300×300 face SSD: the user's own two files.

    Its last layer must be the usual `DetectionOutput`: rows of (picture, class, score, x0, y0, x1, y1), the box in
    shares of the picture.
    """

    name = "ssd"
    reach = 0.05
    pause = 10
    _SIDE = 300
    _MEAN = (123.0, 177.0, 104.0)
    """Subtracted from red, green and blue: what the public face SSD was trained with."""

    def __init__(self, prototxt: Path, caffemodel: Path, *, threshold: float = 0.5) -> None:
        """Raises InputError where a file is missing or is not such a network."""
        description, weights = (_content(file) for file in (prototxt, caffemodel))
        try:
            with quiet_stderr():
                self._network = cv2.dnn.readNetFromCaffe(description, weights)
        except cv2.error as error:
            raise InputError(
                f"OpenCV cannot read {prototxt.name} with {caffemodel.name} as a Caffe network; they must belong "
                "together, the description first: --detector ssd:deploy.prototxt,weights.caffemodel"
            ) from error
        self._prototxt, self._threshold = prototxt, threshold
        with quiet_stderr():  # what does not fit is known before the work begins, and said by us alone
            self._search(np.zeros((self._SIDE, self._SIDE, 3), np.uint8))

    def __call__(self, image: Picture, *, thorough: bool = True) -> list[Detection]:
        """Faces in (H, W, 3) uint8 RGB, best first. Raises InputError where the network's answer is no boxes."""
        height, width = image.shape[:2]
        pieces = windows(width, height, self.reach if thorough else 0)
        return merge([d.moved(x0, y0) for x0, y0, x1, y1 in pieces for d in self._search(image[y0:y1, x0:x1])])

    def _search(self, image: Picture) -> list[Detection]:
        size = (self._SIDE, self._SIDE)
        self._network.setInput(cv2.dnn.blobFromImage(image, 1.0, size, self._MEAN[::-1], swapRB=True))
        try:
            answer = self._network.forward()
        except cv2.error as error:
            raise InputError(f"The network {self._prototxt} does not take a 300×300 colour picture.") from error
        if answer.ndim != 4 or answer.shape[3] != 7:
            raise InputError(
                f"The network {self._prototxt} is no SSD: its answer has the shape {answer.shape}, not (1, 1, N, 7)."
            )
        height, width = image.shape[:2]
        return parse_ssd(answer[0, 0], width, height, threshold=self._threshold)


def _content(file: Path) -> NDArray[np.uint8]:
    """(N,) the bytes of a file. Raises InputError where it is missing, no ordinary file, or cannot be read."""
    check_readable(file, what="network")
    try:
        return np.frombuffer(read_plain(file, limit=_LARGEST_NETWORK), np.uint8)
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror or error}). Copy it again.") from error


def parse_ssd(rows: Array, width: int, height: int, *, threshold: float = 0.5) -> list[Detection]:
    """Detections from an SSD's (N, 7) answer for a picture of that size, made square as BlazeFace frames a face."""
    found = []
    for _, _, score, x0, y0, x1, y1 in rows:
        if score < threshold or not (x1 > x0 and y1 > y0):
            continue
        centre = np.array([(x0 + x1) / 2 * width, (y0 + y1) / 2 * height + 0.08 * (y1 - y0) * height])
        half = ((x1 - x0) * width + (y1 - y0) * height) / 4 * 0.9
        found.append(Detection(np.concatenate([centre - half, centre + half]).astype(np.float32), 0.0, float(score)))
    return found
