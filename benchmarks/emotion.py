"""How fast and how faithful the emotion reading is: `python -m benchmarks.emotion ../shared/data/clips/*.mp4`.

Prints, over every sixth frame of the clips:
- time a face, for each weights file at hand, and its ratio to OpenCV's Haar cascade on the same frames (what the usual
  demos spend to find the box alone);
- how far the box worked out from the landmarks lies from the cascade's, and the two constants of
  `mien.emotion.crop` fitted anew, each clip left out in turn;
- how often the quantised and the original weights name the same class;
- how much turning the picture by 25° changes the answer, with and without turning the crop upright.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mien import models
from mien.emotion.classifier import FILES, MODEL, EmotionClassifier
from mien.emotion.crop import HAAR_DROP, HAAR_SIDE, DetectorBox, detector_box
from mien.face.parts import open_tracker
from mien.media.reader import VideoReader
from mien.types import Array, Face, Frame

EVERY = 6
TURN = 25


def faces(clip: Path, most: int) -> Iterator[tuple[Frame, Face]]:
    """Every sixth frame and its first face."""
    tracker = open_tracker()
    with VideoReader(clip) as reader:
        for frame in islice(reader, most):
            found = tracker(frame)
            if found and frame.index % EVERY == 0:
                yield frame, found[0]


def haar_box(cascade: cv2.CascadeClassifier, frame: Frame, near: DetectorBox) -> Array | None:
    """x, y (centre) and side of the cascade's box that lies on the face, if there is one."""
    grey = cv2.cvtColor(frame.image, cv2.COLOR_RGB2GRAY)
    for x, y, side, _ in cascade.detectMultiScale(grey, 1.1, 5, minSize=(60, 60)):
        centre = np.array([x + side / 2, y + side / 2])
        if np.hypot(*(centre - [near.x, near.y])) < near.side / 3 and 0.6 < side / near.side < 1.6:
            return np.array([*centre, side], np.float32)
    return None


def timed(run: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    return run(), (time.perf_counter() - start) * 1e3


def turned(frame: Frame, face: Face) -> tuple[Frame, Face]:
    """The same, leaning by `TURN` degrees about the face."""
    box = detector_box(face.landmarks)
    affine = cv2.getRotationMatrix2D((box.x, box.y), TURN, 1.0)
    height, width = frame.image.shape[:2]
    image = cv2.warpAffine(frame.image, affine, (width, height), borderMode=cv2.BORDER_REPLICATE)
    points = face.landmarks.copy()
    points[:, :2] = points[:, :2] @ affine[:, :2].T + affine[:, 2]
    return Frame(image, frame.index, frame.time), with_landmarks(face, points.astype(np.float32))


def with_landmarks(face: Face, landmarks: Array) -> Face:
    return Face(
        face.id, face.box, landmarks, face.coefficients, face.yaw, face.pitch, face.roll, face.gaze, face.confidence
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--most", type=int, default=360, help="frames read of each clip")
    options = parser.parse_args()
    readers = {file: EmotionClassifier(models.path(MODEL, file)) for file in FILES if models.available(MODEL, file)}
    if not readers:
        raise SystemExit(f"No emotion weights on this machine: mien models pull {MODEL}")
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
    spent: dict[str, list[float]] = {name: [] for name in ("Haar cascade", *readers)}
    answers: dict[str, list[Array]] = {name: [] for name in readers}
    change: dict[str, list[float]] = {"upright": [], "as it lies": []}
    boxes: list[tuple[str, float, float, float, float]] = []
    for clip in options.clips:
        for frame, face in faces(clip, options.most):
            ours = detector_box(face.landmarks)
            theirs, milliseconds = timed(lambda: haar_box(cascade, frame, ours))  # noqa: B023
            spent["Haar cascade"].append(milliseconds)
            if isinstance(theirs, np.ndarray):
                eyes = face.landmarks[[33, 133, 362, 263], :2].mean(0)
                gap = float(np.hypot(theirs[0] - ours.x, theirs[1] - ours.y) / theirs[2])
                drop = float((theirs[1] - eyes[1]) / theirs[2])
                boxes.append((clip.stem, float(theirs[2]) / (ours.side / HAAR_SIDE), drop, ours.side / theirs[2], gap))
            for name, reader in readers.items():
                answer, milliseconds = timed(lambda: reader(frame, face))  # noqa: B023
                spent[name].append(milliseconds)
                answers[name].append(np.asarray(answer))
            first = next(iter(readers.values()))
            straight, (leaning, leaning_face) = first(frame, face), turned(frame, face)
            change["upright"].append(distance(straight, first(leaning, leaning_face)))
            change["as it lies"].append(distance(straight, first(leaning, face)))
    report(spent, answers, change, boxes)


def distance(a: Array, b: Array) -> float:
    """Share of the probability that moved to other classes."""
    return float(np.abs(a - b).sum() / 2)


def report(
    spent: dict[str, list[float]],
    answers: dict[str, list[Array]],
    change: dict[str, list[float]],
    boxes: list[tuple[str, float, float, float, float]],
) -> None:
    haar = float(np.median(spent["Haar cascade"]))
    print(f"{len(spent['Haar cascade'])} faces")
    for name, times in spent.items():
        print(f"  {name:<34} {np.median(times):6.2f} ms a face   {np.median(times) / haar:6.3f} of the Haar cascade")
    if len(answers) == 2:
        quantised, original = (np.array(a) for a in answers.values())
        same = (quantised.argmax(1) == original.argmax(1)).mean()
        largest = np.abs(quantised - original).max()
        print(f"  same class from both files {100 * same:.1f} %, largest difference {largest:.3f}")
    for how, moved in change.items():
        print(f"  leaning by {TURN}°, crop {how}: {100 * np.mean(moved):.1f} % of the probability moves")
    clips = sorted({box[0] for box in boxes})
    sides, drops = np.array([b[1] for b in boxes]), np.array([b[2] for b in boxes])
    names = np.array([b[0] for b in boxes])
    weights = np.array([1 / np.count_nonzero(names == n) for n in names])
    left_out = [
        np.abs(sides[names == n] / np.average(sides[names != n], weights=weights[names != n]) - 1).mean() for n in clips
    ]
    side, drop = np.average(sides, weights=weights), np.average(drops, weights=weights)
    off, gap = 100 * np.mean(left_out), 100 * np.mean([box[4] for box in boxes])
    print(f"  box: HAAR_SIDE {side:.3f} (in use {HAAR_SIDE}), HAAR_DROP {drop:.3f} (in use {HAAR_DROP})")
    print(f"  side off by {off:.1f} % where the clip was left out of the fit, centre off by {gap:.1f} % of the side")


if __name__ == "__main__":
    main()
