"""`mien studio` at the terminal: where it is, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mien.cli import show
from mien.cli.interrupt import KilledError
from mien.cli.terminal import say

if TYPE_CHECKING:
    from mien.studio.start import Doors


def serve(function: Callable[..., Any], arguments: dict[str, Any], as_json: bool) -> None:
    """Run it until Ctrl-C, which is the way to end it."""

    def on_ready(doors: Doors) -> None:
        if as_json:
            show.print_json({"studio": doors.link, "join": doors.join, "reach": doors.reach})
            return
        say(f"studio: {doors.link}")
        say("Only this computer can open it. Ctrl-C ends it; what nobody kept is gone then.")
        say(f"invitations lead to {doors.join}, which {_REACH[doors.reach]} can open")

    try:
        function(**arguments, on_ready=on_ready)
    except KilledError as killed:  # so is a kill, for a service: no error
        raise SystemExit(killed.code) from None
    except KeyboardInterrupt:
        say("ended", err=True)


_REACH = {"this computer": "only this computer", "network": "your network", "internet": "anybody on the internet"}
