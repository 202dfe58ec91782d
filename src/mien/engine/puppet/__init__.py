"""Layered vector avatars, moved by expression coefficients: no pixel of the driver's reaches the picture."""

from __future__ import annotations

from typing import Literal

from mien.engine.base import OnShare, Renderer
from mien.errors import AvatarError, EngineError
from mien.types import Avatar

SMALLEST, LARGEST = 16, 4096


class PuppetEngine:
    """Draws a rig (`docs/avatars.md`) for every expression."""

    name = "puppet"
    summary = "Layered vector avatars: perfect anonymity, any size, live on a CPU."
    needs: Literal["expression", "pixels"] = "expression"
    takes: tuple[str, ...] = ("puppet",)

    def prepare(self, avatar: Avatar, *, size: int = 512, on_progress: OnShare | None = None) -> Renderer:
        """Read and check the rig in `avatar.path`: a matter of milliseconds, so `on_progress` is not called. Raises
        AvatarError for a malformed one."""
        from mien.avatar.rig import read_rig
        from mien.engine.puppet.renderer import PuppetRenderer

        if avatar.kind not in self.takes:
            raise AvatarError(
                f"The puppet engine moves vector rigs; {avatar.name!r} is a {avatar.kind}. Use --engine mesh."
            )
        if not SMALLEST <= size <= LARGEST:
            raise EngineError(f"A size of {size} pixels cannot be drawn; choose {SMALLEST} to {LARGEST}.")
        return PuppetRenderer(read_rig(avatar.path), size)
