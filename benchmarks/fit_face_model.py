"""Fits `mien/face/canonical.npz` from tracked clips: `python -m benchmarks.fit_face_model ../shared/data/clips`.

Writes numbers only: a mean over all people, symmetrised, so that no one's own shape is in it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from mien import models
from mien.errors import MienError
from mien.face.detect import BlazeFace
from mien.face.landmarks import FaceMesh, Region
from mien.face.parts import read_task
from mien.face.pose import align
from mien.media.reader import VideoReader
from mien.types import COEFFICIENTS

RIDGE = 0.3
"""Pull towards no movement, in units of one full-range frame: channels nobody used in the clips stay still."""
MIRRORED = ((33, 263), (133, 362), (61, 291), (234, 454), (127, 356), (70, 300), (105, 334), (107, 336), (50, 280),
            (205, 425), (58, 288), (172, 397))  # fmt: skip
SWAPPED = [
    (*COEFFICIENTS, "yaw", "pitch").index(name.replace("Left", "*").replace("Right", "Left").replace("*", "Right"))
    for name in (*COEFFICIENTS, "yaw", "pitch")
]
"""Column of each cause in a mirrored picture: left and right change places."""
TURNED = np.array([1.0] * len(COEFFICIENTS) + [-1.0, 1.0])
MIDLINE = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 13, 14, 17, 152)


def track(path: Path, parts: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray]:
    """Unsmoothed landmarks (T, 478, 3) and coefficients (T, 52) of the largest face."""
    detector = BlazeFace(parts["face_detector.tflite"])
    mesh = FaceMesh(parts["face_landmarks_detector.tflite"], parts["face_blendshapes.tflite"])
    region, landmarks, coefficients = None, [], []
    with VideoReader(path) as reader:
        for frame in reader:
            if region is None:
                found = detector(frame.image)
                if not found:
                    continue
                region = Region.around_detection(found[0])
                region = Region.around_landmarks(mesh.landmarks(frame.image, region)[0])
            points, presence = mesh.landmarks(frame.image, region)
            region = Region.around_landmarks(points) if presence > 0.5 else None
            if region:
                landmarks.append(points)
                coefficients.append(mesh.coefficients(points))
    return np.array(landmarks, np.float32), np.array(coefficients, np.float32)


def centred(shape: np.ndarray) -> np.ndarray:
    """Origin between the outer eye corners, their distance 1, the mid-plane at x = 0."""
    for _ in range(20):
        across = np.mean([shape[b] - shape[a] for a, b in MIRRORED], axis=0)
        x = across / np.linalg.norm(across)
        z = np.array([0, 0, 1.0]) - x * x[2]
        z /= np.linalg.norm(z)
        shape = shape @ np.stack([x, np.cross(z, x), z]).T
    shape = shape - [shape[list(MIDLINE), 0].mean(), 0, 0]
    shape = shape - [0, *((shape[33] + shape[263]) / 2)[1:]]
    return shape / np.linalg.norm(shape[33] - shape[263])


def mirror(shape: np.ndarray, effects: np.ndarray) -> np.ndarray:
    """For each landmark the one on the other side of the face: there in the mirrored mean, and moving like it.

    Place alone would pair an upper lip with a lower one wherever the mean face has its mouth shut.
    """
    flip = np.array([-1, 1, 1])
    places = np.concatenate([shape[None], effects * np.minimum(1, 0.3 / (np.abs(effects).max((1, 2), keepdims=True)))])
    mirrored = np.concatenate([(shape * flip)[None], (places[1:][SWAPPED] * flip) * TURNED[:, None, None]])
    cost = sum(((a[:, None] - b[None]) ** 2).sum(-1) for a, b in zip(places, mirrored, strict=True))
    return linear_sum_assignment(cost)[1]


def fit(clips: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
    """Mean shape, basis and rigidity, alternating between posing every frame and averaging."""
    shape = centred(clips[0][0][0].astype(np.float64))
    rigidity = np.ones(len(shape))
    effects = None
    for _ in range(6):
        heads = [
            np.array([align(f, shape.astype(np.float32), rigidity.astype(np.float32)).to_head(f) for f in landmarks])
            for landmarks, _ in clips
        ]
        spread = np.mean([h.var(axis=0).sum(-1) for h in heads], axis=0)
        rigidity = 1 / (spread + np.percentile(spread, 25))
        rigidity[(shape[:, 1] > 0.62) | (np.arange(len(shape)) >= 468)] = 0
        rigidity /= rigidity.max()
        turns = [
            np.array([align(f, shape.astype(np.float32), rigidity.astype(np.float32)).angles[:2] for f in landmarks])
            for landmarks, _ in clips
        ]
        causes = [np.hstack([c, t]) for (_, c), t in zip(clips, turns, strict=True)]
        both = [(c, h) for c, h in zip(causes, heads, strict=True)]
        if effects is not None:
            pairs = mirror(shape, effects)
            both += [(c[:, SWAPPED] * TURNED, h[:, pairs] * [-1, 1, 1]) for c, h in both]
        design = np.concatenate([c - c.mean(0) for c, _ in both])
        motion = np.concatenate([h - h.mean(0) for _, h in both]).reshape(len(design), -1)
        gram = design.T @ design + RIDGE * len(both) * np.eye(design.shape[1])
        effects = np.linalg.solve(gram, design.T @ motion).reshape(-1, len(shape), 3)
        resting = [h.mean(0) - np.tensordot(c.mean(0), effects, 1) for c, h in both]
        shape = centred(np.mean(resting, axis=0))
    explained = 1 - ((motion - design @ effects.reshape(len(effects), -1)) ** 2).sum() / (motion**2).sum()
    print(f"{len(design) // 2} frames of {len(clips)} clips; the basis explains {explained:.0%} of all movement")
    return {
        "shape": shape.astype(np.float32),
        "basis": effects[:52].astype(np.float16),
        "turn_bias": effects[52:].astype(np.float16),
        "rigidity": rigidity.astype(np.float32),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--out", type=Path, default=Path("src/mien/face/canonical.npz"))
    options = parser.parse_args()
    cv2.setNumThreads(2)
    parts = read_task(models.path("face-landmarker"))
    tracked = []
    for path in sorted(options.clips.glob("*.mp4")):
        try:
            landmarks, coefficients = track(path, parts)
        except MienError as error:
            print(error)
            continue
        if len(landmarks) > 10:
            tracked.append((landmarks, coefficients))
    np.savez_compressed(options.out, **fit(tracked))


if __name__ == "__main__":
    main()
