"""Standard streams that are missing, full, or read by nobody: the documented exit code, and no traceback."""

from __future__ import annotations

import json
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
