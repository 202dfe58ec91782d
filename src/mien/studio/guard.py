"""Who may speak to our web apps: Host, Origin, token and the size of what is sent, before any route sees a request.

A server on loopback is reachable by every page that the browser has open. What keeps those out: the Host must be ours
(DNS rebinding), the Origin must be ours (foreign pages, foreign WebSockets), fetch metadata must say that the request
comes from our own page, and the studio wants its token besides.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.studio import refusals
from mien.studio.headers import dressed
from mien.studio.refusals import Refusal
from mien.studio.token import Token

BODY: Final = 1 << 20
"""Bytes that a request may bring unless its route is said to take more."""
_PAUSE: Final = 30.0
"""Seconds without a byte of a body that is still to come, after which it is given up."""
_LINGER: Final = 2.0
"""Seconds, and below bytes, of an unwanted body that are read and thrown away."""
_LINGER_BYTES: Final = 16 << 20
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_READING: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"same-origin", "none"})
"""What Sec-Fetch-Site says of a request from our own pages, or from nobody's: an address typed in."""
_STUDIO: Final = re.compile(r"http://(127\.0\.0\.1|localhost)(:[1-9]\d{0,4})?")


class Guard:
    """ASGI middleware around one of our apps.

    `origins`: scheme://host[:port] under which the app is reached, spelled as browsers spell them; their host:port are
    the Hosts accepted. `by_address`: the address at which a connection came in is a Host (and Origin) too, for a
    server bound to every address of its computer; no name can be rebound to pass for one. `token`: wanted from
    everybody, brought once to `/open?token=…`, from wherever: whoever knows it may come. `arrivals`: paths of pages
    that a link in a mail or on another site may open. `studio_sockets`: pages of a studio on the visitor's own computer
    may open WebSockets. `bodies`: path prefix to bytes, for routes that take more (or less) than `BODY`; the longest
    prefix counts. `connect`: origins that the pages reach besides their own (the WebSocket of a relay elsewhere).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        origins: Collection[str],
        by_address: bool = False,
        token: Token | None = None,
        arrivals: Collection[str] = (),
        studio_sockets: bool = False,
        bodies: Mapping[str, int] | None = None,
        connect: Collection[str] = (),
    ) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = frozenset(urlsplit(origin).netloc for origin in origins)
        self._by_address = by_address
        self._token = token
        self._arrivals = frozenset([*arrivals, "/open"] if token else arrivals)
        self._studio_sockets = studio_sockets
        self._bodies = sorted((bodies or {}).items(), key=lambda cap: -len(cap[0]))
        self._connect = (*(_socket_origin(origin) for origin in sorted(self._origins)), *connect)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            if self._refusal(scope, Headers(scope=scope)):
                await send({"type": "websocket.close", "code": 1008})  # before accepting, so this answers 403
            else:
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        connect = (*self._connect, *map(_socket_origin, self._own_address(scope)))
        exchange = _Exchange(
            receive, send, cap=self._cap(scope["path"]), connect=connect, tls=scope["scheme"] == "https",
            page="text/html" in headers.get("accept", ""),
        )  # fmt: skip
        if refusal:
            await exchange.refuse(refusal)
        elif self._token and scope["path"] == "/open":
            await self._open(self._token, scope, exchange)
        elif _announced(headers) > exchange.cap:
            await exchange.refuse(refusals.TOO_LARGE)
        else:
            await exchange.run(self._app, scope)

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Why this request or WebSocket goes no further; None if it may."""
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        own = self._own_address(scope)
        if len(hosts) != 1 or hosts[0] not in self._hosts.union(urlsplit(o).netloc for o in own):
            return refusals.FOREIGN_HOST
        socket = scope["type"] == "websocket"
        if not socket and scope["method"] not in _METHODS:
            return refusals.NO_METHOD
        ours = len(origins) == 1 and (origins[0] in self._origins or origins[0] in own)
        studio = socket and self._studio_sockets and len(origins) == 1 and _STUDIO.fullmatch(origins[0]) is not None
        if not (ours or studio) and (origins or socket or scope["method"] not in _READING):
            return refusals.FOREIGN_PAGE
        if not studio and not self._comes_from_us(scope, headers):
            return refusals.FOREIGN_PAGE
        opening = not socket and scope["path"] == "/open"
        if self._token and not opening and not self._token.admits(headers):
            return refusals.NO_TOKEN
        return None

    def _own_address(self, scope: Scope) -> tuple[str, ...]:
        """The origin made of the address at which the connection came in, () if that is no Host here."""
        server = scope.get("server")
        if not self._by_address or not server:
            return ()
        address, port = server
        scheme = "https" if scope["scheme"] in ("https", "wss") else "http"
        return (origin(scheme, address.removeprefix("::ffff:"), port),)

    def _comes_from_us(self, scope: Scope, headers: Headers) -> bool:
        """What the browser says about who asks. One that says nothing is judged by its Origin alone."""
        if headers.get("sec-fetch-site", "none") in _OURS:
            return True
        return (
            scope["type"] == "http"
            and scope["method"] in _READING
            and scope["path"] in self._arrivals
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )

    def _cap(self, path: str) -> int:
        return next((cap for prefix, cap in self._bodies if path.startswith(prefix)), BODY)

    async def _open(self, token: Token, scope: Scope, exchange: _Exchange) -> None:
        """The launch link: a right token is exchanged for the cookie. HEAD uses no launch code up."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        if scope["method"] != "GET" or len(given) != 1 or not token.opens(given[0]):
            await exchange.refuse(refusals.NO_TOKEN)
            return
        entry = [(b"set-cookie", token.cookie_header(tls=scope["scheme"] == "https").encode())]
        if Headers(scope=scope).get("sec-fetch-site", "none") in _OURS:
            await exchange.answer(303, [*entry, (b"location", b"/")])
        else:  # a redirection would still count as the other page's, and take no strict cookie along
            await exchange.answer(200, [*entry, (b"refresh", b"0;url=/"), (b"content-type", b"text/html")])


class _Exchange:
    """One request and its response: counts the body that comes in, dresses the response that goes out."""

    def __init__(
        self, receive: Receive, send: Send, *, cap: int, connect: Collection[str], tls: bool, page: bool
    ) -> None:
        self.cap = cap
        self._receive_next = receive
        self._send_next = send
        self._connect = connect
        self._tls = tls
        self._page = page
        self._taken = 0
        self._whole = False
        self._started = False
        self._cut = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app answer. Whatever it does, the browser gets a response with our headers."""
        try:
            await app(scope, self._receive, self._send)
        except Exception:  # raised again, for the server, once the browser has its response
            if self._cut:
                return  # the app was told that the visitor had gone
            if not self._started:
                await self.refuse(refusals.BROKEN)
            raise

    async def _receive(self) -> Message:
        if self._cut:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive_next()
        try:
            message = await asyncio.wait_for(self._receive_next(), _PAUSE)
        except asyncio.TimeoutError:
            return await self._give_up(refusals.TOO_SLOW)
        self._taken += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        return await self._give_up(refusals.TOO_LARGE) if self._taken > self.cap else message

    async def _give_up(self, why: Refusal) -> Message:
        if not self._started:
            await self.refuse(why)
        self._cut = True
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._cut:
            return
        if message["type"] == "http.response.start":
            self._started = True
            headers = dressed(message.get("headers", ()), connect=self._connect, tls=self._tls)
            message = {**message, "headers": headers}
        await self._send_next(message)

    async def refuse(self, refusal: Refusal) -> None:
        """A page where a person looks at it, else JSON with one sentence."""
        headers, body = refusal.answer(page=self._page)
        await self.answer(refusal.status, [*headers, (b"connection", b"close")], body)

    async def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
        """One whole response of the guard's own."""
        headers = [*headers, (b"content-length", str(len(body)).encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        await self._linger()
        await self._send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """Throw away what is still being sent, for a while: closed at once, the connection would be reset, and the
        visitor would never see the answer."""
        until, left = time.monotonic() + _LINGER, _LINGER_BYTES
        while not self._whole and left > 0 and (seconds := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive_next(), seconds)
            except asyncio.TimeoutError:
                return
            left -= len(message.get("body", b""))
            self._whole = not message.get("more_body", False)


def origin(scheme: str, host: str, port: int) -> str:
    """scheme://host[:port] as a browser writes it: an IPv6 address in brackets, the usual port left out."""
    name = f"[{host}]" if ":" in host else host.lower()
    usual = {"http": 80, "https": 443}[scheme] == port
    return f"{scheme}://{name}" if usual else f"{scheme}://{name}:{port}"


def _socket_origin(page: str) -> str:
    """The same place for WebSockets; browsers differ in whether 'self' means it too."""
    return "ws" + page.removeprefix("http")


def _announced(headers: Headers) -> int:
    """Bytes of body that Content-Length speaks of; what is sent is counted in any case."""
    given = headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdigit() else 0
