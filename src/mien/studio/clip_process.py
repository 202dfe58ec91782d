"""Reads clips in a process of their own: a crash in a decoder costs one job, and the studio lives on.

The clip goes through a pipe, from memory to memory. The process ends with the studio, however that ends.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Final, Literal

from mien import errors
from mien.errors import InputError, MienError
from mien.media.memory import MemoryFile
from mien.pipeline import Progress
from mien.studio.clip_child import LENGTHS
from mien.types import Scene

LOOK_LIMIT: Final = 60.0
"""Seconds for a look at a clip, after which it is given up: a header that keeps a decoder busy for ever."""
_ERRORS: Final[dict[str, type[MienError]]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, MienError)
}
_log = logging.getLogger("mien")


class CrashedError(InputError):
    """The process ended without a word."""


class FailedError(Exception):
    """An error of ours in the process; its message is the name of its class."""


class ClipProcess:
    """One process for one task on one clip. Use as a context manager: it has ended when the block is left.

    Raises MienError where the system starts no more processes.
    """

    def __init__(self, file: MemoryFile, task: dict[str, Any]) -> None:
        self._file, self._task = file, task | {"name": file.name}
        try:
            self._process = subprocess.Popen(
                _command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except OSError as error:
            raise MienError(
                f"No process could be started to read {file} ({error.strerror}). Close other programs and try again."
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
        """The number by which the system knows it."""
        return self._process.pid

    def kill(self) -> None:
        """End it at once. From any thread, at any time."""
        self._process.kill()

    def answers(self) -> Iterator[tuple[str, Any]]:
        """What the process says, by kind; the last is ("done", result). Raises what it raised, CrashedError where it
        ended without a result, and FailedError."""
        self._send()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # cut off
            ((kind, what),) = json.loads(line).items()
            if kind == "log":
                _log.log(*what)
            elif kind == "refused":
                raise _ERRORS.get(what[0], MienError)(what[1])
            elif kind == "failed":
                raise FailedError(what)
            else:
                yield kind, what
                if kind == "done":
                    return
        raise CrashedError(_crash(self._file, self._process.wait()))

    def _send(self) -> None:
        task, stdin = json.dumps(self._task).encode(), self._process.stdin
        assert stdin is not None
        with suppress(OSError):  # it has ended: why will be seen
            stdin.write(LENGTHS.pack(len(task), len(self._file.data)) + task)
            stdin.write(self._file.data)
            stdin.flush()


Started = Callable[[ClipProcess], None]


def look(file: MemoryFile, *, started: Started) -> dict[str, Any]:
    """What a clip is, as its header and its first picture say: the fields of `Facts`. Raises InputError."""
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        process.kill()

    with ClipProcess(file, {"do": "look"}) as process:
        started(process)
        limit = Timer(LOOK_LIMIT, give_up)
        limit.start()
        try:
            return _result(process)
        except CrashedError:
            if late:
                raise InputError(
                    f"{file} could not be opened within {LOOK_LIMIT:.0f} seconds. Convert it to H.264 first."
                ) from None
            raise
        finally:
            limit.cancel()


def anonymize(
    file: MemoryFile, *, avatar: Path, output: Path, engine: str | None, scene: Scene,
    audio: Literal["keep", "drop"], size: int, on_progress: Callable[[Progress], None], started: Started,
) -> dict[str, Any]:  # fmt: skip
    """`mien.anonymize` with all its side files, in a process; its outcome as plain values."""
    task = {
        "do": "anonymize", "avatar": str(avatar), "output": str(output), "engine": engine, "scene": scene.value,
        "audio": audio, "size": size, "csv": True, "summary": True, "report": True,
    }  # fmt: skip
    with ClipProcess(file, task) as process:
        started(process)
        return _result(process, on_progress)


def _result(process: ClipProcess, on_progress: Callable[[Progress], None] | None = None) -> dict[str, Any]:
    for kind, what in process.answers():
        if kind == "done":
            return dict(what)
        if kind == "progress" and on_progress is not None:
            on_progress(Progress(*what))
    raise AssertionError("the last answer is a result or an error")


def _command() -> list[str]:
    """Modules are looked for where this process looks, and first of all not in the folder that happens to be the
    working one, which `-m` and `-c` would add."""
    start = f"import sys; sys.path[:] = {list(map(str, sys.path))!r}; from mien.studio.clip_child import main; main()"
    return [sys.executable, "-c", start]


def _crash(file: MemoryFile, code: int) -> str:
    if sys.platform != "win32" and code == -signal.SIGKILL:
        return (
            f"The system ended the work on {file}, most likely because memory ran out. Close other programs, or make "
            "the clip smaller. The studio and other clips are not affected."
        )
    return (
        f"{file} made the program that reads clips crash ({_cause(code)}). Only this job is lost. Convert the clip "
        f"first, with 'ffmpeg -i {file.name} repaired.mp4', or try another."
    )


def _cause(code: int) -> str:
    if code >= 0:
        return f"code {code:#x}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
