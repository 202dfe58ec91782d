"""Keeps C++ libraries from writing to the terminal: LiteRT's greeting, protobuf's and libtiff's complaints."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing written to file descriptor 2 in the block is seen; what Python wrote before it is.

    Such libraries know no other way: protobuf inside OpenCV does not ask OpenCV's log level. The descriptor is the
    whole process's, so blocks in two threads take turns: each puts back what was there before any of them.
    """
    with _lock:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:  # closed: nothing can be seen anyway
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(null)
