"""Ctrl-C and a polite kill: when they take effect, and that they leave no traceback.

Raised in the middle of things, an interrupt can leave a lock of a queue taken, and the clean-up then waits for ever; in
the middle of the clean-up, files stay behind. Python also swallows one that is raised while it imports or ends, and
prints a traceback instead. So an interrupt is held back until the frame at hand is done, a further one is ignored while
the program cleans up, and where there is nothing to clean up the process ends at once.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final

_KILLS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""A polite kill; the terminal's window was closed."""
_SIGNALS = (signal.SIGINT, *_KILLS)
_CLEAN_UP: Final = 5.0
"""Seconds after an interrupt in which further ones are ignored: long enough to remove files, and after that a program
that hangs can still be ended."""
_raised = float("-inf")
"""When the last interrupt was raised."""
_code = 0
"""The exit code that belongs to it; 0 if there was none, or if it was heeded."""


class KilledError(SystemExit):
    """A polite kill. `code` is the exit code that belongs to it: 128 + the number of the signal."""

    code: int


def heeded() -> None:
    """The interrupt was a way to end: what fails from now on has another reason."""
    global _code
    _code = 0


def exit_code() -> int:
    """The exit code of an interrupt that was raised, whatever became of the exception: one that is raised while a
    library in C is imported comes out as an ImportError. 0 if there was none."""
    return _code


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

    before = _set(note)
    try:
        yield check
    finally:
        restore(before)


def end_at_once(farewell: Callable[[int], None] | None = None) -> dict[int, Any]:
    """From now on an interrupt ends the process, with the exit code 128 + its number: for times at which there is
    nothing to clean up. `farewell` is called with that code before. Returns what signals did until now, for `restore`.
    """

    first = [True]

    def end(number: int, _: FrameType | None) -> None:
        if _cleaning_up() or not first:
            return
        first.clear()
        with suppress(Exception):
            if farewell is not None:
                farewell(128 + number)
        os._exit(128 + number)

    return _set(end)


def raise_once() -> None:
    """From now on an interrupt is raised, KeyboardInterrupt for Ctrl-C and KilledError for a polite kill, and further
    ones are ignored while the program cleans up."""
    global _raised, _code
    _raised, _code = float("-inf"), 0
    _set(lambda number, _: _raise(number))


def restore(before: dict[int, Any]) -> None:
    """Let signals do what they did."""
    for number, handler in before.items():
        signal.signal(number, handler)


def _set(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    return {number: signal.signal(number, handler) for number in _SIGNALS if _heard(number)}


def _heard(number: int) -> bool:
    """What nohup, or the shell for a job in the background, has told to be ignored stays ignored."""
    return signal.getsignal(number) not in (signal.SIG_IGN, None)


def _cleaning_up() -> bool:
    return time.monotonic() - _raised < _CLEAN_UP


def _raise(number: int) -> None:
    global _raised, _code
    if _cleaning_up():
        return
    _raised, _code = time.monotonic(), 128 + number
    if number in _KILLS:
        raise KilledError(128 + number)
    raise KeyboardInterrupt
