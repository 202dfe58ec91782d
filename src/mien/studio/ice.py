"""Which STUN and TURN servers two browsers are told of: none unless configured."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

from mien.errors import InputError

_STUN: Final = re.compile(r"stuns?:[\w.:\[\]-]+")
_TURN: Final = re.compile(r"turns?:[\w.:\[\]-]+(\?transport=(udp|tcp))?")
_VALID: Final = 5 * 60 * 60
"""Seconds that a TURN credential is good for: longer than a room lasts."""


@dataclass(frozen=True, kw_only=True)
class Ice:
    """How two browsers find each other. With nothing given they do so within one network only.

    Raises InputError where the pieces do not fit together.
    """

    stun: str | None = None
    """stun:host[:port]; it learns the addresses of both."""
    turn: str | None = None
    """turn:host[:port][?transport=tcp], or turns:…; it passes on what it cannot read."""
    user: str | None = None
    password: str | None = None
    secret: str | None = None
    """Shared with the TURN server, in place of user and password: everybody gets credentials that run out."""
    relay_only: bool = False
    """Whether the two may meet nowhere but at the TURN server, so that neither learns the other's address."""

    def __post_init__(self) -> None:
        if self.stun and not _STUN.fullmatch(self.stun):
            raise InputError(f"{self.stun!r} is no STUN server. Write --stun stun:host or stun:host:port.")
        if self.turn and not _TURN.fullmatch(self.turn):
            raise InputError(f"{self.turn!r} is no TURN server. Write --turn turn:host:port or turns:host:port.")
        if self.turn and not self.secret and not (self.user and self.password):
            raise InputError(
                f"{self.turn} will let nobody in without credentials. Give --turn-secret (the static-auth-secret of "
                "coturn), or --turn-user and --turn-password."
            )
        if self.secret and (self.user or self.password):
            raise InputError("--turn-secret makes the credentials: leave out --turn-user and --turn-password.")
        if not self.turn and (self.user or self.password or self.secret):
            raise InputError("There are TURN credentials and no TURN server. Add --turn turn:host:port.")
        if self.relay_only and not self.turn:
            raise InputError(
                "--relay-only lets two people meet only at a TURN server, which hides their addresses from each other, "
                "and none is given. Add --turn turn:host:port with --turn-secret."
            )

    @property
    def policy(self) -> Literal["all", "relay"]:
        """`iceTransportPolicy` for both browsers."""
        return "relay" if self.relay_only else "all"

    def servers(self) -> list[dict[str, Any]]:
        """`iceServers` for one browser, as RTCPeerConnection takes them."""
        servers: list[dict[str, Any]] = [{"urls": self.stun}] if self.stun else []
        if self.turn:
            user, password = self._credentials()
            servers.append({"urls": self.turn, "username": user, "credential": password})
        return servers

    def _credentials(self) -> tuple[str | None, str | None]:
        """Name and password; with a secret, those of draft-uberti-behave-turn-rest: the name says until when."""
        if not self.secret:
            return self.user, self.password
        user = f"{int(time.time()) + _VALID}:mien"
        digest = hmac.new(self.secret.encode(), user.encode(), hashlib.sha1).digest()
        return user, base64.b64encode(digest).decode()
