"""The preview page: the newest avatar picture to whoever may look, keys back, nothing to strangers."""

from __future__ import annotations

import json
import shutil
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from conftest import UseEngine, encode_clip
from mien.live.commands import COMMANDS
from mien.live.job import LiveShow
from mien.options import GoingLive
from mien.types import Expression, Face, Frame, Picture
from patience import LONG, wait_for
from scripted import OvalRenderer, face, likeness, smile, textured

httpx = pytest.importorskip("httpx", reason="needs the test extra")
closed = pytest.importorskip("websockets.exceptions", reason="needs the test extra").ConnectionClosed
connect = pytest.importorskip("websockets.sync.client", reason="needs the test extra").connect
pytest.importorskip("starlette", reason="needs the extra 'live'")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CARD = (226, 224, 219)


@dataclass
class Going:
    """A run that goes on, with its preview, on a clip that never ends."""

    show: LiveShow
    thread: threading.Thread

    @property
    def link(self) -> str:
        assert self.show.preview is not None
        return self.show.preview.link

    @property
    def origin(self) -> str:
        return self.link.partition("/open")[0]

    def cookie(self) -> str:
        return httpx.get(self.link).headers["set-cookie"].partition(";")[0]

    def socket(self, **headers: str) -> Any:
        """A page's WebSocket; `headers` over those a browser sends."""
        sent = {"Cookie": self.cookie(), "Origin": self.origin, **headers}
        origin = sent.pop("Origin")
        return connect(
            self.origin.replace("http", "ws") + "/preview", origin=origin or None, additional_headers=sent,
            compression=None, open_timeout=LONG,
        )  # fmt: skip

    def end(self) -> None:
        self.show.remote.quit.set()
        self.thread.join()


@pytest.fixture
def going(use_engine: UseEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Going]:
    """A face that turns and smiles in front of noise; the avatar is a drawn oval."""
    use_engine(lambda avatar: OvalRenderer())
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path))
    clip = encode_clip(tmp_path / "clip.mp4", pictures=[textured(0)] * 25)

    def tracker(frame: Frame) -> list[Face]:
        return [face(expression=smile(abs(frame.time % 1.0 - 0.5) * 2))]

    show = LiveShow(GoingLive(camera=str(clip), loop=True, virtual=False, browser=False, size=128, tracker=tracker))
    thread = threading.Thread(target=show.play)
    thread.start()
    going = Going(show, thread)
    yield going
    going.end()


def heard(socket: Any, *, pictures: int = 0, until: Callable[[dict[str, Any]], bool] | None = None, ack: bool = True,
          seconds: float = LONG) -> tuple[list[tuple[int, Picture]], list[dict[str, Any]]]:  # fmt: skip
    """What comes until there are so many pictures, or a message of that kind, or time is up."""
    seen: list[tuple[int, Picture]] = []
    said: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            data = socket.recv(timeout=max(0.01, deadline - time.monotonic()))
        except TimeoutError:
            break
        if isinstance(data, bytes):
            (number,) = struct.unpack_from("<I", data)
            bgr = cv2.imdecode(np.frombuffer(data, np.uint8, offset=4), cv2.IMREAD_COLOR)
            seen.append((number, np.asarray(bgr[..., ::-1])))
            if ack:
                with suppress(closed):  # what it said last can still be read
                    socket.send(json.dumps({"shown": number}))
            if pictures and len(seen) >= pictures:
                break
        else:
            said.append(json.loads(data))
            if until is not None and until(said[-1]):
                break
    return seen, said


class TestWire:
    def test_a_page_learns_keys_and_avatars_and_then_sees_the_avatar_move(self, going: Going) -> None:
        with going.socket() as socket:
            seen, said = heard(socket, pictures=20)
        assert said[0]["is"] == "hello"
        assert [command["name"] for command in said[0]["commands"]] == [command.name for command in COMMANDS]
        assert "maya" in [avatar["name"] for avatar in said[0]["avatars"]]
        assert (said[0]["width"], said[0]["height"], said[0]["virtual"]) == (256, 192, None)
        assert {picture.shape for _, picture in seen} == {(192, 256, 3)}
        assert [number for number, _ in seen] == sorted({number for number, _ in seen})
        assert max(likeness(picture, textured(0)) for _, picture in seen[::4]) < 0.6
        assert max(np.abs(picture.astype(int) - seen[2][1]).max() for _, picture in seen) > 60  # it smiles
        status = next(message for message in said if message["is"] == "status")
        assert (status["avatar"], status["faces"], status["paused"]) == ("maya", 1, False)

    def test_at_most_two_pictures_are_under_way_and_the_next_is_the_newest(self, going: Going) -> None:
        with going.socket() as socket:
            seen, _ = heard(socket, pictures=2, ack=False)
            assert heard(socket, pictures=1, ack=False, seconds=0.5)[0] == []
            made = going.show._run.timeline.frames_total
            wait_for(lambda: going.show._run.timeline.frames_total > made + 12)
            socket.send(json.dumps({"shown": seen[-1][0]}))
            after, _ = heard(socket, pictures=1)
        assert after[0][0] - seen[-1][0] > 5

    def test_keys_do_what_they_do_in_the_terminal(self, going: Going) -> None:
        with going.socket() as socket:
            socket.send(json.dumps({"press": "p"}))
            heard(socket, until=lambda message: message.get("paused", False))
            seen, _ = heard(socket, pictures=4)
            assert np.abs(seen[-1][1][:8].astype(int) - CARD).max() < 12
            socket.send(json.dumps({"press": "m"}))
            _, said = heard(socket, until=lambda message: message.get("mirrored", False))
            assert said[-1]["mirrored"]

    def test_rubbish_changes_nothing(self, going: Going) -> None:
        with going.socket() as socket:
            for rubbish in (
                "", "null", "[]", '{"press": 5}', '{"press": "qq"}', '{"shown": "x"}', '{"shown": 4000000000}',
                "[" * 200,
            ):  # fmt: skip
                socket.send(rubbish)
            seen, _ = heard(socket, pictures=5)
            assert len(seen) == 5
        assert not going.show.remote.quit.is_set()

    def test_what_no_page_of_ours_sends_ends_the_connection(self, going: Going) -> None:
        for message in (b"\x00" * 8, "x" * 1000):
            with going.socket() as socket:
                socket.send(message)
                with pytest.raises(closed):
                    heard(socket)
        with going.socket() as socket:
            assert heard(socket, pictures=1)[0]

    def test_the_page_is_told_the_end(self, going: Going) -> None:
        with going.socket() as socket:
            heard(socket, pictures=1)
            ending = threading.Thread(target=going.end)
            ending.start()
            _, said = heard(socket, until=lambda message: message["is"] == "ended")
        assert said[-1]["is"] == "ended"
        ending.join()
        with pytest.raises(httpx.ConnectError):
            httpx.get(going.origin)

    def test_an_old_picture_is_not_shown_to_somebody_who_comes_late(
        self, going: Going, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mien.studio.preview.PATIENCE", 0.2)
        assert going.show.preview is not None
        monkeypatch.setattr(going.show.preview, "write", lambda *_: None)
        going.show._run._pipeline._sinks = []  # as if the camera had fallen silent
        time.sleep(0.4)
        with going.socket() as socket:
            seen, said = heard(socket, seconds=0.4)
        assert not seen
        assert said[0]["is"] == "hello"


class TestStrangers:
    def test_without_the_token_there_is_nothing(self, going: Going) -> None:
        for path in ("/", "/static/preview/preview-page.js", "/open?token=wrong"):
            assert httpx.get(going.origin + path).status_code == 403
        with pytest.raises(Exception, match="403"), going.socket(Cookie=""):
            pass

    def test_foreign_pages_get_no_socket(self, going: Going) -> None:
        for origin in ("http://evil.example", "null", ""):
            with pytest.raises(Exception, match="403"), going.socket(Origin=origin):
                pass

    def test_a_name_bound_to_this_address_is_refused(self, going: Going) -> None:
        answer = httpx.get(going.origin + "/", headers={"Host": "evil.example", "Cookie": going.cookie()})
        assert answer.status_code == 421

    def test_it_listens_on_loopback_only(self, going: Going) -> None:
        assert going.show.preview is not None
        assert going.show.preview._listener.socket.getsockname()[0] == "127.0.0.1"


def test_texts_are_complete_in_every_language() -> None:
    from mien.studio.static import PAGES

    tables = {path.parent.name: json.loads(path.read_text("utf-8")) for path in PAGES.glob("texts/*/preview.json")}
    assert {"en", "ko"} <= tables.keys()
    assert len({frozenset(table) for table in tables.values()}) == 1
    for command in COMMANDS:
        assert f"preview.what.{command.name}" in tables["en"]
        assert command.name == "avatar" or f"preview.do.{command.name}" in tables["en"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
class TestPage:
    """In the browser, as a person uses it."""

    @pytest.fixture
    def page(self, going: Going) -> Iterator[Any]:
        playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
        flags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
        with playwright.sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=flags)
            page = browser.new_page(locale="en-GB")
            page.goto(going.link)
            page.wait_for_selector(".chip")
            yield page
            browser.close()

    def test_shows_the_avatar_takes_keys_and_clicks_and_notices_the_end(self, going: Going, page: Any) -> None:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))

        def canvas() -> Picture:
            flat = page.evaluate(
                "() => { const c = document.querySelector('canvas');"
                " return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }"
            )
            return np.array(flat, np.uint8).reshape(192, 256, 4)[..., :3]

        page.wait_for_function("() => document.querySelector('canvas').width === 256")
        oval = OvalRenderer()(Expression.neutral())
        middle = cv2.resize(oval[..., :3], (192, 192))[60:80, 60:130].astype(int)
        wait_for(lambda: np.abs(canvas()[60:80, 92:162] - middle).mean() < 15)
        page.keyboard.press("m")
        page.wait_for_selector("[data-command=mirror][aria-pressed=true]")
        page.click("[data-command=pause]")
        page.wait_for_selector(".notice.warn")
        wait_for(lambda: np.abs(canvas()[:8].astype(int) - CARD).max() < 12)
        page.keyboard.press("p")
        page.click(".avatar[data-avatar=kofi]")
        page.wait_for_selector(".avatar[data-avatar=kofi][aria-pressed=true]")
        page.select_option("select.language", "ko")
        page.wait_for_function("() => document.querySelector('[data-command=mirror]').textContent.includes('좌우')")
        page.keyboard.press("Escape")
        page.keyboard.press("Escape")  # the question is answered with no
        assert not going.show.remote.quit.is_set()
        page.click("[data-command=quit]")
        page.click("dialog [value=yes]")
        page.wait_for_function("() => document.querySelector('[data-command=mirror]').disabled")
        wait_for(lambda: np.abs(canvas()[:8].astype(int) - CARD).max() < 12)
        going.thread.join(LONG)
        assert not going.thread.is_alive()
        assert errors == []
