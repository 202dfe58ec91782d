"""Opens media files with FFmpeg, kept to the one file that was named, on this machine or in memory."""

from __future__ import annotations

import codecs
import io
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import av
from av.container import InputContainer

from mien.errors import InputError
from mien.media.memory import MemoryFile, Source
from mien.media.readable import check_readable

FORMATS: Final = (
    "mov", "matroska", "avi", "gif", "apng", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "obu", "ivf", "flv",
    "asf", "ogg", "mjpeg", "mpjpeg", "dv", "mxf", "nut", "rm", "wtv", "yuv4mpegpipe", "png_pipe", "jpeg_pipe",
    "wav", "mp3", "aac", "flac",
)  # fmt: skip
"""FFmpeg's names of the formats that are opened at all: those that people's cameras, programs and browsers write. Each
of them reads the file that it was given and no other. Playlists (HLS, DASH, concat, IMF), file lists, name patterns,
scripts and network descriptions name other files and are missing for that reason. The last four are sound alone, listed
so that the refusal can say so."""
MAX_PIXELS: Final = 8192 * 8192
"""Of one picture. FFmpeg looks at some pictures before it says how large they are."""
_LARGEST_BOX: Final = 1 << 48
"""Bytes. A file position cannot be set beyond what a damaged header may claim."""
_TEXT_SAMPLE: Final = 4096
"""Bytes that are looked at to tell text from video."""


@dataclass(frozen=True, slots=True)
class Media:
    """An open media file."""

    container: InputContainer
    file: BinaryIO

    def close(self) -> None:
        """Release the file."""
        self.container.close()
        self.file.close()


def open_media(source: Source) -> Media:
    """Open a media file; no other file is opened, whatever it refers to. Raises InputError."""
    check_readable(source, what="video")
    # FFmpeg gets an open file and may open nothing itself, by no protocol. Formats that would try are not let in, and
    # neither are the tracks of a QuickTime movie that lie in other files (`enable_drefs`).
    limits = {"protocol_whitelist": "none", "format_whitelist": ",".join(FORMATS), "enable_drefs": "0"}
    try:
        file = source.open("rb") if isinstance(source, MemoryFile) else _on_disk(source)
        try:
            size = {"max_pixels": str(MAX_PIXELS)}
            container = av.open(file, "r", container_options=limits, options=size, metadata_errors="replace")
        except BaseException:
            file.close()
            raise
    except av.FFmpegError as error:
        raise _refusal(source) from error
    except OSError as error:
        raise _unreadable(source, error) from error
    return Media(container, file)


def _on_disk(path: Path) -> BinaryIO:
    """FFmpeg looks for a series of pictures where a name has "%03d" or "*" in it, so it gets the ending alone."""
    file = io.FileIO(path)
    file.name = f"clip{path.suffix}"
    return cast(BinaryIO, file)


def _unreadable(source: Source, error: OSError) -> InputError:
    return InputError(f"{source} cannot be read ({error.strerror or error}). Copy it to another disk first.")


def _refusal(source: Source) -> InputError:
    try:
        is_text, lacks_index = _is_text(source), _lacks_index(source)
    except OSError as error:
        return _unreadable(source, error)
    if is_text:
        return InputError(
            f"{source} cannot be read as video: it is text. If it is a list of other files, give one of those; mien "
            "opens only the file that it is given."
        )
    why = "its end is missing" if lacks_index else "it is damaged, or something else under that name"
    return InputError(f"{source} cannot be read as video: {why}. Copy or export it again.")


def _is_text(source: Source) -> bool:
    """Whether a file begins with text: a playlist, a script, notes."""
    with source.open("rb") as file:
        sample = file.read(_TEXT_SAMPLE)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n\f\ufeff" for character in text)


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
