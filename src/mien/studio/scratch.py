"""Folders for what must not outlive the program: removed when it ends and, if it was killed, when it next starts."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from mien.errors import OutputError

_LOCK: Final = "lock"
_TRIES: Final = 5


class Scratch:
    """A new folder in `parent` that only this user may look into. Its name begins with `prefix`.

    Those of other programs that are still running are known by a lock they hold, and left alone. Raises OutputError
    where no folder can be made.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        sweep(parent, prefix)
        try:
            for _ in range(_TRIES):
                self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
                if (lock := _taken(self.path)) is not None:
                    self._lock = lock
                    return
        except OSError as error:
            raise OutputError(f"No folder can be made in {parent} ({error.strerror or error}).") from error
        raise OutputError(f"No folder can be kept in {parent}: another program removes it.")

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        os.close(self._lock)
        shutil.rmtree(self.path, ignore_errors=True)


def sweep(parent: Path, prefix: str) -> None:
    """Remove what programs of this user left in `parent` when they were killed."""
    with suppress(OSError):
        for folder in parent.glob(f"{prefix}*"):
            if _ours(folder) and (lock := _taken(folder)) is not None:
                if sys.platform == "win32":  # an open file cannot be removed there
                    os.close(lock)
                shutil.rmtree(folder, ignore_errors=True)
                if sys.platform != "win32":  # held until now: one that is just being made is not pulled away
                    os.close(lock)


def _ours(folder: Path) -> bool:
    info = folder.lstat()
    return folder.is_dir() and not folder.is_symlink() and (sys.platform == "win32" or info.st_uid == os.getuid())


def _taken(folder: Path) -> int | None:
    """The folder's lock, an open file; None where somebody else has it or the folder is gone."""
    path = folder / _LOCK
    try:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return None
    try:
        _lock(lock)
        if os.path.samestat(os.fstat(lock), path.stat()):
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
