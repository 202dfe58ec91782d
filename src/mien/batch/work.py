"""The work of a batch: what is done already is skipped, the rest goes to the processes, and every clip gets its row."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from mien.batch.crew import Crew, News
from mien.batch.machine import cores
from mien.batch.outcome import Batch, BatchProgress, Row, Seen
from mien.batch.record import Record
from mien.batch.settings import settings
from mien.errors import AvatarError, MienError, ModelError, OutputError
from mien.media.synthetic import is_ours
from mien.pipeline import Progress

if TYPE_CHECKING:
    from mien.batch.clips import Clip, PassedOver
    from mien.options import AnonymizingMany
    from mien.types import Avatar

_OF_EVERY_CLIP: Final = (ModelError, AvatarError)
"""Errors that each further clip would end with too, so the batch ends at once."""
_THREADS_PER_CORE: Final = 4
"""Threads that a run keeps busy besides OpenCV's, as in `mien.pipeline`."""
_log = logging.getLogger("mien")


class Work:
    """One batch. All methods are for the thread that calls `run`, but `_task` and `_say_once`."""

    def __init__(self, clips: Sequence[Clip], options: AnonymizingMany, avatar: Avatar, *, jobs: int) -> None:
        self._clips, self._options, self._avatar, self._jobs = clips, options, avatar, jobs
        self._began = time.perf_counter()
        self._settings = settings(options, avatar)
        self._rows: list[Row] = []
        self._running: dict[Path, Progress | None] = {}
        self._records: dict[Path, Record] = {}
        self._states: dict[Path, str] = {}
        """What each clip was when its work began."""
        self._again: dict[Path, str] = {}
        self._sizes = {clip.path: clip.size for clip in clips}
        self._settled = 0
        """Bytes of the clips that need no work."""
        self._told: set[str] = set()
        self._telling = Lock()

    def run(self) -> None:
        """Work through all clips. Raises what `on_progress` raises, and errors that concern every clip; what is done by
        then stays."""
        todo = [clip for clip in self._clips if not self._settle(clip)]
        self._settled = sum(self._sizes[row.clip] for row in self._rows)
        self._jobs = max(1, min(self._jobs, len(todo)))
        with Crew(todo, self._task, jobs=self._jobs, on_log=self._say_once) as crew:
            try:
                self._tell()
                for news in crew.news():
                    if news is not None:
                        self._take(news)
                    self._tell()
            except BaseException:
                for news in crew.stop():
                    if news.outcome is not None:  # it was completed all the same
                        self._take(news)
                raise

    def batch(self, passed_over: Sequence[PassedOver]) -> Batch:
        """What was done. Warnings that several clips have in common are told once."""
        order = {clip.path: number for number, clip in enumerate(self._clips)}
        rows = sorted(self._rows, key=lambda row: order[row.clip])
        done = [row.warnings for row in rows if row.state == "done"]
        shared = [warning for warning in done[0] if all(warning in other for other in done)] if len(done) > 1 else []
        rows = [replace(row, warnings=tuple(w for w in row.warnings if w not in shared)) for row in rows]
        seconds = time.perf_counter() - self._began
        return Batch(tuple(rows), tuple(passed_over), self._jobs, seconds, tuple(shared))

    def _settle(self, clip: Clip) -> bool:
        """Whether a clip needs no work or cannot be worked on; then it has its row."""
        if clip.trouble is not None:
            self._fail(clip, clip.trouble)
        elif (before := self._record(clip).before(clip.target, _state(clip.path), self._settings)).seen is not None:
            self._rows.append(Row(clip.path, clip.target, "skipped", before.files, before.seen))
        elif before.again and not is_ours(clip.target):
            self._fail(clip, OutputError(
                f"{clip.target} is there already, and mien did not make it. Remove it or give another folder with -o."
            ))  # fmt: skip
        else:
            self._again[clip.path] = before.again
            return False
        return True

    def _task(self, clip: Clip) -> dict[str, Any]:
        """What the process of a clip is told. Called in any thread, when the clip's turn comes."""
        try:
            clip.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder {clip.target.parent} cannot be made ({error.strerror or error}). Give another one with -o."
            ) from error
        self._states[clip.path] = _state(clip.path)
        mine = ("output", "jobs", "on_progress")
        options = {f.name: getattr(self._options, f.name) for f in fields(self._options) if f.name not in mine}
        options |= {"avatar": str(self._avatar.path), "scene": self._options.scene.value, "output": str(clip.target)}
        threads = max(1, cores() // (_THREADS_PER_CORE * self._jobs))
        return {"do": "anonymize", "opencv_threads": threads, **options}

    def _take(self, news: News) -> None:
        clip = news.clip
        if news.outcome is None and news.error is None:
            self._running[clip.path] = news.at
            return
        self._running.pop(clip.path, None)
        if news.outcome is not None:
            self._add(clip, news.outcome)
        elif isinstance(news.error, _OF_EVERY_CLIP):
            raise news.error
        elif news.error is not None:
            self._fail(clip, news.error)

    def _add(self, clip: Clip, outcome: dict[str, Any]) -> None:
        seen = Seen(**{f.name: outcome[f.name] for f in fields(Seen)})
        files = tuple(map(Path, outcome["files"]))
        try:
            self._record(clip).add(clip.target, files, self._states[clip.path], self._settings, seen)
        except OutputError as error:
            self._say_once(
                logging.WARNING, f"What is done cannot be noted, so it will be done again next time: {error}"
            )
        self._rows.append(
            Row(
                clip.path, clip.target, "done", files, seen, outcome["seconds"], self._again[clip.path],
                tuple(outcome["warnings"]),
            )
        )  # fmt: skip

    def _fail(self, clip: Clip, error: Exception) -> None:
        if isinstance(error, MienError):
            said, code = str(error), error.exit_code
        else:
            said, code = f"Something went wrong inside mien ({error}). Try it alone: mien anonymize {clip.path}", 1
        self._rows.append(Row(clip.path, clip.target, "failed", error=said, exit_code=code))

    def _record(self, clip: Clip) -> Record:
        folder = clip.target.parent
        if folder not in self._records:
            self._records[folder] = Record(folder)
        return self._records[folder]

    def _tell(self) -> None:
        """Call `on_progress`."""
        if self._options.on_progress is None:
            return
        all_bytes = sum(self._sizes.values()) or 1
        going = {path: at for path, at in self._running.items() if at is not None}
        begun = sum(self._sizes[path] * min(1.0, at.frames / at.total) for path, at in going.items() if at.total)
        through = sum(self._sizes[row.clip] for row in self._rows)
        worked = [row.seen for row in self._rows if row.state == "done" and row.seen]
        self._options.on_progress(
            BatchProgress(
                frames=sum(seen.frames for seen in worked) + sum(at.frames for at in going.values()),
                total=None,
                seconds=time.perf_counter() - self._began,
                time=sum(seen.clip_seconds for seen in worked) + sum(at.time for at in going.values()),
                clips=len(self._clips),
                rows=tuple(self._rows),
                running=tuple(self._running),
                share=(through + begun) / all_bytes,
                worked=(through + begun - self._settled) / all_bytes,
            )
        )

    def _say_once(self, level: int, text: str) -> None:
        """Log what the processes log, which is mostly the same for all of them."""
        with self._telling:
            if text in self._told:
                return
            self._told.add(text)
        _log.log(level, "%s", text)


def _state(path: Path) -> str:
    """Text that changes when a file does: its size and its time of change."""
    try:
        info = os.stat(path)  # noqa: PTH116
    except OSError:
        return "gone"
    return f"{info.st_size} {info.st_mtime_ns}"
