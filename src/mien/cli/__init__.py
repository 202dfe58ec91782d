"""The command line: parses, calls the API, prints. Nothing is decided here."""

from __future__ import annotations

import atexit
import errno
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NoReturn

from mien.cli import interrupt, streams
from mien.cli.memory import out_of_memory
from mien.cli.terminal import accept_any_text, hide_developers_warnings, say
from mien.dumps import forbid_core_dumps
from mien.errors import MienError

_CANCELLED: Final = "Cancelled; nothing half-written is left."


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code (docs/cli.md lists them).

    `arguments`: those of this process if None, which must end then: signals are no longer as they were.
    """
    streams.open_missing()
    ends = arguments is None
    arguments = sys.argv[1:] if arguments is None else arguments
    before = interrupt.end_at_once(lambda code: _say("Cancelled; nothing was written.", code, arguments))
    forbid_core_dumps()
    accept_any_text()
    hide_developers_warnings()
    try:
        _run(arguments)
    except SystemExit as left:
        if ends and isinstance(left.code, int):
            _leave_at_the_end(left.code)
        raise
    finally:
        streams.flush()
        if not ends:
            interrupt.restore(before)


def _run(arguments: list[str]) -> NoReturn:
    try:
        from mien.cli.app import run

        interrupt.raise_once()
        try:
            run(arguments)
        finally:
            interrupt.end_at_once()
    except MienError as error:
        _fail(str(error), error.exit_code, arguments)
    except (KeyboardInterrupt, interrupt.KilledError):
        _fail(_CANCELLED, interrupt.exit_code() or 130, arguments)
    except SystemExit as left:
        raise SystemExit(_meant(left)) from None
    except Exception as error:
        if isinstance(error, OSError) and (code := _wrong_usage(error)):
            raise SystemExit(code) from None
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:  # of a file, others have said so: Rich's help
            full = streams.unprintable(error)
            _fail(str(full), full.exit_code, arguments)
        if os.environ.get("MIEN_DEBUG"):
            raise
        if code := interrupt.exit_code():
            _fail(_CANCELLED, code, arguments)
        if out_of_memory(error):
            _fail("not enough memory; try a smaller --size, or fewer programs at the same time", 1, arguments)
        trouble = " ".join(f"{type(error).__name__}: {error}".split())
        _fail(f"this should not have happened ({trouble}). MIEN_DEBUG=1 shows where; please report it", 1, arguments)
    raise SystemExit(0)


def _leave_at_the_end(code: int) -> None:
    """End the process with that exit code, once everything else that is to be done at its end is done. Python would
    let signals kill it from then on, and the exit code would not be ours."""
    begun: list[bool] = []

    def leave() -> None:
        if begun:  # called by itself below
            return
        begun.append(True)
        with suppress(Exception):
            atexit._run_exitfuncs()  # temporary folders are removed here; threads have been waited for already
        streams.flush()
        os._exit(code)

    atexit.register(leave)


def _meant(left: SystemExit) -> int | str | None:
    """The exit code of what was to be printed: Rich leaves with 1 if nobody reads its help or its errors."""
    if any(isinstance(error, BrokenPipeError) for error in _before(left)):
        return _wrong_usage(left)
    return left.code


def _wrong_usage(error: BaseException) -> int:
    """The exit code of the wrong command line that was being reported when the error came; 0 if there was none."""
    return next((int(each.exit_code) for each in _before(error) if hasattr(each, "format_message")), 0)  # type: ignore[attr-defined]


def _before(error: BaseException) -> Iterator[BaseException]:
    """The errors that were being handled when this one came, the latest first."""
    while (earlier := error.__context__) is not None:
        yield earlier
        error = earlier


def _fail(message: str, code: int, arguments: list[str]) -> NoReturn:
    _say(message, code, arguments)
    raise SystemExit(code)


def _say(message: str, code: int, arguments: list[str]) -> None:
    say(f"mien: {message}", err=True)
    if "--json" in arguments:
        import json

        with suppress(MienError):  # the exit code says more than that standard output is full
            streams.put(json.dumps({"error": message, "exit_code": code}))
