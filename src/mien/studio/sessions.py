"""Live sessions that were kept: a folder of the user's own, what is in it, and how it is shown, renamed and removed.

A session is a folder `<id>` with `session.json` (what `Session` says, and the version of this layout), the report, the
timeline, its summary and, if one was made, the recording of the avatar.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from html import escape
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mien.avatar.library import user_folder
from mien.errors import InputError, OutputError
from mien.media.atomic import atomic_path
from mien.media.chosen import chosen_folder
from mien.studio.answers import RefusedError, explained, file_answer, json_object
from mien.studio.scratch import Scratch, sweep

if TYPE_CHECKING:
    from mien.emotion.timeline import Timeline

FORMAT: Final = 1
FILES: Final = ("report.html", "timeline.csv", "summary.json", "avatar.mp4")
LONGEST_TITLE: Final = 200
"""Characters."""
_RECORD: Final = "session.json"
_LARGEST_RECORD: Final = 64 * 1024
_ID: Final = re.compile(r"[0-9a-f]{16}")
_WORKING: Final = ".working-"
_HEADINGS: Final = ("title", "h1")
_UNTITLED: Final = "Expression report"


def default_folder() -> Path:
    """Where sessions are kept: MIEN_SESSIONS, else beside the user's avatars."""
    return chosen_folder("MIEN_SESSIONS") or user_folder().with_name("sessions")


@dataclass(frozen=True, slots=True)
class Session:
    """A kept session."""

    id: str
    started: datetime
    """With its time zone."""
    seconds: float
    title: str
    avatar: str
    coverage: float
    """Share of the frames in which a face was seen, 0 to 1."""
    files: tuple[str, ...]
    """Which of `FILES` there are."""
    damaged: bool = False
    """Whether `session.json` cannot be read; the rest is guessed then."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "id": self.id, "started": self.started.isoformat(timespec="seconds"), "seconds": round(self.seconds, 3),
            "title": self.title, "avatar": self.avatar, "coverage": round(self.coverage, 4),
            "files": list(self.files), "damaged": self.damaged,
        }  # fmt: skip


class SessionStore:
    """The folder of kept sessions. Nothing is made before something is to be kept. Methods block: call them outside of
    the event loop."""

    def __init__(self, folder: Path | None = None) -> None:
        """Removes what killed runs left in the folder: recordings that nobody decided about."""
        self.folder = folder or default_folder()
        self._lock = Lock()
        self._working: Scratch | None = None
        sweep(self.folder, _WORKING)

    def recording_path(self) -> Path:
        """A new place for a recording of avatar pictures until it is kept; what is never kept goes with `close`.
        Raises OutputError."""
        return self._work_folder() / f"{secrets.token_hex(8)}.mp4"

    def keep(
        self, timeline: Timeline, *, started: datetime, avatar: str, title: str = "", recording: Path | None = None
    ) -> Session:
        """Write a session that has ended, whole or not at all. The recording moves in. Raises OutputError."""
        from mien.emotion.report import write_report

        number = secrets.token_hex(8)
        part = self._work_folder() / number
        session = Session(
            number, started.astimezone(), timeline.duration, clean_title(title), avatar, timeline.coverage, FILES
        )
        try:
            part.mkdir(mode=0o700)
            timeline.write_csv(part / "timeline.csv")
            timeline.write_json(part / "summary.json")
            write_report(timeline, part / "report.html", title=session.title)
            _write_record(part, session)
            if recording is not None:
                recording.replace(part / "avatar.mp4")
            part.rename(self.folder / number)
        except OSError as error:
            raise self._trouble(error) from error
        finally:
            if part.exists():
                if recording is not None and (part / "avatar.mp4").exists():
                    (part / "avatar.mp4").replace(recording)
                shutil.rmtree(part, ignore_errors=True)
        return self.get(number)

    def list(self) -> list[Session]:
        """All that are kept, newest first; one whose record is damaged is listed as such, so that it can be removed."""
        found = [_read(folder) for folder in self._folders().values()]
        return sorted(found, key=lambda session: session.started, reverse=True)

    def get(self, number: str) -> Session:
        """The session of that id. Raises RefusedError where there is none."""
        return _read(self._find(number))

    def rename(self, number: str, title: str) -> Session:
        """Give it another title, in its report too: a name that was taken back must not live on in there."""
        with self._lock:
            folder = self._find(number)
            session = _read(folder)
            if session.damaged:
                raise InputError("This session is damaged and cannot be renamed. What is left of it can be removed.")
            session = replace(session, title=clean_title(title))
            try:
                if "report.html" in session.files:
                    page = (folder / "report.html").read_text(encoding="utf-8")
                    with atomic_path(folder / "report.html") as part:
                        part.write_text(_retitled(page, session.title), encoding="utf-8")
                _write_record(folder, session)
            except (OSError, UnicodeDecodeError) as error:
                raise self._trouble(error) from error
            return session

    def delete(self, number: str) -> None:
        """Remove it with all its files. Raises RefusedError where there is none, OutputError where something stays."""
        with self._lock:
            folder = self._find(number)
            try:
                shutil.rmtree(folder)
            except OSError as error:
                raise OutputError(
                    f"The session could not be removed wholly ({error.strerror or error}). Close what has its files "
                    f"open and remove it again, or remove the folder {folder}."
                ) from error

    def file(self, number: str, name: str) -> Path:
        """One of its files. Raises RefusedError where there is no such session or file."""
        folder = self._find(number)
        if name not in _files(folder):
            raise RefusedError(404, "This session has no such file.")
        return folder / name

    def close(self) -> None:
        """Remove recordings that were not kept."""
        with self._lock:
            if self._working is not None:
                self._working.close()
                self._working = None

    def _folders(self) -> dict[str, Path]:
        """Folder of every session, by id."""
        try:
            found = [path for path in self.folder.iterdir() if _ID.fullmatch(path.name)]
        except OSError:
            return {}
        return {path.name: path for path in found if path.is_dir() and not path.is_symlink()}

    def _find(self, number: str) -> Path:
        folder = self._folders().get(number)
        if folder is None:
            raise RefusedError(404, "There is no such session. It may have been removed.")
        return folder

    def _work_folder(self) -> Path:
        with self._lock:
            if self._working is None:
                try:
                    self.folder.parent.mkdir(parents=True, exist_ok=True)
                    with suppress(FileExistsError):  # one that is there is not ours to close to others
                        self.folder.mkdir(mode=0o700)
                except OSError as error:
                    raise self._trouble(error) from error
                self._working = Scratch(self.folder, _WORKING)
            return self._working.path

    def _trouble(self, error: Exception) -> OutputError:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        return OutputError(
            f"The session cannot be kept in {self.folder} ({why}). Free some space there, or set MIEN_SESSIONS to "
            "another folder."
        )


def clean_title(title: str) -> str:
    """One line without control characters, cut where it is too long."""
    line = " ".join(title.split())
    return "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))[:LONGEST_TITLE].strip()


def asked_title(asked: dict[str, Any], *, otherwise: str | None = None) -> str:
    """The title that a request brings, `otherwise` without one. Raises RefusedError."""
    title = asked.get("title", otherwise)
    if not isinstance(title, str) or len(title) > LONGEST_TITLE:
        raise RefusedError(400, f"A title is text of at most {LONGEST_TITLE} characters.")
    return title


def routes(store: SessionStore) -> list[Route]:
    """`/api/sessions` and the files of each under `/sessions/{id}/`."""

    async def listing(request: Request) -> Response:
        return JSONResponse([session.to_dict() for session in await to_thread.run_sync(store.list)])

    async def rename(request: Request) -> Response:
        title = asked_title(await json_object(request))
        return JSONResponse((await to_thread.run_sync(store.rename, request.path_params["id"], title)).to_dict())

    async def delete(request: Request) -> Response:
        await to_thread.run_sync(store.delete, request.path_params["id"])
        return Response(status_code=204)

    async def file(request: Request) -> Response:
        number, name = request.path_params["id"], request.path_params["file"]
        path, session = await to_thread.run_sync(lambda: (store.file(number, name), store.get(number)))
        shown = name == "report.html" and "download" not in request.query_params
        return file_answer(path, name=f"{session.started:%Y-%m-%d-%H%M}-{name}", attached=not shown)

    return [
        Route("/api/sessions", explained(listing), methods=["GET"]),
        Route("/api/sessions/{id}", explained(rename), methods=["PATCH"]),
        Route("/api/sessions/{id}", explained(delete), methods=["DELETE"]),
        Route("/sessions/{id}/{file}", explained(file), methods=["GET"]),
    ]


def _files(folder: Path) -> tuple[str, ...]:
    return tuple(name for name in FILES if (folder / name).is_file() and not (folder / name).is_symlink())


def _read(folder: Path) -> Session:
    """A session by its folder, whatever state it is in."""
    try:
        with (folder / _RECORD).open(encoding="utf-8") as file:
            record = json.loads(file.read(_LARGEST_RECORD))
        started = datetime.fromisoformat(record["started"])
        seconds, coverage = float(record["seconds"]), float(record["coverage"])
        usable = record["format"] == FORMAT and started.tzinfo is not None and 0 <= coverage <= 1 and 0 <= seconds < 1e7
        if not usable:
            raise ValueError("not a record of ours")
        title, avatar = clean_title(str(record["title"])), clean_title(str(record["avatar"]))
        return Session(folder.name, started, seconds, title, avatar, coverage, _files(folder))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Session(folder.name, _written(folder), 0.0, "", "", 0.0, _files(folder), damaged=True)


def _written(folder: Path) -> datetime:
    try:
        seconds = folder.stat().st_mtime
    except OSError:  # gone by now
        seconds = 0.0
    return datetime.fromtimestamp(seconds, timezone.utc).astimezone()


def _write_record(folder: Path, session: Session) -> None:
    values = {name: value for name, value in session.to_dict().items() if name not in ("files", "damaged")}
    with atomic_path(folder / _RECORD) as part:
        part.write_text(json.dumps({"format": FORMAT, **values}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _retitled(page: str, title: str) -> str:
    """A report's HTML under another heading."""
    heading = escape(title or _UNTITLED)
    for tag in _HEADINGS:
        before, opened, rest = page.partition(f"<{tag}>")
        _, closed, after = rest.partition(f"</{tag}>")
        if closed:
            page = f"{before}{opened}{heading}{closed}{after}"
    return page
