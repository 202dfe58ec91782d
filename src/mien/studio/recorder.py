"""Records the avatar of a live session while asked to. It is a sink of the run, so nothing but avatar pictures and the
card can reach it."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

from mien.media.writer import VideoWriter
from mien.types import Picture

_log = logging.getLogger("mien")


class Recorder:
    """Appends to one MP4 while `on`; the time in between is left out. The file is there only after `finish`."""

    def __init__(self, path: Path, *, size: tuple[int, int], time_base: Fraction) -> None:
        self.on = False
        self._path, self._size, self._base = path, size, time_base
        self._step = max(1, round(Fraction(1, 30) / time_base))
        self._open = ExitStack()
        self._writer: VideoWriter | None = None
        self._at = 0
        self._previous: int | None = None
        """Time stamp of the last picture recorded; None after a pause."""

    def write(self, picture: Picture, pts: int | None = None) -> None:
        """A picture of the run, (H, W, 3) uint8 RGB, at `pts` in units of the time base. A disk that is full ends the
        recording, never the session."""
        assert pts is not None
        if not self.on:
            self._previous = None
            return
        try:
            if self._writer is None:
                writer = VideoWriter(self._path, size=self._size, rate=30, time_base=self._base, preset="ultrafast")
                self._writer = self._open.enter_context(writer)
            else:
                self._at += self._step if self._previous is None else pts - self._previous
            self._previous = pts
            self._writer.write(picture, self._at)
        except Exception as error:
            _log.warning("the recording ended: %s", error)
            self.on = False

    def finish(self) -> Path | None:
        """Complete the file. None where nothing was recorded, or it could not be."""
        if self._writer is None:
            return None
        self.on = False
        try:
            self._open.close()
        except Exception as error:
            _log.warning("the recording could not be completed: %s", error)
            return None
        return self._path
