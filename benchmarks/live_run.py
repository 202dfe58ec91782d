"""One live run in a real browser: a studio in a process of its own, its live page started as a person would, and what
can be told of both from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import marker
from benchmarks.browser import CAMERA_FPS, CAMERA_SIZE, chromium, film
from benchmarks.material import widened
from mien.errors import MienError
from mien.media.reader import VideoReader

if TYPE_CHECKING:
    import psutil
    from playwright.sync_api import CDPSession, Page

Times = NDArray[np.float64]
WARM: Final = 2.0
"""Seconds that a run goes on before it is watched."""
SCRIPT: Final = Path(__file__).with_name("live_page.js")
WINDOW: Final = (1280, 800)
_PATIENCE: Final = 30.0
"""Seconds in which a page must be live."""
_MB: Final = 1 << 20
_FORGOTTEN: Final = 3000.0
"""Milliseconds after which a frame that was seen gets no picture any more: its number is soon in use again."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen in a stretch of time."""

    seconds: float
    delays: Times
    """(N, 2): when the picture made from a camera frame was drawn, seconds on the page's clock, and how long that was
    after the page could first see the frame, milliseconds."""
    camera: float
    """Camera frames a second that the page could see."""
    untold: float
    """Milliseconds, median, from the camera's time stamp on a frame until the page could see it."""
    unknown: int
    """Pictures whose frame was not seen, or that carried no number."""
    python: float
    browser: float
    """Use of the processor, percent of one core."""

    @property
    def fps(self) -> float:
        """Camera frames a second that became a picture."""
        return len(self.delays) / self.seconds


@dataclass(frozen=True, slots=True)
class Held:
    """Memory held at a moment, MB."""

    python: float
    """Resident, of the studio's process."""
    page: float
    """Resident, of the page's process."""
    heap: float
    """In use by the page's JavaScript, right after its garbage was collected."""


def camera_clip(clip: Path, path: Path, *, seconds: float = 10.0) -> Path:
    """The clip as a camera's pictures, each with its number: forth and back, so that it can go on for ever without a
    leap."""
    with VideoReader(clip) as reader:
        forth = [widened(frame.image, CAMERA_SIZE) for frame in islice(reader, round(seconds * CAMERA_FPS))]
    pictures = [picture.copy() for picture in (*forth, *reversed(forth))]
    for number, picture in enumerate(pictures):
        marker.stamp(picture, number)
    return film(path, pictures)


@contextmanager
def live(camera: Path, avatar: str, *, engine_takes: float = 0.0) -> Iterator[Onlooker]:
    """A page that is live as `avatar` (see `live_server`) for `WARM` seconds already. Raises NoBrowser, and MienError
    where it does not get that far."""
    with (
        TemporaryDirectory() as home,
        studio_process(avatar, engine_takes, Path(home)) as (studio, link),
        chromium(camera) as browser,
    ):
        from playwright.sync_api import Error

        try:
            page = browser.new_page(viewport={"width": WINDOW[0], "height": WINDOW[1]})
            page.add_init_script(path=SCRIPT)
            page.goto(link)
            page.locator("#start:enabled").click()
            onlooker = Onlooker(page, studio)
            onlooker.wait_for_pictures()
            page.wait_for_timeout(1000 * WARM)
            yield onlooker
        except Error as error:
            raise MienError(f"The live page could not be watched: {error.message}") from error


class Onlooker:
    """Sees what the page sees and what the processes use."""

    def __init__(self, page: Page, studio: subprocess.Popen[str]) -> None:
        self._page = page
        self._protocol: CDPSession = page.context.new_cdp_session(page)
        self._protocol.send("Performance.enable")
        self._load = Load(studio)

    def wait_for_pictures(self) -> None:
        """Until the avatar moves."""
        until = time.monotonic() + _PATIENCE
        while not self._page.evaluate("takeMarks().drawn.length"):
            if time.monotonic() > until:
                said = " / ".join(self._page.locator("main").inner_text().split("\n")[:3])
                raise MienError(f"The live page showed no picture within {_PATIENCE:.0f} s. It says: {said}")
            self._page.wait_for_timeout(100)

    def watch(self, seconds: float) -> Watched:
        self._page.evaluate("takeMarks()")
        self._load.begin()
        self._page.wait_for_timeout(1000 * seconds)
        return watched(self._page.evaluate("takeMarks()"), self._load)

    def held(self) -> Held:
        self._protocol.send("HeapProfiler.collectGarbage")
        metrics = {m["name"]: m["value"] for m in self._protocol.send("Performance.getMetrics")["metrics"]}
        renderers = [process for process in self._load.browser if "--type=renderer" in process.cmdline()]
        page = max(renderers, key=lambda process: _used([process]))
        python = sum(process.memory_info().rss for process in self._load.python)
        return Held(python / _MB, page.memory_info().rss / _MB, metrics["JSHeapUsedSize"] / _MB)


class Load:
    """What the studio's processes, if there is a studio, and the browser's use from `begin` on."""

    def __init__(self, studio: subprocess.Popen[str] | None) -> None:
        import psutil

        self.python = _family(psutil.Process(studio.pid)) if studio else []
        self.browser = [process for process in _family(psutil.Process()) if "chrom" in process.name()]
        self.begin()

    def begin(self) -> None:
        self._before, self._began = (_used(self.python), _used(self.browser)), time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def shares(self) -> tuple[float, float]:
        """Python's and the browser's, percent of one core."""
        took = self.seconds
        python, browser = _used(self.python) - self._before[0], _used(self.browser) - self._before[1]
        return 100 * python / took, 100 * browser / took


def watched(marks: dict[str, list[list[float]]], load: Load) -> Watched:
    """What `takeMarks` of live_page.js told, of the time since the load's beginning."""
    took, (python, browser) = load.seconds, load.shares()
    seen, drawn = (np.array(marks[name], np.float64).reshape(-1, n) for name, n in (("seen", 3), ("drawn", 2)))
    delays, unknown = matched(seen[:, :2], drawn)
    untold = float(np.median(seen[:, 1] - seen[:, 2])) if len(seen) else float("nan")
    return Watched(took, delays, len(_changes(seen)) / took, untold, unknown, python, browser)


def matched(seen: Times, drawn: Times) -> tuple[Times, int]:
    """Delays as `Watched` holds them, and how many pictures answer no frame that was seen.

    seen, drawn: (N, 2) of a number, -1 where there was none, and a time in milliseconds, in the order of time. The
    numbers come again when the clip begins anew. What is seen or drawn again without another between is nothing new,
    and pictures before the first that has its frame are of frames from before the watch began.
    """
    waiting: dict[float, float] = {}
    delays: list[tuple[float, float]] = []
    unknown = 0
    moments = [(at, number, True) for number, at in _changes(seen)] + [(at, n, False) for n, at in _changes(drawn)]
    for at, number, is_frame in sorted(moments):
        if is_frame:
            waiting[number] = at
        elif number >= 0 and at - waiting.get(number, -np.inf) < _FORGOTTEN:
            delays.append((at / 1000, at - waiting.pop(number)))
        elif delays:
            unknown += 1
    return np.array(delays, np.float64).reshape(-1, 2), unknown


def _changes(numbered: Times) -> Times:
    """Rows whose number is not that of the row before."""
    return numbered[np.diff(numbered[:, 0], prepend=np.nan) != 0]


@contextmanager
def studio_process(avatar: str, engine_takes: float, home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the link that opens it. It keeps nothing: its folders are in `home`."""
    command = [sys.executable, "-m", "benchmarks.live_server", avatar, "--engine-takes", str(engine_takes)]
    environment = {**os.environ, "MIEN_SESSIONS": str(home / "sessions"), "MIEN_AVATARS": str(home / "avatars")}
    folder = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        link = process.stdout.readline().strip()
        if not link:
            raise MienError("The studio did not start; what it says is above.")
        yield process, link
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _used(processes: Sequence[psutil.Process]) -> float:
    """Seconds of processor time so far, of those that still run."""
    return sum(sum(process.cpu_times()[:2]) for process in processes if process.is_running())
