"""The relay: rooms over WebSocket, and the app that serves the clinician's page beside them. docs/relay.md has the
protocol. Nothing is logged and nothing is kept."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Scope
from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.studio.guard import Guard
from mien.studio.ice import Ice
from mien.studio.rooms import Message, Rate, RefusedError, Rooms
from mien.studio.static import page, static_routes

LARGEST: Final = 48 * 1024
"""Characters of one sealed message."""
MESSAGE: Final = LARGEST + 1024
"""Bytes of the WebSocket message around it."""
_FIRST: Final = 10.0
"""Seconds in which a newcomer must open or join a room."""
_OUTBOX: Final = 1 << 20
"""Characters waiting for somebody who reads too slowly, beyond which they are cut off."""
_LAST_WORDS: Final = 5.0
_SWEEP: Final = 1.0

_ID: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SEALED: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LARGEST}}}")

_WHAT_THIS_IS: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>mien relay</title><link rel="stylesheet" href="/static/style.css">
<main><h1>mien relay</h1><p>This server introduces two browsers to each other for a consultation with
mien. Picture and sound pass between the two, not through here, and nothing is kept. Have you been invited? Open the
whole link you were sent: the part after # lets you in.</p></main></html>
"""


def relay_app(
    rooms: Rooms,
    *,
    origins: Collection[str],
    by_address: bool = False,
    ice: Ice | None = None,
    behind_proxy: bool = False,
) -> ASGIApp:
    """The clinician's page at /join and the rooms at /relay, guarded; nothing of the studio is reached through it.

    `origins`, `by_address`: where it is reached, as for `Guard`. `behind_proxy`: take visitors' addresses from the last
    hop of X-Forwarded-For.
    """
    routes = [
        Route("/", _what_this_is),
        Route("/join", page("join.html")),
        *static_routes(),
        WebSocketRoute("/relay", signalling_endpoint(rooms, ice, behind_proxy=behind_proxy)),
    ]
    return Guard(
        Starlette(routes=routes), origins=origins, by_address=by_address, arrivals=["/", "/join"], studio_sockets=True,
        bodies={"/": 0},
    )  # fmt: skip


def signalling_endpoint(
    rooms: Rooms, ice: Ice | None = None, *, behind_proxy: bool = False
) -> Callable[[WebSocket], Awaitable[None]]:
    """The WebSocket endpoint of these rooms, for `WebSocketRoute("/relay", …)`; several apps may give out the same."""
    return _Signalling(rooms, ice or Ice(), behind_proxy).serve


def client_address(scope: Scope, *, behind_proxy: bool) -> str:
    """Who is counted as one visitor: an IPv4 address, or the /64 network that one IPv6 subscriber has.

    What a proxy has not written itself anybody may have: of X-Forwarded-For only the last hop counts.
    """
    direct = str((scope.get("client") or ("",))[0])
    hops = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",") if behind_proxy else []
    for given in [*(hop.strip() for hop in hops[-1:]), direct]:
        try:
            address = ipaddress.ip_address(given)
        except ValueError:
            continue
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed, 64), strict=False))
    return ""


async def _what_this_is(request: Request) -> Response:
    return HTMLResponse(_WHAT_THIS_IS)


class _Connection:
    """One browser's WebSocket as a `Peer`: what it is told waits in line, so that nobody waits for a slow reader."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting = 0
        self.writer = asyncio.create_task(self._write())

    def tell(self, message: Message) -> None:
        text = json.dumps(message)
        self._waiting += len(text)
        if self._waiting > _OUTBOX:
            self.writer.cancel()
        else:
            self._outbox.put_nowait(text)

    def end(self) -> None:
        self._outbox.put_nowait(None)

    async def hear(self, within: float | None) -> str | None:
        """The next text; None when the connection is over. Raises RefusedError for anything but text, and silence."""
        try:
            message = await asyncio.wait_for(self._websocket.receive(), within)
        except asyncio.TimeoutError:
            raise RefusedError("bad") from None
        if message["type"] == "websocket.disconnect":
            return None
        if message.get("text") is None:
            raise RefusedError("bad")
        return str(message["text"])

    async def _write(self) -> None:
        try:
            while (text := await self._outbox.get()) is not None:
                await self._websocket.send_text(text)
                self._waiting -= len(text)
            await self._websocket.close()
        except WebSocketDisconnect:
            pass


class _Signalling:
    """Visitors of one set of rooms."""

    def __init__(self, rooms: Rooms, ice: Ice, behind_proxy: bool) -> None:
        self._rooms = rooms
        self._ice = ice
        self._behind_proxy = behind_proxy
        self._connected: Counter[str] = Counter()
        self._sweeper: asyncio.Task[None] | None = None

    async def serve(self, websocket: WebSocket) -> None:
        """One connection from its beginning to its end."""
        address = client_address(websocket.scope, behind_proxy=self._behind_proxy)
        if self._connected[address] >= self._rooms.limits.connections_per_address:
            await websocket.close()
            return
        self._connected[address] += 1
        self._keep_sweeping()
        try:
            await websocket.accept()
            await self._attend(_Connection(websocket), address)
        finally:
            self._connected[address] -= 1
            if not self._connected[address]:
                del self._connected[address]

    async def _attend(self, peer: _Connection, address: str) -> None:
        listener = asyncio.create_task(self._listen(peer, address))
        try:
            await asyncio.wait({listener, peer.writer}, return_when=asyncio.FIRST_COMPLETED)
            if listener.done() and listener.result() is not None:
                peer.tell({"is": "refused", "why": listener.result()})
                peer.end()
                await asyncio.wait({peer.writer}, timeout=_LAST_WORDS)
        finally:
            self._rooms.leave(peer)
            listener.cancel()
            peer.writer.cancel()

    async def _listen(self, peer: _Connection, address: str) -> str | None:
        """Do what the browser asks until it has gone; why it is refused if it is."""
        rate = Rate(*self._rooms.limits.messages)
        within: float | None = _FIRST
        try:
            while (text := await peer.hear(within)) is not None:
                if not rate.take():
                    return "busy"
                self._obey(peer, address, _parsed(text))
                within = None
        except RefusedError as refused:
            return refused.why
        return None

    def _obey(self, peer: _Connection, address: str, message: Message) -> None:
        match message:
            case {"do": "open", "room": str(room), "key": str(key)} if _ID.fullmatch(room) and _ID.fullmatch(key):
                seconds = self._rooms.open(peer, room, key, address)
                peer.tell({"is": "open", **self._meeting(), "expires": round(seconds)})
                self._rooms.announce(peer)
            case {"do": "join", "room": str(room)} if _ID.fullmatch(room):
                self._rooms.join(peer, room, address)
                peer.tell({"is": "joined", **self._meeting()})
                self._rooms.announce(peer)
            case {"do": "signal", "data": str(data)} if _SEALED.fullmatch(data):
                self._rooms.forward(peer, data)
            case {"do": "close"}:
                self._rooms.close(peer)
            case _:
                raise RefusedError("bad")

    def _meeting(self) -> Message:
        return {"ice": self._ice.servers(), "policy": self._ice.policy}

    def _keep_sweeping(self) -> None:
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())

    async def _sweep(self) -> None:
        """End rooms in time also when nobody says anything; sleep for good when there is nothing left."""
        while self._connected or not self._rooms.idle:
            await asyncio.sleep(_SWEEP)
            self._rooms.sweep()


def _parsed(text: str) -> Any:
    """The JSON in it. Raises RefusedError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RefusedError("bad") from None
