"""`mien live` as a person meets it: at a terminal, with keys, and ended in every way there is."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import performers
from conftest import encode_clip
from patience import LONG

pty = pytest.importorskip("pty", reason="needs a Unix terminal")
termios = pytest.importorskip("termios", reason="needs a Unix terminal")

KEYS = """
import sys
from mien.cli.keys import keys
with keys() as read:
    print("ready", flush=True)
    while (key := read(5)) is not None and key != "q":
        print(repr(key), flush=True)
    if key is None or "--break" in sys.argv:
        raise RuntimeError("broken")
"""

LIVE = """
import pyvirtualcam, sys
class Kept:
    def __init__(self, **_): pass
    def close(self): pass
    def send(self, frame): pass
    def device(self): return "mien"
    def native_fourcc(self): return None
pyvirtualcam.camera.BACKENDS.clear()
pyvirtualcam.register_backend("kept", Kept)
from mien.cli import main
main(["live", *sys.argv[1:]])
"""


class Terminal:
    """A program at a pseudo-terminal, and what it writes there."""

    def __init__(self, code: str, *arguments: object) -> None:
        self._near, far = pty.openpty()
        termios.tcsetwinsize(far, (40, 160)) if hasattr(termios, "tcsetwinsize") else None
        self.before = termios.tcgetattr(self._near)
        self.program = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)], stdin=far, stdout=far, stderr=far,
            start_new_session=True, preexec_fn=lambda: _take(far),
            env={**os.environ, "TERM": "xterm", "COLUMNS": "160"},
        )  # fmt: skip
        os.close(far)
        self.text = ""

    def wait_for(self, pattern: str, seconds: float = LONG) -> str:
        """Everything up to the first match, past all that was waited for before."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.text[-2000:]!r}"
            if select.select([self._near], [], [], 0.1)[0]:
                self.text += _read(self._near)
        self.text = self.text[found.end() :]
        return found.group()

    def says_more(self, seconds: float = 0.2) -> bool:
        """Whether it writes something within that time."""
        return bool(select.select([self._near], [], [], seconds)[0])

    def type(self, keys: bytes) -> None:
        os.write(self._near, keys)

    @property
    def unbuffered(self) -> bool:
        """Whether the terminal gives single keys and does not print them."""
        return not termios.tcgetattr(self._near)[3] & (termios.ICANON | termios.ECHO)

    def ended(self, seconds: float = LONG) -> int:
        """The exit code, once everything it wrote has been read; the terminal must be as it was."""
        deadline = time.monotonic() + seconds
        while self.program.poll() is None:
            assert time.monotonic() < deadline, self.text[-2000:]
            if select.select([self._near], [], [], 0.05)[0]:
                self.text += _read(self._near)
        while select.select([self._near], [], [], 0)[0] and (more := _read(self._near)):
            self.text += more
        assert termios.tcgetattr(self._near) == self.before
        return self.program.returncode

    def close(self) -> None:
        self.program.kill()
        self.program.wait()
        os.close(self._near)


def _take(terminal: int) -> None:
    """In the program: this is its terminal, so that Ctrl-C there reaches it."""
    import fcntl

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # Linux says so when the other side is closed
        return ""


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


class TestKeys:
    @pytest.fixture
    def terminal(self, terminals: list[Terminal]) -> Terminal:
        terminals.append(Terminal(KEYS))
        terminals[0].wait_for("ready")
        return terminals[0]

    @pytest.mark.parametrize(
        ("sent", "key"),
        [
            (b"m", "'m'"), (b" ", "' '"), (b"9", "'9'"), (b"\x1b[C", "'right'"), (b"\x1bOD", "'left'"),
            (b"\x1b[1;5A", "'up'"), (b"\x1b[B", "'down'"), (b"\x1b", "'escape'"), ("ㅁ".encode(), "'ㅁ'"),
            ("é".encode(), "'é'"),
        ],
    )  # fmt: skip
    def test_each_comes_at_once_and_by_its_name(self, terminal: Terminal, sent: bytes, key: str) -> None:
        assert terminal.unbuffered
        terminal.type(sent)
        terminal.wait_for(re.escape(key))
        terminal.type(b"q")
        assert terminal.ended() == 0

    def test_many_at_once_are_told_apart(self, terminal: Terminal) -> None:
        terminal.type(b"ab\x1b[Cc")
        terminal.wait_for("'a'\r\n'b'\r\n'right'\r\n'c'")
        terminal.type(b"q")
        assert terminal.ended() == 0

    def test_the_terminal_is_as_it_was_after_an_error(self, terminals: list[Terminal]) -> None:
        terminals.append(Terminal(KEYS, "--break"))
        terminals[0].wait_for("ready")
        terminals[0].type(b"q")
        assert terminals[0].ended() == 1

    def test_and_after_ctrl_c(self, terminal: Terminal) -> None:
        terminal.type(b"\x03")
        assert terminal.ended() != 0

    def test_put_aside_and_taken_up_again_it_still_reads_keys(self, terminal: Terminal) -> None:
        terminal.program.send_signal(signal.SIGSTOP)
        cooked = [*terminal.before]
        termios.tcsetattr(terminal._near, termios.TCSANOW, cooked)  # as a shell does meanwhile
        assert not terminal.unbuffered
        terminal.program.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + LONG
        while not terminal.unbuffered:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        terminal.type(b"q")
        assert terminal.ended() == 0

    def test_where_there_is_no_terminal_it_only_waits(self) -> None:
        code = "from mien.cli.keys import keys\nwith keys() as read: print(read(0.01))"
        ran = subprocess.run([sys.executable, "-c", code], input="m", capture_output=True, text=True, check=True)
        assert ran.stdout == "None\n"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    performers.needs_face_model()
    pytest.importorskip("pyvirtualcam", reason="needs the extra 'live'")
    pytest.importorskip("starlette", reason="needs the extra 'live'")
    return performers.clip(tmp_path / "somebody.mp4", performers.swaying(25))


class TestTerminal:
    def test_says_what_to_choose_shows_how_it_goes_and_obeys_keys(self, clip: Path, terminals: list[Terminal]) -> None:
        terminal = Terminal(LIVE, "--camera", clip, "--loop", "--no-browser", "--size", 128)
        terminals.append(terminal)
        terminal.wait_for(r"camera: somebody.mp4 \(320×320, 25 fps\)")
        terminal.wait_for("choose the camera: mien")
        terminal.wait_for(r"preview: http://127.0.0.1:\d+/open\?token=\S{20,}")
        terminal.wait_for(r"maya.* · .*face seen.* · \d+ fps · \d+ ms · camera “mien”")
        assert terminal.unbuffered
        for key, answer in (
            (b"m", "mirrored"), (b" ", "paused: the card is shown"), (b"p", "face seen"), (b"d", "mei"),
            (b"w", "zoom 1.1×"), (b"h", "space"), (b"x", "calibrated"),
        ):  # fmt: skip
            terminal.type(key)
            terminal.wait_for(answer)
        terminal.type(b"q")
        assert terminal.ended() == 0
        assert re.search(
            r"\d+ s live at \d+ fps; delay \d+ ms \(19 of 20 below \d+\); a face seen in \d+% of it", terminal.text
        )

    @pytest.mark.parametrize("how", ["ctrl-c", "term"])
    def test_is_ended_cleanly_and_sums_up(
        self, clip: Path, terminals: list[Terminal], tmp_path: Path, how: str
    ) -> None:
        report = tmp_path / "visit.html"
        terminal = Terminal(
            LIVE, "--camera", clip, "--loop", "--no-browser", "--no-preview", "--size", 128, "--report", report
        )
        terminals.append(terminal)
        terminal.wait_for("face seen")
        if how == "term":
            terminal.program.send_signal(signal.SIGTERM)
        else:
            terminal.type(b"\x03")
        assert terminal.ended() == 0
        assert "live at" in terminal.text
        assert f"wrote {report}" in terminal.text.replace("\r\n", "\n")
        assert "describe the real person" in terminal.text
        assert report.stat().st_size > 1000

    def test_a_second_ctrl_c_ends_at_once(self, clip: Path, terminals: list[Terminal]) -> None:
        stuck = (
            "import time\nfrom mien.live import job\n"
            "job.LiveShow.play = lambda self: (print('stuck', flush=True), time.sleep(600))\n"
        ) + LIVE
        terminal = Terminal(stuck, "--camera", clip, "--no-browser", "--no-preview", "--size", 128)
        terminals.append(terminal)
        terminal.wait_for("stuck")
        terminal.type(b"\x03")
        time.sleep(0.3)
        assert terminal.program.poll() is None
        deadline = time.monotonic() + LONG
        while not terminal.says_more():  # two that come together count as one
            assert time.monotonic() < deadline
            terminal.type(b"\x03")
        assert terminal.ended() == 130
        assert "Cancelled" in terminal.text


def ran(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mien", "live", *map(str, arguments)], capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=LONG,
    )  # fmt: skip


class TestScripts:
    def test_a_clip_plays_to_its_end_and_the_result_is_one_object(self, clip: Path, tmp_path: Path) -> None:
        table = tmp_path / "visit.csv"
        done = ran("--camera", clip, "--no-browser", "--no-virtual", "--size", 128, "--csv", table, "--json")
        assert done.returncode == 0, done.stderr
        record = json.loads(done.stdout)
        assert record["camera"] == "somebody.mp4"
        assert record["virtual"] is None
        assert record["files"] == [str(table)]
        assert record["coverage"] > 0.8
        assert record["frames"] > 10
        assert "keys:" not in done.stderr
        assert "\x1b" not in done.stderr
        assert table.read_text().startswith("time_s,")

    @pytest.mark.parametrize(
        ("arguments", "code", "message"),
        [
            (["--camera", "absent.mp4"], 3, "There is no clip absent.mp4"),
            (["--camera", "77", "--no-browser"], 3, "amera 77 "),
            (["--avatar", "nobody"], 6, "no avatar called 'nobody'"),
            (["--size", "1"], 3, "A size of 1 is not possible"),
            (["--no-virtual", "--no-preview"], 3, "Nothing would come of this"),
            (["--csv", "no/where.csv"], 4, "cannot be written"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_one_line(self, arguments: list[str], code: int, message: str) -> None:
        performers.needs_face_model()
        done = ran(*arguments)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
        (line,) = [line for line in done.stderr.splitlines() if not line.startswith("note: face-landmarker")]
        assert line.startswith("mien: ")
        assert message in line

    def test_a_port_in_use_is_said(self, tmp_path: Path) -> None:
        import socket

        performers.needs_face_model()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            clip = encode_clip(tmp_path / "clip.mp4")
            done = ran("--camera", clip, "--no-virtual", "--no-browser", "--port", taken.getsockname()[1])
        assert done.returncode == 8
        assert "is in use" in done.stderr
