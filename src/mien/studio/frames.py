"""The WebSocket between the page and its live session: camera frames in, avatar pictures out, newest first."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.errors import MienError, ModelError
from mien.studio.jpeg import MAX_BYTES
from mien.studio.live import INCOMING
from mien.studio.lives import Busy, Lives

_FRAMES: Final = (90.0, 60.0)
"""Frames a second that are taken for long, and at once; what comes faster is dropped unseen."""
_WORDS: Final = (30.0, 60.0)
_LONGEST: Final = 4096
"""Characters of a command."""
_log = logging.getLogger("mien")
_STRIKES: Final = 200
"""Refused messages after which the connection is closed: this is no page of ours."""


class Allowance:
    """A token bucket."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, time.monotonic()

    def __call__(self) -> bool:
        """Whether one more is allowed now."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class PageSocket:
    """A page at the other end: keeps the newest picture and the words in order until the network takes them."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._picture: bytes | None = None
        self._words: list[dict[str, Any]] = []
        self._something = asyncio.Event()

    def picture(self, data: bytes) -> None:
        """From the session's thread."""
        self._picture = data
        self._wake()

    def say(self, message: dict[str, Any]) -> None:
        """From any thread."""
        self._words.append(message)
        del self._words[:-50]  # a page that has stopped reading is no reason to hold its past
        self._wake()

    def _wake(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._something.set)

    async def pour(self) -> None:
        """Send until the connection is gone."""
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            while True:
                await self._something.wait()
                self._something.clear()
                picture, self._picture = self._picture, None
                if picture is not None:
                    await self._socket.send_bytes(picture)
                words, self._words = self._words, []
                for message in words:
                    await self._socket.send_text(json.dumps(message, allow_nan=False))


def live_endpoint(lives: Lives) -> Callable[[WebSocket], Awaitable[None]]:
    """The WebSocket route `/live`."""

    async def live(socket: WebSocket) -> None:
        await socket.accept()
        page = PageSocket(socket)
        pouring = asyncio.create_task(page.pour())
        try:
            await _listen(socket, page, lives)
        except WebSocketDisconnect:
            pass
        finally:
            lives.detach(page)
            pouring.cancel()

    return live


async def _listen(socket: WebSocket, page: PageSocket, lives: Lives) -> None:
    frames, words = Allowance(*_FRAMES), Allowance(*_WORDS)
    strikes = 0
    while strikes < _STRIKES:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        data, text = message.get("bytes"), message.get("text")
        if data is not None:
            session = lives.of(page)
            fits = INCOMING.size < len(data) <= INCOMING.size + MAX_BYTES
            if not fits or not frames():
                strikes += 1
            elif session is not None:
                session.frame(data)
        elif not words() or not await _obey(_parsed(text), page, lives):
            strikes += 1
    await socket.close(1008)


def _parsed(text: str | None) -> dict[str, Any]:
    if text is None or len(text) > _LONGEST:
        return {}
    with suppress(ValueError, RecursionError):
        message = json.loads(text)
        if isinstance(message, dict):
            return message
    return {}


async def _obey(message: dict[str, Any], page: PageSocket, lives: Lives) -> bool:
    match message:
        case {"do": "start", "session": str() | None as wanted, "avatar": str(avatar)}:
            try:
                session = await asyncio.to_thread(lives.start, page, wanted, avatar)
            except Busy:
                page.say({"is": "trouble", "kind": "busy", "text": "The studio is live in another window."})
            except MienError as error:
                kind = "models" if isinstance(error, ModelError) else "avatar"
                page.say({"is": "trouble", "kind": kind, "text": str(error)})
            except Exception as error:
                _log.exception("a live session could not begin")
                page.say({"is": "trouble", "kind": "engine", "text": str(error)})
            else:
                page.say({"is": "started", "session": session.id, "proof": lives.proof(str(message.get("nonce", "")))})
                page.say(session.described(session.state))
            return True
        case {"do": "end"}:
            ended = await asyncio.to_thread(lives.end, page)
            if ended is not None:
                timeline = ended.run.timeline
                page.say({
                    "is": "ended", "session": ended.id, "seconds": round(timeline.duration, 1),
                    "coverage": round(timeline.coverage, 4), "recorded": ended.recording is not None,
                })  # fmt: skip
            return True
        case _:
            running = lives.of(page)
            return running is not None and running.command(message)
