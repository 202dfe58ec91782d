"""Opens files that strangers made: ordinary files only, so that no pipe hangs, no device floods, no link leads away."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""A named pipe opened without O_NONBLOCK waits for a writer, for ever if there is none."""
_KINDS: Final = (
    (stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a named pipe"), (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"), (stat.S_ISLNK, "a link"),
)  # fmt: skip


def open_plain(path: Path, *, links: bool = True, limit: int | None = None) -> BinaryIO:
    """Open an ordinary file for reading; `limit` is the largest size in bytes, `links` whether a link is followed.

    Raises OSError; its `strerror` says what is wrong. The opened file is checked as well as the name, so that nothing
    can be put in its place in between.
    """
    try:
        _check(path.stat() if links else path.lstat(), path, limit)
        flags = _FLAGS if links else _FLAGS | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(path, flags)
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
    try:
        _check(os.fstat(descriptor), path, limit)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_plain(path: Path, *, limit: int, links: bool = True) -> bytes:
    """The content of an ordinary file of at most `limit` bytes. Raises OSError as `open_plain` does."""
    with open_plain(path, links=links, limit=limit) as file:
        data = file.read(limit + 1)
    if len(data) > limit:  # it grew meanwhile, or its size was not known before
        raise _too_large(path, limit)
    return data


def _check(info: os.stat_result, path: Path, limit: int | None) -> None:
    if not stat.S_ISREG(info.st_mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(info.st_mode)), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not an ordinary file", str(path))
    if limit is not None and info.st_size > limit:
        raise _too_large(path, limit)


def _too_large(path: Path, limit: int) -> OSError:
    size = f"{limit >> 20} MB" if limit >= 1 << 20 else f"{limit >> 10} kB"
    return OSError(errno.EFBIG, f"it is larger than {size}", str(path))
