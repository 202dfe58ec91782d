"""Sessions that were kept: whole, private, shown as they are, and gone when they are removed."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emotion.synthetic import bump, face, smiling, timeline
from hosted import HOSTILE, Client, hosted
from mien.emotion.timeline import Timeline
from mien.errors import OutputError
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
from mien.studio import sessions
from mien.studio.sessions import FILES, Session, SessionStore
from patience import patience

STARTED = datetime(2026, 3, 1, 14, 5, tzinfo=timezone(timedelta(hours=9)))
NO_ID = "0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions"


@pytest.fixture
def store(folder: Path) -> Iterator[SessionStore]:
    store = SessionStore(folder)
    yield store
    store.close()


@pytest.fixture
def page(store: SessionStore) -> Iterator[Client]:
    with hosted(sessions.routes(store)) as client:
        yield client


@pytest.fixture(scope="module")
def record() -> Timeline:
    """Six seconds with a smile, the face out of sight for one of them."""
    return timeline(
        np.arange(180) / 30, lambda t: face(smiling(0.6 * bump(t, 2, 1.5))) if not 4 <= t < 5 else None
    )  # fmt: skip


def recorded(store: SessionStore) -> Path:
    """A recording as a live session makes it."""
    path = store.recording_path()
    with VideoWriter(path, size=(64, 64), rate=25) as writer:
        for index in range(12):
            writer.write(np.full((64, 64, 3), 20 * index, np.uint8))
    return path


def keep(store: SessionStore, record: Timeline, **options: Any) -> Session:
    return store.keep(record, **({"started": STARTED, "avatar": "maya"} | options))


def test_a_session_is_kept_with_all_its_files(store: SessionStore, record: Timeline, folder: Path) -> None:
    recording = recorded(store)
    kept = keep(store, record, title="  First\nvisit\x07 ", recording=recording)
    assert kept.files == FILES
    assert not recording.exists()
    assert store.list() == [kept]
    assert kept.to_dict() | {"started": ""} == {
        "id": kept.id, "started": "", "seconds": 6.0, "title": "First visit", "avatar": "maya",
        "coverage": round(150 / 180, 4), "files": list(FILES), "damaged": False,
    }  # fmt: skip
    assert datetime.fromisoformat(kept.to_dict()["started"]) == STARTED
    assert "<h1>First visit</h1>" in (folder / kept.id / "report.html").read_text(encoding="utf-8")
    assert len((folder / kept.id / "timeline.csv").read_text().splitlines()) == 151
    assert json.loads((folder / kept.id / "summary.json").read_text())["frames_total"] == 180
    with VideoReader(folder / kept.id / "avatar.mp4") as video:
        assert len(list(video)) == 12
    if sys.platform != "win32":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_recording_there_is_none(store: SessionStore, record: Timeline) -> None:
    assert keep(store, record).files == FILES[:3]


def test_nothing_is_made_before_something_is_kept(store: SessionStore, folder: Path) -> None:
    assert store.list() == []
    assert not folder.parent.exists()


def test_a_session_that_cannot_be_kept_leaves_nothing(
    store: SessionStore, record: Timeline, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = recorded(store)

    def full(page: Path, *args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sessions, "_write_record", full)
    with pytest.raises(OutputError, match=r"cannot be kept in .* MIEN_SESSIONS"):
        keep(store, record, recording=recording)
    assert store.list() == []
    assert recording.exists()
    assert [path.name for path in recording.parent.iterdir() if path.name != "lock"] == [recording.name]
    monkeypatch.undo()
    assert keep(store, record, recording=recording).files == FILES


def test_the_newest_comes_first(store: SessionStore, record: Timeline) -> None:
    zones = [timezone.utc, timezone(timedelta(hours=9)), timezone(timedelta(hours=-8))]
    moments = [STARTED.astimezone(zone) + timedelta(minutes=m) for m, zone in zip((1, 2, 0), zones, strict=True)]
    kept = [keep(store, record, started=moment).id for moment in moments]
    assert [session.id for session in store.list()] == [kept[1], kept[0], kept[2]]
    assert len(set(kept)) == 3


def test_the_folder_is_beside_the_avatars_or_where_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "mien" / "avatars"))
    monkeypatch.delenv("MIEN_SESSIONS", raising=False)
    assert SessionStore().folder == tmp_path / "mien" / "sessions"
    monkeypatch.setenv("MIEN_SESSIONS", str(tmp_path / "elsewhere"))
    assert SessionStore().folder == tmp_path / "elsewhere"


def test_a_page_lists_renames_and_removes(page: Client, store: SessionStore, record: Timeline, folder: Path) -> None:
    kept = keep(store, record, title="Kim Min-ji")
    assert page.get("/api/sessions").json() == [kept.to_dict()]
    renamed = page.patch(f"/api/sessions/{kept.id}", json={"title": "Visit <2>"})
    assert renamed.status_code == 200
    assert renamed.json() == kept.to_dict() | {"title": "Visit <2>"}
    assert page.get("/api/sessions").json() == [renamed.json()]
    report = page.get(f"/sessions/{kept.id}/report.html").text
    assert "<h1>Visit &lt;2&gt;</h1>" in report
    assert "<title>Visit &lt;2&gt;</title>" in report
    for file in (folder / kept.id).iterdir():
        assert b"Min-ji" not in file.read_bytes()
    assert page.patch(f"/api/sessions/{kept.id}", json={"title": ""}).json()["title"] == ""
    assert page.get(f"/sessions/{kept.id}/report.html").text.count("Expression report</") == 2
    assert page.delete(f"/api/sessions/{kept.id}").status_code == 204
    assert page.get("/api/sessions").json() == []
    assert not (folder / kept.id).exists()
    for gone in (page.delete(f"/api/sessions/{kept.id}"), page.get(f"/sessions/{kept.id}/report.html")):
        assert gone.status_code == 404
        assert gone.json() == {"error": "There is no such session. It may have been removed."}


def test_a_new_title_changes_nothing_else_in_the_report(store: SessionStore, record: Timeline, folder: Path) -> None:
    one, other = keep(store, record, title="before"), keep(store, record, title="\\1 <after> $&")
    store.rename(one.id, "\\1 <after> $&")
    reports = [(folder / session.id / "report.html").read_text(encoding="utf-8") for session in (one, other)]
    assert reports[0] == reports[1]


def test_a_report_that_somebody_spoilt_keeps_no_one_waiting(
    store: SessionStore, record: Timeline, folder: Path
) -> None:
    kept = keep(store, record, title="before")
    spoilt = "<title>" * 300_000 + "<h1>" * 300_000
    (folder / kept.id / "report.html").write_text(spoilt, encoding="utf-8")
    with patience():
        assert store.rename(kept.id, "after").title == "after"
    assert (folder / kept.id / "report.html").read_text(encoding="utf-8") == spoilt


def test_files_come_with_their_types_and_names(page: Client, store: SessionStore, record: Timeline) -> None:
    kept = keep(store, record, recording=recorded(store))
    stamp = f"{kept.started:%Y-%m-%d-%H%M}"
    types = ["text/html; charset=utf-8", "text/csv; charset=utf-8", "application/json", "video/mp4"]
    for name, kind in zip(FILES, types, strict=True):
        answer = page.get(f"/sessions/{kept.id}/{name}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        shown = "inline" if name == "report.html" else "attachment"
        assert answer.headers["content-disposition"] == f'{shown}; filename="{stamp}-{name}"'
        assert ("content-security-policy" in answer.headers) == (name == "report.html")
    policy = page.get(f"/sessions/{kept.id}/report.html").headers["content-security-policy"]
    assert policy.endswith("sandbox allow-scripts")
    assert policy.startswith("default-src 'none';")
    saved = page.get(f"/sessions/{kept.id}/report.html?download")
    assert saved.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in saved.headers["content-security-policy"]


def test_a_player_can_jump(page: Client, store: SessionStore, record: Timeline, folder: Path) -> None:
    kept = keep(store, record, recording=recorded(store))
    whole = (folder / kept.id / "avatar.mp4").read_bytes()
    path = f"/sessions/{kept.id}/avatar.mp4"
    for asked, part in {"0-": whole, "100-199": whole[100:200], "-50": whole[-50:], "500-": whole[500:]}.items():
        answer = page.get(path, headers={"range": f"bytes={asked}"})
        assert answer.status_code == 206
        assert answer.content == part
        first = len(whole) - len(part) if asked != "100-199" else 100
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{len(whole)}"
    assert page.get(path, headers={"range": f"bytes={len(whole)}-"}).status_code == 416
    assert page.head(path).headers["content-length"] == str(len(whole))
    assert page.get(path, headers={"range": "bytes=" + "0-0," * 500}).status_code in (200, 206)


BROKEN: dict[str, bytes | None] = {
    "missing": None, "empty": b"", "no json": b"{", "no text": b"\xff\xfe\x00", "list": b"[]", "number": b"1",
    "deep": b"[" * 60_000, "huge": b'{"format": 1, "title": "' + b"x" * 10_000_000 + b'"}',
    **{
        name: json.dumps(
            {"format": 1, "id": NO_ID, "started": "2026-01-01T10:00:00+00:00", "seconds": 1, "title": "", "avatar": "",
             "coverage": 1} | change
        ).encode()
        for name, change in {
            "later format": {"format": 2}, "no zone": {"started": "2026-01-01T10:00:00"}, "no date": {"started": 7},
            "no number": {"seconds": "long"}, "NaN": {"coverage": float("nan")}, "infinite": {"seconds": 1e400},
            "negative": {"seconds": -1}, "null": {"coverage": None},
        }.items()
    },
}  # fmt: skip


def test_a_damaged_session_is_listed_so_that_it_can_be_removed(
    page: Client, store: SessionStore, record: Timeline, folder: Path
) -> None:
    whole = keep(store, record, title="whole")
    for why, content in BROKEN.items():
        damaged = keep(store, record, title="damaged")
        path = folder / damaged.id / "session.json"
        path.unlink() if content is None else path.write_bytes(content)
        listed = {session["id"]: session for session in page.get("/api/sessions").json()}
        assert listed[whole.id] == whole.to_dict(), why
        assert listed[damaged.id]["damaged"] is True, why
        assert listed[damaged.id]["files"] == list(FILES[:3]), why
        assert datetime.fromisoformat(listed[damaged.id]["started"]).tzinfo is not None
        assert page.patch(f"/api/sessions/{damaged.id}", json={"title": "x"}).status_code == 422
        assert page.get(f"/sessions/{damaged.id}/timeline.csv").status_code == 200
        assert page.delete(f"/api/sessions/{damaged.id}").status_code == 204
        assert [session["id"] for session in page.get("/api/sessions").json()] == [whole.id]


def test_what_is_no_session_is_neither_listed_nor_given_out(
    page: Client, store: SessionStore, record: Timeline, folder: Path, tmp_path: Path
) -> None:
    kept = keep(store, record)
    secret = tmp_path / "secret"
    secret.mkdir()
    for name in FILES:
        (secret / name).write_text("secret")
    (folder / "a").mkdir()
    (folder / NO_ID).symlink_to(secret)
    (folder / kept.id / "avatar.mp4").symlink_to(secret / "avatar.mp4")
    (folder / kept.id / "notes.txt").write_text("secret")
    (folder / ("f" * 16)).write_text("no folder")
    assert [session.id for session in store.list()] == [kept.id]
    for path in (f"{NO_ID}/report.html", f"{kept.id}/avatar.mp4", f"{kept.id}/notes.txt", f"{kept.id}/session.json"):
        answer = page.get(f"/sessions/{path}")
        assert answer.status_code == 404
        assert "secret" not in answer.text
    assert page.delete(f"/api/sessions/{NO_ID}").status_code == 404
    assert (secret / "report.html").exists()
    page.delete(f"/api/sessions/{kept.id}")
    assert (secret / "avatar.mp4").exists()


def test_no_name_leads_out_of_the_folder(page: Client, store: SessionStore, record: Timeline, folder: Path) -> None:
    kept = keep(store, record, recording=recorded(store))
    recorded(store)
    (folder / "secret.txt").write_text("secret")
    (folder.parent / "secret.txt").write_text("secret")
    before = sorted(path for path in folder.parent.rglob("*"))
    for name in HOSTILE:
        for method, path in (
            ("GET", f"/sessions/{kept.id}/{name}"), ("GET", f"/sessions/{name}/report.html"),
            ("GET", f"/sessions/{name}/{name}"), ("DELETE", f"/api/sessions/{name}"),
        ):  # fmt: skip
            answer = page.raw(path, method)
            assert answer.status in (307, 400, 404, 405), path
            assert b"secret" not in answer.body
            assert b"root:" not in answer.body
    assert sorted(path for path in folder.parent.rglob("*")) == before


NO_TITLES = [
    b"", b"{", b"[]", b'"x"', b"{}", b'{"title": 7}', b'{"title": null}', b'{"title": ["x"]}', b"\xff\xfe",
    b"[" * 10_000, json.dumps({"title": "x" * 201}).encode(), b'{"title": "' + b"x" * 20_000 + b'"}',
]  # fmt: skip


def test_a_title_that_is_none_is_refused(page: Client, store: SessionStore, record: Timeline) -> None:
    kept = keep(store, record, title="as it was")
    for body in NO_TITLES:
        answer = page.patch(f"/api/sessions/{kept.id}", content=body)
        assert answer.status_code in (400, 413), body[:20]
        assert answer.json()["error"]
    assert store.get(kept.id).title == "as it was"


def test_any_text_is_a_title(page: Client, store: SessionStore, record: Timeline) -> None:
    kept = keep(store, record)
    for title in ("\ud800", "\u202e", "a\x00b", "🙂", "한글", "</title><script>alert(1)</script>"):
        body = json.dumps({"title": title})
        assert page.patch(f"/api/sessions/{kept.id}", content=body).status_code == 200
        assert "<script>alert(1)" not in page.get(f"/sessions/{kept.id}/report.html").text
        assert page.get("/api/sessions").status_code == 200


KILLED = """
import os, signal, sys
from pathlib import Path
from mien.studio.sessions import SessionStore
path = SessionStore(Path(sys.argv[1])).recording_path()
path.write_bytes(b"pictures of an avatar")
print(path, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_recording_of_a_killed_studio_is_removed_at_the_next_start(folder: Path, record: Timeline) -> None:
    running = SessionStore(folder)
    mine = recorded(running)
    kept = keep(running, record)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    left = Path(done.stdout.strip())
    assert left.exists()
    SessionStore(folder)
    assert not left.parent.exists()
    assert mine.exists()
    assert [session.id for session in running.list()] == [kept.id]
    running.close()
    assert [path.name for path in folder.iterdir()] == [kept.id]
