"""`mien live` at the terminal: what to choose in the meeting, a line that says how it is going, keys, the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from mien.cli import show
from mien.cli.interrupt import KilledError, between_frames, heeded
from mien.cli.keys import keys
from mien.cli.terminal import say, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mien.live.job import LiveOutcome, LiveShow, Status

_REDRAWN: Final = 0.2
"""Seconds between two looks of the line; after a key it is drawn at once."""


def work(function: Callable[..., LiveOutcome], arguments: dict[str, Any], as_json: bool) -> None:
    """Run `mien.live.job.live` here: Ctrl-C and a polite kill are ways to end it, as is the key for it."""
    told: set[str] = set()
    with between_frames() as check, keys() as read, _line() as draw:

        def on_tick(going: LiveShow) -> None:
            if not told:
                told.update(["introduced", *going.notes])
                _introduce(going)
            pressed = False
            try:
                check()
                while (key := read(0.0)) is not None:
                    pressed = going.remote.press(key) is not None or pressed
            except (KeyboardInterrupt, KilledError):
                heeded()
                going.remote.quit.set()
            draw(going, pressed)

        done = function(**arguments, on_tick=on_tick)
    if as_json:
        show.print_json(done.to_dict())
    else:
        _describe(done, [warning for warning in done.warnings if warning not in told])


def _introduce(going: LiveShow) -> None:
    """What to do now; to standard error, for the result alone goes to standard output."""
    width, height = going.camera.size
    say(f"camera: {going.camera.name} ({width}×{height}, {going.camera.fps:.0f} fps)", err=True)
    if going.virtual is not None:
        say(f"in your meeting program, choose the camera: {going.virtual.name}", err=True)
    if going.preview is not None:
        say(f"preview: {going.preview.link}", err=True)
    for note in going.notes:
        show.note(note)
    if sys.stdin.isatty():
        say("keys: 1–9 avatar, x calibrate (relaxed, still), space pause, h all keys, q end", err=True)


def _describe(done: LiveOutcome, warnings: list[str]) -> None:
    for file in done.files:
        say(f"wrote {file}")
    if done.frames:
        say(
            f"{_clock(done.seconds)} live at {done.fps:.0f} fps; delay {done.delay_p50 * 1000:.0f} ms "
            f"(19 of 20 below {done.delay_p95 * 1000:.0f}); a face seen in {done.coverage:.0%} of it"
        )
    else:
        say("ended before the first picture")
    if done.files:
        show.note("these files describe the real person: treat them as you would the record they belong to")
    for warning in warnings:
        show.note(warning, kind="warning")


@contextmanager
def _line() -> Iterator[Callable[[LiveShow, bool], None]]:
    """Draws the state below everything else that is printed; nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda going, now: None
        return
    from rich.console import Console
    from rich.live import Live

    last = 0.0
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as line:

        def draw(going: LiveShow, now: bool) -> None:
            nonlocal last
            if now or time.monotonic() - last >= _REDRAWN:
                last = time.monotonic()
                line.update(_drawn(going.status, going.virtual.name if going.virtual else None), refresh=True)

        yield draw


def _drawn(status: Status, virtual: str | None) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(visible(status.avatar), "bold")
    line.append(f" → {visible(status.preparing)} …" if status.preparing else "")
    line.append(" · ")
    line.append(*_seen(status))
    if status.shows_fps:
        line.append(f" · {status.fps:.0f} fps · {status.delay * 1000:.0f} ms")
    line.append(f" · camera “{visible(virtual)}”" if virtual else " · preview only")
    line.append("".join(f" · {word}" for word in _settings(status)), "dim")
    parts: list[RenderableType] = [line]
    if status.trouble:
        parts.append(Text(visible(status.trouble), "yellow"))
    if status.shows_help:
        parts.append(_help())
    return Group(*parts)


def _seen(status: Status) -> tuple[str, str]:
    """What the avatar follows now, and the style to say it in."""
    if status.paused:
        return "paused: the card is shown", "yellow"
    if status.unplugged:
        return "camera gone: plug it in, it goes on by itself", "bold red"
    if status.faces:
        return "face seen", "green"
    return "no face seen", "yellow"


def _settings(status: Status) -> list[str]:
    chosen = {
        "calibrated": status.calibrated, "mirrored": status.mirrored, f"zoom {status.zoom:.1f}×": status.zoom != 1,
        "smaller for speed": status.slowed,
    }  # fmt: skip
    return [word for word, on in chosen.items() if on]


def _help() -> RenderableType:
    from rich.table import Table

    from mien.live.commands import COMMANDS

    table = Table.grid(padding=(0, 2))
    for command in COMMANDS:
        keys = "1 … 9" if command.name == "avatar" else " ".join(map(_named, command.keys))
        table.add_row(keys, command.what)
    return table


def _named(key: str) -> str:
    return {" ": "space", "escape": "Esc", "left": "←", "right": "→", "up": "↑", "down": "↓"}.get(key, key)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
