"""The first look at an input file, before any decoder sees it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mien.errors import InputError
from mien.media.memory import MemoryFile, Source


def check_readable(path: Source, *, what: str) -> None:
    """Raises InputError unless `path` is an ordinary file, or one in memory, with something in it that may be read."""
    if isinstance(path, MemoryFile):
        if not path.data:
            raise _empty(path)
        return
    try:
        info = path.stat()
    except PermissionError as error:
        raise _no_permission(path) from error
    except (OSError, ValueError) as error:
        raise InputError(f"There is no file {path}. Check the name and the folder.") from error
    if path == Path():
        raise InputError(f"'.' is a folder, and an empty name means the same. Give one {what} file.")
    if stat.S_ISDIR(info.st_mode):
        raise InputError(f"{path} is a folder. Give one {what} file in it.")
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{path} is not an ordinary file. Give a {what} file.")
    if not os.access(path, os.R_OK):
        raise _no_permission(path)
    if info.st_size == 0:
        raise _empty(path)


def _empty(path: Source) -> InputError:
    return InputError(f"{path} is empty (0 bytes). Copy or export it again.")


def _no_permission(path: Path) -> InputError:
    return InputError(f"{path} may not be read: you have no permission. Change that or copy the file.")
