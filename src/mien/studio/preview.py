"""The preview page of `mien live`: the avatar as others see it, how it is doing, and a button for every key. On this
computer only."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import asdict
from struct import Struct
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.live.commands import COMMANDS
from mien.studio import jpeg, launch
from mien.studio.guard import Guard
from mien.studio.serving import Server, listen
from mien.studio.static import page, static_routes
from mien.studio.token import Token
from mien.types import Picture

if TYPE_CHECKING:
    from mien.live.job import LiveShow

NUMBER: Final = Struct("<I")
"""Before each picture's JPEG: its number, which the page sends back once it shows it."""
IN_FLIGHT: Final = 2
"""Pictures under way to a page at most; one that comes later waits, and is replaced by the next."""
PATIENCE: Final = 2.0
"""Seconds after which a picture is too old to be shown to somebody who comes now."""
_STATUS: Final = 0.1
"""Seconds between looks at the status, told where it has changed."""
_HEARTBEAT: Final = 1.0
"""Seconds after which it is told all the same: a page that hears nothing takes mien for dead."""
_LONGEST: Final = 256
"""Bytes of a message from a page."""


class Preview:
    """A sink, and the small web app that shows it. Use as a context manager; `start` lets pages in.

    Raises ListenError where the port cannot be used.
    """

    def __init__(self, *, port: int = 0) -> None:
        self._listener = listen(port=port)
        self._token = Token(self._listener.port)
        self._server = Server()
        self._lock = Lock()
        self._picture: Picture | None = None
        self._number = 0
        self._taken = 0.0
        self._encoded: tuple[int, bytes] = (0, b"")
        self._pages: set[_Page] = set()
        self._ended = False
        self._started = False

    @property
    def link(self) -> str:
        """Opens the page in any browser of this computer, for whoever knows it."""
        return self._link(self._token.value)

    def __enter__(self) -> Preview:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def start(self, show: LiveShow) -> None:
        """Answer pages from now on, for this run."""
        routes = [
            Route("/", page("preview.html")),
            WebSocketRoute("/preview", lambda socket: self._attend(socket, show)),
            *static_routes(),
        ]
        app = Guard(Starlette(routes=routes), origins=self._listener.origins, token=self._token)
        self._server.add(app, self._listener, message=_LONGEST, connections=50)
        self._server.start()
        self._started = True

    def open_browser(self) -> None:
        """Open the page, where this computer has a browser that does not take over the terminal."""
        launch.open_browser(self._link(self._token.launch_code()))

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """Show (H, W, 3) uint8 RGB to every page in place of what was given before. Never waits."""
        with self._lock:
            self._picture, self._taken = picture, time.monotonic()
            self._number = (self._number + 1) % (1 << 32)
        self._wake()

    def close(self) -> None:
        """Tell the pages that it is over, and stop."""
        self._ended = True
        self._wake()
        if self._started:
            self._started = False
            self._server.stop()
        self._listener.socket.close()

    def _link(self, token: str) -> str:
        return f"http://127.0.0.1:{self._listener.port}/open?token={token}"

    def _wake(self) -> None:
        for looking in tuple(self._pages):
            looking.wake()

    async def _attend(self, socket: WebSocket, show: LiveShow) -> None:
        """One page, as long as it looks on."""
        await socket.accept()
        looking = _Page(socket)
        self._pages.add(looking)
        pouring = asyncio.create_task(self._pour(looking, show))
        try:
            while True:
                _obey(await socket.receive_text(), looking, show)
        except (WebSocketDisconnect, KeyError, RuntimeError):  # gone; KeyError: bytes, which no page of ours sends
            pass
        finally:
            self._pages.discard(looking)
            pouring.cancel()

    async def _pour(self, looking: _Page, show: LiveShow) -> None:
        """Pictures and status to a page, each when there is a new one."""
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            await looking.say(_greeting(show))
            told: dict[str, Any] = {}
            while not self._ended:
                if (message := self._next(looking)) is not None:
                    await looking.socket.send_bytes(message)
                status = asdict(show.status)
                if looking.due(_HEARTBEAT if status == told else _STATUS):
                    told = status
                    await looking.say({"is": "status", **status})
                await looking.something()
            await looking.say({"is": "ended"})
            await looking.socket.close()

    def _next(self, looking: _Page) -> bytes | None:
        """The newest picture for a page that has not had it and is not behind."""
        with self._lock:
            number, picture, taken = self._number, self._picture, self._taken
        if picture is None or number == looking.sent or len(looking.under_way) >= IN_FLIGHT:
            return None
        if time.monotonic() - taken > PATIENCE:
            return None
        if self._encoded[0] != number:
            self._encoded = number, NUMBER.pack(number) + jpeg.encode(picture)
        looking.sent = number
        looking.under_way.append(number)
        return self._encoded[1]


class _Page:
    """A page that looks on."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.sent = 0
        self.under_way: list[int] = []
        """Numbers of the pictures sent and not yet shown."""
        self._told = 0.0
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()

    def wake(self) -> None:
        """From any thread: there is something new."""
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._something.set)

    async def something(self) -> None:
        """Wait until there is something new, or the status is worth another look."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._something.wait(), _STATUS)
        self._something.clear()

    def due(self, every: float) -> bool:
        """Whether it is time to tell the status again."""
        now = time.monotonic()
        if now - self._told < every:
            return False
        self._told = now
        return True

    async def say(self, message: dict[str, Any]) -> None:
        await self.socket.send_text(json.dumps(message, allow_nan=False))


def _greeting(show: LiveShow) -> dict[str, Any]:
    """What does not change while it runs."""
    width, height = show.camera.size
    return {
        "is": "hello",
        "camera": show.camera.name,
        "virtual": show.virtual.name if show.virtual else None,
        "width": width,
        "height": height,
        "commands": [{"name": command.name, "keys": command.keys} for command in COMMANDS],
        "avatars": [{"name": avatar.name, "title": avatar.title} for avatar in show.remote.avatars],
    }


def _obey(text: str, looking: _Page, show: LiveShow) -> None:
    """A key that was pressed on the page, or a picture's number that it now shows."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return
    match message:
        case {"press": str(key)}:
            show.remote.press(key)
            looking.wake()
        case {"shown": int(number)} if number in looking.under_way:
            del looking.under_way[: looking.under_way.index(number) + 1]
            looking.wake()
