"""A live session of the studio: frames from the page in, avatar pictures out, through drops of the connection."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path
from struct import Struct
from threading import Lock, Thread
from typing import Any, Final, Protocol

from mien.avatar import library
from mien.errors import AvatarError, InputError
from mien.live.run import LiveRun, LiveState
from mien.media.newest import Newest
from mien.studio import jpeg
from mien.studio.recorder import Recorder
from mien.types import EMOTIONS, Frame, Picture

INCOMING: Final = Struct("<II")
"""Before each frame's JPEG: its number, and milliseconds on the page's clock."""
ANSWER: Final = Struct("<I")
"""Before each avatar's JPEG: the number of the frame it answers, and with it all before."""
SIDE: Final = 480
"""Pixels a side of every picture sent, whatever the avatar's own size."""
_MILLISECONDS: Final = Fraction(1, 1000)
_DRIFT: Final = 2.0
"""Seconds by which the page's clock may differ from ours before it is set anew: after sleep, or a reload."""
_STATES: Final = 10
"""Most states sent a second."""
_log = logging.getLogger("mien")


class Page(Protocol):
    """Who looks on. Called from the session's own thread; must not wait."""

    def picture(self, data: bytes) -> None: ...
    def say(self, message: dict[str, Any]) -> None: ...


OpenRun = Callable[..., LiveRun]


@dataclass(frozen=True, slots=True)
class Ended:
    """What is left of a session that is over, in memory until it is kept or discarded."""

    id: str
    started: datetime
    avatar: str
    run: LiveRun
    recording: Path | None


class LiveSession:
    """Goes on while no page is attached: the picture rests then. `end` closes it."""

    def __init__(self, avatar: str, *, recording: Path, open_run: OpenRun = LiveRun) -> None:
        """Loads the models and prepares the avatar, which takes a second: not in the event loop.

        recording: where avatar pictures go if asked. Raises what LiveRun raises.
        """
        if avatar not in library.known():  # a path would let a page look around on this computer
            raise AvatarError(f"There is no avatar called {avatar!r} in the gallery. Choose another.")
        self.id = secrets.token_urlsafe(12)
        self.started = datetime.now(timezone.utc).astimezone()
        self._clock = time.monotonic()
        self._offset = 0.0
        self._anchored = False
        self._last = -1.0
        self._index = 0
        self._incoming: Newest[bytes] = Newest()
        self._page: Page | None = None
        self._lock = Lock()
        self._said = 0.0
        self._slowed = False
        self._recorder = Recorder(recording, size=(SIDE, SIDE), time_base=_MILLISECONDS)
        self._run = open_run(self._frames(), avatar=avatar, size=SIDE, frame=(SIDE, SIDE), sinks=[self._recorder, self])
        self._thread = Thread(target=self._work, name="mien-live", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it goes on: a run that failed has ended by itself."""
        return self._thread.is_alive()

    @property
    def attached(self) -> bool:
        """Whether a page looks on."""
        return self._page is not None

    @property
    def state(self) -> LiveState:
        return self._run.state

    def attach(self, page: Page) -> None:
        """From now on this page gets the pictures, and its clock counts."""
        with self._lock:
            self._page, self._anchored = page, False

    def detach(self, page: Page) -> None:
        """The page is gone; nothing happens if another has taken its place."""
        with self._lock:
            if self._page is page:
                self._page = None

    def frame(self, message: bytes) -> None:
        """A frame from the page: `INCOMING`, then JPEG. Replaces one that waits."""
        self._incoming.put(message)

    def command(self, message: dict[str, Any]) -> bool:
        """Do what a page asks. False where it makes no sense."""
        match message:
            case {"do": "wear", "avatar": str(name)} if name in library.known():
                self._run.wear(name)
            case {"do": "calibrate"}:
                self._run.calibrate()
            case {"do": "mirror", "on": bool(on)}:
                self._run.mirror(on)
            case {"do": "pause", "on": bool(on)}:
                self._run.pause(on)
            case {"do": "zoom", "factor": int(factor) | float(factor)} if factor == factor:
                self._run.zoom(float(factor))
            case {"do": "record", "on": bool(on)}:
                self._recorder.on = on
            case _:
                return False
        self._said = 0.0
        return True

    def end(self) -> Ended:
        """Stop, and give what is left. Waits for the frame at hand."""
        self._run.stop()
        self._incoming.close()
        self._thread.join()
        recording = self._recorder.finish()
        return Ended(self.id, self.started, self._run.state.avatar, self._run, recording)

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """The sink of the run: to whoever looks on."""
        page = self._page
        if page is None:
            return
        page.picture(ANSWER.pack(self._number) + jpeg.encode(picture))
        state, now = self._run.state, time.monotonic()
        if state.slowed and state.size and not self._slowed:
            self._slowed = True
            page.say({"is": "pace", "size": state.size, "capture": 360})
        if now - self._said >= 1 / _STATES:
            self._said = now
            page.say(self.described(state))

    def described(self, state: LiveState) -> dict[str, Any]:
        """A state as plain values for the page."""
        values = {name: getattr(state, name) for name in LiveState.__slots__}
        known = state.emotions is not None and all(share == share for share in state.emotions)
        values["emotions"] = dict(zip(EMOTIONS, state.emotions or (), strict=True)) if known else None
        return {"is": "state", **values, "recording": self._recorder.on}

    def _work(self) -> None:
        try:
            self._run.run()
        except Exception as error:  # the page shows a still picture, then the card
            _log.exception("the live session ended by itself")
            if self._page is not None:
                self._page.say({"is": "trouble", "kind": "engine", "text": str(error)})

    def _frames(self) -> Iterator[Frame]:
        """What the page sent, decoded; what is no picture is left out."""
        for message in self._incoming:
            number, milliseconds = INCOMING.unpack_from(message)
            try:
                picture = jpeg.decode(memoryview(message)[INCOMING.size :])
            except InputError:
                continue
            time_ = self._time(milliseconds / 1000)
            if time_ <= self._last:
                continue
            self._last, self._number = time_, number
            yield Frame(picture, self._index, time_, round(time_ * 1000), _MILLISECONDS)
            self._index += 1

    def _time(self, page_time: float) -> float:
        """Seconds since the session began. The page's clock gives the distances between frames, ours where they lie."""
        now = time.monotonic() - self._clock
        if not self._anchored or abs(page_time + self._offset - now) > _DRIFT:
            self._anchored, self._offset = True, now - page_time
        return page_time + self._offset
