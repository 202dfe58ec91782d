"""Does the expression arrive? Drives avatars with clips, tracks the result with the same tracker, and compares.

`python -m benchmarks.fidelity CLIPS AVATARS…` prints, for each pair, the correlation of every coefficient that the
driver really uses (its 95th and 5th percentiles differ by more than .15) between driver and output, of head angles
where they span more than 5°, the lag in frames, and how often a face is found in the output. The gain of a channel is
its spread in the output, 95th less 5th percentile, over the driver's: 1 means as much as the driver does. A frame turns
into its opposite where the driver does not smile, frown, shut the eyes or open the jaw (below .1) and the output does
(above .25).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from mien.avatar import library
from mien.engine import registry
from mien.engine.base import Renderer
from mien.errors import MienError
from mien.face.parts import open_tracker
from mien.media.reader import VideoReader
from mien.types import COEFFICIENT, COEFFICIENTS, Face, Frame

USED = 0.15
TURNED = np.radians(5)
GOOD_R, GOOD_GAIN = 0.7, (0.7, 1.4)
"""A channel arrives from this correlation, and within these gains."""
GOOD_TURN, GOOD_TURN_GAIN = 0.9, (0.8, 1.2)
OPPOSITES = ("mouthSmile", "mouthFrown", "eyeBlink", "jawOpen")
_ABSENT, _PRESENT = 0.1, 0.25
ANGLES = ("yaw", "pitch", "roll")
SETTLED, COMPARED = 2.0, 3.0
"""Seconds after any first frame from which, and for which, a clip is compared with itself from its beginning."""


@dataclass
class Fidelity:
    """What arrived of one clip on one avatar."""

    channels: dict[str, float] = field(default_factory=dict)
    """Correlation of each coefficient in use."""
    angles: dict[str, float] = field(default_factory=dict)
    """Correlation of each head angle in use."""
    gains: dict[str, float] = field(default_factory=dict)
    """Gain of each coefficient and head angle in use."""
    gaze: dict[str, float] = field(default_factory=dict)
    """Correlation of each eye's sideways gaze, where the driver's eyes move."""
    opposites: dict[str, float] = field(default_factory=dict)
    """Share of the frames without a movement in the driver that show it in the output."""
    angle_error: float = float("nan")
    """Mean absolute difference of head angles after removing their means, degrees."""
    lag: int = 0
    """Frames by which the output trails, at the peak of the correlation."""
    found: float = 0.0
    """Share of output frames in which a face is found, of those in which the driver's was."""
    milliseconds: float = 0.0
    """Per rendered frame."""

    @property
    def median(self) -> float:
        return float(np.median(list(self.channels.values()))) if self.channels else float("nan")

    @property
    def gain(self) -> float:
        """Median gain of the coefficients in use."""
        return float(np.median([self.gains[name] for name in self.channels])) if self.channels else float("nan")

    @property
    def arrived(self) -> list[str]:
        """Coefficients in use that arrive: in step with the driver, and neither faint nor exaggerated."""
        low, high = GOOD_GAIN
        return [n for n, r in self.channels.items() if r >= GOOD_R and low <= self.gains[n] <= high]


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; 0 where either does not move."""
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 1e-9 else 0.0


def lag_of(a: np.ndarray, b: np.ndarray, reach: int = 6) -> int:
    """Frames by which `b` (T, C) trails `a`, by the mean correlation over columns."""

    def at(shift: int) -> float:
        x, y = (a[: len(a) - shift], b[shift:]) if shift >= 0 else (a[-shift:], b[: len(b) + shift])
        return float(np.mean([correlation(x[:, i], y[:, i]) for i in range(a.shape[1])]))

    return max(range(-reach, reach + 1), key=at) if len(a) > 4 * reach else 0


def compare(driver: list[Face | None], output: list[Face | None]) -> Fidelity:
    """Fidelity of an output against its driver, frame by frame."""
    both = [(a, b) for a, b in zip(driver, output, strict=True) if a is not None and b is not None]
    seen = sum(face is not None for face in driver)
    result = Fidelity(found=len(both) / seen if seen else float("nan"))
    if len(both) < 10:
        return result
    a, b = (np.array([face.coefficients for face in faces]) for faces in zip(*both, strict=True))
    span = np.percentile(a, 95, axis=0) - np.percentile(a, 5, axis=0)
    used = [i for i in range(1, len(COEFFICIENTS)) if span[i] > USED]
    result.channels = {COEFFICIENTS[i]: correlation(a[:, i], b[:, i]) for i in used}
    spread = np.percentile(b, 95, axis=0) - np.percentile(b, 5, axis=0)
    result.gains = {COEFFICIENTS[i]: float(spread[i] / span[i]) for i in used}
    result.gaze = _gaze(a, b)
    result.opposites = _opposites(a, b)
    if used:
        result.lag = lag_of(a[:, used], b[:, used])
    turns, turned = (np.array([[f.yaw, f.pitch, f.roll] for f in faces]) for faces in zip(*both, strict=True))
    turns_span = np.percentile(turns, 95, axis=0) - np.percentile(turns, 5, axis=0)
    for i, name in enumerate(ANGLES):
        if turns_span[i] > TURNED:
            result.angles[name] = correlation(turns[:, i], turned[:, i])
            result.gains[name] = float(np.ptp(np.percentile(turned[:, i], (5, 95))) / turns_span[i])
    result.angle_error = float(np.degrees(np.abs((turns - turns.mean(0)) - (turned - turned.mean(0))).mean()))
    return result


def _gaze(driver: np.ndarray, output: np.ndarray) -> dict[str, float]:
    """Correlation of each eye's sideways gaze, from (T, 52) coefficients."""
    found = {}
    for side in ("Left", "Right"):
        inwards, outwards = COEFFICIENT[f"eyeLookIn{side}"], COEFFICIENT[f"eyeLookOut{side}"]
        a, b = (values[:, outwards] - values[:, inwards] for values in (driver, output))
        if np.ptp(np.percentile(a, (5, 95))) > USED:
            found[side] = correlation(a, b)
    return found


def _opposites(driver: np.ndarray, output: np.ndarray) -> dict[str, float]:
    """Share of the frames in which a movement that the driver does not make is there in the output."""
    found = {}
    for name in OPPOSITES:
        columns = [i for n, i in COEFFICIENT.items() if n in {name, f"{name}Left", f"{name}Right"}]
        absent = driver[:, columns].max(1) < _ABSENT
        if absent.any():
            found[name] = float((output[absent][:, columns].mean(1) > _PRESENT).mean())
    return found


def drive(clip: Path, frames: int | None) -> tuple[list[Face | None], list[Frame]]:
    """The main face of each frame, and the frames without their pictures."""
    tracker = open_tracker()
    faces, stamps = [], []
    with VideoReader(clip) as reader:
        for frame in islice(reader, frames):
            found = tracker(frame)
            faces.append(found[0] if found else None)
            stamps.append(Frame(np.zeros((1, 1, 3), np.uint8), frame.index, frame.time))
    return faces, stamps


def measure(clip: Path, avatar: str, *, size: int = 512, frames: int | None = None) -> Fidelity:
    """Fidelity of one clip on one avatar."""
    driver, stamps = drive(clip, frames)
    chosen = library.find(avatar)
    renderer = registry.for_avatar(chosen.kind).prepare(chosen, size=size)
    tracker = open_tracker()
    output: list[Face | None] = []
    spent = 0.0
    for face, stamp in zip(driver, stamps, strict=True):
        if face is None:
            output.append(None)
            continue
        began = time.perf_counter()
        picture = renderer(face.expression)
        spent += time.perf_counter() - began
        seen = tracker(Frame(np.ascontiguousarray(picture[..., :3]), stamp.index, stamp.time))
        output.append(seen[0] if seen else None)
    result = compare(driver, output)
    result.milliseconds = 1000 * spent / max(1, sum(f is not None for f in driver))
    return result


def render(renderer: Renderer, faces: list[Face | None], stamps: list[Frame]) -> list[Face | None]:
    """What the tracker sees of the avatar, driven by these faces; None where the driver's face was not seen."""
    tracker = open_tracker()
    output: list[Face | None] = []
    for face, stamp in zip(faces, stamps, strict=True):
        seen = []
        if face is not None:
            picture = renderer(face.expression)
            seen = tracker(Frame(np.ascontiguousarray(picture[..., :3]), stamp.index, stamp.time))
        output.append(seen[0] if seen else None)
    return output


def any_start(clip: Path, avatar: str, *, starts: int = 20, size: int = 512, seed: int = 0) -> list[float]:
    """How much the median r changes, for each of some random first frames, against the clip from its beginning: both
    are compared with the driver from `SETTLED` seconds after the first frame on, for `COMPARED` seconds.

    Empty where the clip is too short, or where nothing moves.
    """
    with VideoReader(clip) as reader:
        frames = list(islice(reader, 900))
    if not frames or frames[-1].time < SETTLED + COMPARED:
        return []
    chosen = library.find(avatar)
    renderer = registry.for_avatar(chosen.kind).prepare(chosen, size=size)

    def followed(part: list[Frame]) -> tuple[list[Face | None], list[Face | None]]:
        tracker = open_tracker()
        faces = [found[0] if (found := tracker(frame)) else None for frame in part]
        stamps = [Frame(np.zeros((1, 1, 3), np.uint8), frame.index, frame.time) for frame in part]
        return faces, render(renderer, faces, stamps)

    whole = followed(frames)
    latest = next(i for i, frame in enumerate(frames) if frame.time > frames[-1].time - SETTLED - COMPARED)
    differences = []
    for first in np.random.default_rng(seed).choice(latest + 1, min(starts, latest + 1), replace=False):
        part = [frame for frame in frames[first:] if frame.time < frames[first].time + SETTLED + COMPARED]
        skipped = sum(frame.time < frames[first].time + SETTLED for frame in part)
        faces, output = followed(part)
        window = slice(first + skipped, first + len(part))
        late = compare(faces[skipped:], output[skipped:])
        early = compare(whole[0][window], whole[1][window])
        if late.channels and early.channels:
            differences.append(late.median - early.median)
    return differences


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, help="a folder of clips, or one clip")
    parser.add_argument("avatars", nargs="+", help="names or pictures")
    parser.add_argument("--frames", type=int, help="at most so many frames of each clip")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--starts", type=int, metavar="N", help="only: does it matter at which frame a clip begins?")
    options = parser.parse_args()
    clips = sorted(options.clips.glob("*.mp4")) if options.clips.is_dir() else [options.clips]
    if options.starts:
        return _starts(clips, options.avatars, options.starts)
    print(
        f"{'clip':24}{'avatar':12}{'median':>7}{'min':>6}{'gain':>6}{'arrive':>10}  {'weakest':22}{'yaw pitch roll':16}"
        f"{'err°':>5}{'lag':>4}{'found':>7}{'ms':>6}"
    )
    every: list[Fidelity] = []
    for clip in clips:
        for avatar in options.avatars:
            try:
                f = measure(clip, avatar, size=options.size, frames=options.frames)
            except MienError as error:
                print(f"{clip.stem:24}{Path(avatar).stem:12}{error}")
                continue
            if not f.channels and not f.angles:
                print(f"{clip.stem:24}{Path(avatar).stem:12}nothing moves enough to compare; found {f.found:.0%}")
                continue
            every.append(f)
            weakest = sorted(f.channels.items(), key=lambda item: item[1])[:3]
            angles = " ".join(f"{f.angles[n]:4.2f}" if n in f.angles else "   –" for n in ANGLES)
            first, lowest = weakest[0] if weakest else ("", float("nan"))
            print(
                f"{clip.stem:24}{Path(avatar).stem:12}{f.median:7.2f}{lowest:6.2f}{f.gain:6.2f}"
                f"{len(f.arrived):4d} of {len(f.channels):2d}  {first:22}{angles:16}"
                f"{f.angle_error:5.1f}{f.lag:4d}{f.found:7.0%}{f.milliseconds:6.1f}"
                f"  {' '.join(f'{n} {r:.2f}' for n, r in weakest[1:])}",
                flush=True,
            )
    _totals(every)


def _starts(clips: list[Path], avatars: list[str], starts: int) -> None:
    every: list[float] = []
    for clip in clips:
        for avatar in avatars:
            found = any_start(clip, avatar, starts=starts)
            every += found
            said = (
                f"median r {np.mean(found):+.3f}, worst {min(found):+.3f}" if found else "too short, or nothing moves"
            )
            print(f"{clip.stem:24}{Path(avatar).stem:12}{len(found):3d} first frames  {said}", flush=True)
    if every:
        within = np.mean(np.abs(every) <= 0.02)
        print(f"\n{len(every)} first frames: {np.mean(every):+.3f} on average, {within:.0%} within .02")


def _totals(every: list[Fidelity]) -> None:
    medians = [f.median for f in every if f.channels]
    good = np.mean(np.array(medians) >= 0.9)
    print(f"\n{len(every)} pairs: median of medians {np.median(medians):.3f}, {good:.0%} of pairs ≥ .90")
    used = sum(len(f.channels) for f in every)
    in_step = sum(r >= GOOD_R for f in every for r in f.channels.values())
    arrived = sum(len(f.arrived) for f in every)
    print(
        f"channels in use: {in_step / used:.0%} of {used} r ≥ .70, {arrived / used:.0%} also with a gain of .7 to 1.4"
    )
    low, high = GOOD_TURN_GAIN
    turns = [(r, f.gains[n]) for f in every for n, r in f.angles.items()]
    right = np.mean([r >= GOOD_TURN and low <= gain <= high for r, gain in turns]) if turns else float("nan")
    print(f"head angles in use: {right:.0%} of {len(turns)} r ≥ .90 with a gain of .8 to 1.2")
    eyes = [r for f in every for r in f.gaze.values()]
    print(f"gaze, each eye: median r {np.median(eyes):.2f}, {np.mean(np.array(eyes) >= 0.85):.0%} of {len(eyes)} ≥ .85")
    for name in OPPOSITES:
        shares = [f.opposites[name] for f in every if name in f.opposites]
        print(
            f"{name} in the output without one in the driver: {np.mean(shares):.1%} of frames, worst {max(shares):.1%}"
        )
    rs: dict[str, list[float]] = {}
    gains: dict[str, list[float]] = {}
    for f in every:
        for name, r in {**f.channels, **f.angles}.items():
            rs.setdefault(name, []).append(r)
            gains.setdefault(name, []).append(f.gains[name])
    for name, values in sorted(rs.items(), key=lambda item: np.median(item[1])):
        print(
            f"  {name:22} median r {np.median(values):5.2f}  min {min(values):5.2f}  "
            f"gain {np.median(gains[name]):5.2f} ({min(gains[name]):.2f} to {max(gains[name]):.2f})  n {len(values)}"
        )


if __name__ == "__main__":
    main()
