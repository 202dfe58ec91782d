"""`studio`, the function behind `mien studio`: the patient's pages on this computer, and the door for those invited."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from mien.errors import InputError
from mien.options import takes
from mien.studio.hosting import Meeting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mien.studio.live import OpenRun
    from mien.studio.serving import Listener, Server

PORT: Final = 8750
_OWN_DOOR: Final = (
    "host", "invite_port", "certificate", "key", "stun", "turn", "turn_user", "turn_password", "turn_secret",
)  # fmt: skip
"""Options of the door and relay that a studio has of its own. Not `relay_only`: that binds this side alone, too."""
_log = logging.getLogger("mien")


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a running studio is reached."""

    link: str
    """Opens the studio in any browser of this computer, for whoever knows it."""
    launch: str
    """Does so once, within two minutes."""
    join: str
    """What an invitation begins with."""
    reach: str


@dataclass(frozen=True, kw_only=True)
class Consulting(Meeting):
    """What `studio` can be told."""

    port: Annotated[int | None, "Port of the studio on 127.0.0.1; 8750 or any free one if not given."] = None
    browser: Annotated[bool, "Open the studio in the browser."] = True
    host: Annotated[
        str, "Where those you invite reach the page for them. Off 127.0.0.1 it needs a certificate. The studio itself "
        "is never reached from outside.",
    ] = "127.0.0.1"  # fmt: skip
    invite_port: Annotated[int, "Port of that page; 0 for any that is free."] = 0
    certificate: Annotated[Path | None, "TLS certificate of that page, a PEM file."] = None
    key: Annotated[Path | None, "The certificate's key, a PEM file without password."] = None
    relay: Annotated[str | None, "A relay elsewhere (`mien relay`) to invite through: https://consult.example.org."] = (
        None
    )
    on_ready: Callable[[Doors], None] | None = None
    """Called once it answers."""


@takes(Consulting)
def studio(options: Consulting) -> None:
    """Open the studio: be live as an avatar in the browser, invite a clinician, re-render clips. Runs until Ctrl-C."""
    from mien.studio.launch import open_browser

    with opened(options) as (doors, server):
        if options.on_ready:
            options.on_ready(doors)
        if options.browser and not open_browser(doors.launch):
            _log.warning("no browser could be opened; open the link by hand")
        server.run()


@contextmanager
def opened(options: Consulting, *, open_run: OpenRun | None = None) -> Iterator[tuple[Doors, Server]]:
    """A studio that answers while the block runs. `open_run` makes its live runs, `LiveRun` if None.

    Raises ListenError and InputError where a port, a certificate or an address cannot be used.
    """
    from starlette.routing import WebSocketRoute

    from mien.live.run import LiveRun
    from mien.studio.app import LARGEST_MESSAGE, Invitations, Studio
    from mien.studio.hosting import public_origin
    from mien.studio.relay import MESSAGE, relay_app, signalling_endpoint
    from mien.studio.rooms import Rooms
    from mien.studio.serving import Server, listen
    from mien.studio.token import Token

    _refuse_idle(options)
    listener = _listen_at(options.port)
    token = Token(listener.port)
    server = Server()
    signalling, connect = None, list[str]()
    if options.relay is None:
        ice = options.ice()
        rooms = Rooms()
        door = listen(options.host, options.invite_port, certificate=options.certificate, key=options.key)
        server.add(relay_app(rooms, origins=door.origins, by_address=door.everywhere, ice=ice), door, message=MESSAGE)
        join = f"{door.origins[0]}/join"
        invitations = Invitations("/relay", join, "this computer" if door.local else "network", options.relay_only)
        signalling = WebSocketRoute("/relay", signalling_endpoint(rooms, ice))
    else:
        public = public_origin(options.relay)
        invitations = Invitations(f"ws{public[4:]}/relay", f"{public}/join", "internet", options.relay_only)
        connect = [f"ws{public[4:]}"]
    behind = Studio(invitations, open_run=open_run or LiveRun)
    server.add(behind.app(listener, token, signalling=signalling, connect=connect), listener, message=LARGEST_MESSAGE)
    own = listener.origins[0]
    doors = Doors(
        f"{own}/open?token={token.value}", f"{own}/open?token={token.launch_code()}", invitations.join,
        invitations.reach,
    )  # fmt: skip
    try:
        with server:
            yield doors, server
    finally:
        behind.close()


def _refuse_idle(options: Consulting) -> None:
    """Raises InputError for what only a door and a relay of our own would heed: somebody relies on it."""
    defaults = {field.name: field.default for field in fields(options)}
    idle = [f"--{name.replace('_', '-')}" for name in _OWN_DOOR if getattr(options, name) != defaults[name]]
    if options.relay is not None and idle:
        raise InputError(
            f"With --relay these have no effect here: {', '.join(idle)}. The relay at {options.relay} decides that; "
            "leave them out, and give them to `mien relay` there."
        )


def _listen_at(port: int | None) -> Listener:
    """The usual port, or any other if another studio has it; a port that was asked for, or none."""
    from mien.studio.serving import ListenError, listen

    if port is not None:
        return listen(port=port)
    try:
        return listen(port=PORT)
    except ListenError:
        return listen()
