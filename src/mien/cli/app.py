"""All commands, put together."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import typer
from typer.core import TyperGroup

from mien import api, demo
from mien.batch import many
from mien.cli import avatars, engines, fomm, live, models, relay, show, studio, work
from mien.cli.derive import command
from mien.cli.interrupt import KilledError
from mien.cli.terminal import visible_errors
from mien.errors import OutputError
from mien.live import job
from mien.studio import hosting, start


@contextmanager
def _cancelled_aloud() -> Iterator[None]:
    """Ctrl-C and a polite kill inside the block are errors with a message."""
    try:
        yield
    except (KeyboardInterrupt, KilledError) as stopped:
        raise work.cancelled("Cancelled; nothing half-written is left.", stopped) from None


@contextmanager
def _wrong_usage(as_json: bool) -> Iterator[None]:
    """What is said of a wrong command line, which Typer prints on standard error, is JSON on standard output too."""
    try:
        with visible_errors():
            yield
    except Exception as error:
        said = getattr(error, "format_message", None)
        if as_json and said is not None:
            with suppress(OutputError):  # the exit code says more than that standard output is full
                show.print_json({"error": " ".join(said().split()), "exit_code": getattr(error, "exit_code", 2)})
        raise


class _Commands(TyperGroup):
    """Says of a wrong command line what is wrong with it, visibly. Ctrl-C is an error like others: Typer's own answer
    says nothing, not even with --json."""

    _as_json = False

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **options: Any) -> Any:
        """The command line, parsed as far as the name of the command."""
        self._as_json = "--json" in args
        with _wrong_usage(self._as_json), _cancelled_aloud():
            return super().make_context(info_name, args, *more, **options)

    def invoke(self, ctx: Any) -> Any:
        """The command that was asked for."""
        try:
            with _wrong_usage(self._as_json), _cancelled_aloud():
                return super().invoke(ctx)
        except BrokenPipeError as error:  # Typer would take it for a standard output that nobody reads, and say nothing
            if _while_parsing(error):  # which it is: a command's help is printed there
                raise
            raise ConnectionError(str(error)) from error


def _while_parsing(error: BaseException) -> bool:
    """Whether an error came before the command itself was called."""
    return any(frame.f_code.co_name == "make_context" for frame, _ in traceback.walk_tb(error.__traceback__))


app = typer.Typer(
    cls=_Commands, help="Another face for a person in a video, with their own expression.",
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def run(arguments: list[str]) -> None:
    """Parse and run one command; leaves through SystemExit."""
    logging.getLogger("mien").addHandler(_Notes())
    arguments, notes = fomm.translate(arguments)
    for note in notes:
        show.note(note)
    app(arguments, prog_name="mien")


class _Notes(logging.Handler):
    """What the package logs, as one line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        show.note(record.getMessage())


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=show.version, is_eager=True, help="Show the version."),
) -> None:
    pass


command(app, many.anonymize_many, work.run_many, name="anonymize")
for function in (api.animate, api.read, demo.demo):
    command(app, function, work.run)
command(app, job.live, live.work)
command(app, start.studio, studio.serve)
command(app, hosting.relay, relay.serve)
app.add_typer(avatars.app, name="avatars")
app.command("engines")(engines.engines)
app.add_typer(models.app, name="models")
