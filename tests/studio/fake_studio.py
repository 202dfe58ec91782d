"""A studio for the pages alone: the real files and policy, made-up answers, avatars drawn by the puppet engine.

What a test wants to see is set beforehand: `FakeStudio(faces=0)`, or while the page looks on: `studio.faces = 2`.
"""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from mien.studio import gallery, jpeg
from mien.studio.headers import dressed
from mien.studio.live import SIDE
from mien.studio.static import page, static_routes
from mien.types import EMOTIONS

_ANSWER: Final = Struct("<I")
_KEY: Final = bytes(32)
_POSES: Final = 24
_PACE: Final = 0.03
"""Seconds that a picture takes."""
SESSIONS: Final[tuple[dict[str, Any], ...]] = (
    {"id": "a1", "started": "2026-03-12T10:30:00+09:00", "seconds": 1834.2, "title": "Third visit", "avatar": "rosa",
     "coverage": 0.97, "files": ["report.html", "timeline.csv", "summary.json", "avatar.mp4"]},
    {"id": "b2", "started": "2026-03-05T10:31:00+09:00", "seconds": 1502.0, "title": "", "avatar": "maya",
     "coverage": 0.91, "files": ["report.html", "timeline.csv", "summary.json"]},
    {"id": "c3", "started": "2026-02-26T16:02:00+09:00", "seconds": 312.0, "avatar": "miso", "coverage": 0.42,
     "title": "Trying it out with my brother, to see whether the picture keeps up when we both laugh",
     "files": ["report.html", "timeline.csv", "summary.json"]},
)  # fmt: skip
_FINDINGS: Final = {
    "good": [],
    "usable": [("resolution", 5.0, "Use a larger picture."), ("room", 4.0, "Leave more room at the left.")],
    "poor": [("a face", 1.0, "Look at the result before use."), ("eyes", 1.0, "Choose a picture with open eyes."),
             ("head", 2.0, "The head is turned sideways.")],
}  # fmt: skip


@dataclass
class FakeStudio:
    """Everything that the pages can be told. `said` collects what they ask of a live session and of the API."""

    models: bool = True
    emotions: bool = True
    faces: int = 1
    trouble: dict[str, Any] | None = None
    """Refusal of every live session."""
    verdict: str = "usable"
    clip: str = "done"
    """How a clip ends: "done", "failed", or "running" for one that never does."""
    sessions: list[dict[str, Any]] = field(default_factory=lambda: [dict(session) for session in SESSIONS])
    result: bytes = b""
    """MP4 that a clip becomes."""
    own: list[dict[str, Any]] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    refused_paths: set[str] = field(default_factory=set)
    """Addresses answered with an error."""
    state: dict[str, Any] = field(default_factory=dict)
    """Overrides what a live state says."""
    words: list[dict[str, Any]] = field(default_factory=list)
    """What a live session says next, besides states."""
    drop: bool = False
    """Whether live connections are cut and refused."""
    url: str = ""
    _clip_looks: int = 0

    def app(self) -> Any:
        """The ASGI app."""
        routes = [
            Route("/", page("index.html")), Route("/clips", page("clips.html")),
            Route("/sessions", page("sessions.html")), Route("/api/state", self._state), 
            Route("/api/avatars", self._avatars, methods=["GET", "POST"]),
            Route("/api/avatars/check", self._check, methods=["POST"]),
            Route("/api/avatars/{name}/thumbnail", self._thumbnail),
            Route("/api/avatars/{name}", self._remove_avatar, methods=["DELETE"]),
            Route("/api/sessions", self._sessions), Route("/sessions/{id}/{file}", self._file),
            Route("/api/sessions/{id}", self._session, methods=["PATCH", "DELETE"]),
            Route("/api/live/{id}/keep", self._keep, methods=["POST"]),
            Route("/api/live/{id}/{file}", self._file), Route("/api/live/{id}", self._gone, methods=["DELETE"]),
            Route("/api/clips", self._add_clip, methods=["POST"]),
            Route("/api/clips/{id}/run", self._run, methods=["POST"]),
            Route("/api/clips/{id}/cancel", self._cancel, methods=["POST"]), Route("/api/clips/{id}", self._clip),
            Route("/api/clips/{id}", self._gone, methods=["DELETE"]), Route("/api/clips/{id}/{file}", self._file),
            WebSocketRoute("/live", self._live), *static_routes(),
        ]  # fmt: skip
        return _Dressed(Starlette(routes=routes), self.refused_paths)

    async def _state(self, request: Request) -> Response:
        return JSONResponse({
            "version": "0", "key": _KEY.hex(),
            "models": {"face": "face-landmarker" if self.models else None, "emotion": self.emotions},
            "relay": {"signal": "/relay", "join": f"{self.url}/join", "reach": "this computer"},
        })  # fmt: skip

    async def _avatars(self, request: Request) -> Response:
        if request.method == "POST":
            await request.body()
            name = request.query_params["name"]
            self.said.append(("add", name))
            self.own.append({"name": name, "title": name, "kind": "picture", "own": True})
            return JSONResponse(self.own[-1], 201)
        listed = [avatar.to_dict() for avatar in gallery.known().values() if not avatar.own]
        return JSONResponse(listed + self.own)

    async def _check(self, request: Request) -> Response:
        await request.body()
        findings = [{"name": n, "score": s, "seen": "", "advice": a} for n, s, a in _FINDINGS[self.verdict]]
        return JSONResponse({"score": 6.0, "verdict": self.verdict, "findings": findings})

    async def _thumbnail(self, request: Request) -> Response:
        name = request.path_params["name"]
        return Response(
            await asyncio.to_thread(_thumbnail, name if name in gallery.known() else "otto"), media_type="image/png"
        )

    async def _remove_avatar(self, request: Request) -> Response:
        self.own = [avatar for avatar in self.own if avatar["name"] != request.path_params["name"]]
        return Response(status_code=204)

    async def _sessions(self, request: Request) -> Response:
        return JSONResponse(self.sessions)

    async def _session(self, request: Request) -> Response:
        (session,) = (s for s in self.sessions if s["id"] == request.path_params["id"])
        if request.method == "DELETE":
            self.sessions.remove(session)
            return Response(status_code=204)
        session["title"] = (await request.json())["title"]
        return JSONResponse(session)

    async def _keep(self, request: Request) -> Response:
        title = (await request.json())["title"]
        self.said.append(("keep", title))
        return JSONResponse({**SESSIONS[0], "id": "d4", "title": title})

    async def _gone(self, request: Request) -> Response:
        self.said.append(("delete", request.url.path))
        return Response(status_code=204)

    async def _file(self, request: Request) -> Response:
        match request.path_params["file"]:
            case "report.html":
                return HTMLResponse("<!doctype html><title>Report</title><p>A report.")
            case "avatar.mp4":
                return Response(self.result, media_type="video/mp4")
            case _:
                return PlainTextResponse("time_s\n", media_type="text/csv")

    async def _add_clip(self, request: Request) -> Response:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
        self.said.append(("clip", request.query_params["name"], size))
        self._clip_looks = 0
        return JSONResponse({"id": "k1", "name": request.query_params["name"], "seconds": 2.0}, 201)

    async def _run(self, request: Request) -> Response:
        self.said.append(("run", await request.json()))
        self._clip_looks = 0
        return await self._clip(request)

    async def _cancel(self, request: Request) -> Response:
        self.said.append(("cancel",))
        self.clip = "cancelled"
        return await self._clip(request)

    async def _clip(self, request: Request) -> Response:
        self._clip_looks += 1
        over = (self._clip_looks > 2 and self.clip != "running") or self.clip == "cancelled"
        frames = min(1500, 340 * self._clip_looks)
        failed = over and self.clip == "failed"
        return JSONResponse({
            "id": "k1", "state": self.clip if over else "running", "frames": frames, "total": 1500, "fps": 61.4,
            "seconds_left": (1500 - frames) / 61.4, "warnings": ["In 12 of 1500 pictures nobody was seen."],
            "error": "The clip holds no picture that can be read. Try another one." if failed else None,
        })  # fmt: skip

    async def _live(self, socket: WebSocket) -> None:
        if self.drop:
            await socket.close(1011)
            return
        await socket.accept()
        talking: asyncio.Task[None] | None = None
        live = _Live(self, socket)
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if data := message.get("bytes"):
                    await live.frame(data)
                elif text := message.get("text"):
                    await live.obey(json.loads(text))
                    talking = talking or asyncio.create_task(live.talk())
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            if talking:
                talking.cancel()


class _Live:
    """One connection."""

    def __init__(self, studio: FakeStudio, socket: WebSocket) -> None:
        self._studio, self._socket = studio, socket
        self._began = time.monotonic()
        self._state: dict[str, Any] = {
            "avatar": "", "size": SIDE, "preparing": None, "trouble": None, "mirrored": False, "zoom": 1.0,
            "paused": False, "calibrated": False, "slowed": False, "fps": 29.6, "delay": 0.021, "confidence": 0.97,
            "recording": False,
        }  # fmt: skip

    async def frame(self, data: bytes) -> None:
        if self._studio.drop:
            await self._socket.close(1011)
            return
        (number,) = _ANSWER.unpack_from(data)
        if self._studio.faces:
            await asyncio.sleep(_PACE)
            poses = await asyncio.to_thread(_performance, self._state["avatar"])
            picture = poses[int(self._elapsed() * 8) % _POSES]
        else:
            picture = (await asyncio.to_thread(_performance, self._state["avatar"]))[0]
        await self._socket.send_bytes(_ANSWER.pack(number) + picture)

    async def obey(self, message: dict[str, Any]) -> None:
        self._studio.said.append({key: value for key, value in message.items() if key != "nonce"})
        match message:
            case {"do": "start", "avatar": avatar}:
                if self._studio.trouble:
                    await self._say({"is": "trouble", **self._studio.trouble})
                    return
                await asyncio.to_thread(_performance, avatar)
                self._state["avatar"] = avatar
                proof = hmac.new(_KEY, message["nonce"].encode(), "sha256").hexdigest()
                await self._say({"is": "started", "session": "live-1", "proof": proof})
            case {"do": "wear", "avatar": avatar}:
                await asyncio.to_thread(_performance, avatar)
                self._state["avatar"] = avatar
            case {"do": "mirror", "on": on}:
                self._state["mirrored"] = on
            case {"do": "pause", "on": on}:
                self._state["paused"] = on
            case {"do": "record", "on": on}:
                self._state["recording"] = on
            case {"do": "zoom", "factor": factor}:
                self._state["zoom"] = factor
            case {"do": "calibrate"}:
                self._state["calibrated"] = True
            case {"do": "end"}:
                await self._say({"is": "ended", "session": "live-1", "seconds": 754.3, "coverage": 0.964,
                                 "recorded": self._state["recording"]})  # fmt: skip

    async def talk(self) -> None:
        """States, ten a second."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                faces = self._studio.faces
                now = self._elapsed()
                known = faces > 0 and self._studio.emotions
                await self._say({"is": "state", **self._state, "time": now, "faces": faces,
                                 "emotions": _feeling(now) if known else None, **self._studio.state})  # fmt: skip
                while self._studio.words:
                    await self._say(self._studio.words.pop(0))
                await asyncio.sleep(0.1)

    async def _say(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(json.dumps(message))

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


class _Dressed:
    """The studio's own security headers around an app, without its guard; errors where a test wants them."""

    def __init__(self, app: Any, refused: set[str]) -> None:
        self._app, self._refused = app, refused

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def dressed_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": dressed(message["headers"], connect=(), tls=False)}
            await send(message)

        if scope["type"] == "http" and scope["path"] in self._refused:
            await JSONResponse({"error": "The disk is full."}, 500)(scope, receive, dressed_send)
        else:
            await self._app(scope, receive, dressed_send if scope["type"] == "http" else send)


def _feeling(now: float) -> dict[str, float]:
    """Seven shares that wander and add up to one."""
    weights = {name: math.exp(1.6 * math.sin(now / (3 + i) + 1.7 * i)) for i, name in enumerate(EMOTIONS)}
    weights["neutral"] *= 3
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


@functools.cache
def _thumbnail(name: str) -> bytes:
    return gallery.Gallery().thumbnail(name)


@functools.cache
def _performance(name: str) -> list[bytes]:
    """The avatar through a smile, as JPEGs, the first at rest. A picture of one's own is played by Otto."""
    from mien.avatar.performance import posed
    from mien.engine import registry
    from mien.scene.avatar import BACKGROUND, lay_on

    known = gallery.known()
    avatar = gallery.library.load((known.get(name) or known["otto"]).path, name=name)
    renderer = registry.for_avatar(avatar.kind).prepare(avatar, size=SIDE)

    def drawn(phase: float) -> bytes:
        smile = posed("happy", strength=(1 - math.cos(phase)) / 2, yaw=0.25 * math.sin(phase))
        return jpeg.encode(lay_on(renderer(smile), BACKGROUND))

    return [drawn(2 * math.pi * i / _POSES) for i in range(_POSES)]


@contextmanager
def served(studio: FakeStudio) -> Iterator[FakeStudio]:
    """The studio on a free port of this computer, its address in `url`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        studio.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(studio.app(), log_level="error", ws="websockets-sansio", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield studio
        finally:
            server.should_exit = True
            thread.join(5)
