"""No file that a run reads is replaced by one that it writes, under whatever name: refused before any work."""

from __future__ import annotations

import hashlib
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import performers
from conftest import Mien
from mien.avatar import library
from mien.media.images import write_image

TABLES = {"--csv": ".expression.csv", "--summary": ".expression.json", "--report": ".report.html"}
Alias = Callable[[Path, Path], None]


def itself(source: Path, name: Path) -> None:
    source.rename(name)
    if source != name:
        source.symlink_to(name)


ALIASES: dict[str, Alias] = {
    "itself": itself,
    "a hard link": lambda source, name: name.hardlink_to(source),
    "a symlink": lambda source, name: name.symlink_to(source),
}
aliases = pytest.mark.parametrize("alias", ALIASES.values(), ids=ALIASES.keys())
tables = pytest.mark.parametrize(("option", "end"), TABLES.items(), ids=TABLES.keys())


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    performers.needs_face_model()
    return performers.clip(tmp_path / "visit.mp4", performers.swaying(4))


@pytest.fixture
def face(tmp_path: Path) -> Path:
    write_image(tmp_path / "face.png", performers.portrait(160))
    return tmp_path / "face.png"


@pytest.fixture
def refused(mien: Mien, tmp_path: Path) -> Callable[..., None]:
    """A command that must not begin, and must leave every file as it was."""

    def files() -> dict[str, str]:
        found = (path for path in tmp_path.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def run(*arguments: object, name: str) -> None:
        before = files()
        ran = mien(*arguments)
        assert ran.code == 4, ran.err
        assert name in ran.line
        assert "input itself" in ran.line
        assert files() == before

    return run


@tables
@aliases
def test_a_table_onto_the_avatar(
    alias: Alias, option: str, end: str, refused: Callable[..., None], clip: Path, face: Path, tmp_path: Path
) -> None:
    name = tmp_path / f"o{end}"
    alias(face, name)
    refused("anonymize", clip, "--avatar", name, "-o", tmp_path / "o.mp4", option, name=name.name)
    refused("anonymize", clip, "--avatar", face, "-o", tmp_path / "o.mp4", option, name=name.name)
    refused("animate", face, clip, "-o", tmp_path / "o.mp4", option, name=name.name)


@tables
@aliases
def test_a_table_onto_the_clip(
    alias: Alias, option: str, end: str, refused: Callable[..., None], clip: Path, tmp_path: Path
) -> None:
    name = tmp_path / f"o{end}"
    alias(clip, name)
    refused("anonymize", clip, "-o", tmp_path / "o.mp4", option, name=name.name)
    refused("animate", library.DEFAULT, clip, "-o", tmp_path / "o.mp4", option, name=name.name)
    refused("read", clip, "-o", tmp_path / "o", name=name.name)


@pytest.mark.parametrize("file", ["rig.toml", "art.svg"])
@pytest.mark.parametrize("alias", [ALIASES["a hard link"], ALIASES["a symlink"]])  # a rig that is a link is none
def test_a_table_onto_a_file_of_a_rig(
    alias: Alias, file: str, refused: Callable[..., None], clip: Path, tmp_path: Path
) -> None:
    rig = shutil.copytree(library.built_in()[library.DEFAULT], tmp_path / "rig")
    alias(rig / file, tmp_path / "o.report.html")
    refused("anonymize", clip, "--avatar", rig, "-o", tmp_path / "o.mp4", "--report", name="o.report.html")


@aliases
def test_a_video_onto_the_avatar(
    alias: Alias, refused: Callable[..., None], clip: Path, face: Path, tmp_path: Path
) -> None:
    alias(face, tmp_path / "o.mp4")
    refused("anonymize", clip, "--avatar", face, "-o", tmp_path / "o.mp4", name="o.mp4")


def test_a_table_onto_a_detector_s_file(refused: Callable[..., None], clip: Path, tmp_path: Path) -> None:
    for file in ("o.expression.csv", "net.caffemodel"):
        (tmp_path / file).write_text("layer {}")
    detector = f"ssd:{tmp_path / 'o.expression.csv'},{tmp_path / 'net.caffemodel'}"
    refused("read", clip, "-o", tmp_path / "o", "--detector", detector, name="o.expression.csv")


@aliases
@pytest.mark.parametrize("option", ["--csv", "--report"])
def test_a_live_run_s_table_onto_what_it_reads(
    option: str, alias: Alias, refused: Callable[..., None], clip: Path, face: Path, tmp_path: Path
) -> None:
    alias(face, tmp_path / "o.face")
    alias(clip, tmp_path / "o.clip")
    common = ("--camera", clip, "--avatar", face, "--no-virtual", "--no-browser", option)
    refused("live", *common, tmp_path / "o.face", name="o.face")
    refused("live", *common, tmp_path / "o.clip", name="o.clip")


def test_a_live_run_s_table_onto_one_s_own_avatar(refused: Callable[..., None], mien: Mien, clip: Path, face: Path,
                                                  tmp_path: Path) -> None:  # fmt: skip
    assert mien("avatars", "add", face, "--name", "me").code == 0
    mine = tmp_path / "avatars" / "me.png"
    refused("live", "--camera", clip, "--avatar", "me", "--no-browser", "--no-virtual", "--csv", mine, name="me.png")


def test_the_sheet_of_an_avatar_onto_itself(refused: Callable[..., None], face: Path) -> None:
    performers.needs_face_model()
    refused("avatars", "show", face, "-o", face, name="face.png")


def test_names_that_the_file_system_takes_for_the_same(
    refused: Callable[..., None], clip: Path, face: Path, tmp_path: Path
) -> None:
    """Other capitals, another spelling of an accent: nothing to refuse where these are two files."""
    name = "Zoë.expression.csv"
    face.rename(tmp_path / name)
    for other in (name.upper(), unicodedata.normalize("NFD", name)):
        if (tmp_path / other).exists():
            output = tmp_path / other[: -len(TABLES["--csv"])]
            refused("anonymize", clip, "--avatar", tmp_path / name, "-o", f"{output}.mp4", "--csv", name=other)


def test_a_file_system_that_does_not_tell_capitals_apart(
    refused: Callable[..., None], clip: Path, face: Path, tmp_path: Path
) -> None:
    """A link under the other name is what such a system answers with."""
    (tmp_path / "O.EXPRESSION.CSV").hardlink_to(face)
    (tmp_path / "o.expression.csv").hardlink_to(face)
    refused(
        "anonymize", clip, "--avatar", tmp_path / "O.EXPRESSION.CSV", "-o", tmp_path / "o.mp4", "--csv",
        name="o.expression.csv",
    )  # fmt: skip


def test_tables_that_lead_to_the_video(mien: Mien, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "o.mp4").write_text("older")
    (tmp_path / "o.expression.csv").symlink_to(tmp_path / "o.mp4")
    ran = mien("anonymize", clip, "-o", tmp_path / "o.mp4", "--csv")
    assert ran.code == 4
    assert "o.expression.csv" in ran.line
    assert (tmp_path / "o.mp4").read_text() == "older"


def test_a_table_and_a_report_that_are_one_file(mien: Mien, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "b").symlink_to(tmp_path / "a")
    ran = mien(
        "live", "--camera", clip, "--no-virtual", "--no-browser", "--csv", tmp_path / "a", "--report", tmp_path / "b"
    )
    assert ran.code == 4
    assert "two names" in ran.line
    assert not (tmp_path / "a").exists()


class TestLinks:
    """A link under the name of an output is refused, whoever chose the name; what it leads to stays as it was."""

    @pytest.fixture
    def refused(self, mien: Mien, tmp_path: Path) -> Callable[..., None]:
        """A command that must not begin while one of its outputs is a link."""
        victim = tmp_path / "victim.txt"
        victim.write_text("precious")

        def run(*arguments: object, link: Path) -> None:
            link.symlink_to(victim)
            before = sorted(tmp_path.rglob("*"))
            ran = mien(*arguments)
            assert ran.code == 4, ran.err
            assert f"{link.name} is a link" in ran.line
            assert link.is_symlink()
            assert victim.read_text() == "precious"
            assert sorted(tmp_path.rglob("*")) == before
            link.unlink()

        return run

    def test_of_a_video(self, refused: Callable[..., None], clip: Path, tmp_path: Path) -> None:
        refused("anonymize", clip, "-o", tmp_path / "o.mp4", link=tmp_path / "o.mp4")
        refused("anonymize", clip, link=tmp_path / "visit-anonymous.mp4")
        refused("animate", library.DEFAULT, clip, link=tmp_path / f"{library.DEFAULT}-visit.mp4")

    @tables
    def test_of_a_table(self, refused: Callable[..., None], clip: Path, tmp_path: Path, option: str, end: str) -> None:
        refused("anonymize", clip, "-o", tmp_path / "o.mp4", option, link=tmp_path / f"o{end}")
        refused("read", clip, link=tmp_path / f"visit{end}")

    @pytest.mark.parametrize("option", ["--csv", "--report"])
    def test_of_a_live_run_s_table(self, refused: Callable[..., None], clip: Path, tmp_path: Path, option: str) -> None:
        file = tmp_path / "o.table"
        refused("live", "--camera", clip, "--no-virtual", "--no-preview", option, file, link=file)

    def test_of_a_sheet(self, refused: Callable[..., None], tmp_path: Path) -> None:
        refused("avatars", "show", library.DEFAULT, link=tmp_path / "here" / f"{library.DEFAULT}.png")
