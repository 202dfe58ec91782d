"""A consultation in a real browser: the relay with an ear at the wall, a patient's page, the clinician's page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from browsers import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATIENT_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>patient</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/style.css"><link rel="stylesheet" href="/static/consultation/invite.css"></head>
<body><header class="site"></header><main><div id="place"></div><p><canvas width="320" height="320"></canvas></p></main>
<script type="module" src="/test/patient_page.js"></script></body></html>"""
MEDIA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""A microphone that beeps, and nobody who has to allow it. A page that may use it sees real addresses, as at home."""

WATCH = """
window.connections = [];
window.channels = {};
window.sent = [];
window.said = [];
const Connection = RTCPeerConnection;
const kind = (track) => track && `${track.kind} ${track.constructor.name} ${track.label.replace(/[^A-Za-z].*/, "")}`;
const plain = (data) => (typeof data === "string" ? data : "bytes");
const listen = (prototype, name, note) => {
  const original = prototype[name];
  prototype[name] = function (...all) {
    note(this, ...all);
    return original.apply(this, all);
  };
};
window.RTCPeerConnection = class extends Connection {
  constructor(...options) { super(...options); window.connections.push(this); }
  createDataChannel(label, ...rest) { return (window.channels[label] = super.createDataChannel(label, ...rest)); }
};
for (const name of ["addTrack", "addTransceiver"]) {
  listen(Connection.prototype, name, (_, what) => window.sent.push(what?.label === undefined ? what : kind(what)));
}
listen(RTCRtpSender.prototype, "replaceTrack", (_, track) => window.sent.push(kind(track)));
listen(RTCDataChannel.prototype, "send", ({ label }, data) => window.said.push([label, plain(data)]));
window.senders = () => window.connections.flatMap((one) => one.getSenders().map(({ track }) => kind(track)));
"""
"""Runs before a page: every RTCPeerConnection and data channel it makes, every track it gives them, every message it
says on a channel."""


@dataclass
class Wire:
    """What the relay hears and says, and ways to spoil it."""

    texts: list[str] = field(default_factory=list)
    """Every message, of all sockets, both ways."""
    spoil: Callable[[str], str] | None = None
    """Changes what the relay tells its visitors."""
    closed: bool = False
    """Whether newcomers are turned away."""
    _sockets: dict[asyncio.Event, asyncio.AbstractEventLoop] = field(default_factory=dict)

    def cut(self) -> None:
        """Break every socket now."""
        for event, loop in list(self._sockets.items()):
            loop.call_soon_threadsafe(event.set)

    def around(self, app: ASGIApp) -> ASGIApp:
        async def tapped(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "websocket":
                await app(scope, receive, send)
            elif self.closed:
                await send({"type": "websocket.close", "code": 1013})
            else:
                await self._listen(app, scope, receive, send)

        return tapped

    async def _listen(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        cut = asyncio.Event()
        self._sockets[cut] = asyncio.get_running_loop()

        async def heard() -> Message:
            message = await _first(receive(), cut.wait())
            if message is True:
                return {"type": "websocket.disconnect", "code": 1006}
            self.texts.append(str(message.get("text", "")))
            return message

        async def told(message: Message) -> None:
            text = message.get("text")
            if text is not None:
                self.texts.append(text)
                message = {**message, "text": self.spoil(text) if self.spoil else text}
            if not cut.is_set():
                await send(message)

        try:
            await app(scope, heard, told)
            if cut.is_set():
                await send({"type": "websocket.close", "code": 1011})
        finally:
            del self._sockets[cut]


async def _first(*waits: Awaitable[Any]) -> Any:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        for task in tasks:
            task.cancel()


@dataclass
class Hall:
    """A running relay with a patient's page beside it, and a browser."""

    browser: Browser
    wire: Wire
    patient_url: str
    join_url: str
    complaints: list[str] = field(default_factory=list)
    """What the pages' consoles said that they should not."""

    def patient(
        self, *, reach: str = "this computer", signal: str = "/relay", relay_only: bool = False, **options: Any
    ) -> Page:
        """A new patient with the panel before them."""
        page = self._page(**options)
        query = urlencode(
            {"signal": signal, "join": self.join_url, "reach": reach} | ({"relay_only": ""} if relay_only else {})
        )
        page.goto(f"{self.patient_url}/?{query}")
        page.wait_for_function("() => window.panel")
        return page

    def clinician(self, link: str = "", **options: Any) -> Page:
        """A new clinician with that link open."""
        page = self._page(**options)
        page.goto(link or self.join_url)
        page.wait_for_selector("h1")
        return page

    def _page(self, **options: Any) -> Page:
        context: BrowserContext = self.browser.new_context(
            **{"viewport": {"width": 1280, "height": 900}, "permissions": ["microphone", "camera"], **options}
        )
        context.set_default_timeout(15_000)
        context.add_init_script(WATCH)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{error} {error.stack}"))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        return page


@contextmanager
def hall(*, limits: Any = None) -> Iterator[Hall]:
    """Both apps on loopback, guarded as in the studio, and Chromium."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, Response
    from starlette.routing import Route, WebSocketRoute

    from mien.studio.guard import Guard
    from mien.studio.relay import MESSAGE, relay_app, signalling_endpoint
    from mien.studio.rooms import Limits, Rooms
    from mien.studio.serving import Server, listen
    from mien.studio.static import static_routes

    script = Path(__file__).with_name("studio") / "patient_page.js"
    rooms = Rooms(limits or Limits(joins=(500, 50), opens=(500, 50)))
    patient, clinician, wire, server = listen(), listen(), Wire(), Server()
    own = Starlette(
        routes=[
            Route("/", lambda request: HTMLResponse(PATIENT_PAGE)),
            Route("/test/patient_page.js", lambda request: Response(script.read_bytes(), media_type="text/javascript")),
            WebSocketRoute("/relay", signalling_endpoint(rooms)),
            *static_routes(),
        ]
    )
    server.add(wire.around(Guard(own, origins=patient.origins)), patient, message=MESSAGE)
    server.add(wire.around(relay_app(rooms, origins=clinician.origins)), clinician, message=MESSAGE)
    with server, chromium(more=MEDIA) as browser:
        yield Hall(browser, wire, patient.origins[0], f"{clinician.origins[0]}/join")


def invite(patient: Page) -> str:
    """Make an invitation; its link."""
    patient.get_by_role("button", name="Make an invitation").click()
    return patient.locator("#invite-link").input_value()


def knock(clinician: Page, name: str = "Dr Kim") -> None:
    """Ask to be let in under that name."""
    clinician.get_by_label("Your name").fill(name)
    clinician.get_by_role("button", name="Ask to join").click()


def admit(patient: Page) -> None:
    """Say yes to whoever asks."""
    patient.get_by_role("button", name="Let them in").click()


def together(hall: Hall, **options: Any) -> tuple[Page, Page]:
    """A patient and a clinician in a call, the picture there."""
    patient = hall.patient(**options)
    clinician = hall.clinician(invite(patient), **options)
    knock(clinician)
    admit(patient)
    clinician.locator("#live").wait_for()
    clinician.wait_for_function("() => document.querySelector('#picture').videoWidth > 0")
    return patient, clinician


def seen_colour(clinician: Page) -> list[int]:
    """RGB in the middle of the picture that the clinician sees now."""
    colour: list[int] = clinician.evaluate(
        """() => {
          const video = document.querySelector("#picture");
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = 1;
          const context = canvas.getContext("2d");
          context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 8, 8, 0, 0, 1, 1);
          return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
        }"""
    )
    return colour


def messages(texts: list[str]) -> list[Any]:
    """The protocol's messages among what passed the wire."""
    return [json.loads(text) for text in texts if text.startswith("{")]


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)
