"""What the studio has done with a clip in a process of its own: a look at it, and the work of a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any, Final, Literal

from mien.clip_process import ClipProcess, CrashedError
from mien.errors import InputError
from mien.media.memory import MemoryFile
from mien.pipeline import Progress
from mien.types import Scene

LOOK_LIMIT: Final = 60.0
"""Seconds for a look at a clip, after which it is given up: a header that keeps a decoder busy for ever."""
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
            return process.result()
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
        return process.result(on_progress)
