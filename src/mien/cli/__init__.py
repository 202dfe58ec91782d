"""The command line: parses, calls the API, prints. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from mien.cli import interrupt, streams
from mien.cli.terminal import accept_any_text, hide_developers_warnings, say
from mien.dumps import forbid_core_dumps
from mien.errors import MienError


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
    finally:
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
    except KeyboardInterrupt:
        _fail("Cancelled; nothing half-written is left.", 130, arguments)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("MIEN_DEBUG"):
            raise
        trouble = " ".join(f"{type(error).__name__}: {error}".split())
        _fail(f"this should not have happened ({trouble}). MIEN_DEBUG=1 shows where; please report it", 1, arguments)
    raise SystemExit(0)


def _fail(message: str, code: int, arguments: list[str]) -> NoReturn:
    _say(message, code, arguments)
    raise SystemExit(code)


def _say(message: str, code: int, arguments: list[str]) -> None:
    say(f"mien: {message}", err=True)
    if "--json" in arguments:
        import json

        print(json.dumps({"error": message, "exit_code": code}), flush=True)
