"""Clips on the studio's page: real ones, through to the avatar's video, and everything that is none."""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest
from starlette.applications import Starlette

import performers
from conftest import encode_clip
from hosted import HOSTILE, Client, hosted
from mien.media.memory import MemoryFile
from mien.media.reader import VideoReader
from mien.studio import clip_jobs, clips, gallery
from mien.studio.clips import ClipJobs
from mien.studio.guard import Guard
from mien.studio.intake import UNBOUNDED
from mien.studio.serving import Server, listen
from patience import LONG, eventually
from scripted import likeness

NO_ID = "0123456789abcdef"


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds of a swaying head, with sound."""
    performers.needs_paste_models()
    path = tmp_path_factory.mktemp("clips") / "visit.mp4"
    return performers.clip(path, performers.swaying(50, side=240), audio="aac").read_bytes()


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder for temporary files."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "avatars"))
    return tmp_path / "tmp"


@pytest.fixture
def jobs(temp: Path) -> Iterator[ClipJobs]:
    jobs = ClipJobs(largest=8 << 20, room=12 << 20)
    yield jobs
    jobs.close()


@pytest.fixture
def page(jobs: ClipJobs) -> Iterator[Client]:
    with hosted(clips.routes(jobs)) as client:
        yield client


def given(page: Client, data: bytes, name: str = "visit.mp4") -> str:
    """The id of a clip that was taken in."""
    answer = page.post("/api/clips", params={"name": name}, content=data)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def asked(page: Client, number: str, **wish: object) -> Any:
    """The answer to a wish, small and quick unless it says otherwise."""
    return page.post(f"/api/clips/{number}/run", json={"avatar": "tik", "size": 64} | wish)


def ended(page: Client, number: str, within: float = LONG) -> dict[str, Any]:
    """The state of a job once it is over."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        state: dict[str, Any] = page.get(f"/api/clips/{number}").json()
        if state["state"] not in ("waiting", "running"):
            return state
        time.sleep(0.02)
    raise AssertionError(f"not over: {state}")


class Gate:
    """Holds jobs at their third picture, or at several, until it is opened."""

    stops: tuple[int, ...] = (3,)

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        real = clip_jobs.anonymize

        def held(clip: MemoryFile, **options: Any) -> Any:
            on_progress = options.pop("on_progress")

            def at(progress: Any) -> None:
                if progress.frames in self.stops:
                    self.reached.set()
                    self.open.wait(LONG)
                    if progress.frames != self.stops[-1]:
                        self.open.clear()
                on_progress(progress)

            return real(clip, on_progress=at, **options)

        monkeypatch.setattr(clip_jobs, "anonymize", held)

    def go_on(self) -> None:
        """As far as the next stop."""
        self.reached.clear()
        self.open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(monkeypatch)
    yield gate
    gate.open.set()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def test_a_clip_goes_in_and_an_avatar_comes_out(page: Client, visit: bytes, tmp_path: Path) -> None:
    taken = page.post("/api/clips", params={"name": "/home/jane/visit.mp4"}, content=visit).json()
    number = taken.pop("id")
    assert taken == {"name": "visit.mp4", "seconds": 2.0, "width": 240, "height": 240, "fps": 25.0, "audio": True}
    assert page.get(f"/api/clips/{number}").json()["state"] == "new"
    assert asked(page, number, avatar="mei", size=128).status_code == 202
    state = ended(page, number)
    assert (state["state"], state["frames"], state["total"], state["error"]) == ("done", 50, 50, None)
    assert state["coverage"] == 1.0
    assert state["sound"] == "copied as it is (aac)"
    assert state["files"] == ["avatar.mp4", "timeline.csv", "summary.json", "report.html"]
    got = {name: page.get(f"/api/clips/{number}/{name}") for name in state["files"]}
    assert [answer.headers["content-type"].split(";")[0] for answer in got.values()] == [
        "video/mp4", "text/csv", "application/json", "text/html"
    ]  # fmt: skip
    assert len(got["timeline.csv"].text.splitlines()) == 51
    assert got["summary.json"].json()["frames_total"] == 50
    assert got["report.html"].headers["content-security-policy"].endswith("sandbox allow-scripts")
    for name, answer in got.items():
        assert answer.headers["content-disposition"].endswith(f'-{name}"')
        assert b"visit" not in answer.content[:2000]
        assert b"jane" not in answer.content
    out = MemoryFile("out.mp4", got["avatar.mp4"].content)
    with VideoReader(out) as after, VideoReader(MemoryFile("in.mp4", visit)) as before:
        assert after.size == (128, 128)
        assert after.has_audio
        for shown, original in zip(after, before, strict=True):
            assert shown.time == pytest.approx(original.time, abs=1e-3)
            assert likeness(cv2.resize(shown.image, (240, 240)), original.image) < 0.6


def test_engine_scene_and_sound_are_chosen(page: Client, visit: bytes) -> None:
    number = given(page, visit)
    asked(page, number, avatar="tik", engine="puppet", scene="paste", audio="drop")
    assert ended(page, number)["state"] == "done"
    out = MemoryFile("out.mp4", page.get(f"/api/clips/{number}/avatar.mp4").content)
    with VideoReader(out) as video:
        assert video.size == (240, 240)
        assert not video.has_audio


def test_a_player_can_jump(page: Client, visit: bytes) -> None:
    number = given(page, visit)
    asked(page, number)
    ended(page, number)
    whole = page.get(f"/api/clips/{number}/avatar.mp4")
    assert whole.headers["accept-ranges"] == "bytes"
    part = page.get(f"/api/clips/{number}/avatar.mp4", headers={"range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.content == whole.content[1000:2000]


def test_it_can_be_run_again_with_another_avatar(page: Client, visit: bytes, temp: Path) -> None:
    number = given(page, visit)
    videos = []
    for avatar in ("tik", "mei"):
        asked(page, number, avatar=avatar)
        assert ended(page, number)["avatar"] == avatar
        videos.append(page.get(f"/api/clips/{number}/avatar.mp4").content)
        assert len(files(temp)) == 4
    assert videos[0] != videos[1]


def test_one_job_at_a_time_and_the_next_waits(page: Client, visit: bytes, gate: Gate) -> None:
    first, second, third = (given(page, visit, f"{n}.mp4") for n in range(3))
    for number in (first, second, third):
        assert asked(page, number).json()["state"] in ("waiting", "running")
    assert gate.reached.wait(LONG)
    states = {clip["id"]: clip["state"] for clip in page.get("/api/clips").json()}
    assert states == {third: "waiting", second: "waiting", first: "running"}
    assert list(states) == [third, second, first]
    again = asked(page, first)
    assert again.status_code == 409
    assert "being worked on already" in again.json()["error"]
    assert page.post(f"/api/clips/{second}/cancel").json()["state"] == "cancelled"
    gate.open.set()
    assert ended(page, first)["state"] == "done"
    assert ended(page, third)["state"] == "done"
    assert ended(page, second)["state"] == "cancelled"
    assert asked(page, second).status_code == 202
    assert ended(page, second)["state"] == "done"


def test_progress_is_seen_on_the_way(page: Client, visit: bytes, gate: Gate) -> None:
    gate.stops = (3, 20, 40)
    number = given(page, visit)
    asked(page, number)
    for frames in gate.stops:
        assert gate.reached.wait(LONG)
        # Its progress is told before it is held at the next picture.
        state = page.get(f"/api/clips/{number}").json()
        assert (state["state"], state["frames"], state["total"]) == ("running", frames - 1, 50)
        assert state["seconds_left"] >= 0
        assert state["fps"] > 0
        assert page.get(f"/api/clips/{number}/avatar.mp4").status_code == 404
        gate.go_on()
    assert ended(page, number)["state"] == "done"
    assert page.get(f"/api/clips/{number}").json()["seconds_left"] is None


def test_a_job_is_cancelled_and_leaves_nothing(page: Client, visit: bytes, gate: Gate, temp: Path) -> None:
    number = given(page, visit)
    asked(page, number)
    assert gate.reached.wait(LONG)
    assert page.post(f"/api/clips/{number}/cancel").status_code == 200
    gate.open.set()
    state = ended(page, number)
    assert (state["state"], state["error"], state["files"]) == ("cancelled", None, [])
    assert files(temp) == []
    assert page.post(f"/api/clips/{number}/cancel").json()["state"] == "cancelled"


def test_a_removed_clip_is_gone_with_its_results_and_its_bytes(
    page: Client, jobs: ClipJobs, visit: bytes, temp: Path
) -> None:
    number = given(page, visit)
    assert jobs.intake.held == len(visit)
    asked(page, number)
    ended(page, number)
    assert len(files(temp)) == 4
    assert page.delete(f"/api/clips/{number}").status_code == 204
    assert files(temp) == []
    assert jobs.intake.held == 0
    assert page.get("/api/clips").json() == []
    for answer in (page.get(f"/api/clips/{number}"), page.delete(f"/api/clips/{number}"), asked(page, number)):
        assert answer.status_code == 404
        assert answer.json()["error"].startswith("There is no such clip")


@pytest.mark.parametrize("which", ["running", "waiting"])
def test_a_clip_is_removed_while_it_is_worked_on(
    which: str, page: Client, jobs: ClipJobs, visit: bytes, gate: Gate, temp: Path
) -> None:
    numbers = {"running": given(page, visit), "waiting": given(page, visit)}
    for number in numbers.values():
        asked(page, number)
    assert gate.reached.wait(LONG)
    assert page.delete(f"/api/clips/{numbers[which]}").status_code == 204
    assert page.get(f"/api/clips/{numbers[which]}").status_code == 404
    gate.open.set()
    other = numbers["waiting" if which == "running" else "running"]
    assert ended(page, other)["state"] == "done"
    assert len(files(temp)) == 4
    assert jobs.intake.held == len(visit)


def test_all_goes_when_the_studio_stops(visit: bytes, temp: Path, gate: Gate) -> None:
    jobs = ClipJobs()
    with hosted(clips.routes(jobs)) as page:
        for _ in range(2):
            asked(page, given(page, visit))
        assert gate.reached.wait(LONG)
        threading.Timer(0.1, gate.open.set).start()
        jobs.close()
    assert not list(temp.iterdir())
    assert jobs.intake.held == 0


def no_clips(folder: Path) -> dict[str, bytes]:
    """What is dropped by mistake, by name."""
    whole = encode_clip(folder / "whole.mp4", frames=30).read_bytes()
    sound = folder / "song.mp4"
    with av.open(str(sound), "w") as out:
        track = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        out.mux(track.encode(frame))
        out.mux(track.encode(None))
    wide = encode_clip(folder / "wide.mkv", size=(8400, 16), codec="ffv1", pix_fmt="bgr0", frames=1).read_bytes()
    return {
        "notes.txt": b"The patient said that all was well.\n" * 20, "clip.mp4": b"", "half.mp4": whole[:2000],
        "noise.mp4": np.random.default_rng(3).bytes(5000), "song.mp4": sound.read_bytes(), "wide.mkv": wide,
        "me.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    }  # fmt: skip


def test_what_is_no_clip_is_refused_at_once_in_the_words_of_the_command_line(
    page: Client, jobs: ClipJobs, temp: Path, tmp_path: Path
) -> None:
    from typer.testing import CliRunner

    from mien.cli.app import app

    for name, data in no_clips(tmp_path).items():
        path = tmp_path / name
        path.write_bytes(data)
        answer = page.post("/api/clips", params={"name": name}, content=data)
        assert answer.status_code == 422, name
        said = CliRunner().invoke(app, ["anonymize", str(path), "-o", str(tmp_path / "out.mp4")])
        assert str(said.exception) == answer.json()["error"].replace(name, str(path), 1)
    assert page.get("/api/clips").json() == []
    assert jobs.intake.held == 0
    assert files(temp) == []


def test_a_clip_that_breaks_in_the_middle_fails_with_its_sentence(page: Client, tmp_path: Path, temp: Path) -> None:
    performers.needs_paste_models()
    data = encode_clip(tmp_path / "a.mkv", frames=100, codec="ffv1", pix_fmt="bgr0").read_bytes()
    number = given(page, data[: len(data) // 2], "phone.mkv")
    asked(page, number)
    state = ended(page, number)
    assert state["state"] == "failed"
    assert state["error"].startswith("phone.mkv is damaged or cut off from")
    assert files(temp) == []


def test_an_error_of_ours_is_a_sentence_too_and_the_next_job_runs(
    page: Client, visit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError("secret path /home/jane")

    number = given(page, visit)
    with monkeypatch.context() as patch:
        patch.setattr(clip_jobs, "anonymize", broken)
        asked(page, number)
        state = ended(page, number)
    assert state["state"] == "failed"
    assert "ZeroDivisionError" in state["error"]
    assert "jane" not in state["error"]
    asked(page, number)
    assert ended(page, number)["state"] == "done"


WISHES: list[Any] = [
    {"avatar": "nobody"}, {"avatar": None}, {"avatar": 1}, {"avatar": "/etc/passwd"}, {"avatar": "../secret.png"},
    {"avatar": ["tik"]}, {"engine": "warp"}, {"engine": ["puppet"]}, {"engine": 1}, {"scene": "raw"}, {"scene": None},
    {"scene": ["avatar"]}, {"audio": "loud"}, {"audio": True}, {"size": 63}, {"size": 2049}, {"size": "big"},
    {"size": 1e9}, {"size": True}, {"size": None}, {"size": float("nan")},
]  # fmt: skip


def test_a_wish_that_makes_no_sense_is_refused(page: Client, visit: bytes, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "secret.png"), performers.portrait())
    number = given(page, visit)
    wishes = [{"avatar": "tik"} | wish for wish in [*WISHES, {"avatar": str(tmp_path / "secret.png")}]]
    for body in [*map(json.dumps, wishes), "", "[]", "{", "null", "x" * 20_000]:
        answer = page.post(f"/api/clips/{number}/run", content=body)
        assert answer.status_code in (400, 413), body[:50]
        assert answer.json()["error"]
    assert page.get(f"/api/clips/{number}").json()["state"] == "new"


def test_an_engine_that_does_not_take_the_avatar_says_so(page: Client, visit: bytes) -> None:
    number = given(page, visit)
    asked(page, number, avatar="tik", engine="mesh")
    state = ended(page, number)
    assert state["state"] == "failed"
    assert "takes a picture" in state["error"]


def test_no_name_leads_anywhere(page: Client, visit: bytes, temp: Path) -> None:
    (temp / "secret.txt").write_text("secret")
    number = given(page, visit)
    asked(page, number)
    ended(page, number)
    before = sorted(temp.rglob("*"))
    for name in HOSTILE:
        for method, path in (
            ("GET", f"/api/clips/{number}/{name}"), ("GET", f"/api/clips/{name}/avatar.mp4"),
            ("GET", f"/api/clips/{name}"), ("DELETE", f"/api/clips/{name}"),
        ):  # fmt: skip
            answer = page.raw(path, method)
            assert answer.status in (200, 307, 400, 404, 405), path
            assert answer.status != 200 or answer.body == page.get("/api/clips").content
            assert b"secret" not in answer.body
    for name in ("lock", "avatar.expression.csv", ".avatar.mp4"):
        assert page.get(f"/api/clips/{number}/{name}").status_code == 404
    assert sorted(temp.rglob("*")) == before


@pytest.mark.parametrize(
    ("sent", "name"),
    [("../../x.mp4", "x.mp4"), ("C:\\a\\b.mp4", "b.mp4"), ("a\x00\n\u202eb.mp4", "ab.mp4"), ("", "clip"), ("..", "..")],
)  # fmt: skip
def test_a_clips_name_is_for_reading_only(sent: str, name: str, page: Client, visit: bytes, temp: Path) -> None:
    number = given(page, visit, sent)
    assert page.get(f"/api/clips/{number}").json()["name"] == name
    assert len(page.get(f"/api/clips/{given(page, visit, 'x' * 5000 + '.mp4')}").json()["name"]) == 100
    assert files(temp) == []


@pytest.mark.parametrize("announced", [True, False])
def test_too_large_a_clip_is_sent_to_the_command_line(announced: bool, page: Client, jobs: ClipJobs) -> None:
    data = bytes((8 << 20) + 1)
    answer = page.post(
        "/api/clips", content=data if announced else (data[i : i + 65536] for i in range(0, 9 << 20, 65536))
    )
    assert answer.status_code == 413
    assert "up to 8 MB" in answer.json()["error"]
    assert "mien anonymize" in answer.json()["error"]
    assert jobs.intake.held == 0


def test_behind_the_guard_the_sentence_is_the_same(jobs: ClipJobs) -> None:
    listener, server = listen(), Server()
    app = Starlette(routes=clips.routes(jobs))
    server.add(Guard(app, origins=listener.origins, bodies={"/api/clips": UNBOUNDED}), listener)
    server.start()
    try:
        own = {"origin": listener.origins[0]}
        answer = httpx.post(f"{listener.origins[0]}/api/clips", content=bytes(40 << 20), headers=own)
    finally:
        server.stop()
    assert answer.status_code == 413
    assert "mien anonymize" in answer.json()["error"]


def test_the_room_for_all_clips_is_limited(page: Client, jobs: ClipJobs, visit: bytes) -> None:
    padded = visit + bytes((5 << 20) - len(visit))
    numbers = [given(page, padded) for _ in range(2)]
    answer = page.post("/api/clips", content=padded)
    assert answer.status_code == 413
    assert "Remove one first" in answer.json()["error"]
    assert jobs.intake.held == 2 * len(padded)
    page.delete(f"/api/clips/{numbers[0]}")
    given(page, padded)


def test_the_number_of_clips_is_limited(
    page: Client, jobs: ClipJobs, visit: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_jobs, "MOST", 2)
    numbers = [given(page, visit) for _ in range(2)]
    assert page.post("/api/clips", content=visit).status_code == 413
    assert jobs.intake.held == 2 * len(visit)
    page.delete(f"/api/clips/{numbers[0]}")
    given(page, visit)


def test_a_flood_of_uploads_neither_fills_the_memory_nor_stops_the_page(
    page: Client, jobs: ClipJobs, visit: bytes
) -> None:
    padded = visit + bytes((3 << 20) - len(visit))
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.001):
            most = max(most, jobs.intake.held)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(12) as pool:
        answers = [pool.submit(page.post, "/api/clips", content=padded) for _ in range(40)]
        while not all(answer.done() for answer in answers):
            assert page.get("/api/clips").status_code == 200
    over.set()
    watcher.join()
    codes = [answer.result().status_code for answer in answers]
    assert set(codes) <= {201, 413, 429}
    assert codes.count(201) == len(page.get("/api/clips").json()) <= 4
    assert most <= 12 << 20
    assert jobs.intake.held == codes.count(201) * len(padded)


def test_an_upload_that_breaks_off_is_forgotten(page: Client, jobs: ClipJobs, visit: bytes) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", page.base_url.port or 0)) as wire:
            head = f"POST /api/clips HTTP/1.1\r\nHost: x\r\nContent-Length: {len(visit)}\r\n\r\n"
            wire.sendall(head.encode() + visit[: len(visit) // 2])
    assert eventually(lambda: page.post("/api/clips", content=visit).status_code != 429)
    assert eventually(lambda: jobs.intake.held <= len(visit))
    assert jobs.intake.held == len(visit)
    assert len(page.get("/api/clips").json()) == 1


def test_an_avatar_of_ones_own_is_worn(page: Client, visit: bytes, tmp_path: Path) -> None:
    kept = gallery.Gallery().add(
        MemoryFile("ines.png", cv2.imencode(".png", performers.portrait()[..., ::-1])[1].tobytes())
    )
    assert kept.name == "ines"
    number = given(page, visit)
    asked(page, number, avatar="ines")
    state = ended(page, number)
    assert (state["state"], state["avatar"]) == ("done", "ines")
