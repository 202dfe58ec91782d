"""Waiting without depending on how fast a machine is.

For what another thread or process does: as long as a busy machine may need, and no longer than it takes. And an end to
what would take for ever.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

LONG: Final = 90.0
"""Seconds after which something that takes hardly any time will never happen."""
ENOUGH: Final = 60
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


def wait_for(condition: Callable[[], object], seconds: float = LONG) -> None:
    """Return as soon as that holds; fail where it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def eventually(condition: Callable[[], object], seconds: float = LONG) -> bool:
    """Whether that comes to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
