"""Clips that the studio was given, and the jobs that give the people in them another face, one job at a time.

A clip is read in a process of its own, when it comes in and again for every job: what crashes there costs that job
alone. A clip's bytes are in memory and nowhere else, until it is removed or the studio stops: it may be run again with
another avatar until then. Results, and nothing else, lie in a folder that only the user may look into, which goes with
the clip or with the studio.
"""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from threading import Event, Lock
from typing import Any, Final, Literal

from mien.clip_process import ClipProcess, CrashedError, FailedError
from mien.errors import InputError, MienError
from mien.media.memory import MemoryFile
from mien.pipeline import CancelledError, Progress
from mien.studio.answers import RefusedError
from mien.studio.clip_process import anonymize, look
from mien.studio.intake import Intake
from mien.studio.scratch import Scratch
from mien.types import Scene

State = Literal["new", "waiting", "running", "done", "failed", "cancelled"]
FILES: Final = {
    "avatar.mp4": "avatar.mp4", "timeline.csv": "avatar.expression.csv", "summary.json": "avatar.expression.json",
    "report.html": "avatar.report.html",
}  # fmt: skip
"""What a job makes: the name it is asked for by, and that under which `anonymize` writes it."""
LARGEST: Final = 600 << 20
"""Bytes of a clip."""
ROOM: Final = 2 * LARGEST
"""Bytes of all clips together."""
MOST: Final = 20
"""Clips at a time."""
_log = logging.getLogger("mien")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a clip is, as its header and its first picture say."""

    seconds: float | None
    width: int
    height: int
    fps: float
    audio: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """How a clip is to be re-rendered."""

    avatar: str
    """By name; `path` is where it lies."""
    path: Path
    engine: str | None
    scene: Scene
    audio: Literal["keep", "drop"]
    size: int


class Clip:
    """A clip in memory and the latest job on it. The lock of `ClipJobs` guards what changes."""

    def __init__(self, file: MemoryFile, facts: Facts) -> None:
        self.id = secrets.token_hex(8)
        self.file, self.facts = file, facts
        self.added = datetime.now(timezone.utc).astimezone()
        self.state: State = "new"
        self.wish: Wish | None = None
        self.progress: Progress | None = None
        self.outcome: dict[str, Any] = {}
        self.error: str | None = None
        self.removed = False
        self.cancelled = Event()
        self.future: Future[None] | None = None
        self.process: ClipProcess | None = None

    @property
    def busy(self) -> bool:
        """Whether a job waits or goes on."""
        return self.state in ("waiting", "running")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        clip = {"id": self.id, "name": self.file.name, **asdict(self.facts)}
        at = self.progress
        total = None if at is None or at.total is None else max(at.total, at.frames)
        left = (total - at.frames) / at.fps if at and total is not None and at.fps else None
        return {
            **clip, "clip_fps": clip.pop("fps"), "state": self.state, "error": self.error,
            "avatar": self.wish.avatar if self.wish else None,
            "scene": self.wish.scene.value if self.wish else None,
            "preparing": at.preparing if at and at.preparing < 1 else None,
            "frames": at.frames if at else 0, "total": total, "fps": round(at.fps, 1) if at else 0.0,
            "seconds_left": round(left, 1) if left is not None and self.state == "running" else None,
            "warnings": self.outcome.get("warnings", []), "coverage": self.outcome.get("coverage"),
            "cards": self.outcome.get("cards"), "sound": self.outcome.get("audio"),
            "files": list(FILES) if self.state == "done" else [],
        }  # fmt: skip


class ClipJobs:
    """Methods block where they read a clip or remove files: call `add`, `remove` and `close` outside of the event
    loop."""

    def __init__(self, *, folder: Path | None = None, largest: int = LARGEST, room: int = ROOM) -> None:
        """folder: where the folder for results is made; the system's for temporary files if None. Removes what killed
        studios left there. largest, room: bytes of a clip, and of all together."""
        self._scratch = Scratch(folder or Path(tempfile.gettempdir()), "mien-studio-")
        self.intake = Intake(
            largest=largest, room=room, at_once=2,
            too_large=f"The studio takes clips of up to {largest >> 20} MB, because it holds them in memory alone. For "
            "larger ones there is the command line: mien anonymize CLIP",
            no_room="The clips that are open take up all the memory set aside for them. Remove one first.",
        )  # fmt: skip
        """Where bytes come in; those of a clip are dropped there when nothing needs them any more."""
        self._lock = Lock()
        self._clips: dict[str, Clip] = {}
        self._looks: set[ClipProcess] = set()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mien-clips")

    def add(self, file: MemoryFile) -> Clip:
        """Take a clip in after a look at it. Raises InputError where it cannot be read as video, RefusedError where
        there are too many."""
        clip = Clip(file, self._look(file))
        with self._lock:
            if len(self._clips) >= MOST:
                raise RefusedError(413, f"{MOST} clips are open already. Remove one first.")
            self._clips[clip.id] = clip
        return clip

    def list(self) -> list[Clip]:
        """All clips, newest first."""
        with self._lock:
            return list(reversed(self._clips.values()))

    def get(self, number: str) -> Clip:
        """The clip of that id. Raises RefusedError."""
        clip = self._clips.get(number)
        if clip is None:
            raise RefusedError(404, "There is no such clip. It may have been removed, or the studio restarted.")
        return clip

    def run(self, number: str, wish: Wish) -> Clip:
        """Put a job in line; what an earlier one made is removed. Raises RefusedError while one goes on."""
        with self._lock:
            clip = self.get(number)
            if clip.busy:
                raise RefusedError(409, "This clip is being worked on already. Wait until it is done, or cancel first.")
            clip.wish, clip.state, clip.progress, clip.error, clip.outcome = wish, "waiting", None, None, {}
            clip.cancelled.clear()
            clip.future = self._worker.submit(self._work, clip, wish)
            return clip

    def cancel(self, number: str) -> Clip:
        """End the job, if there is one, before long."""
        with self._lock:
            clip = self.get(number)
            if clip.busy:
                self._stop(clip)
            return clip

    def remove(self, number: str) -> None:
        """Forget a clip and what was made of it; a job on it ends first, of which nobody has to wait for the end."""
        with self._lock:
            clip = self.get(number)
            del self._clips[number]
            clip.removed = True
            if clip.busy:
                self._stop(clip)
            at_once = not clip.busy
        if at_once:
            self._clear(clip)

    def file(self, number: str, name: str) -> Path:
        """A file that was made of a clip. Raises RefusedError where there is none."""
        with self._lock:
            clip = self.get(number)
            if name not in FILES or clip.state != "done":
                raise RefusedError(404, "There is no such file. A job may be going on, or have failed.")
            return self._folder(clip) / FILES[name]

    def close(self) -> None:
        """End the jobs, forget all clips, remove all results."""
        with self._lock:
            self._closed = True
            for process in self._looks:
                process.kill()
        for clip in self.list():
            self.remove(clip.id)
        self._worker.shutdown(wait=True, cancel_futures=True)
        self._scratch.close()

    def _look(self, file: MemoryFile) -> Facts:
        looks: list[ClipProcess] = []

        def started(process: ClipProcess) -> None:
            with self._lock:
                looks.append(process)
                self._looks.add(process)
                if self._closed:
                    process.kill()

        try:
            return Facts(**look(file, started=started))
        except FailedError as trouble:
            _log.warning("a clip could not be looked at: %s", trouble)
            raise InputError(f"{file} cannot be read ({trouble} inside mien). Convert it to H.264 first.") from trouble
        finally:
            with self._lock:
                self._looks.difference_update(looks)

    def _stop(self, clip: Clip) -> None:
        clip.cancelled.set()
        if clip.process is not None:
            clip.process.kill()
        if clip.future is not None and clip.future.cancel():
            clip.state = "cancelled"

    def _folder(self, clip: Clip) -> Path:
        return self._scratch.path / clip.id

    def _clear(self, clip: Clip) -> None:
        shutil.rmtree(self._folder(clip), ignore_errors=True)
        self.intake.drop(clip.file.data)

    def _work(self, clip: Clip, wish: Wish) -> None:
        """One job, in the worker's thread."""
        state: State = "failed"
        outcome: dict[str, Any] = {}
        error: str | None = None
        clip.state = "running"
        try:
            outcome = self._rerender(clip, wish)
            state = "done"
        except CancelledError:
            state = "cancelled"
        except MienError as trouble:
            error = str(trouble)
        except Exception as trouble:
            name = str(trouble) if isinstance(trouble, FailedError) else type(trouble).__name__
            _log.warning("a clip could not be worked on: %s", name)
            error = f"Something went wrong inside mien ({name}). Try another engine, avatar or clip."
        if state != "done":
            shutil.rmtree(self._folder(clip), ignore_errors=True)
        with self._lock:
            clip.state, clip.outcome, clip.error, clip.process = state, outcome, error, None
            removed = clip.removed
        if removed:
            self._clear(clip)

    def _rerender(self, clip: Clip, wish: Wish) -> dict[str, Any]:
        def started(process: ClipProcess) -> None:
            with self._lock:
                clip.process = process
                if clip.cancelled.is_set():
                    process.kill()

        def on_progress(progress: Progress) -> None:
            clip.progress = progress
            if clip.cancelled.is_set():
                raise _cancelled()

        folder = self._folder(clip)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            return anonymize(
                clip.file, avatar=wish.path, engine=wish.engine, scene=wish.scene, audio=wish.audio, size=wish.size,
                output=folder / "avatar.mp4", on_progress=on_progress, started=started,
            )  # fmt: skip
        except CrashedError:
            if clip.cancelled.is_set():  # it was ended, not by itself
                raise _cancelled() from None
            raise


def _cancelled() -> CancelledError:
    return CancelledError("Cancelled before the clip was through; nothing was written.")
