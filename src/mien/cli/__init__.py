"""The command line: parses, calls the API, prints. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from mien.cli.interrupt import raise_on_terminate
from mien.cli.terminal import accept_any_text, hide_developers_warnings, say
from mien.dumps import forbid_core_dumps
from mien.errors import MienError


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and leave with its exit code (docs/cli.md lists them)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    raise_on_terminate()
    forbid_core_dumps()
    accept_any_text()
    hide_developers_warnings()
    try:
        from mien.cli.app import run

        run(arguments)
    except MienError as error:
        _fail(str(error), error.exit_code, arguments)
    except KeyboardInterrupt:
        _fail("stopped; nothing half-written is left", 130, arguments)
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
    say(f"mien: {message}", err=True)
    if "--json" in arguments:
        import json

        print(json.dumps({"error": message, "exit_code": code}))
    raise SystemExit(code)
