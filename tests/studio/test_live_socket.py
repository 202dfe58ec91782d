"""The frame WebSocket of a running studio, over real sockets: who gets in, what gets through, what is cut off."""

from __future__ import annotations

import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from conftest import UseEngine
from mien.live.run import LiveRun
from mien.media.images import write_image
from mien.studio import jpeg
from mien.studio.live import ANSWER, INCOMING
from mien.studio.start import Consulting, opened
from patience import LONG
from scripted import OvalRenderer, ScriptedTracker, SlowRenderer, face, likeness, smile, textured


class Running:
    """A studio, and how its page would speak to it."""

    def __init__(self, link: str) -> None:
        self.origin, _, self.token = link.partition("/open?token=")
        self.headers = {"Authorization": f"Bearer {self.token}", "Origin": self.origin}

    def connect(self, path: str = "/live", *, name: str = "", **changes: str | None) -> ClientConnection:
        """`name`: what the Host says in place of 127.0.0.1."""
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changes.items()}}
        origin = headers.pop("Origin")
        port = int(self.origin.rpartition(":")[2])
        return connect(
            f"ws://{name or '127.0.0.1'}:{port}{path}", sock=socket.create_connection(("127.0.0.1", port)),
            additional_headers={k: v for k, v in headers.items() if v is not None},
            origin=origin, compression=None, max_size=1 << 22, open_timeout=LONG,  # type: ignore[arg-type]
        )  # fmt: skip

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.origin + path, headers=self.headers, timeout=LONG)


@pytest.fixture
def open_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use_engine: UseEngine) -> Callable[..., Any]:
    monkeypatch.setenv("MIEN_SESSIONS", str(tmp_path / "sessions"))
    use_engine(lambda avatar: OvalRenderer())
    script = ScriptedTracker(lambda n: [face(expression=smile(1.0))])

    @contextmanager
    def start() -> Iterator[Running]:
        def open_run(source: Any, **options: Any) -> LiveRun:
            return LiveRun(source, tracker=script, emotions=False, **options)

        with opened(Consulting(port=0, browser=False), open_run=open_run) as (doors, _):
            yield Running(doors.link)

    return start


@pytest.fixture
def studio(open_studio: Callable[..., Any]) -> Iterator[Running]:
    with open_studio() as running:
        yield running


def frame(number: int, picture: np.ndarray | None = None) -> bytes:
    data = jpeg.encode(textured(number, (160, 120)) if picture is None else picture)
    return INCOMING.pack(number, number * 40) + data


def begin(page: ClientConnection, session: str | None = None) -> str:
    page.send(json.dumps({"do": "start", "session": session, "avatar": "maya"}))
    while (message := json.loads(page.recv(LONG)))["is"] != "started":
        assert message["is"] != "trouble", message
    return str(message["session"])


def answer(page: ClientConnection) -> tuple[int, np.ndarray]:
    while isinstance(message := page.recv(LONG), str):
        pass
    return ANSWER.unpack_from(message)[0], jpeg.decode(message[ANSWER.size :])


def said(page: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message = page.recv(LONG)
        if isinstance(message, str) and json.loads(message)["is"] == kind:
            return dict(json.loads(message))


def insist(page: ClientConnection, message: bytes, times: int) -> None:
    """Send that so often, and hear what there is to hear until the studio closes."""
    for _ in range(times):
        page.send(message)
    until = time.monotonic() + LONG
    while time.monotonic() < until:
        page.recv(LONG)


def test_frames_become_the_avatar_and_nothing_of_them_comes_back(studio: Running) -> None:
    with studio.connect() as page:
        begin(page)
        for number in range(1, 6):
            page.send(frame(number))
            seen, picture = answer(page)
            assert seen == number
            assert picture.shape == (480, 480, 3)
            assert likeness(picture, textured(number, (480, 480))) < 0.4


@pytest.mark.parametrize(
    "change",
    [{"Authorization": None}, {"Authorization": "Bearer wrong"}, {"Origin": "http://evil.example"}, {"Origin": "null"},
     {"Origin": None}, {"name": "evil.example"}, {"Origin": "http://127.0.0.1:1"}, {"Sec_Fetch_Site": "cross-site"}],
)  # fmt: skip
def test_nobody_else_gets_in(studio: Running, change: dict[str, str | None]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        studio.connect(**change)
    assert refused.value.response.status_code in (403, 421)


def test_oversized_messages_and_bombs_and_garbage_do_no_harm(studio: Running) -> None:
    with studio.connect() as page:
        begin(page)
        bomb = bytearray(jpeg.encode(textured(1, (64, 64))))
        at = bomb.index(b"\xff\xc0")
        bomb[at + 5 : at + 9] = b"\x75\x30\x75\x30"
        began = time.process_time()
        for rubbish in (bytes(bomb), b"rubbish", b"", bytes(50_000)):
            page.send(INCOMING.pack(1, 0) + rubbish)
        for words in ("no json", "[]", '{"do": "fly"}', "[" * 2000, '{"do": "wear", "avatar": "../../etc/passwd"}'):
            page.send(words)
        page.send(frame(2))
        assert answer(page)[0] == 2
        assert time.process_time() - began < 2
        with pytest.raises(ConnectionClosed):
            insist(page, bytes(3 << 20), 50)
    with studio.connect() as page:
        begin(page)
        page.send(frame(3))
        assert answer(page)[0] == 3


def test_a_flood_is_cut_off_and_the_studio_stays_responsive(studio: Running) -> None:
    message = frame(1)
    with studio.connect() as page:
        begin(page)
        with pytest.raises(ConnectionClosed):
            insist(page, message, 3000)
    assert studio.get("/api/state").status_code == 200


def test_a_second_window_is_told_that_the_studio_is_live_elsewhere(studio: Running) -> None:
    with studio.connect() as first, studio.connect() as second:
        begin(first)
        second.send(json.dumps({"do": "start", "session": None, "avatar": "maya"}))
        assert said(second, "trouble")["kind"] == "busy"
        first.send(frame(1))
        assert answer(first)[0] == 1


def test_a_session_survives_a_drop_and_ends_with_what_can_be_kept(studio: Running, tmp_path: Path) -> None:
    with studio.connect() as page:
        number = begin(page)
        page.send(frame(1))
        answer(page)
    with studio.connect() as page:
        assert begin(page, number) == number
        page.send(frame(2))
        answer(page)
        page.send(json.dumps({"do": "end"}))
        ended = said(page, "ended")
    assert ended["session"] == number
    assert ended["coverage"] == 1
    report = studio.get(f"/api/live/{number}/report.html")
    assert report.status_code == 200
    assert "sandbox" in report.headers["content-security-policy"]
    assert studio.get(f"/api/live/{number}/timeline.csv").text.count("\n") == 3
    assert studio.get("/api/sessions").json() == []
    kept = httpx.post(f"{studio.origin}/api/live/{number}/keep", headers=studio.headers, json={"title": "First visit"})
    assert kept.status_code == 200, kept.text
    assert [session["title"] for session in studio.get("/api/sessions").json()] == ["First visit"]
    assert studio.get(f"/api/live/{number}/report.html").status_code == 404


def test_the_studio_proves_that_it_is_the_one_the_page_came_from(studio: Running) -> None:
    key = bytes.fromhex(studio.get("/api/state").json()["key"])
    with studio.connect() as page:
        page.send(json.dumps({"do": "start", "session": None, "avatar": "maya", "nonce": "n1"}))
        assert said(page, "started")["proof"] == hmac.new(key, b"n1", "sha256").hexdigest()


def test_a_page_cannot_wear_a_file_of_this_computer(studio: Running, tmp_path: Path) -> None:
    picture = tmp_path / "private.png"
    write_image(picture, textured(1))
    with studio.connect() as page:
        page.send(json.dumps({"do": "start", "session": None, "avatar": str(picture)}))
        assert said(page, "trouble")["kind"] == "avatar"
        begin(page)
        page.send(json.dumps({"do": "wear", "avatar": str(picture)}))
        page.send(frame(1))
        answer(page)
        assert said(page, "state")["avatar"] == "maya"


def test_a_wrong_avatar_is_said_and_the_page_may_try_again(studio: Running) -> None:
    with studio.connect() as page:
        page.send(json.dumps({"do": "start", "session": None, "avatar": "nobody"}))
        assert "nobody" in said(page, "trouble")["text"]
        begin(page)


def test_with_a_slow_engine_the_delay_stays_small(open_studio: Callable[..., Any], use_engine: UseEngine) -> None:
    use_engine(lambda avatar: SlowRenderer(0.1))
    delays, sent = [], {}
    with open_studio() as studio, studio.connect() as page:
        begin(page)
        waiting: list[int] = []
        for number in range(1, 60):
            if len(waiting) < 2:
                sent[number] = time.perf_counter()
                page.send(frame(number))
                waiting.append(number)
            else:
                seen, _ = answer(page)
                delays.append(time.perf_counter() - sent[seen])
                waiting = [n for n in waiting if n > seen]
    assert len(delays) > 10
    assert np.quantile(delays[2:], 0.9) < 1.0  # in a queue, seconds
