"""Avatars made ready in the background, so that the one worn goes on moving until the next one can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Thread

from mien.errors import EngineError
from mien.scene.avatar import AvatarScene
from mien.scene.guard import GuardedRenderer
from mien.types import Avatar


@dataclass(frozen=True, slots=True)
class Outfit:
    """An avatar that is ready to move."""

    wanted: str | Path
    """How it was asked for."""
    avatar: Avatar
    size: int
    """What was asked for: pixels of the longer side."""
    renderer: GuardedRenderer
    scene: AvatarScene


def dress(wanted: str | Path, *, size: int, engine: str | None = None) -> Outfit:
    """Find an avatar and prepare it. Raises AvatarError, InputError, EngineError."""
    from mien.avatar import library
    from mien.engine import registry

    avatar = library.find(wanted)
    chosen = registry.get(engine) if engine else registry.for_avatar(avatar.kind)
    if chosen.needs != "expression" or avatar.kind not in chosen.takes:
        raise EngineError(f"The engine {chosen.name!r} cannot move {avatar.name}, which is a {avatar.kind}.")
    renderer = GuardedRenderer(chosen.prepare(avatar, size=size), engine=chosen.name)
    return Outfit(wanted, avatar, size, renderer, AvatarScene(renderer))


class Wardrobe:
    """Prepares what was asked for last, in a thread of its own; `take` hands it over once."""

    def __init__(self, prepare: Callable[[str | Path, int], Outfit]) -> None:
        self._prepare = prepare
        self._changed = Condition()
        self._wish: tuple[str | Path, int] | None = None
        self._ready: Outfit | None = None
        self._closed = False
        self.wish: str | Path | None = None
        """What is in the making."""
        self.preparing: str | None = None
        """Name of the avatar in the making."""
        self.trouble: str | None = None
        """Why the last wish could not be met."""
        Thread(target=self._work, name="mien-wardrobe", daemon=True).start()

    def ask(self, wanted: str | Path, size: int) -> None:
        """Ask for an avatar; a wish that has not been begun is replaced."""
        with self._changed:
            self._wish, self.wish, self.preparing, self.trouble = (wanted, size), wanted, Path(wanted).stem, None
            self._changed.notify()

    def take(self) -> Outfit | None:
        """What has become ready since the last call."""
        with self._changed:
            outfit, self._ready = self._ready, None
            return outfit

    def close(self) -> None:
        """End the thread once it is done with what it is at."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wish is None and not self._closed:
                    self._changed.wait()
                if self._wish is None or self._closed:
                    return
                wish, self._wish = self._wish, None
            outfit, trouble = self._try(*wish)
            with self._changed:
                self._ready = outfit or self._ready
                if self._wish is None:
                    self.wish, self.preparing, self.trouble = None, None, trouble

    def _try(self, wanted: str | Path, size: int) -> tuple[Outfit | None, str | None]:
        try:
            return self._prepare(wanted, size), None
        except Exception as error:  # a plug-in's too: whatever it is, the avatar worn stays
            return None, str(error) or type(error).__name__
