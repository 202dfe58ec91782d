"""All commands, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from mien import api
from mien.cli import models, show
from mien.cli.derive import command

app = typer.Typer(
    help="Another face for a person in a video, with their own expression.",
    no_args_is_help=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def _run(function: Callable[..., Any], arguments: dict[str, Any], as_json: bool) -> None:
    with show.progress_bar(function.__name__) as on_progress:
        done = function(**arguments, on_progress=on_progress)
    show.outcome(done, as_json)


for function in (api.anonymize, api.animate, api.read):
    command(app, function, _run)
app.add_typer(models.app, name="models")
