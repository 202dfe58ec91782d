"""Standard streams that are missing, full, or read by nobody. They never change how a command ends, with one exception:
a result that cannot be printed is an error."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Any, Final

import typer

from mien.errors import OutputError

_READER_GONE: Final = (errno.EPIPE, errno.EINVAL)
"""What Unix and Windows say of a pipe that nobody reads any more."""


def open_missing() -> None:
    """Open the null device for every standard stream that Python lacks: services, cron, `2>&-`, Windows without a
    console.

    On Unix the null device takes the free descriptor. Otherwise an output file could take it, and a library that
    prints to standard error would write into that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115  the null device is no path
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def put(text: str) -> None:
    """Print text on standard output. Nothing happens if the reader has gone; OutputError if it cannot be written."""
    try:
        typer.echo(text)
    except OSError as error:
        silence(sys.stdout)
        if error.errno not in _READER_GONE:
            raise unprintable(error) from error


def tell(text: str) -> None:
    """Print text on standard error, if that is possible: a message that nobody can read must not end a run."""
    try:
        typer.echo(text, err=True)
    except OSError:
        silence(sys.stderr)


def unprintable(error: OSError) -> OutputError:
    """The error for a result that could not be printed."""
    return OutputError(
        f"Standard output cannot be written ({error.strerror or error}). The files that the command wrote are there "
        "all the same. Make room, or send the output elsewhere."
    )


def silence(stream: Any) -> None:
    """Send to the null device what the stream still holds, and all that follows. Python would otherwise try again at
    its end, and leave with a traceback and the exit code 120."""
    with suppress(AttributeError, OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def flush() -> None:
    """Write out both streams; silence those that fail."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            silence(stream)
        except (AttributeError, ValueError):  # somebody else's object, or closed
            pass
