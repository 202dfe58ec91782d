"""A clip that crashes its decoder costs one job: the studio answers, says so, and does the next."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import mien.clip_process
import performers
from conftest import encode_clip
from hosted import Client, hosted
from mien.errors import MienError
from mien.media.memory import MemoryFile
from mien.studio import clip_process, clips
from mien.studio.clips import ClipJobs

IN_THE_PROCESS = """
import os, sys

if "RUNS_CLIPS" in os.environ:
    import mien.media.reader as reader
    real_init, real_iter = reader.VideoReader.__init__, reader.VideoReader.__iter__

    def at_work():
        {work}

    def at_look():
        {look}

    def opened(self, source, **options):
        at_look()
        real_init(self, source, **options)

    def frames(self):
        for frame in real_iter(self):
            if frame.index == 5:
                at_work()
            yield frame

    reader.VideoReader.__init__, reader.VideoReader.__iter__ = opened, frames
"""
"""Run by Python before all else, in the processes that clips are read in: what happens at the first look at one, and at
the sixth picture of a job."""
SEGFAULT = "import ctypes; ctypes.string_at(0)"

Happens = Callable[..., None]


@pytest.fixture
def happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Happens:
    """Say what happens in the processes from now on: `work` at the sixth picture of a job, `look` at an opening."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("RUNS_CLIPS", "1")

    def now(*, work: str = "pass", look: str = "pass") -> None:
        work, look = (textwrap.indent(code, " " * 8).strip() for code in (work, look))
        (site / "sitecustomize.py").write_text(IN_THE_PROCESS.format(work=work, look=look))

    return now


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "avatars"))
    return tmp_path / "tmp"


@pytest.fixture
def jobs(temp: Path) -> Iterator[ClipJobs]:
    jobs = ClipJobs()
    yield jobs
    jobs.close()
    assert started() == []


@pytest.fixture
def page(jobs: ClipJobs) -> Iterator[Client]:
    with hosted(clips.routes(jobs)) as client:
        yield client


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    performers.needs_face_model()
    path = tmp_path_factory.mktemp("clips") / "visit.mp4"
    return performers.clip(path, performers.swaying(25, side=160), audio="aac").read_bytes()


def started() -> list[psutil.Process]:
    """The processes that this one has started and that have not ended."""
    return [child for child in psutil.Process().children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]


def put_in_line(page: Client, clip: bytes) -> str:
    number = str(page.post("/api/clips?name=visit.mp4", content=clip).json()["id"])
    assert page.post(f"/api/clips/{number}/run", json={"avatar": "tik", "size": 64}).status_code == 202
    return number


def until(true: Callable[[], Any], within: float = 60) -> Any:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if value := true():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {within} s")


def ended(page: Client, number: str) -> dict[str, Any]:
    def over() -> dict[str, Any] | None:
        state: dict[str, Any] = page.get(f"/api/clips/{number}").json()
        return None if state["state"] in ("waiting", "running") else state

    return dict(until(over))


def frames(page: Client, number: str) -> int:
    return int(page.get(f"/api/clips/{number}").json()["frames"])


WAYS = {"abort": "os.abort()", "segfault": SEGFAULT, "leaves": "os._exit(3)", "killed": "os.kill(os.getpid(), 9)"}


@pytest.mark.parametrize("way", [way for way in WAYS if sys.platform != "win32" or way != "killed"])
def test_a_crash_costs_one_job_and_the_next_one_runs(
    way: str, page: Client, visit: bytes, happens: Happens, temp: Path
) -> None:
    happens(work=WAYS[way])
    number = put_in_line(page, visit)
    state = ended(page, number)
    assert (state["state"], state["files"]) == ("failed", [])
    said = "memory ran out" if way == "killed" else "visit.mp4 made the program that reads clips crash"
    assert said in state["error"]
    if sys.platform != "win32":
        assert {"abort": "(SIGABRT)", "segfault": "(SIGSEGV)", "leaves": "(code 0x3)"}.get(way, "") in state["error"]
    assert [path.name for path in temp.rglob("*") if path.is_file()] == ["lock"]
    happens()
    assert page.post(f"/api/clips/{number}/run", json={"avatar": "tik", "size": 64}).status_code == 202
    assert ended(page, number)["state"] == "done"


def test_a_crash_at_the_first_look_is_a_refusal(page: Client, jobs: ClipJobs, visit: bytes, happens: Happens) -> None:
    happens(look=SEGFAULT)
    answer = page.post("/api/clips?name=visit.mp4", content=visit)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("visit.mp4 made the program that reads clips crash")
    assert jobs.intake.held == 0
    happens()
    assert page.post("/api/clips?name=visit.mp4", content=visit).status_code == 201


def test_a_look_that_takes_for_ever_is_given_up(
    page: Client, visit: bytes, happens: Happens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_process, "LOOK_LIMIT", 3.0)
    happens(look="import time; time.sleep(600)")
    answer = page.post("/api/clips?name=visit.mp4", content=visit)
    assert answer.status_code == 422
    assert "could not be opened within 3 seconds" in answer.json()["error"]
    assert started() == []


def test_a_decoder_that_hangs_is_ended_by_cancelling(page: Client, visit: bytes, happens: Happens, temp: Path) -> None:
    happens(work="import time; time.sleep(600)")
    number = put_in_line(page, visit)
    until(lambda: frames(page, number))
    (child,) = started()
    page.post(f"/api/clips/{number}/cancel")
    state = ended(page, number)
    assert (state["state"], state["error"]) == ("cancelled", None)
    assert not child.is_running()
    assert [path.name for path in temp.rglob("*") if path.is_file()] == ["lock"]


def test_the_end_of_the_studio_is_the_end_of_its_jobs_and_looks(temp: Path, visit: bytes, happens: Happens) -> None:
    jobs = ClipJobs()
    with hosted(clips.routes(jobs)) as page:
        happens(work="import time; time.sleep(600)")
        number = put_in_line(page, visit)
        until(lambda: frames(page, number))
        happens(look="import time; time.sleep(600)")
        answers: list[int] = []
        looked = threading.Thread(
            target=lambda: answers.append(page.post("/api/clips?name=b.mp4", content=visit).status_code)
        )
        looked.start()
        until(lambda: len(started()) == 2)
        jobs.close()
        assert started() == []
        looked.join(30)
    assert answers == [422]
    assert not list(temp.iterdir())


STUDIO = """
import sys
from mien.errors import MienError
from mien.media.memory import MemoryFile
from mien.studio.clip_process import look
look(MemoryFile("visit.mp4", open(sys.argv[1], "rb").read()), started=lambda process: print(process.pid, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
def test_a_process_whose_studio_is_killed_ends_too(tmp_path: Path, visit: bytes, happens: Happens) -> None:
    happens(look="import time; time.sleep(600)")
    (tmp_path / "visit.mp4").write_bytes(visit)
    with subprocess.Popen(
        [sys.executable, "-c", STUDIO, str(tmp_path / "visit.mp4")], stdout=subprocess.PIPE, text=True
    ) as studio:
        assert studio.stdout is not None
        child = psutil.Process(int(studio.stdout.readline()))
        time.sleep(1)
        assert child.is_running()
        studio.kill()
        studio.wait()
        child.wait(30)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_what_a_terminal_tells_all_its_programs_is_for_the_studio_to_hear(
    page: Client, visit: bytes, happens: Happens
) -> None:
    happens(work="import time; time.sleep(3)")
    number = put_in_line(page, visit)
    until(lambda: frames(page, number))
    (child,) = started()
    for what in (signal.SIGINT, signal.SIGHUP):
        child.send_signal(what)
    assert ended(page, number)["state"] == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_may_not_dump_its_memory(page: Client, visit: bytes, happens: Happens) -> None:
    happens(work="import time; time.sleep(600)")
    number = put_in_line(page, visit)
    until(lambda: frames(page, number))
    (child,) = started()
    limits = Path(f"/proc/{child.pid}/limits").read_text()
    soft, hard = next(line for line in limits.splitlines() if "core file" in line).split()[4:6]
    assert {soft, hard} <= {"0", "1"}
    assert visit[:16] not in b"".join(argument.encode() for argument in child.cmdline())
    page.post(f"/api/clips/{number}/cancel")
    ended(page, number)


def test_the_process_opens_no_socket(page: Client, visit: bytes, happens: Happens, tmp_path: Path) -> None:
    note = (
        "def note(event, arguments):\n"
        "    if event.startswith('socket.'):\n"
        f"        open({str(tmp_path / 'sockets')!r}, 'a').write(event + '\\n')\n"
        "sys.addaudithook(note)\n"
        f"open({str(tmp_path / 'begun')!r}, 'a').close()"
    )
    happens(look=note)
    assert ended(page, put_in_line(page, visit))["state"] == "done"
    assert (tmp_path / "begun").exists()
    assert not (tmp_path / "sockets").exists()


def test_what_is_printed_in_the_process_is_no_answer_and_what_is_logged_is_passed_on(
    page: Client, visit: bytes, happens: Happens, caplog: pytest.LogCaptureFixture
) -> None:
    happens(work="os.write(1, b'noise'); print('noise'); import logging; logging.getLogger('mien').warning('a %s', 1)")
    with caplog.at_level(logging.WARNING, "mien"):
        assert ended(page, put_in_line(page, visit))["state"] == "done"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", "a 1")]


def test_an_error_of_ours_in_the_process_is_said_by_its_name_alone(
    page: Client, visit: bytes, happens: Happens
) -> None:
    happens(work="raise ZeroDivisionError('/home/jane')")
    state = ended(page, put_in_line(page, visit))
    assert state["state"] == "failed"
    assert "ZeroDivisionError" in state["error"]
    assert "jane" not in state["error"]
    happens(look="raise ZeroDivisionError('/home/jane')")
    answer = page.post("/api/clips?name=visit.mp4", content=visit)
    assert answer.status_code == 422
    assert "ZeroDivisionError" in answer.json()["error"]
    assert "jane" not in answer.json()["error"]


def test_no_module_of_the_working_folder_is_taken_for_one_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = encode_clip(tmp_path / "clip.mp4").read_bytes()
    for name in ("av", "json", "mien", "cv2"):
        (tmp_path / f"{name}.py").write_text("import os; os._exit(77)")
    monkeypatch.chdir(tmp_path)
    facts = clip_process.look(MemoryFile("clip.mp4", clip), started=lambda _: None)
    assert (facts["width"], facts["height"], facts["audio"]) == (96, 64, False)


def test_a_clip_of_many_megabytes_goes_through(tmp_path: Path) -> None:
    clip = encode_clip(tmp_path / "clip.mp4").read_bytes()
    facts = clip_process.look(MemoryFile("clip.mp4", clip + bytes(60 << 20)), started=lambda _: None)
    assert facts["width"] == 96


def test_the_end_of_the_process_while_the_clip_is_sent_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mien.clip_process, "_command", lambda: [sys.executable, "-c", "import os; os._exit(5)"])
    with pytest.raises(mien.clip_process.CrashedError, match=r"^clip\.mp4 made the program .* \(code 0x5\)"):
        clip_process.look(MemoryFile("clip.mp4", os.urandom(10 << 20)), started=lambda _: None)


def test_a_system_that_starts_no_more_processes_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mien.clip_process, "_command", lambda: ["/nowhere/python"])
    with pytest.raises(MienError, match=r"^No process could be started to read clip\.mp4"):
        clip_process.look(MemoryFile("clip.mp4", b"0"), started=lambda _: None)
