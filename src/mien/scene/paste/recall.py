"""Keeps what the first pass tracked, so that the second pass need not track again: the same faces, bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mien.types import Face, Frame

Tracker = Callable[[Frame], list[Face]]
MOST: Final = 96 << 20
"""Bytes of faces that are kept: some 8000 of them, four minutes of one person."""
_BESIDE: Final = 1500
"""Bytes that a face takes beside its landmarks and offsets."""


class Recall:
    """A tracker that remembers its answers in memory; `replay` is a tracker that gives them again."""

    def __init__(self, tracker: Tracker, *, most: int = MOST) -> None:
        self._tracker, self._room = tracker, most
        self._faces: dict[int, list[Face]] | None = {}
        """By number of the frame; None once they would take too much memory."""

    def __call__(self, frame: Frame) -> list[Face]:
        """The tracker's faces."""
        faces = self._tracker(frame)
        if self._faces is not None:
            self._room -= sum(face.landmarks.nbytes + face.expression.offsets.nbytes + _BESIDE for face in faces)
            self._faces[frame.index] = faces
            if self._room < 0:
                self._faces = None
        return faces

    def replay(self) -> Tracker | None:
        """Gives each frame's faces once; none for a frame that was not tracked, which scene paste shows as a card.
        None where the clip was too long to be remembered: then it must be tracked again."""
        faces = self._faces
        return None if faces is None else lambda frame: faces.pop(frame.index, [])
