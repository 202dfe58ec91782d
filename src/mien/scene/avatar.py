"""Scene.AVATAR: the avatar before its own background. By type, nothing of the input picture can be in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from mien.scene.guard import GuardedRenderer
from mien.scene.hold import STILL, Hold
from mien.types import Expression, Face, Frame, Picture

BACKGROUND = (236, 233, 228)
"""RGB behind an avatar that has no background of its own."""


class AvatarScene:
    """Shows one panel per person, side by side; one panel for most clips.

    A panel belongs to the first person seen without one. When they have been away for longer than the avatar holds
    still, the next person without a panel takes it over.
    """

    def __init__(
        self, renderer: GuardedRenderer, *, people: int = 1, background: tuple[int, int, int] = BACKGROUND
    ) -> None:
        self._renderer, self._background = renderer, background
        self._panels = [_Panel() for _ in range(people)]
        width, height = renderer.size
        self.size = (width * people, height)

    def __call__(self, tracked: Iterable[tuple[Frame, Sequence[Face]]]) -> Iterator[Frame]:
        """The stage of the pipeline: `compose` for every frame. Expressions go in, nothing else of the faces."""
        for frame, faces in tracked:
            picture = self.compose({face.id: face.expression for face in faces}, frame.time)
            yield replace(frame, image=picture)

    @property
    def people(self) -> tuple[int, ...]:
        """Numbers of the people shown, panel by panel; -1 for a panel that is nobody's yet."""
        return tuple(panel.person for panel in self._panels)

    def compose(self, expressions: Mapping[int, Expression], time: float) -> Picture:
        """(H, W, 3) uint8 RGB for the people seen at `time` seconds, by number, the main person first."""
        self._assign(expressions, time)
        pictures = [self._draw(panel, expressions.get(panel.person), time) for panel in self._panels]
        return pictures[0] if len(pictures) == 1 else np.concatenate(pictures, axis=1)

    cards = 0
    """Frames in whose place the card was shown: none, here there is always an avatar to show."""
    veiled = 0
    """Frames with a veil: none, nothing of the input is shown."""

    def verdict(self) -> list[str]:
        """Warnings at the end of a run. Raises EngineError where the engine never worked."""
        trouble = self._renderer.verdict()
        return [trouble] if trouble else []

    def _assign(self, expressions: Mapping[int, Expression], time: float) -> None:
        taken = {panel.person for panel in self._panels}
        waiting = [person for person in expressions if person not in taken]
        for panel in self._panels:
            free = panel.person not in expressions and panel.hold.missing_for(time) > STILL
            if waiting and free:
                panel.person = waiting.pop(0)

    def _draw(self, panel: _Panel, expression: Expression | None, time: float) -> Picture:
        """The avatar; where the engine fails, the last picture it made, at first the neutral one."""
        rendered = self._renderer(panel.hold(expression, time), time=time)
        if rendered is not None or panel.picture is None:
            panel.picture = lay_on(self._renderer.neutral if rendered is None else rendered, self._background)
        return panel.picture


class _Panel:
    """One person's place in the picture."""

    def __init__(self) -> None:
        self.person = -1
        self.hold = Hold()
        self.picture: Picture | None = None


def lay_on(picture: Picture, background: tuple[int, int, int]) -> Picture:
    """(H, W, 4) uint8 RGBA on a plain colour: (H, W, 3) uint8 RGB."""
    rgb, alpha = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), np.uint8), picture[..., 3]
    if alpha.min() == 255:
        return rgb
    weight = alpha.astype(np.float32) / np.float32(255)
    plain = np.full_like(rgb, background)
    return np.asarray(cv2.blendLinear(rgb, plain, weight, 1 - weight), np.uint8)
