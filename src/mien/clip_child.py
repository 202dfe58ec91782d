"""The process that reads one clip: `clip_process` starts it, tells it what to do, and hears of it.

It gets its task, and a clip that lies in memory, through its standard input, which stays open for as long as the work
is wanted: where it ends, so does this process, and what it has begun to write is removed. It answers with one JSON
object a line. Nothing of the clip is written but the results.
"""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import struct
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

from mien.dumps import forbid_core_dumps
from mien.errors import MienError
from mien.media.memory import MemoryFile, Source

LENGTHS: Final = struct.Struct(">QQ")
"""What comes first: bytes of the task, a JSON object, and of the clip behind it."""
_CHUNK: Final = 1 << 20
_CLEAN_UP: Final = 10.0
"""Seconds for the frame at hand and for removing what was begun, once the work is no longer wanted."""
_TERMINAL: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""What a terminal sends to all that was started from it. Who started this process hears it too, and ends it."""


class Answers:
    """What this process tells the one that started it."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def say(self, **what: Any) -> None:
        """One line, from any thread."""
        with self._lock:
            self._pipe.write(json.dumps(what).encode() + b"\n")
            self._pipe.flush()


def main() -> None:
    """Do what standard input says, once."""
    forbid_core_dumps()
    for number in _TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    answers = Answers(_own_output())
    lengths = _received(LENGTHS.size)
    task_size, clip_size = LENGTHS.unpack(lengths)
    task = json.loads(_received(task_size))
    data = _received(clip_size)
    clip: Source = Path(task.pop("path")) if "path" in task else MemoryFile(task.pop("name"), data)
    unwanted = threading.Event()
    threading.Thread(target=_watch, args=(unwanted,), name="mien-wanted", daemon=True).start()
    log = logging.getLogger("mien")
    log.addHandler(_Told(answers))
    log.propagate = False
    with suppress(OSError):  # nobody listens any more
        try:
            answers.say(pid=os.getpid())
            done = _facts(clip) if task.pop("do") == "look" else _anonymized(clip, task, answers, unwanted)
            answers.say(done=done)
        except MienError as error:
            answers.say(refused=[type(error).__name__, str(error)])
        except Exception as error:
            answers.say(failed=type(error).__name__)
    os._exit(0)  # at once: nothing is left to be done, and a thread still reads standard input


def _own_output() -> BinaryIO:
    """Standard output for answers alone: what libraries print goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return pipe


def _received(size: int) -> bytes:
    """So many bytes of standard input, in memory once."""
    body = io.BytesIO()
    while missing := size - body.tell():
        chunk = os.read(0, min(missing, _CHUNK))
        if not chunk:  # nobody wants it any more
            os._exit(1)
        body.write(chunk)
    return body.getvalue()


def _watch(unwanted: threading.Event) -> None:
    """Wait for the end of standard input; then end the process, after a time for cleaning up."""
    while os.read(0, 1):
        pass
    unwanted.set()
    time.sleep(_CLEAN_UP)
    os._exit(1)


def _facts(clip: Source) -> dict[str, Any]:
    from mien.api import open_clip

    with open_clip(clip) as video:
        return {
            "seconds": video.duration, "width": video.width, "height": video.height, "fps": round(video.fps, 3),
            "audio": video.has_audio,
        }  # fmt: skip


def _anonymized(clip: Source, options: dict[str, Any], answers: Answers, unwanted: threading.Event) -> dict[str, Any]:
    from mien.api import anonymize
    from mien.opencv_threads import opencv_threads
    from mien.pipeline import CancelledError, Progress
    from mien.types import Scene

    def on_progress(at: Progress) -> None:
        if unwanted.is_set():
            raise CancelledError("Cancelled before the clip was through; nothing was written.")
        answers.say(progress=[at.frames, at.total, at.seconds, at.time, at.preparing])

    options |= {name: Path(options[name]) for name in ("avatar", "output")} | {"scene": Scene(options["scene"])}
    threads = options.pop("opencv_threads", None)
    with opencv_threads(threads) if threads else nullcontext():
        return anonymize(clip, on_progress=on_progress, **options).to_dict()


class _Told(logging.Handler):
    """What the package logs, passed on."""

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        self._answers = answers

    def emit(self, record: logging.LogRecord) -> None:
        self._answers.say(log=[record.levelno, record.getMessage()])
