"""Opens media files with FFmpeg, kept to the one local file that was named."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
from av.container import InputContainer

from mien.errors import InputError
from mien.media.readable import check_readable


def open_media(path: Path) -> InputContainer:
    """Open a local media file; nothing that it refers to elsewhere is followed. Raises InputError."""
    check_readable(path, what="video")
    try:
        # "file:" keeps a colon in the name from being taken for a protocol, and the white list keeps playlists that
        # pose as clips from reaching out.
        container = av.open(f"file:{path}", container_options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except av.FFmpegError as error:
        why = "its end is missing" if _lacks_index(path) else "it is damaged, or something else under that name"
        raise InputError(f"{path} cannot be read as video: {why}. Copy or export it again.") from error
    if container.format.name in ("tty", "txt"):  # FFmpeg draws plain text as a film
        container.close()
        raise InputError(f"{path} is text, not video. Give a clip.")
    return container


def _lacks_index(path: Path) -> bool:
    """Whether this is an MP4 that breaks off before its index: a recording that was never finished, or half a copy."""
    boxes: list[bytes] = []
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8 and len(boxes) < 100:
            size, kind = struct.unpack(">I4s", head)
            if size == 1:
                size = int.from_bytes(file.read(8), "big") - 8
            boxes.append(kind)
            if size < 8:
                break
            file.seek(size - 8, os.SEEK_CUR)
    return b"ftyp" in boxes[:1] and b"moov" not in boxes
