"""What can be done while the avatar is live, and the keys for it: one table for the terminal and the preview page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from mien.live.run import LiveRun

STEP: Final = 1.1
"""Factor of one press of a zoom key."""


@dataclass(frozen=True, slots=True)
class Wearable:
    """An avatar to change to."""

    wanted: str | Path
    """What `LiveRun.wear` takes."""
    name: str
    title: str


class Remote:
    """Does to a run what keys and buttons say. From any thread; the keys 1 to 9 wear the first nine avatars."""

    def __init__(self, run: LiveRun, avatars: Sequence[Wearable], worn: int) -> None:
        """worn: place of the avatar that the run began with."""
        self.avatars = tuple(avatars)
        self.shows_fps = True
        self.shows_help = False
        self.quit = Event()
        """Set once somebody wants to end."""
        self._run, self._worn = run, worn

    def press(self, key: str) -> str | None:
        """Do what a key is for: the name of its command, None if it has none.

        key: a character, or "left", "right", "up", "down", "escape".
        """
        command = COMMAND.get(key.lower())
        if command is None:
            return None
        command.do(self, key)
        return command.name

    def wear(self, key: str) -> None:
        """The avatar of that number."""
        if int(key) <= len(self.avatars):
            self._wear(int(key) - 1)

    def step(self, by: int) -> None:
        """The next avatar, or the one before; after the last comes the first."""
        self._wear((self._worn + by) % len(self.avatars))

    def calibrate(self) -> None:
        self._run.calibrate()

    def mirror(self) -> None:
        self._run.mirror()

    def zoom(self, factor: float) -> None:
        self._run.zoom(self._run.state.zoom * factor)

    def pause(self) -> None:
        self._run.pause()

    def toggle_fps(self) -> None:
        self.shows_fps = not self.shows_fps

    def toggle_help(self) -> None:
        self.shows_help = not self.shows_help

    def _wear(self, number: int) -> None:
        self._worn = number
        self._run.wear(self.avatars[number].wanted)


@dataclass(frozen=True, slots=True)
class Command:
    """Something to do, the keys that do it, the first being the one to show, and what it is, in a few words."""

    name: str
    keys: tuple[str, ...]
    what: str
    do: Callable[[Remote, str], None]


COMMANDS: Final[tuple[Command, ...]] = (
    Command("avatar", tuple("123456789"), "another avatar", lambda remote, key: remote.wear(key)),
    Command("previous", ("a", "left"), "the avatar before", lambda remote, _: remote.step(-1)),
    Command("next", ("d", "right"), "the next avatar", lambda remote, _: remote.step(1)),
    Command("calibrate", ("x",), "calibrate: hold still, relaxed", lambda remote, _: remote.calibrate()),
    Command("pause", ("p", " "), "show the card instead of the avatar", lambda remote, _: remote.pause()),
    Command("mirror", ("m", "r"), "mirror the picture", lambda remote, _: remote.mirror()),
    Command("larger", ("w", "+", "=", "up"), "larger", lambda remote, _: remote.zoom(STEP)),
    Command("smaller", ("s", "-", "down"), "smaller", lambda remote, _: remote.zoom(1 / STEP)),
    Command("fps", ("i",), "show or hide frame rate and delay", lambda remote, _: remote.toggle_fps()),
    Command("help", ("h", "?"), "show or hide this help", lambda remote, _: remote.toggle_help()),
    Command("quit", ("q", "escape"), "end", lambda remote, _: remote.quit.set()),
)
COMMAND: Final = {key: command for command in COMMANDS for key in command.keys}


def wearables(first: str | Path) -> tuple[list[Wearable], int]:
    """Every avatar that has a name, and the place among them of the `first` one worn: the last, if it is a file."""
    from mien.avatar import library

    known = [Wearable(avatar.name, avatar.name, avatar.title) for avatar in library.listed() if not avatar.trouble]
    names = [avatar.name for avatar in known]
    if isinstance(first, str) and first in names:
        return known, names.index(first)
    return [*known, Wearable(first, Path(first).stem, Path(first).stem)], len(known)
