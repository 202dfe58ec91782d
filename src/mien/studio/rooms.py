"""Rooms for two: who is in which, what passes between them, when a room ends. No sockets, no clock of its own.

A room is known by the hash of a code that never comes here, and what its two people say is sealed under that code. All
of it lives in memory and is gone when it ends: an address is known while it has a room and until its rates recover.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

Why = Literal["unknown", "full", "busy", "bad", "expired"]
Message = dict[str, Any]
"""One JSON object of the protocol (docs/relay.md)."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much of everything. Rates are per second, after a burst of that many at once."""

    rooms: int = 1000
    rooms_per_address: int = 20
    """A clinic shares one address."""
    unjoined: float = 60 * 60
    """Seconds that a room waits for somebody to join it for the first time."""
    lifetime: float = 4 * 60 * 60
    """Seconds that a room lasts at most."""
    grace: float = 60
    """Seconds that a room outlives its patient's connection."""
    opens: tuple[int, float] = (20, 1 / 6)
    """Burst and rate, for one address."""
    joins: tuple[int, float] = (20, 1 / 6)
    messages: tuple[int, float] = (200, 20)
    """Burst and rate, for one connection."""
    connections_per_address: int = 50
    addresses: int = 20_000
    """Whose rates are remembered at once; beyond that, newcomers wait."""


class RefusedError(Exception):
    """The visitor is told why, and let go."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Final = why


class Peer(Protocol):
    """One end of a room. Neither method waits or raises."""

    def tell(self, message: Message) -> None:
        """Send that, in its turn."""

    def end(self) -> None:
        """Close, after what has been told."""


@dataclass(eq=False)
class _Room:
    key: str
    address: str
    opened: float
    patient: Peer | None
    clinician: Peer | None = None
    joined: bool = False
    """Whether anybody ever was."""
    left: float = math.inf
    """When the patient's connection was lost; inf while it is there."""

    def ends(self, limits: Limits) -> float:
        """The moment at which it is over if nothing else happens."""
        life = limits.lifetime if self.joined else min(limits.unjoined, limits.lifetime)
        return min(self.opened + life, self.left + limits.grace)

    def other(self, peer: Peer) -> Peer | None:
        return self.clinician if peer is self.patient else self.patient


class Rooms:
    """All rooms of one relay. Every method is to be called from one thread (the server's event loop)."""

    def __init__(self, limits: Limits | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits: Final = limits or Limits()
        self._clock = clock
        self._rooms: dict[str, _Room] = {}
        self._where: dict[Peer, str] = {}
        """Room of every peer."""
        self._opens = Rate(*self.limits.opens, addresses=self.limits.addresses, clock=clock)
        self._joins = Rate(*self.limits.joins, addresses=self.limits.addresses, clock=clock)

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to forget."""
        return not (self._rooms or len(self._opens) or len(self._joins))

    def open(self, peer: Peer, room: str, key: str, address: str) -> float:
        """Make a room, or come back to it with the same key. Seconds until it ends. Raises RefusedError."""
        if peer in self._where:
            raise RefusedError("bad")
        if not self._opens.take(address):
            raise RefusedError("busy")
        found = self._living(room)
        if found is None:
            own = sum(other.address == address for other in self._rooms.values())
            if len(self._rooms) >= self.limits.rooms or own >= self.limits.rooms_per_address:
                raise RefusedError("busy")
            found = self._rooms[room] = _Room(key, address, self._clock(), peer)
        elif secrets.compare_digest(found.key, key):
            self._return(found, peer)
        else:
            raise RefusedError("full")
        self._where[peer] = room
        return found.ends(self.limits) - self._clock()

    def join(self, peer: Peer, room: str, address: str) -> None:
        """Come into a room that somebody opened. Raises RefusedError: never says whether a room once was."""
        if peer in self._where:
            raise RefusedError("bad")
        if not self._joins.take(address):
            raise RefusedError("busy")
        found = self._living(room)
        if found is None:
            raise RefusedError("unknown")
        if found.clinician is not None:
            raise RefusedError("full")
        found.clinician, found.joined = peer, True
        self._where[peer] = room

    def announce(self, peer: Peer) -> None:
        """Tell both that they are there, once the newcomer has had the answer to open or join."""
        room = self._rooms[self._where[peer]]
        if room.patient is not None and room.clinician is not None:
            room.patient.tell({"is": "peer", "here": True})
            room.clinician.tell({"is": "peer", "here": True})

    def forward(self, peer: Peer, data: str) -> None:
        """Pass a sealed message to the other one; dropped if nobody is there. Raises RefusedError outside a room."""
        if peer not in self._where:
            raise RefusedError("bad")
        room = self._living(self._where[peer])
        other = room.other(peer) if room else None
        if other is not None:
            other.tell({"is": "signal", "data": data})

    def leave(self, peer: Peer) -> None:
        """That connection is gone. The room stays, the patient's for the time of grace."""
        name = self._where.pop(peer, None)
        if name is None:
            return
        room = self._rooms[name]
        other = room.other(peer)
        if peer is room.patient:
            room.patient, room.left = None, self._clock()
        else:
            room.clinician = None
        if other is not None:
            other.tell({"is": "peer", "here": False})

    def close(self, peer: Peer) -> None:
        """The patient ends the room. Raises RefusedError for anybody else."""
        name = self._where.get(peer)
        if name is None or self._rooms[name].patient is not peer:
            raise RefusedError("bad")
        self._remove(name, {"is": "peer", "here": False})

    def sweep(self) -> None:
        """End the rooms whose time is over, and forget whose rates are whole again. To be called now and then."""
        for name in list(self._rooms):
            self._living(name)
        self._opens.forget()
        self._joins.forget()

    def _living(self, name: str) -> _Room | None:
        room = self._rooms.get(name)
        if room is not None and room.ends(self.limits) <= self._clock():
            self._remove(name, {"is": "refused", "why": "expired"})
            return None
        return room

    def _return(self, room: _Room, peer: Peer) -> None:
        """The patient again, over another connection; the old one may not know yet that it is dead."""
        old, room.patient, room.left = room.patient, peer, math.inf
        if old is not None:
            del self._where[old]
            old.tell({"is": "refused", "why": "full"})
            old.end()

    def _remove(self, name: str, last_words: Message) -> None:
        room = self._rooms.pop(name)
        for peer in (room.patient, room.clinician):
            if peer is not None:
                del self._where[peer]
                peer.tell(last_words)
                peer.end()


class Rate:
    """Token buckets, one for each address: `burst` at once, then `rate` per second."""

    def __init__(
        self, burst: int, rate: float, *, addresses: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._rate = rate
        self._addresses = addresses
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tokens left, and when that was."""

    def __len__(self) -> int:
        """Addresses remembered."""
        return len(self._buckets)

    def take(self, address: str = "") -> bool:
        """Take one, if there is one."""
        if address not in self._buckets and len(self._buckets) >= self._addresses:
            self.forget()
            if len(self._buckets) >= self._addresses:
                return False
        tokens = self._tokens(address)
        taken = tokens >= 1
        self._buckets[address] = (tokens - taken, self._clock())
        return taken

    def forget(self) -> None:
        """Forget the addresses that have all their tokens again."""
        for address in [address for address in self._buckets if self._tokens(address) >= self._burst]:
            del self._buckets[address]

    def _tokens(self, address: str) -> float:
        tokens, then = self._buckets.get(address, (float(self._burst), self._clock()))
        return min(self._burst, tokens + (self._clock() - then) * self._rate)
