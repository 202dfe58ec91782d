"""A call with the patient's and the clinician's window on this machine, beside a plain video call between two windows:
`python -m benchmarks.call`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.call_run import WARM, Watching, Windows, call, plain_call
from benchmarks.live_run import WINDOW, Times, camera_clip
from benchmarks.live_run import live as alone
from benchmarks.material import PUPPET, Material, gather
from benchmarks.table import Table
from mien.errors import MienError

ENOUGH_FPS, ENOUGH_MEDIAN, ENOUGH_RECEIVED = 28, 60, 25
"""Pictures a second at the patient, milliseconds to them, pictures a second at the clinician."""
PLAIN: Final = "plain video call"
_ROUND: Final = 20.0
"""Seconds watched of each call."""
_COLUMNS: Final = (
    "", "fps", "p50, ms", "p95, ms", "fps received", "p50 there, ms", "over plain", "Python, %", "browser, %",
    "targets",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pooled:
    """All rounds of a run."""

    rounds: list[Watching]

    def delay(self, share: float) -> float:
        """Milliseconds to the patient's picture, a percentile."""
        return _percentile([watching.patient.delays for watching in self.rounds], share)

    def arrival(self, share: float) -> float:
        """Milliseconds to the clinician's picture, a percentile."""
        return _percentile([watching.arrived for watching in self.rounds], share)

    def mean(self, name: str) -> float:
        return float(np.mean([getattr(watching.patient, name) for watching in self.rounds]))

    @property
    def received(self) -> float:
        return float(np.mean([watching.received for watching in self.rounds]))


def calls(material: Material, *, rounds: int = 2, seconds: float = _ROUND) -> Table:
    """Rates and delays at both ends of a call."""
    table = Table("A call, both windows on this machine", _COLUMNS)
    try:
        taken = _taken(material, rounds, seconds)
    except MienError as error:
        table.add("not measured", *[""] * (len(_COLUMNS) - 1))
        table.note = str(error)
        return table
    plain = taken[PLAIN]
    for name, run in taken.items():
        table.add(*_row(name, run, plain))
    table.note = (
        f"{rounds} round{'s in turns' * (rounds > 1)}, {seconds:.0f} s of each after {WARM:.0f} s of call, in headless "
        f"Chromium without a GPU, two windows of {WINDOW[0]}×{WINDOW[1]}; a camera of 640×480 and "
        f"{taken[PLAIN].mean('camera'):.0f} fps, every frame numbered. *fps*, *p50* and *p95*: at the patient, as in "
        "the table of the live page. *Received*, *there*: pictures of different camera frames that the clinician's "
        "window could show, and how long after the patient's page could first see the frame. The voice is masked, "
        "emotions are not shared. *Plain video call*: the camera itself over WebRTC with the same limits, shown in "
        "both windows. *Alone*: the live page before anybody is invited. Load in percent of one core, both windows "
        f"together. Targets: {ENOUGH_FPS} fps, p50 {ENOUGH_MEDIAN} ms, {ENOUGH_RECEIVED} fps received, on two cores."
    )
    return table


def _taken(material: Material, rounds: int, seconds: float) -> dict[str, Pooled]:
    """All runs by name."""
    with TemporaryDirectory() as folder:
        camera = camera_clip(material.square, Path(folder) / "camera.mjpeg")
        runs: dict[str, Callable[[], Watching]] = {
            PLAIN: lambda: _watched(lambda: plain_call(camera), seconds),
            f"alone, puppet {PUPPET}": lambda: _alone(camera, seconds),
            f"call, puppet {PUPPET}": lambda: _watched(lambda: call(camera, PUPPET), seconds),
            f"call, mesh {material.picture.stem}": lambda: _watched(
                lambda: call(camera, str(material.picture)), seconds
            ),
        }
        taken: dict[str, list[Watching]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                taken[name].append(run())
    return {name: Pooled(watchings) for name, watchings in taken.items()}


def _watched(begin: Callable[[], AbstractContextManager[Windows]], seconds: float) -> Watching:
    with begin() as windows:
        return windows.watch(seconds)


def _alone(camera: Path, seconds: float) -> Watching:
    with alone(camera, PUPPET) as page:
        return Watching(page.watch(seconds), np.empty((0, 2)))


def _row(name: str, run: Pooled, plain: Pooled) -> tuple[str, ...]:
    moved, in_call = np.isfinite(run.delay(50)), run.received > 0
    python = f"{run.mean('python'):.0f}" if moved else "–"
    verdict = _verdict(run) if moved and in_call else "–"
    here = [f"{run.mean('fps'):.1f}", f"{run.delay(50):.0f}", f"{run.delay(95):.0f}"] if moved else ["–"] * 3
    ratio = run.arrival(50) / plain.arrival(50)
    there = [f"{run.received:.1f}", f"{run.arrival(50):.0f}", f"{ratio:.1f} ×"] if in_call else ["–"] * 3
    return name, *here, *there, python, f"{run.mean('browser'):.0f}", verdict


def _verdict(run: Pooled) -> str:
    targets = {
        "fps": run.mean("fps") >= ENOUGH_FPS,
        "p50": run.delay(50) <= ENOUGH_MEDIAN,
        "received": run.received >= ENOUGH_RECEIVED,
    }
    missed = [name for name, met in targets.items() if not met]
    return f"{', '.join(missed)} missed" if missed else "met"


def _percentile(rounds: list[Times], share: float) -> float:
    """Of the second column of all; infinite where there is none."""
    everything = np.concatenate(rounds)
    return float(np.percentile(everything[:, 1], share)) if len(everything) else float("inf")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.call", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=_ROUND, help="watched of each call")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        print(calls(gather(Path(folder)), rounds=options.rounds, seconds=options.seconds), flush=True)


if __name__ == "__main__":
    try:
        main()
    except MienError as error:
        sys.exit(str(error))
