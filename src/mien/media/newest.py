"""A place for one item: whoever takes from it gets the newest and never waits behind older ones."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """What a live source puts its frames into, from any thread. Iterating waits for each next item and ends after
    `close`. An item that was not taken in time is dropped: a queue of frames would grow into seconds of delay."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._item: tuple[T] | None = None
        self._closed = False
        self.dropped = 0
        """Items that were replaced before anybody took them."""

    def put(self, item: T) -> None:
        """Offer an item in place of the one that waits. Ignored once closed."""
        with self._changed:
            if self._closed:
                return
            self.dropped += self._item is not None
            self._item = (item,)
            self._changed.notify()

    def close(self) -> None:
        """End the iteration at once, also for whoever waits; what was not taken is dropped."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                while self._item is None and not self._closed:
                    self._changed.wait()
                if self._item is None:
                    return
                (item,), self._item = self._item, None
            yield item
