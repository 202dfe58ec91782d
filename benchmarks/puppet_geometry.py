"""Does the expression arrive on puppets? Judged by the drawing itself: where its lids, lips and brows are.

`python -m benchmarks.puppet_geometry CLIPS [PUPPETS…] [--frames N]` compares lengths of the driver's face, off the
landmarks with the head pose taken out, with the same lengths of the drawn shapes: how far each eye and the mouth are
open, how wide the mouth is, how high its corners and the brows are. For each length that the driver really uses, the
correlation; besides, the frames with shut eyes that are drawn shut, and with open eyes that are drawn open, and smiles
or frowns drawn as their opposite.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.fidelity import correlation
from mien.avatar import library
from mien.avatar.rig import read_rig
from mien.engine.puppet.flesh import Flesh
from mien.face.frontal import frontal
from mien.face.parts import open_tracker
from mien.face.pose import head_pose
from mien.media.reader import VideoReader
from mien.types import Expression, Face

LENGTHS = (
    "eye right",
    "eye left",
    "mouth open",
    "mouth wide",
    "corner right",
    "corner left",
    "brow right",
    "brow left",
)
_USED = {"eye": 0.03, "mouth": 0.05, "corner": 0.025, "brow": 0.03}
"""Spread (95th less 5th percentile) in inter-ocular units from which the driver uses a length."""
_SHUT, _OPEN = 0.3, 0.7
"""Opening of an eye against its usual one, below which it is shut and above which it is open."""
_LIDS = {"right": (159, 145), "left": (386, 374)}
_BROWS = {"right": [52, 65, 105, 66], "left": [282, 295, 334, 296]}
_CORNERS = {"right": 61, "left": 291}
_SEAM, _FACE_CORNER = (13, 14), 0.02


@dataclass
class Arrival:
    """What arrived of one clip on one puppet."""

    lengths: dict[str, float]
    """Correlation of each length in use."""
    shut: float
    """Share of the frames with a shut eye in which it is drawn shut; NaN without any."""
    open: float
    """The same for open eyes."""
    opposite: float
    """Share of the frames with raised corners that are drawn lowered, or the other way round."""


def of_driver(face: Face) -> np.ndarray:
    """(8,) lengths in inter-ocular units, in the order of `LENGTHS`; up is positive."""
    head = frontal(face.landmarks, head_pose(face.landmarks))
    seam = head[list(_SEAM), 1].mean()
    eyes = [head[lower, 1] - head[upper, 1] for upper, lower in _LIDS.values()]
    mouth = [head[_SEAM[1], 1] - head[_SEAM[0], 1], head[291, 0] - head[61, 0]]
    corners = [seam - head[index, 1] for index in _CORNERS.values()]
    brows = [-head[indices, 1].mean() for indices in _BROWS.values()]
    return np.array([*eyes, *mouth, *corners, *brows])


def of_puppet(flesh: Flesh, expression: Expression) -> np.ndarray:
    """(8,) the same lengths of the drawing, in its own units; NaN for what the puppet has not. The head is held
    still."""
    posed = flesh.posed(replace(expression, yaw=0.0, pitch=0.0, roll=0.0), 0.0)
    places = {limb.shape.id: posed[limb.start + 1 : limb.stop] for limb in flesh.limbs if limb.shape.id}
    lengths = dict.fromkeys(LENGTHS, np.nan)
    for side, eye in flesh.rig.eyes.items():
        lengths[f"eye {side}"] = np.ptp(places[eye.opening][:, 1])
    for side, brow in flesh.brows.items():
        lengths[f"brow {side}"] = -posed[brow.vertices, 1].mean()
    if flesh.rig.mouth is not None:
        mouth = places[flesh.rig.mouth.opening]
        x, y = mouth.T
        middle = np.abs(x - (x.min() + x.max()) / 2) < 0.15 * np.ptp(x)
        lengths["mouth open"], lengths["mouth wide"] = np.ptp(y[middle]), np.ptp(x)
        lengths["corner right"] = y[middle].mean() - y[x.argmin()]
        lengths["corner left"] = y[middle].mean() - y[x.argmax()]
    return np.array([lengths[name] for name in LENGTHS])


def compare(driver: np.ndarray, drawn: np.ndarray) -> Arrival:
    """From (T, 8) lengths of the driver and of the drawing."""
    spread = np.ptp(np.percentile(driver, (5, 95), axis=0), axis=0)
    used = [
        i for i, name in enumerate(LENGTHS) if spread[i] > _USED[name.split()[0]] and np.isfinite(drawn[:, i]).all()
    ]
    lengths = {LENGTHS[i]: correlation(driver[:, i], drawn[:, i]) for i in used}
    eyes = [driver[:, :2], drawn[:, :2]]
    opening, seen = (e / np.maximum(np.percentile(e, 80, axis=0), 1e-6) for e in eyes)
    shut, wide = opening < _SHUT, opening > _OPEN
    corners, painted = driver[:, 4:6], drawn[:, 4:6]
    rest, still = np.median(corners, axis=0), np.median(painted, axis=0)
    moved = np.abs(corners - rest) > 2 * _FACE_CORNER
    reach = np.maximum(np.abs(painted - still).max(0), 1e-6)
    against = moved & (np.sign(corners - rest) * (painted - still) < -0.2 * reach)
    return Arrival(
        lengths,
        float((seen[shut] < 0.5).mean()) if shut.any() else float("nan"),
        float((seen[wide] > 0.5).mean()) if wide.any() else float("nan"),
        float(against.sum() / moved.sum()) if moved.any() else float("nan"),
    )


def drive(clip: Path, frames: int | None) -> list[Face]:
    """The main face of each frame that shows one."""
    tracker = open_tracker()
    with VideoReader(clip) as reader:
        return [found[0] for frame in islice(reader, frames) if (found := tracker(frame))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="a folder of clips, or one clip")
    parser.add_argument("puppets", nargs="*", help="names; by default all built-in ones")
    parser.add_argument("--frames", type=int, help="at most so many frames of each clip")
    options = parser.parse_args()
    clips = sorted(options.clips.glob("*.mp4")) if options.clips.is_dir() else [options.clips]
    names = options.puppets or list(library.built_in())
    every: dict[str, list[float]] = {name: [] for name in LENGTHS}
    checks: list[Arrival] = []
    print(f"{'clip':24}{'puppet':8}{'median':>7}  {'lowest':20}{'shut':>6}{'open':>6}{'opposite':>9}")
    for clip in clips:
        faces = drive(clip, options.frames)
        if len(faces) < 20:
            continue
        driver = np.array([of_driver(face) for face in faces])
        for name in names:
            rig = read_rig(library.find(name).path)
            shapes = [s for s in rig.drawing.shapes if rig.layers[s.layer].part != "backdrop"]
            flesh = Flesh(rig, [*shapes, *rig.drawing.clips.values()])
            drawn = np.array([of_puppet(flesh, face.expression) for face in faces])
            found = compare(driver, drawn)
            checks.append(found)
            for length, r in found.lengths.items():
                every[length].append(r)
            if found.lengths:
                low = min(found.lengths, key=lambda length: found.lengths[length])
                median = np.median(list(found.lengths.values()))
                print(
                    f"{clip.stem:24}{name:8}{median:7.2f}  {found.lengths[low]:4.2f} {low:15}"
                    f"{found.shut:6.0%}{found.open:6.0%}{found.opposite:9.1%}", flush=True,
                )  # fmt: skip
    print()
    for length, values in every.items():
        if values:
            print(f"{length:14} median r {np.median(values):.2f}, lowest {min(values):.2f}, n {len(values)}")
    for title, numbers in (
        ("shut eyes drawn shut", [c.shut for c in checks]),
        ("open eyes drawn open", [c.open for c in checks]),
        ("corners of the mouth drawn the opposite way", [c.opposite for c in checks]),
    ):
        print(f"{title}: {np.nanmean(numbers):.1%} on average")


if __name__ == "__main__":
    main()
