"""Takes what is uploaded into memory, within limits, and never anywhere else."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from threading import Lock
from typing import Final

import anyio
from starlette.requests import ClientDisconnect, Request

from mien.studio.answers import RefusedError

UNBOUNDED: Final = 1 << 60
"""Bytes that a guard may let through to routes with an `Intake`: it has a limit, and words, of its own."""
_LONGEST_NAME: Final = 100
_LINGER: Final = 10.0
"""Seconds for which an unwanted body is read and thrown away: closed at once, the connection would be reset, and the
sentence that says why never arrive. On loopback that is enough for some gigabytes."""


class Intake:
    """Room in memory for uploads: `largest` bytes each, `room` bytes together, `at_once` of them under way."""

    def __init__(self, *, largest: int, room: int, too_large: str, no_room: str, at_once: int = 4) -> None:
        """too_large, no_room: what somebody is told who sends one beyond the limit, or when the room is taken."""
        self._largest, self._room, self._at_once = largest, room, at_once
        self._too_large, self._no_room = too_large, no_room
        self._lock = Lock()
        self._held = self._under_way = 0

    @property
    def held(self) -> int:
        """Bytes that uploads take up now, those under way included."""
        return self._held

    async def take(self, request: Request) -> bytes:
        """The body of a request; it counts until it is given to `drop`. Raises RefusedError."""
        stream = request.stream()
        try:
            if _announced(request) > self._largest:
                raise RefusedError(413, self._too_large)
            if self._under_way >= self._at_once:
                raise RefusedError(429, "Other files are still being sent. Wait until they have arrived.")
            return await self._taken(stream)
        except RefusedError:
            await _linger(stream)
            raise

    async def _taken(self, stream: AsyncGenerator[bytes, None]) -> bytes:
        body = io.BytesIO()
        self._under_way += 1
        try:
            async for chunk in stream:
                self._reserve(len(chunk), at=body.tell())
                body.write(chunk)
        except BaseException:
            self._release(body.tell())
            raise
        finally:
            self._under_way -= 1
        return body.getvalue()

    def drop(self, data: bytes) -> None:
        """What `take` gave is no longer needed. From any thread."""
        self._release(len(data))

    def _reserve(self, count: int, *, at: int) -> None:
        if at + count > self._largest:
            raise RefusedError(413, self._too_large)
        with self._lock:
            if self._held + count > self._room:
                raise RefusedError(413, self._no_room)
            self._held += count

    def _release(self, count: int) -> None:
        with self._lock:
            self._held -= count


def file_name(request: Request, default: str) -> str:
    """What the sender calls the file (?name=…), for people to read: without folders, control characters or the rest of
    a very long one. No file of ours is ever looked for or made by this name as it is."""
    given = re.split(r"[/\\]", request.query_params.get("name", ""))[-1]
    name = "".join(c for c in given if c.isprintable()).strip()
    return name[-_LONGEST_NAME:] or default


def _announced(request: Request) -> int:
    given = request.headers.get("content-length", "")
    return int(given) if re.fullmatch(r"[0-9]{1,19}", given) else 0


async def _linger(stream: AsyncGenerator[bytes, None]) -> None:
    with suppress(ClientDisconnect), anyio.move_on_after(_LINGER):
        async for _ in stream:
            pass
