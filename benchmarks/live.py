"""How long a live avatar lags behind the camera, in a real browser, beside frames that are only sent there and back:
`python -m benchmarks.live [--full]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from benchmarks.live_run import WINDOW, Held, Times, Watched, camera_clip, live
from benchmarks.live_server import ECHO
from benchmarks.material import PUPPET, Material, gather
from benchmarks.table import Table
from mien.emotion.classifier import MODEL
from mien.errors import MienError
from mien.models import available

ENOUGH_FPS, ENOUGH_MEDIAN, ENOUGH_MOST = 25, 60, 120
"""Pictures a second, and milliseconds: the median and the 95th percentile."""
SLOW_ENGINE, SLOW_MOST, SLOW_EVER = 0.1, 300, 500
"""Seconds a picture takes; milliseconds that 95 % of the delays and all of them may have with it."""
FLAT, STEADY = 30, 5
"""MB, and milliseconds of the median, that a long run may end higher than it began."""
_ROUND, _SLOW, _SHORT, _LONG = 8.0, 10.0, 60.0, 600.0
"""Seconds watched: a run of each round, the slow engine, the long run by default and in full."""
_SAMPLE: Final = 5.0
"""Seconds between looks at the memory."""
_FILLED: Final = 15.0
"""Seconds after which what the page's process holds has levelled off; some 500 MB of it are shared memory."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """All rounds of a run."""

    rounds: list[Watched]

    @property
    def delays(self) -> Times:
        """Milliseconds."""
        return np.concatenate([watched.delays[:, 1] for watched in self.rounds])

    def percentile(self, share: float) -> float:
        return float(np.percentile(self.delays, share)) if len(self.delays) else float("inf")

    def mean(self, name: str) -> float:
        return float(np.mean([getattr(watched, name) for watched in self.rounds]))


def delays(material: Material, *, rounds: int = 2) -> Table:
    """Delay and load of avatars, of the slow engine, and of frames sent there and back."""
    table = Table(
        "Live, in the browser, at 640×480",
        ("", "fps", "p50, ms", "p95, ms", "max, ms", "over echo", "Python, %", "browser, %", "targets"),
    )
    try:
        pooled, slow = _taken(material, rounds)
    except MienError as error:
        return _unmeasured(table, error)
    echo = next(iter(pooled.values()))
    for name, run in pooled.items():
        table.add(*_row(name, run, echo), "–" if run is echo else _verdict(_usual_targets(run)))
    table.add(*_row(f"engine of {1e3 * SLOW_ENGINE:.0f} ms", slow, echo), _verdict(_slow_targets(slow)))
    table.note = _how_delays_are_taken(list(pooled.values()), rounds)
    return table


def steadiness(material: Material, *, full: bool) -> Table:
    """Memory and delay over a long run."""
    seconds = _LONG if full else _SHORT
    table = Table(
        f"{seconds / 60:.0f} minute{'s' * (seconds > 60)} live",
        ("", "at first", "at last", "highest", "change a minute", "target"),
    )
    try:
        watched, held = _sampled(material, seconds)
    except MienError as error:
        return _unmeasured(table, error)
    window = max(2, round(min(60.0, seconds / 4) / _SAMPLE))
    minutes = np.cumsum([sample.seconds for sample in watched]) / 60

    def row(name: str, values: list[float], most: float | None = None, digits: int = 1) -> None:
        series = np.array(values)
        first, last, highest = np.median(series[:window]), np.median(series[-window:]), series.max()
        slope = np.polyfit(minutes, series, 1)[0]
        figures = (f"{value:.{digits}f}" for value in (first, last, highest))
        met = most is None or last - first <= most
        table.add(name, *figures, f"{slope:+.1f}", "" if most is None else f"+{most}: {'met' if met else 'missed'}")

    row("Python's memory, MB", [h.python for h in held], FLAT, 0)
    row("the page's memory, MB", [h.page for h in held], FLAT, 0)
    row("its JavaScript's, MB", [h.heap for h in held], FLAT)
    row("p50 of the delay, ms", [Pooled([sample]).percentile(50) for sample in watched], STEADY)
    row("p95 of the delay, ms", [Pooled([sample]).percentile(95) for sample in watched])
    row("fps", [sample.fps for sample in watched])
    table.note = (
        f"Puppet {PUPPET}, looked at every {_SAMPLE:.0f} s; *at first* and *at last* are medians of {window} looks, "
        f"the first of them {_FILLED:.0f} s after the start, when the page's process has levelled off. "
        "Memory is what is resident of the studio's process and of the page's; JavaScript's right after its garbage "
        "was collected."
    )
    return table


def _taken(material: Material, rounds: int) -> tuple[dict[str, Pooled], Pooled]:
    """The usual runs by name, the echo first, and the one with the slow engine."""
    mesh = f"mesh {material.picture.stem}"
    avatars = {"frames echoed": ECHO, f"puppet {PUPPET}": PUPPET, mesh: str(material.picture)}
    taken: dict[str, list[Watched]] = {name: [] for name in avatars}
    with TemporaryDirectory() as folder:
        camera = camera_clip(material.square, Path(folder) / "camera.mjpeg")
        for _ in range(rounds):
            for name, avatar in avatars.items():
                with live(camera, avatar) as page:
                    taken[name].append(page.watch(_ROUND))
        with live(camera, PUPPET, engine_takes=SLOW_ENGINE) as page:
            slow = page.watch(_SLOW)
    return {name: Pooled(watched) for name, watched in taken.items()}, Pooled([slow])


def _sampled(material: Material, seconds: float) -> tuple[list[Watched], list[Held]]:
    """Delays and memory, every few seconds."""
    watched, held = [], []
    with TemporaryDirectory() as folder:
        camera = camera_clip(material.square, Path(folder) / "camera.mjpeg")
        with live(camera, PUPPET) as page:
            page.watch(_FILLED)
            for _ in range(round(seconds / _SAMPLE)):
                watched.append(page.watch(_SAMPLE))
                held.append(page.held())
    return watched, held


def _unmeasured(table: Table, error: MienError) -> Table:
    table.add("not measured", *[""] * (len(table.columns) - 1))
    table.note = str(error)
    return table


def _row(name: str, run: Pooled, echo: Pooled) -> tuple[str, ...]:
    figures = (f"{run.percentile(share):.0f}" for share in (50, 95, 100))
    ratio = run.percentile(50) / echo.percentile(50)
    load = (f"{run.mean(name):.0f}" for name in ("python", "browser"))
    return name, f"{run.mean('fps'):.1f}", *figures, f"{ratio:.1f} ×", *load


def _usual_targets(run: Pooled) -> dict[str, bool]:
    return {
        "fps": run.mean("fps") >= ENOUGH_FPS,
        "p50": run.percentile(50) <= ENOUGH_MEDIAN,
        "p95": run.percentile(95) <= ENOUGH_MOST,
    }


def _slow_targets(run: Pooled) -> dict[str, bool]:
    return {"p95": run.percentile(95) < SLOW_MOST, "max": run.percentile(100) < SLOW_EVER}


def _verdict(targets: dict[str, bool]) -> str:
    missed = [name for name, met in targets.items() if not met]
    return f"{', '.join(missed)} missed" if missed else "met"


def _how_delays_are_taken(runs: list[Pooled], rounds: int) -> str:
    everything = Pooled([watched for run in runs for watched in run.rounds])
    unknown = sum(watched.unknown for watched in everything.rounds)
    emotions = "The seven emotions are read and shown" if available(MODEL) else "No emotions, for want of their model"
    return (
        f"{rounds} round{'s in turns' * (rounds > 1)}, {_ROUND:.0f} s of each, in headless Chromium without a GPU, a "
        f"window of {WINDOW[0]}×{WINDOW[1]}; the live page as it is, started by a click. {emotions}; the echo has "
        f"none. A camera of {everything.mean('camera'):.0f} fps, every frame numbered. *Delay*: from when the page can "
        "first see a frame (`requestVideoFrameCallback`) until the picture made from that very frame can be read off "
        f"its canvas; by the camera's time stamp a frame is {everything.mean('untold'):.0f} ms old when it is first "
        f"seen. Pictures whose frame is not known: {unknown} of {len(everything.delays) + unknown}. *Echoed*: decoded "
        "in Python, put on a picture as large as the avatar's, encoded, sent back. Load in percent of one core; the "
        "browser's holds the camera and the drawing of the page without a GPU. Targets: "
        f"{ENOUGH_FPS} fps, p50 {ENOUGH_MEDIAN} ms, p95 {ENOUGH_MOST} ms; with an engine that keeps a core busy for "
        f"{1e3 * SLOW_ENGINE:.0f} ms a picture, p95 below {SLOW_MOST} ms and none above {SLOW_EVER}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--full", action="store_true", help="the long run takes ten minutes")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        material = gather(Path(folder))
        measures: list[Callable[[], Table]] = [
            lambda: delays(material, rounds=options.rounds),
            lambda: steadiness(material, full=options.full),
        ]
        for measure in measures:
            print(measure(), flush=True)


if __name__ == "__main__":
    try:
        main()
    except MienError as error:
        sys.exit(str(error))
