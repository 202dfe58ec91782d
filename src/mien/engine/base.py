"""What an engine is: `prepare(avatar)` once, then a renderer that turns each expression into a picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

from mien.types import Array, Avatar, Expression, Picture

OnShare = Callable[[float], None]
"""Is told the share that is done, 0 to 1."""


class Renderer(Protocol):
    """An avatar made ready to move. Not shared between threads; keeps no state from one picture to the next
    except what it needs for speed, so that the same expression always gives the same picture."""

    size: tuple[int, int]
    """Width and height of every picture it returns."""

    face: Array
    """(3, 2) float32: where the picture's right-hand-side-of-person eye (left in the picture), the other eye, and the
    mouth's centre lie in the neutral picture, in pixels: what PASTE aligns by."""

    outline: Array
    """(N, 2) float32: closed polygon around the avatar's face in the neutral picture, in pixels."""

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        """Render (H, W, 4) uint8 RGBA, not premultiplied. `time` in seconds drives idle motion such as breathing
        (0 at all times switches it off)."""
        ...


@runtime_checkable
class HasBackdrop(Protocol):
    """A renderer may offer this besides, where its pictures show something of their own behind the avatar."""

    def without_backdrop(self) -> Renderer:
        """The same avatar before nothing: what is not avatar is transparent, so that PASTE shows the room there."""
        ...


@runtime_checkable
class Engine(Protocol):
    """A way of re-rendering a face. Third parties register theirs under the entry-point group `mien.engines`."""

    name: str
    summary: str
    """One line for `mien engines`."""
    needs: Literal["expression", "pixels"]
    takes: tuple[str, ...]
    """Kinds of avatar: "picture", "puppet"."""

    def prepare(self, avatar: Avatar, *, size: int = 512, on_progress: OnShare | None = None) -> Renderer:
        """Everything slow, once. `size` is the length of the picture's longer side in pixels. What takes longer than a
        moment tells `on_progress` how far it is; an exception raised there ends it. Raises AvatarError where the avatar
        does not suit."""
        ...
