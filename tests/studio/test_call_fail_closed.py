"""A consultation in two windows of a real browser: the clinician sees the expression and never the camera, whatever
breaks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from browsers import CAMERA_FPS, chromium, film
from calls import WATCHED, before_green, call, green, green_ground, start, until
from conftest import UseEngine
from mien.engine.base import Renderer
from mien.engine.puppet import PuppetEngine
from mien.face.parts import open_tracker
from mien.live.run import LiveRun
from mien.media.newest import Newest
from mien.media.reader import VideoReader
from mien.studio.serving import Server, listen
from mien.studio.start import Consulting, Doors, opened
from mien.types import COEFFICIENT, Avatar, Expression, Face, Frame, Picture
from patience import LONG
from performers import needs_face_model
from scripted import textured

pytestmark = pytest.mark.privacy

_SECONDS = 8.0
Perform = Callable[[float], Picture]


@pytest.fixture(scope="module")
def performing() -> Perform:
    """The public-domain portrait acting out the demo's consultation: a square picture of it at any time."""
    needs_face_model()
    pytest.importorskip("skimage", reason="needs the portrait of scikit-image")
    from mien.demo import _astronaut, consultation
    from mien.engine import registry
    from mien.scene.avatar import lay_on

    actor, script = _astronaut(), consultation()
    renderer = registry.for_avatar(actor.kind).prepare(actor, size=400)
    return lambda time: lay_on(renderer(script.at(time), time=time), (255, 255, 255))


@pytest.fixture(scope="module")
def visit(performing: Perform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera's film of that, eight seconds long, in a loud green room."""
    count = round(_SECONDS * CAMERA_FPS)
    pictures = (before_green(performing(1 + index / CAMERA_FPS)) for index in range(count))
    return film(tmp_path_factory.mktemp("camera") / "visit.mjpeg", pictures)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIEN_SESSIONS", "MIEN_AVATARS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))


@pytest.fixture
def studio() -> Iterator[Doors]:
    with opened(Consulting(port=0, browser=False)) as (doors, _):
        yield doors


class Seen:
    """Expressions over time: coefficients and the turn of the head."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.rows: list[np.ndarray] = []

    def add(self, time: float, faces: Sequence[Face]) -> None:
        for face in faces[:1]:
            self.times.append(time)
            self.rows.append(np.array([*face.coefficients, face.yaw]))

    def of(self, column: int, times: np.ndarray) -> np.ndarray:
        return np.interp(times, self.times, np.array(self.rows)[:, column])


def correlation(driver: Seen, arrived: Seen, column: int, delay: float) -> float:
    """Of what arrived with what the driver did `delay` seconds before."""
    times = np.array(arrived.times)
    return float(np.corrcoef(driver.of(column, times - delay), arrived.of(column, times))[0, 1])


def test_the_measure_of_leaks_fires_on_the_camera_itself() -> None:
    portrait = np.full((400, 400, 3), 180, np.uint8)
    assert green(before_green(portrait)) > 0.3
    assert green(before_green(portrait, portrait)) > 0.3
    assert green(np.full((9, 9, 3), (110, 180, 170), np.uint8)) == 0  # the ground of the avatar used


def test_the_clinician_sees_the_expression_and_never_the_camera(visit: Path, tmp_path: Path) -> None:
    driver, tracker = Seen(), open_tracker()

    def open_run(source: Newest[Frame], **options: Any) -> LiveRun:
        def track(frame: Frame) -> list[Face]:
            faces = tracker(frame)
            driver.add(time.time(), faces)
            return faces

        return LiveRun(source, tracker=track, **options)

    with (
        opened(Consulting(port=0, browser=False), open_run=open_run) as (doors, _),
        call(doors.link, visit) as going,
    ):
        going.patient.get_by_role("button", name="Record").click()
        began = going.clinician.evaluate("Date.now()") / 1000
        filmed = going.filmed(1.5 * _SECONDS, fps=12)
        assert max(green(picture) for _, picture in filmed) == 0
        assert not going.senders_hold_devices()
        assert going.patient.evaluate("watched.devices.length") >= 1
        going.patient.get_by_role("button", name="End", exact=True).click()
        going.patient.get_by_role("dialog").get_by_role("button").last.click()
        going.patient.locator("#ended").wait_for(state="visible")
        going.patient.get_by_role("button", name="Keep", exact=True).click()
        until(lambda: list((tmp_path / "mien_sessions").rglob("*.mp4")))

    arrived, look = Seen(), open_tracker()
    for index, (at, picture) in enumerate(filmed):
        arrived.add(began + at, look(Frame(picture, index, at)))
    assert len(arrived.times) > 0.9 * len(filmed), "the avatar's face is not found"
    columns = {name: COEFFICIENT[name] for name in ("mouthSmileLeft", "jawOpen")} | {"yaw": -1}
    delays = np.arange(0, 1.5, 0.04)
    delay = max(delays, key=lambda d: sum(correlation(driver, arrived, column, d) for column in columns.values()))
    found = {name: round(correlation(driver, arrived, column, delay), 2) for name, column in columns.items()}
    assert found["yaw"] > 0.85, (found, delay)
    assert found["mouthSmileLeft"] > 0.7, (found, delay)
    assert found["jawOpen"] > 0.5, (found, delay)

    # What was recorded and kept is the avatar too, and nothing else lies on the disk.
    (recording,) = (tmp_path / "mien_sessions").rglob("*.mp4")
    with VideoReader(recording) as clip:
        assert max(green(frame.image) for frame in clip) == 0
    written = {path.suffix for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size}
    assert written == {".mp4", ".html", ".csv", ".json"}


def test_nobody_two_people_a_cut_and_a_stranger_never_show_the_camera(
    studio: Doors, performing: Perform, tmp_path: Path
) -> None:
    one, two = before_green(performing(2.0)), before_green(performing(2.0), performing(9.0))
    noise = textured(5, (640, 480))
    noise[::2, ::2] = (10, 225, 10)
    second = CAMERA_FPS
    shown = [one] * 2 * second + [green_ground()] * second + [two] * second + [noise] * (second // 2) + [one] * second
    with call(studio.link, film(tmp_path / "odd.mjpeg", shown)) as going:
        filmed = going.filmed(8, fps=12)
        assert max(green(picture) for _, picture in filmed) == 0
        assert not going.senders_hold_devices()


def test_no_blob_is_made_of_a_camera_picture_and_overlapping_opens_leave_no_camera_on(
    studio: Doors, visit: Path
) -> None:
    counted = """
        window.blobs = 0;
        for (const [type, name] of [[HTMLCanvasElement, "toBlob"], [OffscreenCanvas, "convertToBlob"]]) {
          const make = type.prototype[name];
          type.prototype[name] = function (...a) { blobs += 1; return make.apply(this, a); };
        }
    """
    reopened = """async () => {
        const { Camera } = await import("/static/live/camera.js");
        const camera = new Camera(), before = watched.devices.length;
        const opens = [camera.open(), camera.open()];
        await Promise.allSettled(opens);
        const late = camera.open().catch(() => {});
        camera.close();
        await late;
        return watched.devices.slice(before).map((track) => track.readyState);
    }"""
    with chromium(visit) as browser:
        page = browser.new_context(locale="en").new_page()
        page.add_init_script(WATCHED + counted)
        start(page, studio.link)
        until(lambda: "fps" in page.locator("#meter").inner_text())
        assert page.evaluate("blobs") == 0
        states = page.evaluate(reopened)
        assert len(states) == 3
        assert set(states) == {"ended"}


def test_a_stranger_on_the_port_of_a_studio_that_died_gets_no_picture(visit: Path) -> None:
    heard: list[bytes] = []

    knocked = threading.Event()

    async def stranger(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json({"is": "started", "session": "mine", "proof": "00" * 32})
        while (message := await socket.receive())["type"] == "websocket.receive":
            knocked.set()
            if message.get("bytes"):
                heard.append(message["bytes"])

    with chromium(visit) as browser:
        page = browser.new_context(locale="en").new_page()
        with opened(Consulting(port=0, browser=False)) as (doors, _):
            start(page, doors.link)
            until(lambda: "fps" in page.locator("#meter").inner_text())
        port = int(doors.link.split(":")[2].split("/")[0])
        server = Server()
        server.add(Starlette(routes=[WebSocketRoute("/live", stranger)]), listen(port=port))
        with server:
            until(knocked.is_set)
            page.wait_for_timeout(3000)
    assert heard == []


def test_a_page_whose_studio_stays_away_ends_the_session_and_lets_the_camera_go(visit: Path) -> None:
    with chromium(visit) as browser:
        page = browser.new_context(locale="en").new_page()
        page.add_init_script(WATCHED)
        page.clock.install()
        with opened(Consulting(port=0, browser=False)) as (doors, _):
            start(page, doors.link)
            until(lambda: "fps" in page.locator("#meter").inner_text())
        until(lambda: page.locator("#stage-notice").inner_text())
        assert page.evaluate("watched.devices.map((track) => track.readyState)") == ["live"]
        for _ in range(20):
            page.clock.run_for(5_000)
        page.locator("#ended").wait_for(state="visible")
        assert page.evaluate("watched.devices.map((track) => track.readyState)") == ["ended"]


class Sabotage:
    """A tracker and an avatar that break on command."""

    def __init__(self) -> None:
        self.engine = self.tracker = False
        self._track = open_tracker()

    def open_run(self, source: Newest[Frame], **options: Any) -> LiveRun:
        return LiveRun(source, tracker=self.see, **options)

    def see(self, frame: Frame) -> list[Face]:
        if self.tracker:
            raise RuntimeError("the tracker broke")
        return self._track(frame)

    def prepare(self, avatar: Avatar) -> Renderer:
        renderer = PuppetEngine().prepare(avatar, size=256)

        class Breakable:
            size, face, outline = renderer.size, renderer.face, renderer.outline

            def __call__(_, expression: Expression, *, time: float = 0.0) -> Picture:  # noqa: N805
                if self.engine:
                    raise RuntimeError("the engine broke")
                return renderer(expression, time=time)

        return Breakable()


_STILL = 1.2
"""Grey levels: a picture that does not move stays below, with all that a video's encoder adds."""
_AT_REST = 2.8
"""Grey levels: in three seconds, an avatar that breathes and blinks stays below (2.3), one that acts above (3.7)."""


def moves(pictures: list[tuple[float, Picture]]) -> float:
    """How far the picture strays from its mean over time, grey levels."""
    return float(np.stack([picture for _, picture in pictures]).std(axis=0).mean())


def carded(picture: Picture) -> bool:
    """Whether the card is shown: its paper fills the top."""
    return bool(np.abs(np.median(picture[:40], axis=(0, 1)) - (226, 224, 219)).max() < 12)


def test_what_breaks_while_streaming_shows_a_still_avatar_or_the_card_and_comes_back(
    visit: Path, use_engine: UseEngine
) -> None:
    sabotage = Sabotage()
    use_engine(sabotage.prepare)
    with (
        opened(Consulting(port=0, browser=False), open_run=sabotage.open_run) as (doors, _),
        call(doors.link, visit) as going,
    ):
        seen: list[float] = []

        def looked() -> float:
            filmed = going.filmed(3, fps=8, side=192)
            seen.extend(green(picture) for _, picture in filmed)
            return moves(filmed)

        def acts() -> bool:
            return any(looked() > _AT_REST for _ in range(10))

        def rests(at_most: float) -> bool:
            return any(looked() < at_most for _ in range(10))

        assert acts()

        sabotage.engine = True
        assert rests(_STILL)
        sabotage.engine = False
        assert acts()

        sabotage.tracker = True
        assert rests(_AT_REST)
        sabotage.tracker = False
        assert acts()

        going.patient.evaluate("watched.sockets.filter((s) => s.url.endsWith('/live')).at(-1).close()")
        assert acts(), "the studio did not come back after its socket dropped"

        going.patient.evaluate(
            """Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));"""
        )
        looked()
        going.patient.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'));")
        assert acts()

        camera = "watched.devices.filter((t) => t.kind === 'video').at(-1)"
        going.patient.evaluate(f"(() => {{ const t = {camera}; t.stop(); t.dispatchEvent(new Event('ended')); }})()")
        assert rests(_STILL)
        going.patient.get_by_role("button", name="Use the camera again").click()
        assert acts()

        frozen = going.patient.context.new_cdp_session(going.patient)
        frozen.send("Page.setWebLifecycleState", {"state": "frozen"})
        looked()
        frozen.send("Page.setWebLifecycleState", {"state": "active"})
        looked()

        assert max(seen) == 0
        assert not going.senders_hold_devices()


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_when_python_is_killed_the_clinician_sees_a_still_avatar_then_the_card(visit: Path, tmp_path: Path) -> None:
    private = {name: str(tmp_path / name.lower()) for name in ("TMPDIR", "MIEN_SESSIONS", "MIEN_AVATARS")}
    for folder in private.values():
        Path(folder).mkdir(exist_ok=True)
    command = [sys.executable, "-m", "mien", "studio", "--port", "0", "--no-browser", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **private})
    try:
        assert process.stdout is not None
        doors = json.loads(process.stdout.readline())
        with call(doors["studio"], visit) as going:
            going.patient.get_by_role("button", name="Record").click()
            seen = going.filmed(2, fps=8)
            process.send_signal(signal.SIGKILL)
            process.wait(LONG)
            until(lambda: seen.extend(going.filmed(1, fps=8)) or carded(seen[-1][1]))
            seen += (card := going.filmed(2, fps=8))
            assert moves(card) < _STILL
            assert max(green(picture) for _, picture in seen) == 0
            going.patient.get_by_text("does not answer").wait_for(timeout=1000 * LONG)
    finally:
        process.kill()
        process.wait(LONG)
    # A killed process cleans nothing up: what it leaves is at most the avatar's unfinished recording.
    left = [path for folder in private.values() for path in Path(folder).rglob("*") if path.is_file()]
    assert all(path.suffix in (".mp4", "") for path in left), left
