"""Several processes that work through clips, one clip each at a time; what they tell comes in one stream."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Final

from mien.batch.clips import Clip
from mien.clip_process import ClipProcess, OnLog
from mien.media.atomic import remove_unfinished
from mien.pipeline import Progress

TICK: Final = 0.2
"""Seconds after which the stream says that there is no news: a cancelled batch must not wait for a slow frame."""
_CLEAN_UP: Final = 4.0
"""Seconds in which processes may end by themselves when the batch is cancelled. Then they are killed, and what they
have begun to write is removed here."""


@dataclass(frozen=True, slots=True)
class News:
    """What happened to a clip: work began where nothing else is set."""

    clip: Clip
    at: Progress | None = None
    """After a frame."""
    outcome: dict[str, Any] | None = None
    """The result of `mien.anonymize` as plain values, at the end."""
    error: Exception | None = None
    """Why there is no result, at the end."""


class Crew:
    """Use as a context manager: no process is left when the block ends, however it ends."""

    def __init__(
        self, clips: Sequence[Clip], task: Callable[[Clip], dict[str, Any]], *, jobs: int, on_log: OnLog
    ) -> None:
        """task: what to tell the process of a clip, made when its turn comes. on_log: from any thread."""
        self._todo, self._task, self._on_log = deque(clips), task, on_log
        self._news: Queue[News] = Queue()
        self._lock = Lock()
        self._running: set[ClipProcess] = set()
        self._stopped = False
        count = min(jobs, len(clips))
        self._threads = [Thread(target=self._work, name=f"mien-batch-{n}", daemon=True) for n in range(count)]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def news(self) -> Iterator[News | None]:
        """Until every clip has ended; None where nothing has happened for `TICK` seconds."""
        while True:
            over = not any(thread.is_alive() for thread in self._threads)
            try:
                yield self._news.get(timeout=0 if over else TICK)
            except Empty:
                if over:
                    return
                yield None

    def stop(self) -> list[News]:
        """End all work; what has happened meanwhile: some clips may have been completed all the same."""
        with self._lock:
            self._stopped = True
            self._todo.clear()
            for process in self._running:
                process.stop()
        deadline = time.monotonic() + _CLEAN_UP
        try:
            for thread in self._threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        finally:
            with self._lock:
                for process in self._running:
                    process.kill()
            for thread in self._threads:
                thread.join()
        rest: list[News] = []
        with suppress(Empty):
            while True:
                rest.append(self._news.get_nowait())
        return rest

    def _work(self) -> None:
        """One thread: clip after clip."""
        while True:
            with self._lock:
                if self._stopped or not self._todo:
                    return
                clip = self._todo.popleft()
            self._news.put(News(clip))
            try:
                self._news.put(News(clip, outcome=self._one(clip)))
            except Exception as error:
                self._news.put(News(clip, error=error))

    def _one(self, clip: Clip) -> dict[str, Any]:
        done = False
        process = ClipProcess(clip.path, self._task(clip), on_log=self._on_log, silent=True)
        try:
            with process:
                with self._lock:
                    self._running.add(process)
                    if self._stopped:
                        process.stop()
                result = process.result(lambda at: self._news.put(News(clip, at)))
                done = True
                return result
        finally:
            with self._lock:
                self._running.discard(process)
            if not done:
                remove_unfinished(clip.target, process.pid)
