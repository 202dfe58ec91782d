"""uvicorn as we want it: quiet, bounded, no word about itself, and no patience with half a request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_HEADERS_WITHIN: Final = 10.0
"""Seconds in which a request's headers must be complete, counted from the connection or its last response."""
_FAREWELL: Final = 10.0
"""Seconds for the last messages to arrive."""
_HEADERS: Final = 16 * 1024
"""Most bytes of them."""
_AT_ONCE: Final = 20
"""One in so many of an address's idle connections is closed at once where there are too many: looking for them takes
time, which a flood of newcomers would use up."""


def configured(
    app: ASGIApp, tls: ssl.SSLContext | None, message: int, connections: int, ping: float, grace: int
) -> uvicorn.Server:
    """A server for `app`: `message` bytes at most in a WebSocket message, `connections` at most open, WebSockets asked
    every `ping` seconds, `grace` seconds for them to close at the end."""

    class Bounded(_Prompt):
        limit = connections

    config = uvicorn.Config(
        app, http=Bounded, ws=_Sockets, ws_max_size=message, ws_ping_interval=ping, ws_ping_timeout=ping,
        ws_per_message_deflate=False, h11_max_incomplete_event_size=_HEADERS, timeout_graceful_shutdown=grace,
        # An address or a path could name a room, a token or a patient: nothing of them is logged.
        access_log=False, log_config=None, log_level="error" if os.environ.get("MIEN_DEBUG") else _SILENT,
        server_header=False, date_header=False, proxy_headers=False,
    )  # fmt: skip
    config.load()
    config.ssl = tls
    return _Server(config)


_SILENT: Final = 100
"""Above every level of logging."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C is the main thread's business."""
        yield


class _Sockets(WebSocketsSansIOProtocol):
    """WebSockets that let go of somebody who no longer reads: closing alone waits until all is delivered."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self.transport.abort()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.loop.call_later(_FAREWELL, self.transport.abort)


class _Prompt(H11Protocol):
    """HTTP with a limit on open connections and on the time that a request's headers may take."""

    limit: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._deadline: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        self._await_headers()
        if len(self.connections) > self.limit:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await_headers()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget_deadline()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._upgraded = True
        super().handle_websocket_upgrade(event)

    _upgraded = False

    def _make_room(self) -> None:
        """Close the oldest connections that ask for nothing, of the address that has most of them."""
        spare = [one for one in self.connections if isinstance(one, _Prompt) and one._spare]
        crowds = Counter(one._address for one in spare)
        worst = max(crowds, key=lambda address: crowds[address])  # at least this newcomer is there
        crowd = sorted((one for one in spare if one._address == worst), key=lambda one: one._since)
        for one in crowd[: 1 + len(crowd) // _AT_ONCE]:
            one.transport.abort()
            self.connections.discard(one)  # counted no longer, although the loop tells of its end only later

    @property
    def _spare(self) -> bool:
        """Whether nothing is lost with it: no request has come whole, or all that still comes is a body that nobody
        wants, as the answer has gone out."""
        return self._deadline is not None or (
            self.cycle is not None and self.cycle.response_started and self.cycle.more_body
        )

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _await_headers(self) -> None:
        """Start the clock if no request is under way, and stop it if one is."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._upgraded or answering:
            self._forget_deadline()
        elif self._deadline is None:
            self._since = self.loop.time()
            self._deadline = self.loop.call_later(_HEADERS_WITHIN, self.transport.abort)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
