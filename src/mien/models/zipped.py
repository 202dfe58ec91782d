"""Takes members out of a zip file that may be damaged in any way."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

_DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, RuntimeError, ValueError, KeyError,
    OverflowError, MemoryError,
)  # fmt: skip
"""How zipfile reports a flipped byte. RuntimeError: the flags say that a member is encrypted, or its compression is not
known. OSError: a seek to before the start. ValueError: a name that is no text. MemoryError: a size beyond all sense."""


class DamagedZipError(Exception):
    """The file is no zip file, or not whole."""


def zip_members(path: Path, *, largest: int, only: Collection[str] | None = None) -> dict[str, bytes]:
    """Members by name, those of `only` or all of at most `largest` bytes. Raises DamagedZipError, also where one of
    `only` is missing or larger."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            names = only if only is not None else [name for name, size in sizes.items() if size <= largest]
            for name in names:
                if sizes[name] > largest:
                    raise DamagedZipError(f"{name} has {sizes[name]} bytes")
            return {name: archive.read(name) for name in names}
    except _DAMAGE as error:
        raise DamagedZipError(str(error)) from error
