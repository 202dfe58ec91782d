"""Waiting for what another thread or process does: as long as a busy machine may need, and no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

LONG: Final = 90.0
"""Seconds after which something that takes hardly any time will never happen."""


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
