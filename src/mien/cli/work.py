"""How the commands run that work through the frames of clips: progress, Ctrl-C, the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from mien import api
from mien.batch.clips import is_single
from mien.batch.many import check_jobs
from mien.cli import show, show_batch
from mien.cli.interrupt import KilledError, between_frames
from mien.pipeline import CancelledError, Progress


def run(function: Callable[..., Any], arguments: dict[str, Any], as_json: bool) -> None:
    """Call `function` with the arguments and show its result."""
    with between_frames() as check, show.progress_bar(function.__name__) as draw:

        def on_progress(progress: Progress) -> None:
            check()
            draw(progress)

        try:
            done = function(**arguments, on_progress=on_progress)
        except (KeyboardInterrupt, KilledError) as stopped:
            raise cancelled("Cancelled before the run was through; nothing was written.", stopped) from None
    show.result(done, as_json)


def run_many(function: Callable[..., Any], arguments: dict[str, Any], as_json: bool) -> None:
    """The same for `anonymize_many`; one clip alone goes to `anonymize`."""
    if is_single(arguments["clips"]):
        check_jobs(arguments.pop("jobs"))
        (clip,) = arguments.pop("clips")
        run(api.anonymize, {"clip": clip, **arguments}, as_json)
        return
    with between_frames() as check, show_batch.progress() as told:

        def on_progress(at: Progress) -> None:
            check()
            told(at)

        try:
            done = function(**arguments, on_progress=on_progress)
        except (KeyboardInterrupt, KilledError) as stopped:
            raise cancelled(
                "Cancelled. The clips that were done by then are complete, nothing half-written is left, and the same "
                "command goes on from there.", stopped,
            ) from None  # fmt: skip
    show_batch.result(done, as_json)
    if done.exit_code:
        raise typer.Exit(done.exit_code)


def cancelled(message: str, stopped: KeyboardInterrupt | KilledError) -> CancelledError:
    """The error that says so, with the exit code of the signal."""
    error = CancelledError(message)
    if isinstance(stopped, KilledError):
        error.exit_code = stopped.code
    return error
