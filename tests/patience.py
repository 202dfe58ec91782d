"""Ends what would take for ever: for tests of time that must not depend on how fast a machine is."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENOUGH = 60
"""Seconds: a hundred times what linear work takes on a slow machine, and nothing to work that grows with a square."""


@contextmanager
def patience(seconds: int = ENOUGH) -> Iterator[None]:
    """Fail if the block is not through after so many seconds; on systems without alarms it is only waited for."""
    if not hasattr(signal, "alarm") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"not through after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
