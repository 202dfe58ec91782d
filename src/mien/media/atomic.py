"""Files that appear whole or not at all: written beside the target, renamed when complete."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mien.errors import OutputError
from mien.media.memory import MemoryFile, Source

_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


@contextmanager
def atomic_path(target: Path | str, *inputs: Source | str) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` when the block ends well, remove it otherwise.

    The temporary name keeps the target's suffix, so that libraries which choose a format by name still can.
    Raises OutputError where nothing can be written there, where the disk is full, and where `target` is one of
    `inputs` under any name (link or symlink).
    """
    final = check_target(target, *inputs)
    part = final.with_name(f".{final.stem[:60]}.{secrets.token_hex(4)}.part{final.suffix}")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise _output_error(error, target) from error
    try:
        yield part
        part.replace(final)
    except OSError as error:
        if error.errno in _FULL or error.errno in (errno.EROFS, errno.EISDIR) or error.filename == str(part):
            raise _output_error(error, target) from error
        raise
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def check_target(target: Path | str, *inputs: Source | str) -> Path:
    """The real path of a file that may be written. Raises OutputError if it is a folder, a device, or an input."""
    final = Path(os.path.realpath(target))
    try:
        final.exists()
    except OSError as error:  # a folder that may not be looked into, a name too long
        raise _output_error(error, target) from error
    if final.is_dir():
        raise OutputError(f"{target} is a folder. Give the name of a file in it.")
    if final.exists():
        if not final.is_file():
            raise OutputError(f"{target} is not an ordinary file, so it cannot be replaced. Give another name.")
        files = [Path(source) for source in inputs if not isinstance(source, MemoryFile)]
        if any(path.exists() and final.samefile(path) for path in files):
            raise OutputError(f"{target} is the input itself: writing there would destroy it. Give another name.")
    return final


def _output_error(error: OSError, target: Path | str) -> OutputError:
    folder = Path(target).absolute().parent
    if error.errno in _FULL:
        return OutputError(f"The disk is full: {target} could not be written. Free some space or write elsewhere.")
    if isinstance(error, FileNotFoundError):
        return OutputError(f"The folder {folder} does not exist. Create it first or write elsewhere.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return OutputError(f"{target} cannot be written: no permission there. Choose a folder of your own.")
    return OutputError(f"{target} cannot be written: {error.strerror or error}. Choose another name or folder.")
