"""All benchmarks that matter, in one table each: `make bench`, or `python -m benchmarks [--markdown FILE] [--full]`.

Takes some minutes. Uses ../shared/data where it is, else clips made on the spot. Figures of one run belong together: a
machine and its load differ from run to run, which is why times are told as ratios to something public in the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks import call, fidelity, live, memory, whole_job
from benchmarks.material import Material, gather
from benchmarks.table import Table, keep
from benchmarks.tracking import swaying
from mien.errors import MienError
from mien.face.classic import HaarDetector
from mien.face.parts import open_tracker
from mien.types import Frame


def tracking() -> Table:
    """The tracker beside OpenCV's Haar cascade, which gives a box and no more, picture by picture in turns."""
    table = Table("Tracking at 640×480, one face", ("", "ms a frame", "over Haar"))
    tracker, haar = open_tracker(), HaarDetector()
    ours, theirs = [], []
    for i, picture in enumerate(swaying(90)):
        frame = Frame(picture, i, i / 30)
        ours.append(whole_job.timed(lambda: tracker(frame))[1])  # noqa: B023
        if i % 3 == 0:
            theirs.append(whole_job.timed(lambda: haar(frame.image))[1])  # noqa: B023
    # A mean, for every second frame searches for newcomers.
    mine, reference = 1e3 * float(np.mean(sorted(ours[5:])[:-4])), 1e3 * median(theirs)
    table.add(f"whole tracker ({tracker.model})", f"{mine:.1f}", f"{mine / reference:.2f} ×")
    table.add("OpenCV's Haar cascade (1.3, 5)", f"{reference:.1f}", "1 ×")
    table.note = "Landmarks, coefficients, pose, gaze and expression against a box. Target: 5 ms."
    return table


def arrival(pairs: tuple[tuple[Path, str], ...], *, frames: int | None) -> Table:
    """Whether the expression arrives: the output tracked again and compared with the driver."""
    columns = (
        "clip",
        "avatar",
        "median r",
        "lowest r",
        "gain",
        "arrive",
        "yaw, pitch, roll r",
        "angles off",
        "lag",
        "found",
        "render, ms",
    )
    reach = f"the first {frames} frames" if frames else "all frames"
    table = Table(
        "Does the expression arrive?",
        columns,
        note=(
            f"Driver and output, {reach}, tracked by the same tracker; correlation of every coefficient that the "
            "driver really uses (p95 − p5 > .15) and of head angles where they span more than 5°. Targets: median "
            "≥ .90, every channel ≥ .70, no lag, face found in all of the output. Gain: spread of the output over the "
            "driver's, median of the channels. Arrive: channels in use with r ≥ .70 and a gain of .7 to 1.4."
        ),
    )
    medians, channels, arriving = [], [], 0
    for clip, avatar in pairs:
        name = Path(avatar).stem
        try:
            found = fidelity.measure(clip, avatar, frames=frames)
        except MienError as error:
            table.add(clip.stem, name, str(error), *[""] * (len(columns) - 3))
            continue
        if not found.channels:
            table.add(clip.stem, name, "nothing moves", *[""] * (len(columns) - 3))
            continue
        medians.append(found.median)
        channels += found.channels.values()
        arriving += len(found.arrived)
        weakest = min(found.channels, key=lambda channel: found.channels[channel])
        turns = ", ".join(f"{found.angles[a]:.2f}" if a in found.angles else "–" for a in fidelity.ANGLES)
        table.add(
            clip.stem, name, f"{found.median:.2f}", f"{found.channels[weakest]:.2f} {weakest}", f"{found.gain:.2f}",
            f"{len(found.arrived)} of {len(found.channels)}", turns,
            f"{found.angle_error:.1f}°", found.lag, f"{found.found:.0%}", f"{found.milliseconds:.1f}",
        )  # fmt: skip
    if medians:
        good, used = np.mean(np.array(medians) >= 0.9), np.mean(np.array(channels) >= 0.7)
        arrived = arriving / len(channels)
        summary = f"{good:.0%} of pairs ≥ .90"
        table.add(
            "all",
            f"{len(medians)} pairs",
            f"{np.median(medians):.2f}",
            f"{used:.0%} ≥ .70",
            "",
            f"{arrived:.0%}",
            summary,
            *[""] * 4,
        )
    return table


def machine() -> str:
    """What this runs on, in a sentence."""
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    load = f", load {os.getloadavg()[0]:.1f} when it began" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}{load}."


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also keep the tables in this Markdown file")
    parser.add_argument(
        "--full",
        action="store_true",
        help="every clip on every avatar, every frame, ten minutes live: three quarters of an hour",
    )
    parser.add_argument("--rounds", type=int, default=3, help="of the whole job")
    options = parser.parse_args()
    shown = [machine() + "\n"]
    print(shown[0])
    try:
        with TemporaryDirectory() as folder:
            material = gather(Path(folder))
            shown[0] = f"{shown[0].rstrip()} Measured on {material.origin}.\n"
            for measure in _sections(material, full=options.full, rounds=options.rounds):
                shown.append(str(measure()))
                print(shown[-1], flush=True)
    except MienError as error:
        sys.exit(str(error))
    if options.markdown:
        keep(options.markdown, "\n".join(shown))


def _sections(material: Material, *, full: bool, rounds: int) -> list[Callable[[], Table]]:
    cv2.setNumThreads(os.cpu_count() or 1)
    pairs = material.every_pair if full else material.pairs
    return [
        lambda: whole_job.jobs(material, rounds=rounds),
        lambda: whole_job.stages(material),
        tracking,
        lambda: whole_job.preparation(material),
        lambda: memory.memory(material, every_frame=full),
        lambda: arrival(pairs, frames=None if full else 200),
        lambda: live.delays(material),
        lambda: live.steadiness(material, full=full),
        lambda: call.calls(material),
    ]


if __name__ == "__main__":
    main()
