"""`mien avatars check FOLDER`: what a rig has, what does not move, and what is wrong where."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mien.avatar import library
from mien.cli import main
from mien.errors import AvatarError
from mien.study.rig_check import check_rig


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    return Path(shutil.copytree(library.built_in()["maya"], tmp_path / "rig"))


def edited(rig: Path, old: str, new: str, file: str = "rig.toml") -> Path:
    text = (rig / file).read_text(encoding="utf-8")
    assert old in text
    (rig / file).write_text(text.replace(old, new), encoding="utf-8")
    return rig


def test_a_whole_rig_has_all_and_moves_all_of_it() -> None:
    for name in ("maya", "kofi"):
        report = check_rig(library.built_in()[name])
        assert report.still == ()
        assert report.missing == ()
        assert report.parts["mouth"]
        assert report.files.keys() == {"rig.toml", "art.svg"}
        assert report.points > report.shapes > 10
        assert report.width == report.height > 100


def test_what_an_artist_left_out_is_named(rig: Path) -> None:
    edited(rig, "rise = 15", "rise = 0")
    edited(rig, "gaze = [9.45, 6.09]", "gaze = [0, 0]")
    report = check_rig(rig)
    assert {"browOuterUpLeft", "browOuterUpRight", "gaze sideways"} <= set(report.still)
    assert not {"jawOpen", "surprise", "head turned"} & set(report.still)
    robot = check_rig(library.built_in()["tik"])
    assert {"teeth-upper", "tongue"} <= set(robot.missing)
    assert not set(robot.missing) & set(robot.parts)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('seam = "mouth-seam"', 'seam = "mouth-sem"', r"rig\.toml: mouth\.seam is 'mouth-sem'"),
        ("version = 1", "version = 7", r"rig\.toml: version is 7"),
        ('art = "art.svg"', 'art = "gone.svg"', r"gone\.svg cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, message: str, rig: Path) -> None:
    with pytest.raises(AvatarError, match=message):
        check_rig(edited(rig, old, new))


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def test_the_command(rig: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("avatars", "check", rig) == 0
    out = capsys.readouterr().out
    assert "iris-left\t" in out
    assert "points; rig.toml" in out
    assert "can be worn: Maya, with the dark curls" in out
    assert run("avatars", "check", rig, "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["folder"] == str(rig)
    assert record["still"] == []
    assert "face" in record["parts"]
    edited(rig, 'outline = "face-skin"', 'outline = "face-skim"')
    assert run("avatars", "check", rig) == 6
    assert "rig.toml: outline is 'face-skim'" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert run("avatars", "check", tmp_path / "empty") == 6
    assert run("avatars", "check", tmp_path / "nowhere") == 3
