"""Reads clips in processes of their own: a crash in a decoder costs one clip, and the program lives on.

A clip in memory goes to its process through a pipe; of a clip on disk the process gets the path. The process ends with
the program that started it, however that ends.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

from mien import errors
from mien.clip_child import LENGTHS
from mien.errors import InputError, MienError
from mien.media.memory import MemoryFile, Source
from mien.pipeline import CancelledError, Progress

_ERRORS: Final[dict[str, type[MienError]]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, MienError)
} | {"CancelledError": CancelledError}
_log = logging.getLogger("mien")
OnLog = Callable[[int, str], None]
"""Is given the level and the text of what the process logs."""


class CrashedError(InputError):
    """The process ended without a word."""


class FailedError(Exception):
    """An error of ours in the process; its message is the name of its class."""


class ClipProcess:
    """One process for one task on one clip. Use as a context manager: it has ended when the block is left.

    Raises MienError where the system starts no more processes.
    """

    def __init__(self, clip: Source, task: dict[str, Any], *, on_log: OnLog = _log.log, silent: bool = False) -> None:
        """task: "do" is "look" or "anonymize"; the options of `mien.anonymize` besides. on_log: from the thread of
        `answers`. silent: what libraries print in the process on standard error goes nowhere."""
        self._clip, self._on_log = clip, on_log
        self._data = clip.data if isinstance(clip, MemoryFile) else b""
        self._task = task | ({"name": clip.name} if isinstance(clip, MemoryFile) else {"path": str(clip)})
        self._own_pid: int | None = None
        try:
            self._process = subprocess.Popen(
                _command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if silent else None, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except OSError as error:
            raise MienError(
                f"No process could be started to read {clip} ({error.strerror}). Close other programs and try again."
            ) from error

    def __enter__(self) -> ClipProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # bytes that nobody takes any more
                    pipe.close()
        self._process.wait()

    @property
    def pid(self) -> int:
        """The number by which the system knows it: of Python itself, once that has answered, and not of the launcher
        that a virtual environment on Windows puts around it."""
        return self._own_pid or self._process.pid

    def kill(self) -> None:
        """End it at once. From any thread, at any time."""
        self._process.kill()

    def stop(self) -> None:
        """Ask it to end after the frame at hand and to remove what it has begun to write; `answers` then raises
        CancelledError, or CrashedError where the task had not begun. From any thread; for clips on disk."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def answers(self) -> Iterator[tuple[str, Any]]:
        """What the process says, by kind; the last is ("done", result). Raises what it raised, CrashedError where it
        ended without a result, and FailedError."""
        self._send()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off
            ((kind, what),) = json.loads(line).items()
            if kind == "pid":
                self._own_pid = int(what)
            elif kind == "log":
                self._on_log(*what)
            elif kind == "refused":
                raise _ERRORS.get(what[0], MienError)(what[1])
            elif kind == "failed":
                raise FailedError(what)
            else:
                yield kind, what
                if kind == "done":
                    return
        raise CrashedError(_crash(self._clip, self._process.wait()))

    def result(self, on_progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
        """The last of the `answers`; `on_progress` is called for every frame before it."""
        for kind, what in self.answers():
            if kind == "done":
                return dict(what)
            if kind == "progress" and on_progress is not None:
                *numbers, preparing = what
                on_progress(Progress(*numbers, preparing=preparing))
        raise AssertionError("the last answer is a result or an error")

    def _send(self) -> None:
        task, stdin = json.dumps(self._task).encode(), self._process.stdin
        assert stdin is not None
        with suppress(OSError, ValueError):  # it has ended, or was stopped: why will be seen
            stdin.write(LENGTHS.pack(len(task), len(self._data)) + task)
            stdin.write(self._data)
            stdin.flush()


def _command() -> list[str]:
    """Modules are looked for where this process looks, and first of all not in the folder that happens to be the
    working one, which `-m` and `-c` would add."""
    start = f"import sys; sys.path[:] = {list(map(str, sys.path))!r}; from mien.clip_child import main; main()"
    return [sys.executable, "-c", start]


def _crash(clip: Source, code: int) -> str:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return (
            f"The system ended the work on {clip}, most likely because memory ran out. Close other programs, make "
            "the clip smaller, or work on fewer clips at a time. Other clips are not affected."
        )
    return (
        f"{clip} made the program that reads clips crash ({_cause(code)}). Other clips are not affected. Convert the "
        f"clip first, with 'ffmpeg -i {clip.name} repaired.mp4', or try another."
    )


def _cause(code: int) -> str:
    if code >= 0:
        return f"code {code:#x}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
