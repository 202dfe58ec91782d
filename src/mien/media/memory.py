"""A file that lies in memory and nowhere else: what is read here must not always touch a disk."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MemoryFile:
    """A clip's or a picture's bytes under a name, read like a `Path`. Every reader shares the same bytes."""

    name: str
    """For messages, and for its ending; it is never looked for on a disk."""
    data: bytes

    @property
    def suffix(self) -> str:
        """The name's ending with its dot; empty where it has none that a file format could have."""
        suffix = PurePosixPath(self.name).suffix
        return suffix if _SUFFIX.fullmatch(suffix) else ""

    def open(self, mode: str = "rb") -> io.BytesIO:
        """A file object of its own, at the beginning."""
        if mode != "rb":
            raise ValueError(f"a file in memory can only be read: mode {mode!r}")
        return _Opened(self)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:  # no traceback and no log may show what is in it
        return f"<MemoryFile of {len(self.data)} bytes>"


Source = Path | MemoryFile
"""What media is read from."""


class _Opened(io.BytesIO):
    """FFmpeg guesses formats by a name too: it gets the ending, and nothing else of a name that may hold anything."""

    def __init__(self, file: MemoryFile) -> None:
        super().__init__(file.data)
        self.name = f"memory{file.suffix}"
