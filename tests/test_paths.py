"""Names of files and folders that lead nowhere: one clear line and the documented exit code, whatever the command."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import typer

import performers
from conftest import Mien, Ran, encode_clip
from mien.avatar import library
from mien.media.images import write_image
from patience import LONG

FOLDERS = ("", ".", "/", "..")
TABLE = ".expression.csv"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return encode_clip(tmp_path / "visit.mp4", frames=5)


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("read", "NAME"), 3),
        (("animate", library.DEFAULT, "NAME"), 3),
        (("animate", "NAME", "CLIP"), 6),
        (("anonymize", "CLIP", "--avatar", "NAME"), 6),
        (("anonymize", "CLIP", "-o", "NAME"), 4),
        (("read", "CLIP", "-o", "NAME"), 4),
        (("avatars", "add", "NAME"), 6),
        (("avatars", "show", "NAME"), 6),
        (("avatars", "show", library.DEFAULT, "-o", "NAME"), 4),
        (("models", "add", "NAME"), 3),
        (("models", "add", "NAME", "--name", "mine"), 3),
        (("live", "--camera", "NAME", "--no-browser"), 3),
        (("live", "--camera", "CLIP", "--csv", "NAME", "--no-browser"), 4),
        (("live", "--camera", "CLIP", "--report", "NAME", "--no-browser"), 4),
    ],
)
def test_a_folder_where_a_file_is_needed(
    command: tuple[str, ...], code: int, name: str, mien: Mien, clip: Path, tmp_path: Path
) -> None:
    performers.needs_face_model()
    ran = mien(*(name if word == "NAME" else clip if word == "CLIP" else word for word in command))
    assert ran.code == code, ran.err
    assert "should not have happened" not in ran.line
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize("more", [(), ("--csv",), ("-o", "out")])
@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_name_that_leads_to_no_clip(name: str, more: tuple[str, ...], mien: Mien, tmp_path: Path) -> None:
    ran = mien("anonymize", name, *more)
    assert ran.code == 3, ran.err
    assert "should not have happened" not in ran.line
    assert not list((tmp_path / "here").iterdir())


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_no_picture_to_check(name: str, mien: Mien) -> None:
    ran = mien("avatars", "check", name)
    assert ran.code in (3, 6)
    assert ran.line


@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("MIEN_MODELS", ("anonymize", "CLIP")),
        ("MIEN_MODELS", ("read", "CLIP")),
        ("MIEN_MODELS", ("models", "list")),
        ("MIEN_MODELS", ("models", "verify")),
        ("MIEN_AVATARS", ("anonymize", "CLIP")),
        ("MIEN_AVATARS", ("avatars", "list")),
        ("MIEN_AVATARS", ("live", "--camera", "CLIP", "--no-browser")),
    ],
)
def test_a_user_that_does_not_exist(
    variable: str, command: tuple[str, ...], mien: Mien, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "~nosuchuser/things")
    ran = mien(*(clip if word == "CLIP" else word for word in command))
    assert ran.code == 3, ran.err
    assert variable in ran.line
    assert "~nosuchuser/things" in ran.line


def test_a_user_that_does_not_exist_in_the_folder_of_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    from mien.errors import InputError
    from mien.studio.sessions import SessionStore

    monkeypatch.setenv("MIEN_SESSIONS", "~nosuchuser/sessions")
    with pytest.raises(InputError, match="MIEN_SESSIONS"):
        SessionStore()


def paths(app: typer.Typer) -> Iterator[Any]:
    """Notes on every argument and option of every command that is a path."""
    for command in app.registered_commands:
        assert command.callback is not None
        for hint in get_type_hints(command.callback, include_extras=True).values():
            kinds = get_args(hint)
            if kinds[:1] in [(Path,), (Path | None,)]:
                yield from kinds[1:]
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from paths(group.typer_instance)


def test_no_command_leaves_it_to_the_parser_to_look_at_files() -> None:
    """It would say what is wrong with them with exit code 2, which is for the command line itself."""
    from mien.cli.app import app

    found = list(paths(app))
    assert len(found) > 10
    for note in found:
        looks = [note.readable, note.exists, note.writable, not note.file_okay, not note.dir_okay]
        assert not any(looks), note.help


_OVERRIDES = (1, 2)
"""Capabilities of Linux with which root reads whatever it likes."""


def _as_anybody() -> None:
    """In the program that is started: root may read no more than what permissions say."""
    if os.geteuid() == 0:
        system = ctypes.CDLL(None)
        for capability in _OVERRIDES:
            system.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def ran(*arguments: object, **environment: str) -> Ran:
    if sys.platform != "linux" and os.geteuid() == 0:
        pytest.skip("root may read anything here")
    done = subprocess.run(
        [sys.executable, "-m", "mien", *map(str, arguments)], capture_output=True, text=True, check=False, timeout=LONG,
        stdin=subprocess.DEVNULL, env=os.environ | environment, preexec_fn=_as_anybody,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
class TestNoPermission:
    @pytest.fixture(params=["the file", "its folder"])
    def locked(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
        """A folder with a clip and a picture; neither may be read."""
        folder = tmp_path / "locked"
        folder.mkdir()
        encode_clip(folder / "visit.mp4", frames=5)
        write_image(folder / "face.png", performers.portrait(64))
        for path in list(folder.iterdir()) if request.param == "the file" else [folder]:
            path.chmod(0)
        yield folder
        folder.chmod(0o700)

    @pytest.mark.parametrize(
        "command",
        [
            ("anonymize", "visit.mp4", "-o", "OUT"),
            ("anonymize", "visit.mp4", "-o", "OUT", "--json"),
            ("read", "visit.mp4", "-o", "OUT"),
            ("read", "face.png", "-o", "OUT"),
            ("animate", library.DEFAULT, "visit.mp4", "-o", "OUT"),
            ("animate", "face.png", "CLIP", "-o", "OUT"),
            ("anonymize", "CLIP", "--avatar", "face.png", "-o", "OUT"),
            ("avatars", "add", "face.png"),
            ("avatars", "check", "face.png"),
            ("avatars", "show", "face.png", "-o", "OUT.png"),
            ("models", "add", "visit.mp4", "--name", "mine"),
            ("live", "--camera", "visit.mp4", "--no-virtual", "--no-browser"),
            ("live", "--avatar", "face.png", "--no-virtual", "--no-browser"),
            ("relay", "--host", "0.0.0.0", "--certificate", "visit.mp4", "--key", "visit.mp4"),
        ],
        ids=" ".join,
    )
    def test_to_read_an_input(self, command: tuple[str, ...], locked: Path, clip: Path, tmp_path: Path) -> None:
        performers.needs_face_model()
        words = {"OUT": tmp_path / "out.mp4", "OUT.png": tmp_path / "out.png", "CLIP": clip}
        inputs = {name: locked / name for name in ("visit.mp4", "face.png")}
        done = ran(*((words | inputs).get(word, word) for word in command), MIEN_AVATARS=str(tmp_path / "avatars"))
        assert done.code == 3, done.err
        assert "no permission" in done.line
        assert str(locked) in done.line
        assert not (tmp_path / "out.mp4").exists()
        assert not (tmp_path / "avatars").exists()

    @pytest.mark.parametrize("mode", [0o000, 0o400], ids=["closed", "may be listed only"])
    @pytest.mark.parametrize("command", ["anonymize", "read"])
    def test_to_read_the_models(self, command: str, mode: int, clip: Path, tmp_path: Path) -> None:
        models = tmp_path / "models"
        models.mkdir()
        (models / "face_landmarker.task").write_bytes(b"something")
        models.chmod(mode)
        done = ran(command, clip, MIEN_MODELS=str(models), XDG_CACHE_HOME=str(tmp_path / "cache"))
        models.chmod(0o700)
        assert done.code == 5, done.err
        assert "no permission" in done.line
        assert str(models) in done.line

    def test_models_that_may_not_be_read_are_listed_as_such(self, tmp_path: Path) -> None:
        models = tmp_path / "models"
        models.mkdir(mode=0)
        done = ran("models", "list", MIEN_MODELS=str(models), XDG_CACHE_HOME=str(tmp_path / "cache"))
        models.chmod(0o700)
        assert done.code == 0, done.err
        assert "unreadable" in done.out

    def test_to_read_one_s_own_avatars(self, clip: Path, tmp_path: Path) -> None:
        """The others can still be worn."""
        performers.needs_face_model()
        avatars = tmp_path / "avatars"
        avatars.mkdir(mode=0)
        listed = ran("avatars", "list", MIEN_AVATARS=str(avatars))
        done = ran("anonymize", clip, "-s", 64, "-o", tmp_path / "out.mp4", MIEN_AVATARS=str(avatars))
        avatars.chmod(0o700)
        assert listed.code == 0, listed.err
        assert library.DEFAULT in listed.out
        assert listed.err.count("Your own avatars are missing") == 1
        assert done.code == 0, done.err

    def test_to_replace_an_older_output(self, clip: Path, tmp_path: Path) -> None:
        """Reading it is not needed for that."""
        performers.needs_face_model()
        out = tmp_path / "out.mp4"
        out.write_text("older")
        out.chmod(0)
        done = ran("anonymize", clip, "-s", 64, "-o", out)
        assert done.code == 0, done.err
        assert out.stat().st_size > 1000
