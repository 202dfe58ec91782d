"""`mien relay`: says where it listens, and nothing about anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mien.cli import show
from mien.cli.interrupt import KilledError
from mien.cli.terminal import say


def serve(function: Callable[..., Any], arguments: dict[str, Any], as_json: bool) -> None:
    """Run it until Ctrl-C, which is the way to end it."""

    def on_ready(origin: str) -> None:
        if as_json:
            show.print_json({"origin": origin, "join": f"{origin}/join", "signal": f"ws{origin[4:]}/relay"})
        else:
            say(f"relay at {origin}; invitations lead to {origin}/join. Ctrl-C ends it, and every room.")

    def on_rooms(number: int) -> None:
        if as_json:
            show.print_json({"rooms": number})
        else:
            say(f"rooms: {number}")

    try:
        function(**arguments, on_ready=on_ready, on_rooms=on_rooms)
    except KilledError as killed:  # so is a kill, for a service: no error
        raise SystemExit(killed.code) from None
    except KeyboardInterrupt:
        say("ended; nothing is kept", err=True)
