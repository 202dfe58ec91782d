"""Folders that appear whole or not at all: filled beside the target, renamed when complete."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give a hidden folder beside `target` to put files into; rename it when the block ends well, remove it otherwise.

    Only this user can look into it. Raises OSError where it cannot be made, or where there is something called
    `target` already.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".part", dir=target.parent))
    try:
        yield part
        if os.path.lexists(target):  # an empty folder would be replaced
            raise OSError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
