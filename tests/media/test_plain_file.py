"""Files from strangers: what is no ordinary file is refused at once, under any name it is reached by."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mien.media.plain_file import open_plain, read_plain

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes and devices as on Unix")


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    where = Path.cwd()
    os.chdir(path.parent)  # a socket's path may be no longer than 100 bytes
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(where)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


KINDS = [
    (folder, "a folder"), (pipe, "a named pipe"), (bound_socket, "a socket"), (link_to_device, "a device"),
    (link_to_pipe, "a named pipe"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind"), KINDS)
def test_what_is_no_ordinary_file_is_refused(make: Callable[[Path], None], kind: str, tmp_path: Path) -> None:
    make(tmp_path / "art.svg")
    with pytest.raises(OSError, match=f"it is {kind}, not an ordinary file"):
        read_plain(tmp_path / "art.svg", limit=100)


def test_a_link_is_followed_only_where_that_was_allowed(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"text")
    (tmp_path / "here").symlink_to("there")
    (tmp_path / "lost").symlink_to("nowhere")
    assert read_plain(tmp_path / "here", limit=100) == b"text"
    for name in ("here", "lost"):
        with pytest.raises(OSError, match="it is a link"):
            read_plain(tmp_path / name, limit=100, links=False)


def test_a_file_swapped_for_something_else_after_the_first_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "art.svg"
    path.write_bytes(b"text")
    before = path.lstat()
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(Path, "lstat", lambda self: before)
    with pytest.raises(OSError, match="a named pipe"):
        open_plain(path, links=False)
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(OSError):
        open_plain(path, links=False)


def test_no_more_is_read_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(3000))
    assert len(read_plain(tmp_path / "big", limit=3000)) == 3000
    with pytest.raises(OSError, match="larger than 2 kB"):
        read_plain(tmp_path / "big", limit=2048)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs files that do not tell their size")
def test_no_more_is_read_of_a_file_that_does_not_tell_its_size() -> None:
    with pytest.raises(OSError, match="larger than"):
        read_plain(Path("/proc/self/maps"), limit=100)


def test_a_name_that_cannot_be_one(tmp_path: Path) -> None:
    for name in ("a\0b", "a" * 5000):
        with pytest.raises(OSError):
            read_plain(tmp_path / name, limit=100)
