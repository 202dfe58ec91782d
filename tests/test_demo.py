"""The demo: refused before any work, and whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import performers
from conftest import Mien
from test_full_disk import limited

FILES = (
    "portrait.png", "side-by-side.mp4", "visit-picture.mp4", "visit-puppet.mp4", "visit-puppet.report.html",
    "visit.expression.csv", "visit.expression.json", "visit.mp4",
)  # fmt: skip
SHORT = ("--seconds", "0.1", "-s", "64")


@pytest.fixture(autouse=True)
def what_it_needs() -> None:
    performers.needs_face_model()
    pytest.importorskip("skimage")


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "-inf"])
def test_of_no_such_length(mien: Mien, seconds: str) -> None:
    ran = mien("demo", "-o", "shown", f"--seconds={seconds}")
    assert ran.code == 3, ran.err
    assert f"A demo of {float(seconds):g} seconds" in ran.line
    assert not list(Path().iterdir())


@pytest.mark.parametrize("size", [-1, 0, 63, 2049, 99999])
def test_of_no_such_size(mien: Mien, size: int) -> None:
    ran = mien("demo", "-o", "shown", "-s", size)
    assert ran.code == 3, ran.err
    assert f"A size of {size}" in ran.line
    assert not list(Path().iterdir())


def test_all_of_it_appears_and_nothing_else(mien: Mien) -> None:
    Path("shown").mkdir()
    Path("shown", "visit.mp4").write_text("older")
    ran = mien("demo", "-o", "shown", *SHORT)
    assert ran.code == 0, ran.err
    assert sorted(path.name for path in Path("shown").iterdir()) == list(FILES)
    assert Path("shown", "visit.mp4").stat().st_size > 1000
    for name in FILES:
        assert str(Path("shown", name)) in ran.out
    assert ".part" not in ran.out


@pytest.mark.parametrize("name", FILES)
def test_a_link_or_a_folder_under_any_of_its_names(mien: Mien, name: str) -> None:
    Path("victim.txt").write_text("precious")
    Path("shown").mkdir()
    taken = Path("shown", name)
    taken.symlink_to(Path("..", "victim.txt"))
    ran = mien("demo", "-o", "shown", *SHORT)
    assert ran.code == 4, ran.err
    assert f"{name} is a link" in ran.line
    taken.unlink()
    taken.mkdir()
    ran = mien("demo", "-o", "shown", *SHORT)
    assert ran.code == 4, ran.err
    assert f"{name} is a folder" in ran.line
    assert [path.name for path in Path("shown").iterdir()] == [name]
    assert Path("victim.txt").read_text() == "precious"


@pytest.mark.parametrize("most", [1_000, 4_096, 8_192])
def test_a_disk_that_fills_up_leaves_nothing(most: int, tmp_path: Path) -> None:
    ran = limited(most, "demo", "-o", tmp_path / "shown", *SHORT)
    assert ran.returncode == 4, ran.stderr
    assert f"{tmp_path / 'shown'}{os.sep}" in ran.stderr
    assert ".part" not in ran.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_that_cannot_be_made(mien: Mien) -> None:
    Path("file").write_text("mine")
    ran = mien("demo", "-o", Path("file", "shown"), *SHORT)
    assert ran.code == 4, ran.err
    assert Path("file").read_text() == "mine"
