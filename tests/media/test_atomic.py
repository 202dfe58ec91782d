"""A file appears whole under its name, or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import Mock

import pytest

from mien.errors import OutputError
from mien.media.atomic import Outputs, atomic_path


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


@pytest.mark.parametrize("leads_to", ["older.csv", "nowhere.csv", "nowhere/x.csv"])
def test_a_link_is_refused_and_what_it_leads_to_left_alone(tmp_path: Path, leads_to: str) -> None:
    (tmp_path / "older.csv").write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(leads_to)
    with pytest.raises(OutputError, match=r"link\.csv is a link"), atomic_path(link):
        pass
    assert link.is_symlink()
    assert (tmp_path / "older.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "older.csv"]


def test_a_link_that_comes_meanwhile_is_replaced_and_what_it_leads_to_left_alone(tmp_path: Path) -> None:
    (tmp_path / "older.csv").write_text("old")
    names = ("a.csv", "b.csv")
    with Outputs() as outputs:
        for name in names:
            with atomic_path(tmp_path / name, outputs=outputs) as part:
                part.write_text("new")
            (tmp_path / name).symlink_to("older.csv")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "a.csv": "new", "b.csv": "new", "older.csv": "old",
    }  # fmt: skip


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with atomic_path(tmp_path / "link" / "x.csv") as part:
        part.write_text("new")
    assert (tmp_path / "real" / "x.csv").read_text() == "new"


@pytest.mark.parametrize("name", ["", ".", "..", "folder/.."])
def test_what_can_be_no_file_s_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a folder"), atomic_path(name):
        pass


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


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


class TestTogether:
    def write(self, folder: Path, names: Sequence[str], text: str = "new") -> None:
        with Outputs() as outputs:
            for name in names:
                with atomic_path(folder / name, outputs=outputs) as part:
                    part.write_text(text)
            assert not any((folder / name).exists() and (folder / name).read_text() == text for name in names)

    def test_all_appear_when_the_last_is_complete(self, tmp_path: Path) -> None:
        (tmp_path / "b.csv").write_text("old")
        self.write(tmp_path, ["a.mp4", "b.csv", "c.html"])
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
            "a.mp4": "new", "b.csv": "new", "c.html": "new",
        }  # fmt: skip

    @pytest.mark.parametrize("blow", [ValueError("x"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
    def test_an_error_at_the_last_leaves_none_and_older_ones_as_they_were(
        self, tmp_path: Path, blow: BaseException
    ) -> None:
        (tmp_path / "b.csv").write_text("old")
        with pytest.raises(BaseException) as raised, Outputs() as outputs:  # noqa: PT012
            for name in ("a.mp4", "b.csv"):
                with atomic_path(tmp_path / name, outputs=outputs) as part:
                    part.write_text("new")
            with atomic_path(tmp_path / "c.html", outputs=outputs) as part:
                part.write_text("half")
                raise blow
        assert isinstance(raised.value, OutputError if isinstance(blow, OSError) else type(blow))
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"b.csv": "old"}

    def test_an_error_between_two_leaves_none(self, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), Outputs() as outputs:  # noqa: PT012
            with atomic_path(tmp_path / "a.mp4", outputs=outputs) as part:
                part.write_text("new")
            raise ZeroDivisionError
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
    @pytest.mark.parametrize("fails", range(3))
    def test_a_name_that_cannot_be_taken_gives_the_others_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int, links: bool
    ) -> None:
        """Somebody made a folder of that name while the run went on."""
        names = ["a.mp4", "b.csv", "c.html"]
        for name in names[:2]:
            (tmp_path / name).write_text(f"old {name}")
        if not links:
            monkeypatch.setattr(os, "link", Mock(side_effect=OSError(errno.EPERM, "no links here")))
        with pytest.raises(OutputError, match=names[fails]), Outputs() as outputs:  # noqa: PT012
            for name in names:
                with atomic_path(tmp_path / name, outputs=outputs) as part:
                    part.write_text("new")
            (tmp_path / names[fails]).unlink(missing_ok=True)
            (tmp_path / names[fails] / "something").mkdir(parents=True)
        left = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
        assert left == {name: f"old {name}" for name in names[:2] if name != names[fails]}
        assert not hidden(tmp_path)

    def test_two_names_of_one_file_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("old")
        (tmp_path / "link").symlink_to(tmp_path)
        with pytest.raises(OutputError, match=r"a\.csv would be written twice"):
            self.write(tmp_path, ["a.csv", "link/a.csv"])
        (tmp_path / "link").unlink()
        assert (tmp_path / "a.csv").read_text() == "old"
        assert not hidden(tmp_path)


def test_an_input_that_may_not_be_looked_at_does_no_harm(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    with atomic_path(target, tmp_path / "absent.mp4", tmp_path / "out.csv" / "below.mp4") as part:
        part.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EFBIG, r"out\.csv could not be written: it is too large for this disk"),
    ],
)
def test_says_why_there_is_no_room(tmp_path: Path, number: int, said: str) -> None:
    with pytest.raises(OutputError, match=said), atomic_path(tmp_path / "out.csv"):
        raise OSError(number, os.strerror(number))
    assert not list(tmp_path.iterdir())


def test_a_folder_in_which_no_files_can_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Linux's /proc, which answers that there is no such file."""
    monkeypatch.setattr(os, "open", Mock(side_effect=FileNotFoundError(errno.ENOENT, "No such file or directory")))
    with pytest.raises(OutputError, match="no files can be made in"), atomic_path(tmp_path / "out.csv"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="a folder that somebody is in cannot be removed")
def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OutputError, match="the folder you are in has been removed"), atomic_path("out.csv"):
        pass
