"""Rigs and pictures that strangers made: read as ordinary files only, copied whole or not at all, broken ones named."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import performers
from mien.avatar import library
from mien.avatar.rig import read_rig
from mien.errors import AvatarError, InputError, MienError, OutputError

posix = pytest.mark.skipif(os.name == "nt", reason="pipes and devices as on Unix")


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, empty at first, and another to work in."""
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "own"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "own"


@pytest.fixture
def rig() -> Path:
    """A good rig's folder."""
    return Path(shutil.copytree(library.built_in()["tik"], "rig"))


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    where = Path.cwd()
    os.chdir(path.parent)  # a socket's path may be no longer than 100 bytes
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(where)


def endless_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def good_link(path: Path) -> None:
    path.symlink_to(library.built_in()["tik"].absolute() / path.name)


def lost_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_folder(path: Path) -> None:
    path.mkdir()


@posix
@pytest.mark.parametrize("file", ["rig.toml", "art.svg"])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (pipe, "a named pipe"), (bound_socket, "a socket"), (endless_link, "a link"), (good_link, "a link"),
        (lost_link, "a link"), (a_folder, "a folder"),
    ],
)  # fmt: skip
def test_a_rig_s_files_are_ordinary_ones(make: Callable[[Path], None], kind: str, file: str, rig: Path) -> None:
    (rig / file).unlink()
    make(rig / file)
    for use in (read_rig, library.add):
        with pytest.raises(AvatarError, match=f"{file} cannot be read .it is {kind}"):
            use(rig)
    assert "rig" not in library.users()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = " + "9" * 5000, "too long|must be from"),
        ("version = 0x" + "f" * 5000, "must be from"),
        ("version = 1" + "0" * 4000, "must be from"),
        ("version = inf", "must be from"),
        ("title = " + "[" * 20_000, "nested too deeply"),
        ("title = " + "{a=" * 20_000, "nested too deeply"),
        ("a." * 100_000 + "a = 1", "dots"),
        ('"\u2028".' * 20_000 + "a = 1", "dots"),
        ('version = 1\nart = "a\\u0000.svg"', "art is "),
        ('version = 1\nart = "a\\n.svg"', "art is "),
        ('version = 1\nart = "../rig/art.svg"', "art is "),
        ('version = 1\nart = "' + "a" * 190 + '.svg"\n', "cannot be read"),
        (f"{'k' * 50_000} = 1\nversion = 2", "version is 2"),
    ],
    ids=lambda value: value[:12],
)
def test_what_no_rig_would_say(text: str, message: str, rig: Path) -> None:
    (rig / "rig.toml").write_text(text, encoding="utf-8")
    with pytest.raises(AvatarError, match=message) as caught:
        read_rig(rig)
    assert "rig.toml" in str(caught.value) or "art.svg" in str(caught.value) or ".svg" in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_title_s_check_survives_the_same(rig: Path) -> None:
    for text in ("a = " + "9" * 5000, "a = " + "[" * 20_000, "a." * 100_000 + "a = 1"):
        (rig / "rig.toml").write_text(text)
        with pytest.raises(AvatarError):
            library.read_title(rig)


def test_only_what_the_rig_names_is_copied(rig: Path, own: Path) -> None:
    (rig / "secret.txt").write_text("not asked for")
    (rig / "deep").mkdir()
    (rig / "link").symlink_to("/etc/passwd")
    (rig / "art.svg").rename(rig / "robot.svg")
    text = (rig / "rig.toml").read_text(encoding="utf-8").replace('art = "art.svg"', 'art = "robot.svg"')
    (rig / "rig.toml").write_text(text, encoding="utf-8")
    avatar = library.add(rig)
    assert avatar.path == own / "rig"
    assert {path.name for path in own.rglob("*")} == {"rig", "rig.toml", "robot.svg"}
    assert read_rig(own / "rig").title == avatar.title


@pytest.mark.parametrize("trouble", [KeyboardInterrupt(), SystemExit(143), OSError(28, "No space left on device")])
def test_a_copy_that_is_interrupted_leaves_nothing(
    trouble: BaseException, rig: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def interrupted(path: Path, data: bytes) -> int:
        if path.suffix == ".svg":
            write(path, data[:100])
            raise trouble
        return write(path, data)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "write_bytes", interrupted)
        with pytest.raises((type(trouble), OutputError)):
            library.add(rig)
    assert not list(own.iterdir())
    assert library.add(rig).name == "rig"  # the name is not taken


def test_a_folder_of_that_name_stays_as_it_is(rig: Path, own: Path) -> None:
    for content in ("notes.txt", None):
        shutil.rmtree(own, ignore_errors=True)
        (own / "rig").mkdir(parents=True)
        if content:
            (own / "rig" / content).write_text("mine")
        with pytest.raises(OutputError, match="rig cannot be written"):
            library.add(rig)
        assert [path.name for path in own.rglob("*")] == ["rig", *([content] if content else [])]


def test_what_is_being_written_is_no_avatar_yet(rig: Path, own: Path) -> None:
    own.mkdir()
    rig.rename(own / ".rig.1234.part")
    Image.new("RGB", (64, 64)).save(own / ".me.1234.part.png")
    assert not library.users()


@pytest.mark.parametrize(
    "name",
    [
        "", "x" * 101, "ü" * 101, "a\nb", "a\x1b[31m", "\u202eabc", "caf\udce9", "a:b", "a\\b", " a", "CON", "nul",
        "Aux.me", "con .x", "com0", "LPT9", "COM\u00b9", "CONIN$",
    ],
)  # fmt: skip
def test_names_that_no_file_should_have(name: str, rig: Path, own: Path) -> None:
    if name:
        with pytest.raises(AvatarError, match="cannot be an avatar's name") as caught:
            library.add(rig, name=name)
        assert len(str(caught.value)) < 300
    else:
        assert library.add(rig, name=name).name == "rig"


@pytest.mark.parametrize("wanted", ["a" * 5000, "a" * 5000 + ".png", "b/" + "a" * 5000, "a\0b", "\udcff", "~" * 400])
def test_a_name_beyond_all_measure(wanted: str) -> None:
    with pytest.raises((AvatarError, InputError), match="There is no ") as caught:
        library.find(wanted)
    assert len(str(caught.value)) < 500


@posix
def test_a_broken_avatar_is_named_and_the_others_are_shown(rig: Path, own: Path) -> None:
    own.mkdir()
    for name, text in {"deep": "a = " + "[" * 9000, "empty": "", "long": "a = " + "9" * 5000}.items():
        shutil.copytree(rig, own / name)
        (own / name / "rig.toml").write_text(text)
    for name, file in {"piped": "rig.toml", "drawn": "art.svg"}.items():
        shutil.copytree(rig, own / name)
        (own / name / file).unlink()
        os.mkfifo(own / name / file)
    (own / "text.png").write_text("no picture")
    os.mkfifo(own / "pipe.png")
    (own / "lost.png").symlink_to("nowhere")
    Image.new("RGB", (64, 64)).save(own / "fine.png")
    rig.rename(own / "good")
    found = {avatar.name: avatar for avatar in library.listed()}
    broken = {name for name, avatar in found.items() if avatar.trouble}
    assert broken == {"deep", "empty", "long", "piped", "drawn", "text", "pipe", "lost"}
    assert set(found) == {*library.built_in(), *broken, "good", "fine"}
    for name in broken:
        assert name in found[name].trouble  # says which
        if name not in ("empty", "drawn"):  # seen when they are drawn
            with pytest.raises(MienError):
                library.find(name)
    assert library.find(library.DEFAULT).kind == "puppet"


def test_a_folder_of_avatars_that_cannot_be_read_hides_no_built_in_one(
    own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own.mkdir()
    look = Path.iterdir

    def forbidden(path: Path) -> object:
        if path == own:
            raise PermissionError(13, "Permission denied", str(path))
        return look(path)

    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert library.find(library.DEFAULT)
    assert {avatar.name for avatar in library.listed()} == set(library.built_in())
    assert "Your own avatars are missing" in caplog.text


@pytest.mark.parametrize("kind", ["animated", "paletted", "see-through", "no-ending"])
def test_a_picture_of_another_kind_is_kept_so_that_it_can_be_worn(kind: str, own: Path) -> None:
    performers.needs_face_model()
    face = Image.fromarray(performers.portrait(200))
    path = Path("face.gif")
    if kind == "animated":
        face.save(path, save_all=True, append_images=[Image.new("RGB", face.size)], duration=40)
    elif kind == "paletted":
        face.quantize(64).save(path)
    elif kind == "see-through":
        face.quantize(255).save(path, transparency=254)
    else:
        face.save(path)
        path = path.rename("face")
    assert library.add(path).name == "face"
    assert [avatar.trouble for avatar in library.listed() if avatar.name == "face"] == [""]
    worn = library.find("face").picture
    assert worn is not None
    assert worn.shape[2] == 4
    assert np.abs(worn[..., :3].astype(int) - library.load(path).picture[..., :3]).max() == 0  # type: ignore[index]


@posix
@pytest.mark.parametrize("make", [pipe, bound_socket, endless_link])
def test_a_picture_is_an_ordinary_file(make: Callable[[Path], None], own: Path) -> None:
    make(Path("face.png"))
    for use in (library.add, library.find):
        with pytest.raises(InputError, match="not an ordinary file"):
            use(Path("face.png"))
    assert not own.exists()


def test_an_unreadable_picture_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (64, 64)).save("face.png")
    opening = os.open

    def forbidden(path: Path, *rest: int) -> int:
        if str(path).endswith("face.png"):
            raise PermissionError(13, "Permission denied", str(path))
        return opening(path, *rest)

    monkeypatch.setattr(os, "open", forbidden)
    for use in (library.add, library.find):
        with pytest.raises(InputError, match=r"face\.png cannot be read .Permission denied"):
            use(Path("face.png"))
