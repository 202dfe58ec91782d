"""`relay`, the function behind `mien relay`: rooms on a host of one's own."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from mien.errors import InputError
from mien.options import takes

if TYPE_CHECKING:
    from mien.studio.ice import Ice

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """How two browsers find each other."""

    stun: Annotated[str | None, "STUN server, stun:host:port. It learns both addresses. None by default."] = None
    turn: Annotated[str | None, "TURN server, turn:host:port or turns:host:port. None by default."] = None
    turn_user: Annotated[str | None, "Its user."] = None
    turn_password: Annotated[str | None, "Its password; better in the environment, as MIEN_TURN_PASSWORD."] = None
    turn_secret: Annotated[
        str | None, "Its shared secret, for credentials that run out; better in the environment, as MIEN_TURN_SECRET."
    ] = None
    relay_only: Annotated[bool, "Let the two meet only at the TURN server: neither learns the other's address."] = False

    def ice(self) -> Ice:
        """The servers that both are told of. Raises InputError where the pieces do not fit together."""
        from mien.studio.ice import Ice

        return Ice(
            stun=self.stun, turn=self.turn, user=self.turn_user, relay_only=self.relay_only,
            password=self.turn_password or os.environ.get("MIEN_TURN_PASSWORD"),
            secret=self.turn_secret or os.environ.get("MIEN_TURN_SECRET"),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Relaying(Meeting):
    """What `relay` can be told."""

    host: Annotated[
        str, "Name or address to listen on. Beyond this computer's own 127.0.0.1 it needs a certificate."
    ] = "127.0.0.1"
    port: Annotated[int, "Port to listen on; 0 for any that is free."] = 8787
    certificate: Annotated[Path | None, "TLS certificate and its chain, a PEM file."] = None
    key: Annotated[Path | None, "The certificate's key, a PEM file without password."] = None
    public: Annotated[str | None, "Where a reverse proxy makes it reachable: https://consult.example.org."] = None
    behind_proxy: Annotated[
        bool, "Tell visitors apart by the last hop of X-Forwarded-For. Only if all of them come through your proxy."
    ] = False
    count: Annotated[bool, "Print the number of rooms when it changes."] = False
    on_ready: Callable[[str], None] | None = None
    """Called with the origin under which it is reached, once it listens."""
    on_rooms: Callable[[int], None] | None = None
    """Called with the number of rooms, if `count`."""


@takes(Relaying)
def relay(options: Relaying) -> None:
    """Let patients and clinicians find each other: rooms for two on a host of your own. Runs until Ctrl-C.

    It sees no picture, hears no voice, cannot read what it passes on, and keeps nothing.
    """
    from mien.studio.relay import MESSAGE, relay_app
    from mien.studio.rooms import Rooms
    from mien.studio.serving import Server, listen

    ice = options.ice()
    public = [] if options.public is None else [public_origin(options.public)]
    rooms = Rooms()
    connections = 2 * rooms.limits.rooms + 500
    listener = listen(options.host, options.port, certificate=options.certificate, key=options.key)
    app = relay_app(
        rooms, origins=[*public, *listener.origins], by_address=listener.everywhere, ice=ice,
        behind_proxy=options.behind_proxy,
    )  # fmt: skip
    server = Server()
    server.add(app, listener, message=MESSAGE, connections=connections)
    if public and not options.behind_proxy:
        _log.warning(
            "behind a proxy all visitors seem to share one address, and one person's limits. If your proxy sets "
            "X-Forwarded-For, add --behind-proxy."
        )
    with server:
        if options.on_ready:
            options.on_ready([*public, *listener.origins][0])
        server.run(_Changes(lambda: len(rooms), options.on_rooms) if options.count and options.on_rooms else None)


class _Changes:
    """Tells a number when it is another than last time."""

    def __init__(self, number: Callable[[], int], tell: Callable[[int], None]) -> None:
        self._number = number
        self._tell = tell
        self._told = -1

    def __call__(self) -> None:
        now = self._number()
        if now != self._told:
            self._told = now
            self._tell(now)


def public_origin(given: str) -> str:
    """The origin as browsers write it. Raises InputError for anything that is none, or not https."""
    from mien.studio.guard import origin

    try:
        parts = urlsplit(given)
        name, port = parts.hostname or "", parts.port or 443
    except ValueError:
        parts, name, port = urlsplit(""), "", 0
    plain = (
        parts.scheme == "https" and parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    )
    if not plain or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", name) or name.endswith("."):
        raise InputError(
            f"{given!r} is no public address. Write https:// and the name, nothing behind it: "
            "https://consult.example.org. (Without https no browser gives a page camera or microphone.)"
        )
    return origin("https", name, port)
