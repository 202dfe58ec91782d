"""Standard streams that are missing, full, or read by nobody: the documented exit code, and no traceback."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import performers

if sys.platform == "win32":
    pytest.skip("redirections as of a Unix shell", allow_module_level=True)

FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def shell(arguments: str, *, folder: Path) -> tuple[int, str, str]:
    """Run `mien` with the redirections in `arguments`: the exit code, standard output, standard error."""
    command = f"{shlex.quote(sys.executable)} -m mien {arguments}"
    ran = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, cwd=folder, check=False, timeout=120
    )
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    assert "should not have happened" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a short clip."""
    performers.needs_face_model()
    performers.clip(tmp_path / "two.mp4", performers.swaying(3))
    return tmp_path


class TestMissing:
    @pytest.mark.parametrize("closed", ["2>&-", "--json >&-", "<&-", "<&- >&- 2>&-"])
    def test_a_clip_is_worked_on(self, folder: Path, closed: str) -> None:
        code, _, _ = shell(f"anonymize two.mp4 -s 64 -o o.mp4 {closed}", folder=folder)
        assert code == 0
        assert (folder / "o.mp4").stat().st_size > 500

    @pytest.mark.parametrize("command", ["engines", "models list", "engines --json", "--help"])
    def test_short_commands(self, tmp_path: Path, command: str) -> None:
        assert shell(f"{command} >&-", folder=tmp_path)[0] == 0

    def test_an_error_keeps_its_exit_code(self, tmp_path: Path) -> None:
        code, out, _ = shell("read nofile.mp4 --json 2>&-", folder=tmp_path)
        assert code == 3
        assert json.loads(out)["exit_code"] == 3
        assert shell("read nofile.mp4 --json >&- 2>&-", folder=tmp_path)[0] == 3

    def test_going_live_without_a_keyboard(self, folder: Path) -> None:
        live = "live --camera two.mp4 --no-virtual --no-browser --size 64 --json"
        code, out, _ = shell(f"{live} <&-", folder=folder)
        assert code == 0
        assert json.loads(out)["camera"] == "two.mp4"


class TestNobodyReads:
    """`PIPE` is one whose reader has gone before anything is printed."""

    @staticmethod
    def unread(arguments: str, folder: Path, *, errors_too: bool = False) -> tuple[int, str]:
        command = [sys.executable, "-m", "mien", *shlex.split(arguments)]
        reading, writing = os.pipe()
        os.close(reading)
        ran = subprocess.run(
            command, stdout=writing, stderr=writing if errors_too else subprocess.PIPE, text=True, cwd=folder,
            check=False, timeout=120,
        )  # fmt: skip
        os.close(writing)
        assert "Traceback" not in (ran.stderr or "")
        assert "Exception ignored" not in (ran.stderr or "")
        return ran.returncode, ran.stderr or ""

    def test_an_error_keeps_its_exit_code(self, tmp_path: Path) -> None:
        code, err = self.unread("read nofile.mp4 --json", tmp_path)
        assert code == 3
        assert err.startswith("mien: There is no")
        assert self.unread("read nofile.mp4 --json", tmp_path, errors_too=True)[0] == 3
        assert self.unread("read --bogus", tmp_path, errors_too=True)[0] == 2

    @pytest.mark.parametrize("command", ["engines", "avatars list --json", "--help", "--version"])
    def test_a_command_that_succeeds_is_quiet(self, tmp_path: Path, command: str) -> None:
        assert self.unread(command, tmp_path) == (0, "")

    @pytest.mark.parametrize("lines", [1, 20, 40, 41])
    def test_help_may_be_read_in_part(self, lines: int) -> None:
        """As `| head` does. A command's help is printed in two pieces."""
        command = [sys.executable, "-m", "mien", "studio", "--help"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asked:
            assert asked.stdout is not None
            assert asked.stderr is not None
            for _ in range(lines):
                asked.stdout.readline()
            asked.stdout.close()
            assert asked.stderr.read() == b""
        assert asked.returncode == 0

    def test_a_run_writes_its_files(self, folder: Path) -> None:
        for more in ("", " --json"):
            code, err = self.unread(f"anonymize two.mp4 -s 64 -o o.mp4{more}", folder)
            assert code == 0
            assert "mien: " not in err
            assert (folder / "o.mp4").stat().st_size > 500
            (folder / "o.mp4").unlink()
        assert self.unread("anonymize two.mp4 -s 64 -o o.mp4", folder, errors_too=True)[0] == 0
        assert (folder / "o.mp4").exists()


@FULL
class TestFull:
    def test_an_error_keeps_its_exit_code(self, tmp_path: Path) -> None:
        code, _, err = shell("read nofile.mp4 --json > /dev/full", folder=tmp_path)
        assert code == 3
        assert len(err.splitlines()) == 1
        code, out, _ = shell("read nofile.mp4 --json 2> /dev/full", folder=tmp_path)
        assert code == 3
        assert json.loads(out)["exit_code"] == 3
        assert shell("read nofile.mp4 > /dev/full 2> /dev/full", folder=tmp_path)[0] == 3
        assert shell("read --bogus 2> /dev/full", folder=tmp_path)[0] == 2

    @pytest.mark.parametrize("command", ["engines", "avatars list --json", "--help", "--version"])
    def test_a_result_that_cannot_be_printed_is_an_error(self, tmp_path: Path, command: str) -> None:
        code, _, err = shell(f"{command} > /dev/full", folder=tmp_path)
        assert code == 4
        assert err.startswith("mien: Standard output cannot be written (No space left on device).")
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize("more", ["", " --json"])
    def test_a_run_says_that_its_files_are_there(self, folder: Path, more: str) -> None:
        code, _, err = shell(f"anonymize two.mp4 -s 64 -o o.mp4 --csv{more} > /dev/full", folder=folder)
        assert code == 4
        assert "there all the same" in err.splitlines()[-1]
        assert (folder / "o.mp4").exists()
        assert (folder / "o.expression.csv").exists()

    def test_notes_that_nobody_can_read_do_not_end_a_run(self, folder: Path) -> None:
        assert shell("anonymize two.mp4 -s 64 -o o.mp4 2> /dev/full", folder=folder)[0] == 0
        assert (folder / "o.mp4").exists()
