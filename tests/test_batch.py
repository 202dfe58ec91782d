"""Many clips with one command: which ones, where to, what is skipped, what one bad clip costs, how it is cancelled."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

import mien as package
import performers
from conftest import Mien, encode_clip
from mien.batch.machine import cores, usual_jobs
from mien.media.images import write_image
from patience import LONG, wait_for

IN_THE_PROCESS = """
import os, sys, time

def note(event, arguments):
    if event.startswith("socket."):
        with open(os.environ["BATCH_SOCKETS"], "a") as file:
            file.write(event + "\\n")

if "BATCH_SOCKETS" in os.environ:
    sys.addaudithook(note)
    import mien.media.reader as reader
    real = reader.VideoReader.__iter__

    def frames(self):
        for frame in real(self):
            if frame.index == 3 and "crash" in self.source.name:
                import ctypes
                ctypes.string_at(0)
            if frame.index == 3 and "b-" in self.source.name:
                self.source.with_suffix(".there").touch()
                time.sleep(600 if "hangs" in self.source.name else 0)
            if "slow" in self.source.name:
                time.sleep(0.1)
            yield frame

    reader.VideoReader.__iter__ = frames
"""
"""Run by Python before all else, in every process of a batch: names of clips say what goes wrong with them."""
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="names, links and signals as on Unix")
SMALL = ("--size", 64)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    performers.needs_face_model()
    return performers.clip(tmp_path_factory.mktemp("clip") / "visit.mp4", performers.swaying(8, side=160), audio="aac")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(IN_THE_PROCESS)
    return os.environ | {
        "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "BATCH_SOCKETS": str(site / "sockets")
    }  # fmt: skip


@dataclass(frozen=True)
class First:
    """A batch that ran once."""

    folder: Path
    code: int
    document: dict[str, Any]
    errors: str
    sockets: Path

    def row(self, name: str) -> dict[str, Any]:
        (row,) = (row for row in self.document["clips"] if row["clip"] == name)
        return dict(row)


@pytest.fixture(scope="module")
def first(visit: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> First:
    """VISITS with two good clips of one name, a damaged one with a name that terminals obey, and one that makes its
    process crash; OUT lies in it."""
    folder = tmp_path_factory.mktemp("first")
    visits = folder / "VISITS"
    for name in ("a/visit.mp4", "b/visit.MP4", "crash.mp4", ".hidden.mp4", ".git/visit.mp4", "c-anonymous.mp4"):
        (visits / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(visit, visits / name)
    (visits / "OUT").mkdir()
    shutil.copy(visit, visits / "OUT" / "earlier.mp4")
    (visits / "notes.txt").write_text("of the visit")
    encode_clip(visits / "ours.mp4", frames=2, metadata={"comment": "Synthetic video: face re-rendered by mien 0.1"})
    if sys.platform != "win32":
        (visits / "bad\x1b[31m.mp4").write_bytes(b"nothing")
        (visits / "link.mp4").symlink_to(visit)
        os.mkfifo(visits / "pipe.mp4")
    command = ["anonymize", "VISITS", "-o", "VISITS/OUT", "--csv", "--jobs", "2", "--json", "--size", "64"]
    ran = subprocess.run(
        [sys.executable, "-m", "mien", *command], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=LONG, check=False,
    )  # fmt: skip
    return First(folder, ran.returncode, json.loads(ran.stdout), ran.stderr, Path(environment["BATCH_SOCKETS"]))


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_good_clips_are_done_and_keep_their_place(first: First) -> None:
    for name in ("a/visit", "b/visit"):
        end = "MP4" if name == "b/visit" else "mp4"
        row = first.row(f"VISITS/{name}.{end}")
        assert row["state"] == "done"
        assert row["output"] == f"VISITS/OUT/{name}-anonymous.mp4"
        assert row["files"] == [f"VISITS/OUT/{name}-anonymous.expression.csv"]
        assert (row["frames"], row["coverage"], row["exit_code"]) == (8, 1.0, 0)
    made = {f"{name}-anonymous{end}" for name in ("a/visit", "b/visit") for end in (".mp4", ".expression.csv")}
    assert files(first.folder / "VISITS" / "OUT") == made | {
        "earlier.mp4", "a/.mien-batch.json", "b/.mien-batch.json"
    }  # fmt: skip


def test_a_crash_costs_its_clip_alone(first: First) -> None:
    row = first.row("VISITS/crash.mp4")
    assert (row["state"], row["exit_code"], row["frames"]) == ("failed", 3, None)
    assert "made the program that reads clips crash" in row["error"]
    assert first.code == 3
    assert first.document["exit_code"] == 3


@POSIX
def test_a_name_is_escaped_where_it_is_printed(first: First) -> None:
    row = first.row("VISITS/bad\x1b[31m.mp4")
    assert "cannot be read as video" in row["error"]
    assert "\x1b" not in first.errors
    assert "VISITS/bad\\x1b[31m.mp4" in first.errors


@POSIX
def test_what_is_no_clip_is_passed_over_and_named(first: First) -> None:
    assert {each["path"].removeprefix("VISITS/"): each["why"] for each in first.document["passed_over"]} == {
        ".hidden.mp4": "hidden", ".git": "hidden", "c-anonymous.mp4": "made by mien", "ours.mp4": "made by mien",
        "notes.txt": "not a video by its name", "link.mp4": "link", "pipe.mp4": "not a file",
    }  # fmt: skip


def test_a_line_for_every_clip_goes_to_standard_error(first: First) -> None:
    count = len(first.document["clips"])
    lines = [line for line in first.errors.splitlines() if " of " in line and line[0].isdigit()]
    assert [line.split(":")[0] for line in lines] == [f"{n} of {count}" for n in range(1, count + 1)]


def test_no_process_opens_a_socket(first: First) -> None:
    assert not first.sockets.exists()


def test_what_is_noted_says_nothing_about_a_clip(first: First, visit: Path) -> None:
    noted = (first.folder / "VISITS" / "OUT" / "a" / ".mien-batch.json").read_text()
    info = (first.folder / "VISITS" / "a" / "visit.mp4").stat()
    content = visit.read_bytes()
    for word in (str(info.st_size), str(info.st_mtime_ns), str(int(info.st_mtime)), "VISITS", "visit.mp4"):
        assert word not in noted.replace("visit-anonymous.mp4", "")
    for kind in ("md5", "sha1", "sha256", "blake2b"):
        assert hashlib.new(kind, content).hexdigest()[:16] not in noted


@pytest.fixture
def again(first: First, tmp_path: Path) -> Path:
    """A copy of the folder after the first run, its two good clips in `GOOD`."""
    shutil.copytree(first.folder / "VISITS" / "OUT", tmp_path / "OUT")
    for name in ("a/visit.mp4", "b/visit.MP4"):
        (tmp_path / "GOOD" / name).parent.mkdir(parents=True)
        shutil.copy2(first.folder / "VISITS" / name, tmp_path / "GOOD" / name)
    return tmp_path


def test_what_is_done_and_whole_is_skipped(again: Path, mien: Mien) -> None:
    before = {path: path.stat().st_mtime_ns for path in (again / "OUT").rglob("*")}
    ran = mien("anonymize", again / "GOOD", "-o", again / "OUT", "--csv", *SMALL)
    assert ran.code == 0, ran.err
    *rows, total = ran.out.splitlines()
    assert [row.split("\t")[2:] for row in rows] == [["8", "100%", "", "skipped"]] * 2
    assert total == "2 clips: 0 done, 2 skipped, 0 failed"
    assert {path: path.stat().st_mtime_ns for path in (again / "OUT").rglob("*")} == before


def test_what_is_not_whole_or_has_changed_is_done_again(again: Path, mien: Mien) -> None:
    (again / "OUT" / "a" / "visit-anonymous.expression.csv").unlink()
    os.utime(again / "GOOD" / "b" / "visit.MP4", (1, 1))
    ran = mien("anonymize", again / "GOOD", "-o", again / "OUT", "--csv", "--json", *SMALL)
    assert ran.code == 0, ran.err
    rows = json.loads(ran.out)["clips"]
    assert [row["again"] for row in rows] == ["the older output is not whole", "the clip has changed"]
    assert [row["state"] for row in rows] == ["done", "done"]
    assert (again / "OUT" / "a" / "visit-anonymous.expression.csv").is_file()


@pytest.mark.parametrize("damage", ["", '{"version": 1, "key": "k", "made": {"visit-anonymous.mp4": 5}}'])
def test_a_damaged_note_counts_as_none_and_other_options_mean_again(damage: str, again: Path, mien: Mien) -> None:
    if damage:
        (again / "OUT" / "a" / ".mien-batch.json").write_text(damage)
    ran = mien("anonymize", again / "GOOD" / "a", "-o", again / "OUT" / "a", "--csv", "--title", "x", "--json", *SMALL)
    assert ran.code == 0, ran.err
    (row,) = json.loads(ran.out)["clips"]
    expected = "nothing is known of the older output" if damage else "options, avatar, models or mien have changed"
    assert (row["state"], row["again"]) == ("done", expected)


def test_a_file_that_mien_did_not_make_is_not_replaced(visit: Path, tmp_path: Path, mien: Mien) -> None:
    (tmp_path / "OUT").mkdir()
    shutil.copy(visit, tmp_path / "OUT" / "visit-anonymous.mp4")
    ran = mien("anonymize", visit.parent, "-o", tmp_path / "OUT", *SMALL)
    assert ran.code == 4
    assert "mien did not make it" in ran.out
    assert (tmp_path / "OUT" / "visit-anonymous.mp4").read_bytes() == visit.read_bytes()


def test_two_clips_that_would_become_one_file_are_an_error_before_anything_is_done(
    visit: Path, tmp_path: Path, mien: Mien
) -> None:
    for name in ("a/visit.mp4", "b/Visit.mov"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(visit, tmp_path / name)
    ran = mien("anonymize", tmp_path / "a", tmp_path / "b", "-o", tmp_path / "OUT")
    assert ran.code == 4
    assert "would both become" in ran.line
    assert not (tmp_path / "OUT").exists()


def test_a_clip_that_another_one_s_video_would_replace_is_an_error(visit: Path, tmp_path: Path, mien: Mien) -> None:
    for name in ("visit.mp4", "visit-anonymous.mp4"):
        shutil.copy(visit, tmp_path / name)
    ran = mien("anonymize", tmp_path / "visit.mp4", tmp_path / "visit-anonymous.mp4")
    assert ran.code == 4
    assert "one of the clips" in ran.line
    assert (tmp_path / "visit-anonymous.mp4").read_bytes() == visit.read_bytes()


def test_several_paths_each_once_and_beside_the_clips_without_an_output(
    visit: Path, tmp_path: Path, mien: Mien
) -> None:
    (tmp_path / "in").mkdir()
    shutil.copy(visit, tmp_path / "in" / "visit.mp4")
    ran = mien("anonymize", tmp_path / "in" / "visit.mp4", tmp_path / "in", tmp_path / "none.mp4", "--json", *SMALL)
    assert ran.code == 3
    done, missing = json.loads(ran.out)["clips"]
    assert (done["state"], done["output"]) == ("done", str(tmp_path / "in" / "visit-anonymous.mp4"))
    assert "There is no file" in missing["error"]
    assert files(tmp_path / "in") == {"visit.mp4", "visit-anonymous.mp4", ".mien-batch.json"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["GOOD", "-o", "OUT", "--jobs", "0"], 3, "0 jobs"),
        (["GOOD", "-o", "OUT", "--jobs", "-1"], 3, "-1 jobs"),
        (["GOOD/visit.mp4", "--jobs", "0"], 3, "0 jobs"),
        (["GOOD", "-o", "OUT", "--size", "5"], 3, "A size of 5"),
        (["GOOD", "-o", "OUT", "--people", "0"], 3, "0 people"),
        (["GOOD", "-o", "OUT", "--neutral", "x"], 3, "no neutral face"),
        (["GOOD", "-o", "OUT", "--detector", "x"], 3, "no detector"),
        (["GOOD", "-o", "OUT", "--avatar", "nobody"], 6, "no avatar called"),
        (["GOOD", "-o", "out.mp4"], 4, "need a folder"),
        (["GOOD", "-o", "file"], 4, "is a file"),
        (["GOOD", "-o", "file/OUT"], 4, "cannot be made"),
        (["EMPTY", "-o", "OUT"], 3, "There is no clip in EMPTY (passed over: 1 not a video by its name)"),
        (["/", "-o", "OUT"], 3, "whole disk"),
        (["GOOD", "", "-o", "OUT"], 3, "An empty name"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_all_of_it_is_one_line_before_anything_is_done(
    arguments: Sequence[str], code: int, said: str, visit: Path, mien: Mien
) -> None:
    Path("file").write_text("")
    for name in ("GOOD", "EMPTY"):
        Path(name).mkdir()
    shutil.copy(visit, "GOOD")
    Path("EMPTY/notes.txt").write_text("")
    before = files(Path())
    ran = mien("anonymize", *arguments)
    assert (ran.code, said in ran.line) == (code, True), ran.err
    assert files(Path()) == before
    assert not Path("OUT").exists()


@pytest.mark.parametrize("jobs", [0, -3, math.nan, 1.5, True, 100_000])
def test_jobs_are_a_number_of_processes(jobs: Any, visit: Path, tmp_path: Path) -> None:
    with pytest.raises(package.InputError, match="jobs are not possible"):
        package.anonymize_many([visit.parent], output=tmp_path / "OUT", jobs=jobs)
    assert 1 <= cores() <= (os.cpu_count() or 1)
    assert 1 <= usual_jobs() <= 256


def test_jobs_that_are_no_number_are_a_wrong_command_line(visit: Path, mien: Mien) -> None:
    assert mien("anonymize", visit.parent, "--jobs", "nan").code == 2


def test_an_avatar_without_a_face_ends_the_batch_with_its_first_clip(visit: Path, tmp_path: Path, mien: Mien) -> None:
    for number in range(5):
        shutil.copy(visit, tmp_path / f"{number}.mp4")
    write_image(tmp_path / "wall.png", performers.portrait(64)[:1, :1].repeat(80, 0).repeat(80, 1))
    ran = mien("anonymize", tmp_path, "-o", tmp_path / "OUT", "--avatar", tmp_path / "wall.png", "--jobs", "1")
    assert ran.code == 6, ran.err
    assert "wall.png" in ran.line
    assert not [line for line in ran.err.splitlines() if line.startswith("2 of")]


def test_from_python_progress_is_told_and_an_exception_in_it_ends_the_batch(visit: Path, tmp_path: Path) -> None:
    shares: list[float] = []

    def on_progress(at: package.Progress) -> None:
        assert isinstance(at, package.BatchProgress)
        shares.append(at.share)
        if at.frames:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        package.anonymize_many([visit.parent], output=tmp_path / "OUT", size=64, on_progress=on_progress)
    assert shares == sorted(shares)
    assert psutil.Process().children() == []
    assert not [name for name in files(tmp_path) if ".part" in name]


@dataclass
class Going:
    """A batch whose first clip is done and whose second one takes for ever."""

    process: subprocess.Popen[str]
    out: Path
    begun: str

    def ended(self) -> tuple[str, str]:
        out, errors = self.process.communicate(timeout=LONG)
        return out, self.begun + errors


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that no machine is through with within a test, when every frame waits."""
    return performers.clip(tmp_path_factory.mktemp("endless") / "visit.mp4", performers.swaying(10, side=64) * 30)


@pytest.fixture
def going(
    request: pytest.FixtureRequest, visit: Path, endless: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[Going]:
    visits, out = tmp_path / "VISITS", tmp_path / "OUT"
    visits.mkdir()
    shutil.copy(visit, visits / "a.mp4")
    shutil.copy(endless, visits / f"b-{request.param}.mp4")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "anonymize", str(visits), "-o", str(out), "--size", "64", "--csv",
         "--json", "--jobs", "1"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        begun = ""
        while "1 of 2" not in begun:
            line = process.stderr.readline()
            assert line, begun
            begun += line
        wait_for(lambda: list(visits.glob("*.there")))
        yield Going(process, out, begun)
    finally:
        process.kill()
        process.communicate()


INTERRUPTIBLE = textwrap.dedent("""
    import signal
    signal.signal(signal.SIGINT, signal.default_int_handler)  # even where the tests run in the background
    from mien.cli import main
    main()
""")
DONE = {"a-anonymous.mp4", "a-anonymous.expression.csv", ".mien-batch.json"}


@POSIX
@pytest.mark.parametrize(("going", "number"), [("slow", 2), ("hangs", 15)], indirect=["going"])
def test_cancelled_it_says_so_and_leaves_what_is_done_and_nothing_half_written(going: Going, number: int) -> None:
    (child,) = psutil.Process(going.process.pid).children()
    assert [name for name in files(going.out) if ".part" in name]
    going.process.send_signal(number)
    out, errors = going.ended()
    assert going.process.returncode == 128 + number
    assert json.loads(out)["exit_code"] == 128 + number
    assert "Cancelled. The clips that were done by then are complete" in errors
    assert "Traceback" not in errors
    assert not child.is_running()
    assert files(going.out) == DONE


@POSIX
@pytest.mark.parametrize("going", ["slow"], indirect=True)
def test_killed_it_takes_its_processes_with_it(going: Going) -> None:
    (child,) = psutil.Process(going.process.pid).children()
    going.process.kill()
    child.wait(LONG)
    assert files(going.out) == DONE
