"""A call between two windows of one real browser, a patient's and a clinician's, and the same as a plain video call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.browser import CAMERA_SIZE, chromium
from benchmarks.live_run import SCRIPT, WINDOW, Load, Times, Watched, matched, studio_process, watched
from mien.errors import MienError

if TYPE_CHECKING:
    import subprocess

    from playwright.sync_api import Browser, Page

WARM: Final = 8.0
"""Seconds that a call goes on before it is watched: WebRTC finds out meanwhile how much it may send."""
_PLAIN: Final = Path(__file__).with_name("call_page.js")
_PATIENCE: Final = 30.0
"""Seconds in which the clinician must see a picture."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What was seen in both windows in a stretch of time."""

    patient: Watched
    arrived: Times
    """(N, 2), as `Watched.delays`: when the clinician's window could show the picture made from a camera frame, and how
    long that was after the patient's page could first see the frame."""

    @property
    def received(self) -> float:
        """Camera frames a second whose picture reached the clinician."""
        return len(self.arrived) / self.patient.seconds


class Windows:
    """The two windows of a call that goes on."""

    def __init__(self, patient: Page, clinician: Page, studio: subprocess.Popen[str] | None = None) -> None:
        self._patient, self._clinician = patient, clinician
        self._load = Load(studio)
        theirs, ours = (page.evaluate("performance.timeOrigin") for page in (clinician, patient))
        self._ahead = theirs - ours
        """Milliseconds from the clinician's clock to the patient's."""

    def wait_for_pictures(self) -> None:
        """Until the clinician sees something."""
        until = time.monotonic() + _PATIENCE
        while not self._clinician.evaluate("takeMarks().seen.length"):
            if time.monotonic() > until:
                said = " / ".join(self._clinician.locator("body").inner_text().split("\n")[:3])
                raise MienError(f"The clinician saw no picture within {_PATIENCE:.0f} s. Their page says: {said}")
            self._patient.wait_for_timeout(100)

    def watch(self, seconds: float) -> Watching:
        for page in (self._patient, self._clinician):
            page.evaluate("takeMarks()")
        self._load.begin()
        self._patient.wait_for_timeout(1000 * seconds)
        marks = self._patient.evaluate("takeMarks()")
        patient = watched(marks, self._load)
        theirs = self._clinician.evaluate("takeMarks().seen")
        seen, shown = (np.array(rows, np.float64).reshape(-1, 3)[:, :2] for rows in (marks["seen"], theirs))
        shown[:, 1] += self._ahead
        arrived, _ = matched(seen, shown)
        return Watching(patient, arrived)


@contextmanager
def call(camera: Path, avatar: str) -> Iterator[Windows]:
    """A patient who is live as `avatar` (see `live_server`) and a clinician, in a call for `WARM` seconds already.
    Raises NoBrowser, and MienError where it does not get that far."""
    with (
        TemporaryDirectory() as home,
        studio_process(avatar, 0.0, Path(home)) as (studio, link),
        chromium(camera) as browser,
        _told("The call"),
    ):
        patient, clinician = _window(browser), _window(browser)
        patient.goto(link)
        patient.locator("#start:enabled").click()
        patient.get_by_role("button", name="Make an invitation").click()
        clinician.goto(patient.locator("#invite-link").input_value())
        clinician.get_by_label("Your name").fill("Dr Kim")
        clinician.get_by_role("button", name="Ask to join").click()
        patient.get_by_role("button", name="Let them in").click()
        yield _warm(Windows(patient, clinician, studio))


@contextmanager
def plain_call(camera: Path) -> Iterator[Windows]:
    """The camera itself sent from window to window. Raises what `call` raises."""
    with _blank_page() as address, chromium(camera) as browser, _told("The plain call"):
        sender, receiver = _window(browser), _window(browser)
        for page in (sender, receiver):
            page.goto(address)
            page.add_script_tag(path=_PLAIN)
        width, height = CAMERA_SIZE
        offer = sender.evaluate("offered", {"width": width, "height": height})
        sender.evaluate("accepted", receiver.evaluate("answered", offer))
        yield _warm(Windows(sender, receiver))


def _window(browser: Browser) -> Page:
    """Of its own person: nothing is shared with the other but the browser."""
    context = browser.new_context(
        viewport={"width": WINDOW[0], "height": WINDOW[1]}, locale="en", permissions=["camera", "microphone"]
    )
    context.add_init_script(path=SCRIPT)
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    return page


def _warm(windows: Windows) -> Windows:
    windows.wait_for_pictures()
    windows.watch(WARM)
    return windows


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Says in our words what the browser could not do."""
    from playwright.sync_api import Error

    try:
        yield
    except Error as error:
        raise MienError(f"{what} could not be watched: {error.message}") from error


@contextmanager
def _blank_page() -> Iterator[str]:
    """The address of an empty page of this computer, where a browser gives out its camera."""
    with (
        TemporaryDirectory() as folder,
        ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder)) as server,
    ):
        (Path(folder) / "index.html").write_text("<!doctype html><html><body></body></html>", encoding="utf-8")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """No line for every request."""
