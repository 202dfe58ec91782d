"""Ctrl-C and a polite kill, held back until the frame at hand is done.

Raised in the middle of things, an interrupt can leave a lock of a queue taken, and the clean-up then waits for ever.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_KILLS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""A polite kill; the terminal's window was closed."""
_SIGNALS = (signal.SIGINT, *_KILLS)


@contextmanager
def between_frames() -> Iterator[Callable[[], None]]:
    """Inside the block the first interrupt is only noted, and raised by the function given, to be called after every
    frame. The second is raised at once."""
    noted: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if noted:
            _raise(number)
        noted.append(number)

    def check() -> None:
        if noted:
            _raise(noted[0])

    before = {number: signal.signal(number, note) for number in _SIGNALS if _heard(number)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def raise_on_terminate() -> None:
    """Let a polite kill clean up as Ctrl-C does."""
    for kill in filter(_heard, _KILLS):
        signal.signal(kill, lambda number, _: _raise(number))


def _heard(number: int) -> bool:
    """What nohup, or the shell for a job in the background, has told to be ignored stays ignored."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _raise(number: int) -> NoReturn:
    if number in _KILLS:
        raise SystemExit(128 + number)
    raise KeyboardInterrupt
