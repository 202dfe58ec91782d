"""What must not outlive a program does not, however it ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.studio.scratch import Scratch, sweep

HOLDER = """
import sys
from pathlib import Path
from mien.studio.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]), "work-")
(scratch.path / "deep").mkdir()
(scratch.path / "deep" / "file").write_text("private")
print(scratch.path, flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another program with a folder there."""
    command = [sys.executable, "-c", HOLDER, str(parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_is_private_and_goes_when_closed(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, "work-")
    if sys.platform != "win32":
        assert stat.S_IMODE(scratch.path.stat().st_mode) == 0o700
    (scratch.path / "file").write_text("private")
    scratch.close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_program_left_goes_at_the_next_start_and_what_another_uses_stays(tmp_path: Path) -> None:
    with holder(tmp_path) as (killed, left), holder(tmp_path) as (_, used):
        killed.send_signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
        killed.wait()
        assert left.exists()
        scratch = Scratch(tmp_path, "work-")
        assert not left.exists()
        assert (used / "deep" / "file").read_text() == "private"
        assert scratch.path.exists()
        sweep(tmp_path, "work-")
        assert scratch.path.exists()  # not even by the program itself
        scratch.close()


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").write_text("somebody's")
    (tmp_path / "work-file").write_text("no folder")
    (tmp_path / "work-link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "other").mkdir()
    sweep(tmp_path, "work-")
    assert (tmp_path / "elsewhere" / "file").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "other", "work-file", "work-link"]
    assert not (tmp_path / "elsewhere" / "lock").exists()
    sweep(tmp_path / "missing", "work-")


@pytest.mark.skipif(sys.platform == "win32", reason="users are told apart by number here")
def test_a_folder_of_another_user_stays(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    theirs = tmp_path / "work-theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    sweep(tmp_path, "work-")
    assert theirs.exists()


def test_where_nothing_can_be_made_the_sentence_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"No folder can be made in .*missing"):
        Scratch(tmp_path / "missing", "work-")
