"""Notices when a machine is too slow for what it is asked, and says by how much to ask less."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

SIZES: Final = (512, 384, 256)
"""Lengths of the avatar's longer side to step down through, pixels."""
TOO_LONG: Final = 1 / 18
"""Seconds of work for a frame from which on talking to somebody becomes tiring."""
_WATCHED: Final = 3.0
"""Seconds that must be slow in the middle: loading a model or another avatar takes less."""
_FEWEST: Final = 10


class Pace:
    """Watches how long frames take. It only ever steps down: a size that goes up and down again is worse than a small
    one."""

    def __init__(self) -> None:
        self._busy: deque[tuple[float, float]] = deque()
        self._since = float("-inf")

    def __call__(self, now: float, busy: float, size: int) -> int | None:
        """Take in a frame that took `busy` seconds, done at `now`: the size to go down to, if any."""
        if self._since == float("-inf"):
            self._since = now
        self._busy.append((now, busy))
        while self._busy[0][0] < now - _WATCHED:
            self._busy.popleft()
        if now - self._since < _WATCHED or len(self._busy) < _FEWEST:
            return None
        if median(seconds for _, seconds in self._busy) < TOO_LONG:
            return None
        smaller = next((step for step in SIZES if step < size), None)
        self.restart()
        return smaller

    def restart(self) -> None:
        """Forget what was seen, as after any change of what is asked."""
        self._busy.clear()
        self._since = float("-inf")
