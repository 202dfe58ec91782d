"""A disk that fills up while a run writes its files: none of them is left, and older ones are as they were."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import performers

resource = pytest.importorskip("resource", reason="needs a limit on the size of files")

OLDER = "written last week"
TABLES = ("out.expression.csv", "out.expression.json", "out.report.html")


def older(folder: Path, names: Sequence[str]) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(OLDER)


def limited(most: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A command for which no file can grow beyond so many bytes."""
    return subprocess.run(
        [sys.executable, "-m", "mien", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of somebody: 6 kB of video, 12 kB of table, 4 kB of summary, 41 kB of report."""
    performers.needs_face_model()
    return performers.clip(tmp_path_factory.mktemp("visit") / "visit.mp4")


@pytest.mark.parametrize("kept", [(), ("out.mp4", *TABLES), ("out.mp4",)], ids=["none", "all", "the video"])
@pytest.mark.parametrize(("most", "first"), [(3_000, "out.mp4"), (9_000, TABLES[0]), (20_000, TABLES[2])])
def test_anonymize(visit: Path, tmp_path: Path, most: int, first: str, kept: Sequence[str]) -> None:
    out = tmp_path / "out"
    older(out, kept)
    ran = limited(most, "anonymize", visit, "-o", out / "out.mp4", "-s", 64, "--csv", "--summary", "--report", "--json")
    assert ran.returncode == 4, ran.stderr
    record = json.loads(ran.stdout)
    assert record["exit_code"] == 4
    assert "too large for this disk, or for a limit" in record["error"]
    assert first in record["error"]
    assert "Traceback" not in ran.stderr
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(kept, OLDER)


@pytest.mark.parametrize("kept", [(), TABLES], ids=["none", "all"])
@pytest.mark.parametrize(("most", "first"), [(9_000, TABLES[0]), (20_000, TABLES[2])])
def test_read(visit: Path, tmp_path: Path, most: int, first: str, kept: Sequence[str]) -> None:
    out = tmp_path / "out"
    older(out, kept)
    ran = limited(most, "read", visit, "-o", out / "out")
    assert ran.returncode == 4, ran.stderr
    assert first in ran.stderr
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(kept, OLDER)


@pytest.mark.parametrize("kept", [(), ("visit.csv", "visit.html")], ids=["none", "all"])
def test_live(tmp_path: Path, kept: Sequence[str]) -> None:
    """However few of its frames are seen in time: their table is small, and any report is larger than this."""
    performers.needs_face_model()
    pytest.importorskip("starlette", reason="needs the extra 'live'")
    clip = performers.clip(tmp_path / "somebody.mp4", performers.swaying(5))
    out = tmp_path / "out"
    older(out, kept)
    ran = limited(
        8_000, "live", "--camera", clip, "--no-virtual", "--no-preview", "-s", 64, "--csv", out / "visit.csv",
        "--report", out / "visit.html",
    )  # fmt: skip
    assert ran.returncode == 4, ran.stderr
    assert "visit.html" in ran.stderr
    assert {path.name: path.read_text() for path in out.iterdir()} == dict.fromkeys(kept, OLDER)


def small_disk(folder: Path, kilobytes: int, script: str) -> subprocess.CompletedProcess[str]:
    """A shell script, run where `folder` is a disk of that size. Skips where this machine does not permit it."""
    if shutil.which("unshare") is None:
        pytest.skip("needs Linux's unshare")
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount -t tmpfs -o size={kilobytes}k tmpfs {shlex.quote(str(folder))}"
    if subprocess.run([*namespace, mount], capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here, not even in a namespace of one's own")
    return subprocess.run(
        [*namespace, f"{mount} && {script}"], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("command", ["anonymize", "read"])
def test_a_disk_that_is_really_full(command: str, visit: Path, tmp_path: Path) -> None:
    """Room for everything but the report."""
    disk = tmp_path / "disk"
    disk.mkdir()
    output = disk / ("out.mp4" if command == "anonymize" else "out")
    options = ["-s", "64", "--csv", "--summary", "--report"] if command == "anonymize" else []
    run = shlex.join([sys.executable, "-m", "mien", command, str(visit), "-o", str(output), *options])
    names = ["out.mp4", *TABLES] if command == "anonymize" else TABLES
    ran = small_disk(
        disk, 60, f"cd {shlex.quote(str(disk))} && for name in {' '.join(names)}; do echo older > $name; done; "
        f"{run}; echo code $?; ls -A; cat *",
    )  # fmt: skip
    assert ran.stdout.splitlines() == ["code 4", *sorted(names), *["older"] * len(names)], ran.stderr
    assert "The disk is full" in ran.stderr
    assert "out.report.html" in ran.stderr
    assert "Traceback" not in ran.stderr
