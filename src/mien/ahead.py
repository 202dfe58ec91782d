"""Runs an iterator a few items ahead of whoever uses it, in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
_POLL = 0.05
"""Seconds between looks at whether the other side is still there."""


@contextmanager
def ahead(items: Iterable[T], *, depth: int = 3) -> Iterator[Iterator[T]]:
    """Inside the block, the same items, at most `depth` of them waiting. An exception from `items` is raised where the
    item would have come. The thread has ended when the block is left, however it is left."""
    queue: Queue[tuple[T] | BaseException | None] = Queue(depth)
    left = Event()

    def put(item: tuple[T] | BaseException | None) -> None:
        while not left.is_set():
            with suppress(Full):
                return queue.put(item, timeout=_POLL)

    def fill() -> None:
        try:
            for item in items:
                put((item,))
                if left.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    def drain() -> Iterator[T]:
        while (item := queue.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    thread = Thread(target=fill, name="mien-ahead", daemon=True)
    thread.start()
    try:
        yield drain()
    finally:
        left.set()
        with suppress(Empty):
            while True:
                queue.get_nowait()
        thread.join()
