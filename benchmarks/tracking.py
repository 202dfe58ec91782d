"""How fast, how steady and how prompt the tracker is: `python -m benchmarks.tracking [../shared/data/clips]`.

Speed is measured at 640×480 on scikit-image's astronaut, who sways a little, beside OpenCV's Haar cascade on the same
pictures in the same run. Jitter is measured on stills with a webcam's noise and JPEG compression, raw against smoothed.
Promptness needs clips with blinks: for each blink, how late the smoothed one comes and how much of its depth it loses.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mien import models
from mien.face.attention_mesh import AttentionMesh
from mien.face.calibration import Neutral
from mien.face.classic import HaarDetector
from mien.face.detect import Detector
from mien.face.gaze import gaze_of
from mien.face.landmarks import Region
from mien.face.parts import open_detector, open_mesh
from mien.face.pose import head_pose
from mien.face.smoothing import OneEuro, for_landmarks
from mien.face.tracker import FaceTracker, Mesh
from mien.media.reader import VideoReader
from mien.types import COEFFICIENT, Face, Frame

LITE = ("face-mesh-lite", "face_landmark_with_attention.tflite")
BLINK = 0.3
"""How far above its median the blink coefficient must peak to count."""


class Unsmoothed(OneEuro):
    """Passes everything."""

    def __init__(self) -> None:
        super().__init__(min_cutoff=1e9, beta=0, speed_cutoff=1)


def swaying(frames: int, *, size: tuple[int, int] = (640, 480)) -> list[np.ndarray]:
    """RGB pictures of the astronaut, moving by a few pixels."""
    import skimage.data

    picture = skimage.data.astronaut()
    pictures = []
    for i in range(frames):
        shift = np.array([[1, 0, 80 + 6 * np.sin(i / 9)], [0, 1, 20 + 4 * np.cos(i / 7)]], np.float32)
        pictures.append(cv2.warpAffine(picture, shift, size, borderMode=cv2.BORDER_REFLECT))
    return pictures


def webcam(picture: np.ndarray, frames: int, *, noise: float = 5.0, quality: int = 80) -> Iterator[np.ndarray]:
    """One picture as a webcam would send it again and again."""
    rng = np.random.default_rng(0)
    for _ in range(frames):
        noisy = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])
        yield cv2.imdecode(data, cv2.IMREAD_COLOR)


def per_call(function: Callable[[], object], *, calls: int = 100) -> float:
    """Milliseconds, the median of so many calls."""
    function()
    spent = []
    for _ in range(calls):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return 1e3 * float(np.median(spent))


def speed(detector: Detector, mesh: Mesh) -> float:
    """Print the stages' times; milliseconds a frame in all."""
    pictures = swaying(150)
    tracker = FaceTracker(detector, mesh)
    spent, faces = [], []
    for i, picture in enumerate(pictures):
        start = time.perf_counter()
        faces = tracker(Frame(picture, i, i / 30))
        spent.append(time.perf_counter() - start)
    landmarks, picture = faces[0].landmarks, pictures[-1]
    region, coefficients, pose = Region.around_landmarks(landmarks), faces[0].coefficients, head_pose(landmarks)
    neutral, smooth, clock = Neutral(), for_landmarks(), iter(np.arange(1e6) / 30)
    whole = 1e3 * float(np.mean(spent[5:]))
    stages = {
        "detector, one look (every fourth frame)": lambda: detector(picture, thorough=False),
        "crop and landmarks": lambda: mesh.landmarks(picture, region),
        "coefficients": lambda: mesh.coefficients(landmarks),
        "smoothing": lambda: smooth(landmarks, next(clock), unit=60.0),
        "pose and gaze": lambda: gaze_of(head_pose(landmarks).to_head(landmarks), coefficients),
        "expression": lambda: neutral(landmarks, pose, coefficients, faces[0].gaze, next(clock)),
    }
    print(f"\n{mesh.name}, 640×480, one face: {whole:.2f} ms a frame, at most {1e3 * max(spent[5:]):.1f}")
    for name, stage in stages.items():
        print(f"  {per_call(stage):6.2f} ms  {name}")
    print(f"  {per_call(lambda: detector(picture)):6.2f} ms  first frame and after a cut: search all over")
    return whole


def jitter(detector: Detector, mesh: Mesh, stills: Sequence[np.ndarray]) -> None:
    """Print how much still faces tremble, in percent of the distance between the outer eye corners."""

    def tremble(smoothing: Callable[[], OneEuro]) -> tuple[float, float, float]:
        rows = []
        for still in stills:
            tracker = FaceTracker(detector, mesh, smoothing=smoothing)
            faces = [tracker(Frame(p, i, i / 30)) for i, p in enumerate(webcam(still, 90))]
            kept = [found[0] for found in faces[15:] if found]
            points = np.array([face.landmarks[:, :2] for face in kept])
            unit = np.linalg.norm(points[:, 33] - points[:, 263], axis=1).mean()
            steps = np.diff(points, axis=0)
            values = np.array([face.coefficients for face in kept])
            rows.append((
                100 * np.sqrt(((points - points.mean(0)) ** 2).sum(-1).mean()) / unit,
                100 * np.sqrt((steps**2).sum(-1).mean()) / unit,
                values.std(0).max(),
            ))  # fmt: skip
        return tuple(np.mean(rows, axis=0))

    raw, smooth = tremble(Unsmoothed), tremble(for_landmarks)
    print(f"\n{mesh.name}, {len(stills)} stills with webcam noise         raw  smoothed  ratio")
    for name, before, after in zip(
        ("landmarks, RMS % of eye distance", "frame to frame, RMS %", "the least steady coefficient, σ"),
        raw, smooth, strict=True,
    ):  # fmt: skip
        print(f"  {name:44} {before:8.3f} {after:9.3f} {after / before:6.2f}")


@dataclass
class Blinks:
    """What smoothing does to the blinks of some clips."""

    delays: list[float]
    """Frames by which the smoothed blink crosses half its depth later."""
    losses: list[float]
    """Share of the depth that is lost at the peak."""


def followed(path: Path, detector: Detector, mesh: Mesh, smoothing: Callable[[], OneEuro]) -> list[Face]:
    """The first person's faces."""
    tracker = FaceTracker(detector, mesh, smoothing=smoothing)
    with VideoReader(path) as reader:
        return [found[0] for frame in reader for found in [tracker(frame)] if found]


def blinks(raw: list[Face], smooth: list[Face]) -> Blinks:
    """Compare the blinks of the same frames, unsmoothed and smoothed."""
    result = Blinks([], [])
    for name in ("eyeBlinkLeft", "eyeBlinkRight"):
        before, after = (np.array([f.coefficients[COEFFICIENT[name]] for f in faces]) for faces in (raw, smooth))
        rest = float(np.median(before))
        for peak in range(5, len(before) - 5):
            depth = before[peak] - rest
            if depth < BLINK or before[peak] < before[peak - 5 : peak + 6].max():
                continue
            result.losses.append(float(1 - (after[peak - 1 : peak + 3].max() - rest) / depth))
            crossings = [crossing(values, peak, rest + depth / 2) for values in (before, after)]
            if None not in crossings:
                result.delays.append(crossings[1] - crossings[0])
    return result


def crossing(values: np.ndarray, peak: int, level: float) -> float | None:
    """When, in frames, the rise to a peak passes a level."""
    for i in range(peak, max(peak - 8, 0), -1):
        if values[i - 1] < level <= values[i]:
            return i - 1 + float((level - values[i - 1]) / (values[i] - values[i - 1]))
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="?", help="folder with clips of talking, blinking people")
    options = parser.parse_args()
    cv2.setNumThreads(2)
    detector = open_detector("blazeface")
    meshes = [open_mesh()]
    if meshes[0].name != LITE[0] and models.available(*LITE):
        meshes.append(AttentionMesh(models.path(*LITE).read_bytes()))
    haar, picture = HaarDetector(), swaying(1)[0]
    reference = per_call(lambda: haar(picture), calls=30)
    print(f"OpenCV's Haar cascade (1.3, 5) at 640×480, which gives a box and no more: {reference:.1f} ms a frame")
    paths = sorted(options.clips.glob("*.mp4")) if options.clips else []
    stills = [swaying(1)[0]]
    for path in paths:
        with VideoReader(path) as reader:
            first = next(iter(reader)).image
        if FaceTracker(detector, meshes[0])(Frame(first, 0, 0.0)):
            stills.append(first)
    for mesh in meshes:
        whole = speed(detector, mesh)
        print(f"  {whole / reference:6.2f} × the time of Haar")
        jitter(detector, mesh, stills[:6])
        found = Blinks([], [])
        for path in paths:
            raw, smooth = (followed(path, detector, mesh, s) for s in (Unsmoothed, for_landmarks))
            if raw and len(raw) == len(smooth):
                one = blinks(raw, smooth)
                found.delays += one.delays
                found.losses += one.losses
        if found.losses:
            delay, loss = np.percentile(found.delays, [50, 95]), np.percentile(found.losses, [50, 95])
            print(f"\n{mesh.name}, {len(found.losses)} blinks                     median      p95")
            print(f"  delay in frames                              {delay[0]:8.2f} {delay[1]:8.2f}")
            print(f"  share of the depth that is lost              {loss[0]:8.3f} {loss[1]:8.3f}")


if __name__ == "__main__":
    main()
