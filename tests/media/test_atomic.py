"""A file appears whole under its name, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import OutputError
from mien.media.atomic import atomic_path


def test_appears_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    with atomic_path(target) as part:
        part.write_text("half")
        assert part.suffix == ".html"
        assert part.parent == target.parent
        assert not target.exists()
    assert target.read_text() == "half"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("blow", [ValueError("x"), KeyboardInterrupt(), SystemExit(2)])
def test_an_exception_leaves_what_was_there(tmp_path: Path, blow: BaseException) -> None:
    target = tmp_path / "timeline.csv"
    target.write_text("old")
    with pytest.raises(type(blow)), atomic_path(target) as part:  # noqa: PT012
        part.write_text("new")
        raise blow
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["timeline.csv"]


def test_keeps_the_permissions_a_new_file_would_have(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with atomic_path(tmp_path / "ours") as part:
        part.write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_writes_through_a_symlink(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with atomic_path(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"


def test_refuses_an_input_under_any_name(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    source.write_text("x")
    (tmp_path / "hard.mp4").hardlink_to(source)
    (tmp_path / "soft.mp4").symlink_to(source)
    for name in ("in.mp4", "hard.mp4", "soft.mp4"):
        with pytest.raises(OutputError, match="is the input itself"), atomic_path(tmp_path / name, source):
            pass
    assert source.read_text() == "x"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["no writing", "no looking"])
def test_says_when_there_is_no_permission(tmp_path: Path, mode: int) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=mode)
    code = f"""
import os
from mien.media.atomic import atomic_path
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with atomic_path({str(locked / "out.csv")!r}):
    pass
"""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "OutputError" in result.stderr
    assert "no permission" in result.stderr
