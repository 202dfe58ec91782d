"""Which live session goes on, who looks on, and what is left of those that ended, in memory until it is kept."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import Final

from mien.live.run import LiveRun
from mien.studio.live import Ended, LiveSession, OpenRun, Page

GRACE: Final = 60.0
"""Seconds for which a session waits for a page that dropped out."""
_REMEMBERED: Final = 3
"""Ended sessions held for somebody to decide about."""


class Busy(Exception):  # noqa: N818
    """A session goes on in another window."""


class Lives:
    """One live session at a time. Methods block: call them outside of the event loop, but `of` and `detach`."""

    def __init__(
        self, recording_path: Callable[[], Path], *, open_run: OpenRun = LiveRun, grace: float = GRACE
    ) -> None:
        self._recording_path, self._open_run, self._grace = recording_path, open_run, grace
        self.key = secrets.token_bytes(32)
        """Known to pages of this run alone."""
        self._lock = Lock()
        self._session: LiveSession | None = None
        self._page: Page | None = None
        self._timer: Timer | None = None
        self._ended: dict[str, Ended] = {}

    def proof(self, nonce: str) -> str:
        """That it is this studio which answers: a page that comes back sends its camera's frames to no other program
        that has taken the port meanwhile. HMAC-SHA-256 under `key`, in hex."""
        return hmac.new(self.key, nonce.encode(), "sha256").hexdigest()

    def of(self, page: Page) -> LiveSession | None:
        """The session this page looks on at."""
        return self._session if self._page is page else None

    def start(self, page: Page, wanted: str | None, avatar: str) -> LiveSession:
        """A new session, or the one of that id where it still waits. Raises Busy, and what LiveSession raises."""
        with self._lock:
            if self._page is not None and self._page is not page:
                raise Busy
            self._keep_waiting(False)
            if self._session is None or self._session.id != wanted or not self._session.alive:
                self._finish()
                self._session = LiveSession(avatar, recording=self._recording_path(), open_run=self._open_run)
            self._page = page
            self._session.attach(page)
            return self._session

    def detach(self, page: Page) -> None:
        """The page is gone: its session waits for it a while."""
        if self._page is page:
            self._page = None
            if self._session is not None:
                self._session.detach(page)
                self._keep_waiting(True)

    def end(self, page: Page) -> Ended | None:
        """End the session this page looks on at."""
        with self._lock:
            if self._page is not page:
                return None
            return self._finish()

    def ended(self, number: str) -> Ended | None:
        """What is left of that session."""
        return self._ended.get(number)

    def forget(self, number: str) -> None:
        """Drop what is left, the recording too unless it was moved away."""
        ended = self._ended.pop(number, None)
        if ended is not None and ended.recording is not None:
            with suppress(OSError):
                ended.recording.unlink(missing_ok=True)

    def close(self) -> None:
        """The studio stops: end what goes on, forget everything that was not kept."""
        with self._lock:
            self._keep_waiting(False)
            self._finish()
            for number in list(self._ended):
                self.forget(number)

    def _finish(self) -> Ended | None:
        session, self._session, self._page = self._session, None, None
        if session is None:
            return None
        ended = session.end()
        self._ended[ended.id] = ended
        for number in list(self._ended)[:-_REMEMBERED]:
            self.forget(number)
        return ended

    def _keep_waiting(self, on: bool) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on:
            self._timer = Timer(self._grace, self._give_up)
            self._timer.daemon = True
            self._timer.start()

    def _give_up(self) -> None:
        with self._lock:
            if self._page is None:
                self._finish()
