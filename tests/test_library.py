"""Avatars by name, by picture, by folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import performers
from mien.avatar import library
from mien.errors import AvatarError, InputError
from mien.media.images import write_image


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, empty at first, and another to work in."""
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "own"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "own"


def test_every_built_in_avatar_is_found_and_can_be_drawn() -> None:
    from mien.engine import registry
    from mien.types import Expression

    assert len(library.built_in()) >= 8
    assert library.DEFAULT in library.built_in()
    for name in library.built_in():
        avatar = library.find(name)
        assert avatar.kind == "puppet"
        assert avatar.title
        renderer = registry.for_avatar("puppet").prepare(avatar, size=64)
        assert renderer(Expression.neutral()).shape == (64, 64, 4)


def test_a_name_wins_over_a_file_and_a_path_means_the_file(tmp_path: Path) -> None:
    performers.needs_face_model()
    name = library.DEFAULT
    write_image(f"{name}.png", performers.portrait(160))
    Path(f"{name}.png").rename(name)
    assert library.find(name).kind == "puppet"
    assert library.find(f"./{name}").kind == "picture"
    assert library.find(Path(name)).kind == "picture"


def test_a_picture_is_cropped_around_its_face() -> None:
    performers.needs_face_model()
    wide = np.full((400, 900, 3), 150, np.uint8)
    wide[40:360, 500:820] = performers.portrait(320)
    write_image("wide.png", wide)
    avatar = library.find("wide.png")
    assert avatar.picture is not None
    height, width = avatar.picture.shape[:2]
    assert width <= 400
    assert abs(width - height) <= 2


def test_own_avatars_are_found_by_name_but_never_hide_a_built_in_one(own: Path) -> None:
    import shutil

    shutil.copytree(library.built_in()[library.DEFAULT], own / "friend")
    shutil.copytree(library.built_in()["tik"], own / library.DEFAULT)
    (own / "notes.txt").write_text("no avatar")
    (own / "empty").mkdir()
    assert set(library.users()) == {"friend", library.DEFAULT}
    assert library.find("friend").path == own / "friend"
    assert library.find(library.DEFAULT).path != own / library.DEFAULT


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(AvatarError, match="maya"):
        library.find("mayaa")
    with pytest.raises(AvatarError, match="avatars list"):
        library.find("qqqq")
    with pytest.raises(InputError, match=r"gone\.png"):
        library.find("gone.png")
    with pytest.raises(InputError, match="nowhere"):
        library.find("nowhere/face")


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", "maya"])
def test_names_that_cannot_be_kept(name: str, own: Path) -> None:
    with pytest.raises(AvatarError):
        library.add(library.built_in()["tik"], name=name)
    assert not own.exists() or not list(own.iterdir())


@given(st.text(max_size=40))
def test_whatever_is_asked_for_the_answer_is_an_avatar_or_one_clear_line(wanted: str) -> None:
    with suppress(AvatarError, InputError):  # anything else is a failure
        assert library.find(wanted).name


@given(st.text(max_size=200))
def test_a_rig_s_title_is_read_from_any_text_or_refused(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / library.RIG_FILE).write_text(text, encoding="utf-8", errors="surrogatepass")
        with suppress(AvatarError):
            assert isinstance(library.read_title(Path(folder))[0], str)
