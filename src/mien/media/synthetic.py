"""The line by which every video and picture of ours says that it is synthetic."""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, Final

from mien.media.plain_file import open_plain

_VERSION: Final = version("mien")
_VIDEO: Final = "Synthetic video: face re-rendered by mien"
VIDEO_NOTE: Final = f"{_VIDEO} {_VERSION}"
PICTURE_NOTE: Final = f"Synthetic picture: face re-rendered by mien {_VERSION}"
_MOST_BOXES: Final = 1000
_LARGEST_INDEX: Final = 64 << 20
"""Bytes of an MP4's index that are searched for the line."""
_LARGEST_BOX: Final = 1 << 48
"""Bytes. A file position cannot be set beyond what a damaged header may claim."""


def is_ours(path: Path) -> bool:
    """Whether an MP4 says that mien made it. Only bytes are compared: no decoder sees the file. False for everything
    that cannot be read."""
    with suppress(OSError), open_plain(path) as file:
        return _VIDEO.encode() in _index(file)
    return False


def _index(file: BinaryIO) -> bytes:
    """The box of an MP4 in which its metadata lies; empty where there is none."""
    for _ in range(_MOST_BOXES):
        head = file.read(8)
        if len(head) < 8:
            break
        size, kind = struct.unpack(">I4s", head)
        if size == 1:
            size = int.from_bytes(file.read(8), "big") - 8
        if kind == b"moov":
            return file.read(min(max(0, size - 8), _LARGEST_INDEX))
        if not 8 <= size < _LARGEST_BOX:
            break
        file.seek(size - 8, os.SEEK_CUR)
    return b""
