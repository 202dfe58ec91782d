"""Fits `mien/face/lite_coefficients.npz`: `python -m benchmarks.fit_lite_coefficients ../shared/data`.

The teacher is Google's blendshape network. Clips are tracked with both meshes at once, which gives pairs: a face as the
attention mesh sees it, and as the teacher's own mesh does. Movements of one person are put onto the shape of another,
left and right and upper and lower half from different moments, and the teacher says what each such face expresses: a
few thousand frames of nine people become faces without number. `--check` leaves out each clip in turn, shape and
movement, and reports correlation and mean absolute error on it. Writes numbers only.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.fit_face_model import mirror
from mien import models
from mien.errors import MienError
from mien.face.attention_mesh import AttentionMesh
from mien.face.coefficients import Coefficients
from mien.face.detect import BlazeFace
from mien.face.landmarks import _BLENDSHAPE_INPUT, FaceMesh, Region
from mien.face.parts import read_task
from mien.face.pose import canonical, head_pose
from mien.media.reader import VideoReader
from mien.types import COEFFICIENTS

HIDDEN = 160
SAMPLES = 50_000
EPOCHS = 40
BATCH = 256
RATE = 2e-3
DECAY = 2e-5
NOISE = 0.003
"""Jitter added to every coordinate, in inter-ocular units: what the mesh itself trembles by."""
USED = 0.15
"""Spread (p95 − p5) from which a channel counts as used in a clip."""


@dataclass
class Person:
    """One clip or picture: N looks at a face, in the head's frame."""

    name: str
    lite: np.ndarray
    """(N, 478, 3) by the attention mesh."""
    full: np.ndarray
    """(N, 478, 3) by the teacher's mesh."""
    coefficients: np.ndarray
    """(N, 52) by the teacher, from the picture."""

    def resting(self, heads: np.ndarray) -> np.ndarray:
        """(478, 3) relaxed shape: every look less what its coefficients explain."""
        calm = np.exp(-3 * np.square(self.coefficients - np.median(self.coefficients, axis=0)).sum(1))
        shapes = heads - np.tensordot(self.coefficients, canonical().basis, 1)
        return np.average(shapes, axis=0, weights=calm)


def look(path: Path, detector: BlazeFace, full: FaceMesh, lite: AttentionMesh) -> Person | None:
    """Track the largest face with both meshes."""
    seen, region = [], None
    for image in pictures(path):
        if region is None:
            found = detector(image)
            if not found:
                continue
            region = Region.around_detection(found[0])
            for _ in range(2):
                region = Region.around_landmarks(full.landmarks(image, region)[0])
        points, presence = full.landmarks(image, region)
        others, lite_presence = lite.landmarks(image, region)
        region = Region.around_landmarks(points) if presence > 0.9 else None
        if region and lite_presence > 0.5:
            heads = [head_pose(p).to_head(p) for p in (others, points)]
            seen.append((*heads, full.coefficients(points)))
    return Person(path.stem, *(np.array(part) for part in zip(*seen, strict=True))) if seen else None


def pictures(path: Path) -> Iterator[np.ndarray]:
    """RGB pictures of a clip, or the one of an image file."""
    if path.suffix == ".mp4":
        with VideoReader(path) as reader:
            yield from (frame.image for frame in reader)
    else:
        yield cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def mixed(people: list[Person], count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(count, 478, 3) twice, lite and full: faces that never were, the same for both meshes."""
    mean, basis = canonical().shape, canonical().basis
    pairs = mirror(mean.astype(np.float64), np.concatenate([basis, canonical().turn_bias]).astype(np.float64))
    flip = np.array([-1, 1, 1], np.float32)
    shapes, moves = [], []
    for person in people:
        both = [(heads, person.resting(heads)) for heads in (person.lite, person.full)]
        shapes.append(np.array([rest for _, rest in both]))
        if len(person.lite) > 1:
            moves.append(np.stack([heads - rest for heads, rest in both], 1))
    shapes = np.array(shapes, np.float32)
    shapes = np.concatenate([shapes, shapes[:, :, pairs] * flip])
    moves = [np.concatenate([m, m[:, :, pairs] * flip]).astype(np.float32) for m in moves]
    upper = 1 / (1 + np.exp((mean[:, 1] - 0.38) / 0.05))
    right = 1 / (1 + np.exp(mean[:, 0] / 0.05))
    masks = np.stack([upper * right, upper * (1 - right), 1 - upper])[..., None]

    def movement() -> np.ndarray:
        person = moves[rng.integers(len(moves))]
        return person[rng.integers(len(person))] * rng.uniform(0.4, 1.5)

    faces = np.empty((count, 2, 478, 3), np.float32)
    for face in faces:
        weights = rng.dirichlet(np.full(len(shapes), 0.25))
        shape = np.tensordot(weights, shapes, 1)
        shape = shape + rng.normal(0, 0.35) * (shapes[rng.integers(len(shapes))] - shapes.mean(0)).mean(0)
        whole = movement()
        parts = [whole if rng.random() < 0.6 else movement() for _ in range(3)]
        face[:] = shape + sum(part * mask for part, mask in zip(parts, masks, strict=True))
    return faces[:, 0], faces[:, 1]


def labels(heads: np.ndarray, teacher: FaceMesh) -> np.ndarray:
    """(N, 52) of what the teacher reads in (N, 478, 3) faces, shown to it from the front."""
    return np.array([teacher.coefficients(head * 300 + 500) for head in heads])


def train(heads: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The small network, by Adam on the squared error."""
    points = _BLENDSHAPE_INPUT
    x = (heads - canonical().shape)[:, points, :2].reshape(len(heads), -1).astype(np.float32)
    scale = x.std(0) + 0.01
    w = {
        "w1": (rng.normal(0, 1, (x.shape[1], HIDDEN)) * np.sqrt(2 / x.shape[1]) / scale[:, None]).astype(np.float32),
        "b1": np.zeros(HIDDEN, np.float32),
        "w2": rng.normal(0, 0.05, (HIDDEN, wanted.shape[1])).astype(np.float32),
        "b2": np.log((m := wanted.mean(0).clip(0.003, 0.9)) / (1 - m)).astype(np.float32),
    }
    first, second = ({k: np.zeros_like(v) for k, v in w.items()} for _ in range(2))
    rates = {"w1": (1 / scale[:, None]).astype(np.float32)}
    weight = 1 / np.maximum(wanted.std(0), 0.05)
    step, steps = 0, EPOCHS * (len(x) // BATCH)
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - BATCH + 1, BATCH):
            chosen = order[start : start + BATCH]
            given = x[chosen] + rng.normal(0, NOISE, (BATCH, x.shape[1])).astype(np.float32)
            hidden = np.maximum(given @ w["w1"] + w["b1"], 0)
            answer = 1 / (1 + np.exp(-(hidden @ w["w2"] + w["b2"])))
            delta = (answer - wanted[chosen]) * weight * answer * (1 - answer) / BATCH * 10
            back = (delta @ w["w2"].T) * (hidden > 0)
            slopes = {"w1": given.T @ back, "b1": back.sum(0), "w2": hidden.T @ delta, "b2": delta.sum(0)}
            step += 1
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k, slope in slopes.items():
                slope = slope + DECAY * w[k]
                first[k] = 0.9 * first[k] + 0.1 * slope
                second[k] = 0.999 * second[k] + 0.001 * slope**2
                move = (first[k] / (1 - 0.9**step)) / (np.sqrt(second[k] / (1 - 0.999**step)) + 1e-8)
                w[k] = (w[k] - rate * rates.get(k, 1) * move).astype(np.float32)
    return {"points": points.astype(np.int16), **w}


def fit(people: list[Person], teacher: FaceMesh, samples: int) -> dict[str, np.ndarray]:
    """Weights from all those people: invented faces, and the real ones as they are."""
    rng = np.random.default_rng(1)
    lite, full = mixed(people, samples, rng)
    real = [p for p in people if len(p.lite) > 1]
    x = np.concatenate([lite, *(p.lite for p in real), *(p.lite for p in real)])
    y = np.concatenate([labels(full, teacher), *(p.coefficients for p in real), *(p.coefficients for p in real)])
    return train(x, y, rng)


def compare(people: list[Person], answers: dict[str, np.ndarray]) -> None:
    """Print, for each channel that a clip really uses, how well the answers follow the teacher's."""
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for person in people:
        if person.name not in answers:
            continue
        for name, true, mine in zip(COEFFICIENTS, person.coefficients.T, answers[person.name].T, strict=True):
            if np.percentile(true, 95) - np.percentile(true, 5) > USED:
                r = float(np.corrcoef(true, mine)[0, 1])
                rows.setdefault(name, []).append((r, float(np.abs(true - mine).mean()), np.polyfit(true, mine, 1)[0]))
    print(f"{'channel':20} clips  median r  lowest r    MAE  slope")
    for name, values in sorted(rows.items()):
        r, error, slope = np.array(values).T
        print(f"{name:20} {len(r):5} {np.median(r):9.2f} {r.min():9.2f} {error.mean():6.3f} {slope.mean():6.2f}")
    every = np.concatenate([np.array(v) for v in rows.values()])
    r, error = np.median(every[:, 0]), every[:, 1].mean()
    print(f"all {len(every)} (clip, channel) pairs: median r {r:.3f}, mean MAE {error:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with clips/*.mp4 and portraits/*.jpg")
    parser.add_argument("--out", type=Path, default=Path("src/mien/face/lite_coefficients.npz"))
    parser.add_argument("--check", action="store_true", help="leave each clip out in turn, report, and write nothing")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--only", nargs="*", help="with --check, the clips to leave out (default: all)")
    options = parser.parse_args()
    cv2.setNumThreads(2)
    parts = read_task(models.path("face-landmarker"))
    teacher = FaceMesh(parts["face_landmarks_detector.tflite"], parts["face_blendshapes.tflite"])
    lite = AttentionMesh(models.path("face-mesh-lite", "face_landmark_with_attention.tflite").read_bytes())
    detector = BlazeFace(parts["face_detector.tflite"])
    people = []
    for path in sorted([*options.data.glob("clips/*.mp4"), *options.data.glob("portraits/*.jpg")]):
        try:
            person = look(path, detector, teacher, lite)
        except MienError as error:
            print(error)
            continue
        if person is not None and (len(person.lite) > 20 or path.suffix == ".jpg"):
            people.append(person)
    print(f"{len(people)} people, {sum(len(p.lite) for p in people)} looks")
    clips = [p for p in people if len(p.lite) > 1]
    if options.check:
        answers = {}
        for person in clips:
            if options.only and person.name not in options.only:
                continue
            weights = fit([p for p in people if p is not person], teacher, options.samples)
            answers[person.name] = Coefficients(weights).of_head(person.lite)
            compare([person], answers)
        print("\nall together, each clip by a fit that never saw it")
        compare(clips, answers)
        return
    weights = fit(people, teacher, options.samples)
    compare(clips, {p.name: Coefficients(weights).of_head(p.lite) for p in clips})
    halves = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in weights.items()}
    np.savez_compressed(options.out, **halves)


if __name__ == "__main__":
    main()
