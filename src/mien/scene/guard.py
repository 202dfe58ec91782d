"""Keeps an engine's failure out of the picture: a renderer may raise or return nonsense, and nothing else happens."""

from __future__ import annotations

import logging

import numpy as np

from mien.engine.base import Renderer
from mien.errors import EngineError
from mien.types import Array, Expression, Picture

_log = logging.getLogger("mien")


class GuardedRenderer:
    """A renderer that answers None where the engine raises or returns something that is not its picture.

    The first failure is logged; `verdict` sums up at the end of a run.
    """

    def __init__(self, renderer: Renderer, *, engine: str) -> None:
        """Renders the neutral face at once: an engine that cannot do that is of no use. Raises EngineError."""
        self._renderer, self._engine = renderer, engine
        self.size: tuple[int, int] = renderer.size
        self.face: Array = renderer.face
        self.outline: Array = renderer.outline
        self.pictures = 0
        self.failures = 0
        self._first_failure = ""
        try:
            self.neutral = self._checked(Expression.neutral(), 0.0)
        except Exception as error:
            raise EngineError(f"The engine {engine!r} cannot draw this avatar: {_words(error)}.") from error

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture | None:
        """(H, W, 4) uint8 RGBA, or None where the engine failed."""
        try:
            picture = self._checked(expression, time)
        except Exception as error:
            self.failures += 1
            if self.failures == 1:
                self._first_failure = _words(error)
                _log.warning("the engine %r failed at %.2f s: %s", self._engine, time, self._first_failure)
            return None
        self.pictures += 1
        return picture

    def verdict(self) -> str | None:
        """What to tell the user about failures, None where there were none. Raises EngineError where nothing worked."""
        if not self.failures:
            return None
        told = f"The engine {self._engine!r} failed at {self.failures} of {self.failures + self.pictures} pictures"
        if not self.pictures:
            raise EngineError(f"{told}: {self._first_failure}. Nothing was written; try another engine or avatar.")
        return f"{told} (first: {self._first_failure}); a stand-in is shown there."

    def _checked(self, expression: Expression, time: float) -> Picture:
        picture = self._renderer(expression, time=time)
        width, height = self.size
        if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.shape != (height, width, 4):
            raise EngineError(f"it returned no RGBA picture of {width}×{height}")
        return picture


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
