"""Opens media files with FFmpeg, kept to the one file that was named, on this machine or in memory."""

from __future__ import annotations

import os
import struct
from typing import Final

import av
from av.container import InputContainer

from mien.errors import InputError
from mien.media.memory import MemoryFile, Source
from mien.media.readable import check_readable

_LARGEST_BOX: Final = 1 << 48
"""Bytes. A file position cannot be set beyond what a damaged header may claim."""


def open_media(source: Source) -> InputContainer:
    """Open a media file; nothing that it refers to elsewhere is followed. Raises InputError."""
    check_readable(source, what="video")
    # The white list keeps playlists that pose as clips from reaching out; one in memory reaches nothing at all. "file:"
    # keeps a colon in the name from being taken for a protocol.
    in_memory = isinstance(source, MemoryFile)
    file = source.open("rb") if in_memory else f"file:{source}"
    protocols = {"protocol_whitelist": "none" if in_memory else "file"}
    try:
        container = av.open(file, mode="r", container_options=protocols, metadata_errors="replace")
    except av.FFmpegError as error:
        why = "its end is missing" if _lacks_index(source) else "it is damaged, or something else under that name"
        raise InputError(f"{source} cannot be read as video: {why}. Copy or export it again.") from error
    if container.format.name in ("tty", "txt"):  # FFmpeg draws plain text as a film
        container.close()
        raise InputError(f"{source} is text, not video. Give a clip.")
    return container


def _lacks_index(source: Source) -> bool:
    """Whether this is an MP4 that breaks off before its index: a recording that was never finished, or half a copy."""
    boxes: list[bytes] = []
    with source.open("rb") as file:
        while len(head := file.read(8)) == 8 and len(boxes) < 100:
            size, kind = struct.unpack(">I4s", head)
            if size == 1:
                size = int.from_bytes(file.read(8), "big") - 8
            boxes.append(kind)
            if not 8 <= size < _LARGEST_BOX:
                break
            file.seek(size - 8, os.SEEK_CUR)
    return b"ftyp" in boxes[:1] and b"moov" not in boxes
