"""Single keys from the terminal, without Enter. However the block is left, the terminal is as it was."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_SEQUENCES: Final = {"A": "up", "B": "down", "C": "right", "D": "left"}
"""Last letters of what arrow keys send after Escape."""
_WINDOWS: Final = {"H": "up", "P": "down", "M": "right", "K": "left"}
"""What arrow keys send after their prefix on Windows."""
_APART: Final = 0.05
"""Seconds within which an arrow key's bytes follow Escape; alone it is the key itself."""


@contextmanager
def keys() -> Iterator[Callable[[float], str | None]]:
    """Inside the block, a function that waits up to so many seconds for a key: its character, "left", "right", "up",
    "down" or "escape", None if none was pressed. Where standard input is no terminal, or another program has it, it
    only waits.

    Ctrl-C still interrupts, and the program can be put aside with Ctrl-Z.
    """
    if not _at_terminal():
        yield _no_key
    elif sys.platform == "win32":
        yield _windows_key
    else:
        with _unbuffered():
            yield _unix_key


def _at_terminal() -> bool:
    """Whether keys pressed are this program's: one in the background is stopped when it touches the terminal."""
    try:
        if not sys.stdin.isatty():
            return False
        return sys.platform == "win32" or os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (AttributeError, OSError, ValueError):  # closed, or none at all
        return False


def _no_key(seconds: float) -> str | None:
    time.sleep(seconds)
    return None


@contextmanager
def _unbuffered() -> Iterator[None]:
    """The terminal gives every key at once and does not print it, also again after Ctrl-Z and `fg`."""
    import signal
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def resume(*_: Any) -> None:
        if _at_terminal():
            tty.setcbreak(terminal, termios.TCSADRAIN)

    resumed = signal.signal(signal.SIGCONT, resume)
    try:
        resume()
        yield
    finally:
        signal.signal(signal.SIGCONT, resumed)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _unix_key(seconds: float) -> str | None:
    first = _byte(seconds)
    if first is None:
        return None
    if first == b"\x1b":
        return _after_escape()
    expected = next((count for count, lead in ((3, 0xF0), (2, 0xE0), (1, 0xC0)) if first[0] >= lead), 0)
    rest = b"".join(_byte(_APART) or b"" for _ in range(expected))
    return (first + rest).decode(errors="ignore") or None


def _after_escape() -> str | None:
    if (bracket := _byte(_APART)) is None:
        return "escape"
    if bracket not in b"[O":
        return None
    while (letter := _byte(_APART)) is not None:
        if 0x40 <= letter[0] <= 0x7E:
            return _SEQUENCES.get(letter.decode())
    return None


def _byte(seconds: float) -> bytes | None:
    """One byte past Python's own buffering, which would hide what has come already from `select`."""
    import select

    terminal = sys.stdin.fileno()
    if not select.select([terminal], [], [], seconds)[0]:
        return None
    byte = os.read(terminal, 1)
    if not byte:  # hung up: there is nothing to wait for any more, and `select` would say so at once for ever
        time.sleep(seconds)
    return byte or None


def _windows_key(seconds: float) -> str | None:
    import msvcrt

    console: Any = msvcrt
    until = time.monotonic() + seconds
    while not console.kbhit():
        if time.monotonic() >= until:
            return None
        time.sleep(0.01)
    key = console.getwch()
    if key in ("\x00", "\xe0"):
        return _WINDOWS.get(console.getwch())
    if key == "\x03":
        raise KeyboardInterrupt
    return "escape" if key == "\x1b" else str(key)
