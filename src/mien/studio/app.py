"""The studio's app, put together: its pages, what they ask for, and what is behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from mien import models
from mien.live.run import LiveRun
from mien.studio import clips, gallery, jpeg, sessions
from mien.studio.frames import live_endpoint
from mien.studio.guard import Guard
from mien.studio.intake import UNBOUNDED
from mien.studio.lives import Lives
from mien.studio.static import page, static_routes
from mien.studio.unkept import unkept_routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mien.studio.live import OpenRun
    from mien.studio.serving import Listener
    from mien.studio.token import Token

LARGEST_MESSAGE: Final = jpeg.MAX_BYTES + 1024
"""Bytes of a WebSocket message: a frame and what stands before it."""
_FACE_MODELS: Final = ("face-landmarker", "face-mesh-lite")


@dataclass(frozen=True, slots=True)
class Invitations:
    """How others are invited: where the rooms are and what the link begins with."""

    signal: str
    """WebSocket of the relay as the patient's page reaches it; a path for one inside the studio."""
    join: str
    """Address of the page that an invitation leads to."""
    reach: Literal["this computer", "network", "internet"]
    """From where it can be opened."""
    relay_only: bool = False
    """Whether the patient meets others at a TURN server or not at all, whatever the relay says."""


class Studio:
    """What the studio's pages need, for as long as it runs. `close` ends and forgets everything not kept."""

    def __init__(self, invitations: Invitations, *, open_run: OpenRun = LiveRun) -> None:
        self.sessions = sessions.SessionStore()
        self.clips = clips.ClipJobs()
        self.lives = Lives(self.sessions.recording_path, open_run=open_run)
        self._invitations = invitations

    def app(
        self, listener: Listener, token: Token | None, *, signalling: BaseRoute | None, connect: Sequence[str] = ()
    ) -> ASGIApp:
        """The guarded app for that listener. `signalling` is the route of a relay inside the studio; `connect` where a
        relay elsewhere is."""
        routes: list[BaseRoute] = [
            Route("/", page("index.html")),
            Route("/clips", page("clips.html")),
            Route("/sessions", page("sessions.html")),
            Route("/api/state", self._state),
            WebSocketRoute("/live", live_endpoint(self.lives)),
            *unkept_routes(self.lives, self.sessions),
            *gallery.routes(),
            *sessions.routes(self.sessions),
            *clips.routes(self.clips),
            *static_routes(),
            *([signalling] if signalling else []),
        ]
        bodies = dict.fromkeys(("/api/avatars", "/api/clips"), UNBOUNDED)  # counted where they are taken in
        return Guard(
            Starlette(routes=routes), origins=listener.origins, token=token, bodies=bodies, connect=connect
        )  # fmt: skip

    def close(self) -> None:
        """End what goes on; drop what nobody kept."""
        self.lives.close()
        self.clips.close()
        self.sessions.close()

    async def _state(self, request: Request) -> Response:
        return JSONResponse(self._described())

    def _described(self) -> dict[str, Any]:
        from mien.emotion.classifier import MODEL

        face = next((name for name in _FACE_MODELS if models.available(name)), None)
        return {
            "version": version("mien"),
            "key": self.lives.key.hex(),
            "models": {"face": face, "emotion": models.available(MODEL)},
            "relay": asdict(self._invitations),
        }
