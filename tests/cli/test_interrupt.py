"""Ctrl-C and kills, one or several, at every moment of a run: a clear word, the documented code, nothing left."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

import performers

if sys.platform == "win32":
    pytest.skip("signals as on Unix", allow_module_level=True)

LONG = 60.0
"""Seconds within which a step that takes hardly any must have happened."""
INT, TERM = signal.SIGINT, signal.SIGTERM
KINDS = [(INT,), (TERM,), (INT, TERM)]
NAMED = {"ids": lambda signals: " ".join(each.name for each in signals)}

TOLD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # even where the tests run in the background, or by nohup
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

def here(seconds=60.0):
    print("here", file=sys.stderr, flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)
"""
IMPORTING = """
class Slow:
    def find_spec(self, name, path, target=None):
        if name == "mien.cli.app":
            here()
sys.meta_path.insert(0, Slow())
"""
AT_FRAMES = """
from contextlib import contextmanager
from mien.cli import show
@contextmanager
def progress(label):
    def slowly(at):
        if at.frames == 2:
            print("here", file=sys.stderr, flush=True)
        time.sleep(0.05)
    yield slowly
show.progress_bar = progress
"""
CLEANING_UP = """
from mien.cli import interrupt
from mien.media import writer
interrupt._CLEAN_UP = 600.0  # however busy the machine is
end = writer.VideoWriter.__exit__
def slowly(self, kind, error, traceback):
    if kind is not None:
        print("here", file=sys.stderr, flush=True)
        sys.stdin.readline()
    end(self, kind, error, traceback)
writer.VideoWriter.__exit__ = slowly
"""
STUCK = """
from mien.pipeline import Pipeline
Pipeline.run = lambda self: here()
"""
AT_EXIT = """
import atexit
atexit.register(here)
"""
WAITING_FOR_A_THREAD = """
import threading
def last():
    threading.main_thread().join()
    here(20)
threading.Thread(target=last).start()
"""
RUN = """
from mien.cli import main
main()
"""


class Program:
    """The command line in a process of its own, which says on standard error when it is where a test wants it."""

    def __init__(self, *code: str, arguments: Sequence[object]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", "".join((TOLD, *code, RUN)), *map(str, arguments)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._before = ""

    def arrived(self) -> None:
        errors: IO[str] | None = self.process.stderr
        assert errors is not None
        while (line := errors.readline()) != "here\n":
            assert line, f"ended before: {self._before}"
            self._before += line

    def send(self, *signals: signal.Signals) -> None:
        """All of them at the same moment."""
        for each in (signal.SIGSTOP, *signals, signal.SIGCONT):
            self.process.send_signal(each)

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ended(self) -> tuple[int, str, str]:
        """Its exit code, and what it wrote to standard output and error."""
        out, errors = self.process.communicate(timeout=LONG)
        errors = self._before + errors
        for word in ("Traceback", "Exception ignored", "KeyboardInterrupt", "SystemExit"):
            assert word not in errors
        return self.process.returncode, out, errors


@pytest.fixture
def programs() -> Iterator[list[Program]]:
    started: list[Program] = []
    yield started
    for program in started:
        program.process.kill()
        program.process.communicate()


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds, which no machine works on within the time that a test takes when every frame waits."""
    performers.needs_face_model()
    return performers.clip(tmp_path_factory.mktemp("visit") / "visit.mp4", performers.swaying(50) * 3)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with an older output."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "out.mp4").write_text("older")
    return tmp_path / "out"


def untouched(out: Path) -> bool:
    return {path.name: path.read_text() for path in out.iterdir()} == {"out.mp4": "older"}


def anonymize(visit: Path, out: Path, *more: str) -> list[object]:
    return ["anonymize", visit, "-o", out / "out.mp4", "-s", 64, "--csv", "--report", *more]


@pytest.mark.parametrize("signals", [*KINDS, (signal.SIGHUP,)], **NAMED)
def test_between_frames(programs: list[Program], visit: Path, out: Path, signals: Sequence[signal.Signals]) -> None:
    programs.append(Program(AT_FRAMES, arguments=anonymize(visit, out, "--json")))
    programs[0].arrived()
    programs[0].send(*signals)
    code, printed, errors = programs[0].ended()
    assert code in {128 + each for each in signals}  # signals that come together are not told in their order
    message = "Cancelled before the run was through; nothing was written."
    assert errors.endswith(f"mien: {message}\n")
    assert json.loads(printed) == {"error": message, "exit_code": code}
    assert untouched(out)


@pytest.mark.parametrize("command", ["read", "animate", "demo"])
def test_every_command_that_works_through_frames(
    programs: list[Program], visit: Path, out: Path, tmp_path: Path, command: str
) -> None:
    arguments = {
        "read": ["read", visit, "-o", out / "out"],
        "animate": ["animate", "maya", visit, "-o", out / "out.mp4"],
        "demo": ["demo", "--output", tmp_path / "shown", "--size", 64],
    }[command]
    if command == "demo":
        pytest.importorskip("skimage")
    programs.append(Program(AT_FRAMES, arguments=[*arguments, "--json"]))
    programs[0].arrived()
    programs[0].send(signal.SIGINT)
    code, printed, _ = programs[0].ended()
    assert json.loads(printed) == {
        "error": "Cancelled before the run was through; nothing was written.", "exit_code": 130,
    }  # fmt: skip
    assert code == 130
    assert untouched(out)
    assert not (tmp_path / "shown").exists()


@pytest.mark.parametrize("again", [(TERM, TERM), (INT, INT), (INT, TERM), (TERM, INT, TERM)], **NAMED)
def test_again_while_it_cleans_up(
    programs: list[Program], visit: Path, out: Path, again: Sequence[signal.Signals]
) -> None:
    first, *others = again
    programs.append(Program(AT_FRAMES, CLEANING_UP, arguments=anonymize(visit, out)))
    programs[0].arrived()
    programs[0].send(first)
    programs[0].arrived()
    programs[0].send(*others)
    programs[0].go_on()
    code, _, errors = programs[0].ended()
    assert code == 128 + first
    assert "nothing was written" in errors
    assert untouched(out)


def test_a_second_one_reaches_a_run_that_is_stuck(programs: list[Program], visit: Path, out: Path) -> None:
    programs.append(Program(STUCK, arguments=anonymize(visit, out)))
    programs[0].arrived()
    deadline = time.monotonic() + LONG
    while not select.select([programs[0].process.stderr], [], [], 0.1)[0]:  # two that come together count as one
        assert time.monotonic() < deadline
        programs[0].send(signal.SIGINT)
    code, printed, errors = programs[0].ended()
    assert printed == ""
    assert code == 130
    assert "nothing was written" in errors
    assert untouched(out)


@pytest.mark.parametrize("signals", KINDS, **NAMED)
def test_while_the_program_is_loaded(
    programs: list[Program], tmp_path: Path, signals: Sequence[signal.Signals]
) -> None:
    programs.append(Program(IMPORTING, arguments=["read", tmp_path / "none.mp4", "--json"]))
    programs[0].arrived()
    programs[0].send(*signals)
    code, printed, errors = programs[0].ended()
    assert code in {128 + each for each in signals}
    assert errors == "mien: Cancelled; nothing was written.\n"
    assert json.loads(printed) == {"error": "Cancelled; nothing was written.", "exit_code": code}


@pytest.mark.parametrize("ending", [AT_EXIT, WAITING_FOR_A_THREAD], ids=["at exit", "waiting for a thread"])
@pytest.mark.parametrize("signals", [(TERM,), (INT, TERM)], **NAMED)
def test_when_all_is_done(programs: list[Program], ending: str, signals: Sequence[signal.Signals]) -> None:
    programs.append(Program(ending, arguments=["engines", "--json"]))
    programs[0].arrived()
    programs[0].send(*signals)
    code, printed, errors = programs[0].ended()
    assert code in {128 + each for each in signals}
    assert {row["name"] for row in json.loads(printed)} >= {"mesh", "puppet"}
    assert errors == ""


@pytest.mark.parametrize("command", [["engines"], ["avatars", "list"]], ids=" ".join)
def test_commands_without_frames_say_so_too(programs: list[Program], command: list[str]) -> None:
    patches = """
from mien.avatar import library
from mien.engine import registry
library.listed = registry.names = here
"""
    programs.append(Program(patches, arguments=[*command, "--json"]))
    programs[0].arrived()
    programs[0].send(signal.SIGINT)
    code, printed, errors = programs[0].ended()
    assert code == 130
    assert errors == "mien: Cancelled; nothing half-written is left.\n"
    assert json.loads(printed) == {"error": "Cancelled; nothing half-written is left.", "exit_code": 130}


FINALIZED = """
class Late:
    def __del__(self):
        print("here", file=sys.stderr, flush=True)
        time.sleep(2)
import builtins
builtins.late = Late()
"""
"""What Python does last, when it no longer hears signals."""


def test_when_python_ends(programs: list[Program], tmp_path: Path) -> None:
    """Nothing of Python's own end is left, in which a signal would kill without the exit code."""
    left = """
import atexit, pathlib, tempfile, threading
kept = tempfile.TemporaryDirectory(dir=sys.argv.pop())
pathlib.Path(kept.name, "file").write_text("x")
def last():
    threading.main_thread().join()
    print("thread done", file=sys.stderr)
threading.Thread(target=last).start()
atexit.register(lambda: print("function done", file=sys.stderr))
"""
    programs.append(Program(FINALIZED, left, arguments=["read", tmp_path / "none.mp4", "--json", tmp_path]))
    code, printed, errors = programs[0].ended()
    assert code == 3
    assert json.loads(printed)["exit_code"] == 3
    assert errors.endswith("thread done\nfunction done\n")
    assert list(tmp_path.iterdir()) == []


LOADING = """
class Slow:
    def find_spec(self, name, path, target=None):
        if name in ("mien.face.parts", "mien.engine.registry"):
            here()
sys.meta_path.insert(0, Slow())
"""
SPOILT = """
class Spoilt:
    def find_spec(self, name, path, target=None):
        if name in ("mien.face.parts", "mien.engine.registry"):
            try:
                here()
            except BaseException:  # as Python does around the initialization of a library in C
                raise ImportError("initialization failed") from None
sys.meta_path.insert(0, Spoilt())
"""


@pytest.mark.parametrize("loading", [LOADING, SPOILT], ids=["pure", "in C"])
@pytest.mark.parametrize("number", [INT, TERM, signal.SIGHUP], ids=lambda number: number.name)
def test_while_a_command_loads_what_it_needs(programs: list[Program], loading: str, number: signal.Signals) -> None:
    programs.append(Program(loading, arguments=["engines", "--json"]))
    programs[0].arrived()
    programs[0].send(number)
    code, printed, errors = programs[0].ended()
    assert code == 128 + number
    assert errors == "mien: Cancelled; nothing half-written is left.\n"
    assert json.loads(printed) == {"error": "Cancelled; nothing half-written is left.", "exit_code": code}


@pytest.mark.parametrize("second", [INT, TERM], ids=lambda number: number.name)
def test_a_second_one_while_a_run_loads_a_library_in_c(
    programs: list[Program], visit: Path, out: Path, second: signal.Signals
) -> None:
    spoilt = """
from mien.pipeline import Pipeline
def run(self):
    try:
        here()
    except BaseException:
        raise ImportError("initialization failed") from None
Pipeline.run = run
"""
    programs.append(Program(spoilt, arguments=anonymize(visit, out, "--json")))
    programs[0].arrived()
    deadline = time.monotonic() + LONG
    while not select.select([programs[0].process.stderr], [], [], 0.1)[0]:  # two that come together count as one
        assert time.monotonic() < deadline
        programs[0].send(second)
    code, printed, errors = programs[0].ended()
    assert code == 128 + second
    assert "Cancelled" in errors
    assert json.loads(printed)["exit_code"] == code
    assert untouched(out)


def test_called_from_a_program_that_goes_on_it_leaves_signals_as_they_were() -> None:
    from mien.cli import main

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for arguments in (["--version"], ["read", "nowhere.mp4"]):
        with pytest.raises(SystemExit):
            main(arguments)
    assert [signal.getsignal(number) for number in numbers] == before
