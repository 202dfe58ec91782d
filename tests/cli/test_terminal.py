"""What a stranger put into a name is shown as letters: no terminal obeys it, no encoding stumbles over it."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import performers
from mien.avatar import library
from mien.cli import main, show
from mien.cli.terminal import json_text, visible

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NASTY = "a\x1b[31mred\n\r\x07\x9b2J\u202etxt\u2028[bold]b[/bold]:smile:\x7f"
"""A name with colours, a bell, a cleared screen, text turned round, new lines, and markup that must stay as it is."""
BYTES = b"caf\xe9\x1b[2J\n.png"
"""A name in Latin-1."""


def test_each_kind_is_written_out() -> None:
    assert visible("a\nb\tc\r") == "a\\nb\\tc\\r"
    assert visible("\x1b[31m\x00\x7f\x9b") == "\\x1b[31m\\x00\\x7f\\x9b"
    assert visible("\u202e\u2066\u2028") == "\\u202e\\u2066\\u2028"
    assert visible(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
    assert visible("\ud800") == "\\ud800"
    plain = "Zoë 이모 C:\\new [red] 😀 …"
    assert visible(plain) == plain


@settings(max_examples=300)
@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\u202e\n\udce9\ud83d\ude00")))
def test_whatever_is_in_it_is_one_harmless_line(text: str) -> None:
    shown = visible(text)
    assert not OBEYED.search(shown)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1


@settings(max_examples=300)
@given(
    st.recursive(st.text(st.characters() | st.sampled_from("\x1b\x9b\u202e\n\udce9\ud800")) | st.integers(), st.lists)
)
def test_json_stays_json(record: object) -> None:
    for indent in (None, 1):
        text = json_text(record, indent=indent)
        assert json.loads(text) == record
        assert not OBEYED.search(text.replace("\n", ""))
        text.encode("utf-8")


Mien = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mien(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mien:
    """Run a command in an empty folder; fails where a terminal would obey anything that was printed."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "avatars"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert not OBEYED.search((captured.out + captured.err).replace("\n", "").replace("\t", ""))
        assert "Traceback" not in captured.err
        assert "should not have happened" not in captured.err
        return int(left.value.code or 0), captured.out, captured.err

    return run


WRONG = [
    ("anonymize", NASTY), ("anonymize", NASTY + ".mp4", "--avatar", NASTY), ("read", NASTY), ("animate", NASTY, NASTY),
    ("avatars", "show", NASTY), ("avatars", "check", NASTY), ("avatars", "add", NASTY), ("models", "add", NASTY),
    ("models", "pull", NASTY), ("models", "verify", NASTY), ("anonymize", "--" + NASTY), (NASTY,),
    ("avatars", NASTY), ("anonymize", "x", "--size", NASTY), ("anonymize", "x", "--scene", NASTY),
    ("anonymize", "x", "--engine", NASTY), ("read", "x", "--detector", NASTY), ("avatars", "list", NASTY),
    ("avatars", "add", ".", "--name", NASTY),
]  # fmt: skip


@pytest.mark.parametrize("arguments", WRONG, ids=lambda given: f"{given[0][:9]}-{len(given)}")
def test_what_was_given_wrong_is_said_in_letters(arguments: tuple[str, ...], mien: Mien) -> None:
    arguments = tuple(argument.replace("\x00", "") for argument in arguments)
    code, _, err = mien(*arguments)
    assert code in (2, 3, 5, 6)
    assert len([line for line in err.splitlines() if line.startswith("mien: ")]) == (0 if code == 2 else 1)
    assert mien(*arguments, "--json")[0] == code


def test_names_of_what_is_there(mien: Mien, tmp_path: Path) -> None:
    own = tmp_path / "avatars"
    shutil.copytree(library.built_in()["tik"], own / f"rig{NASTY}".replace("/", ""))
    shutil.copytree(library.built_in()["tik"], own / f"bad{NASTY}".replace("/", ""))
    (own / f"bad{NASTY}".replace("/", "") / "rig.toml").write_text("title = \u202e")
    rig = next(own.glob("rig*"))
    text = (
        (rig / "rig.toml").read_text(encoding="utf-8").replace('title = "Tik', 'title = "\\u001b[31m\\n\\u202e[red]Tik')
    )
    (rig / "rig.toml").write_text(text, encoding="utf-8")
    assert mien("avatars", "list")[1].count("\n") == len(library.built_in()) + 2
    listed = {row["name"]: row for row in json.loads(mien("avatars", "list", "--json")[1])}
    assert listed[rig.name]["title"].startswith("\x1b[31m\n\u202e[red]Tik")
    assert "\\x1b[31m\\n\\u202e[red]Tik" in mien("avatars", "check", rig)[1]
    assert json.loads(mien("avatars", "check", rig, "--json")[1])["folder"] == str(rig)
    code, out, _ = mien("avatars", "show", rig.name, "-o", "sheet\x1b.png", "-s", "64")
    assert code == 0
    assert out.splitlines()[-1] == "wrote sheet\\x1b.png"
    weights = Path("w\x1b[31m\n")
    weights.write_bytes(b"weights")
    assert mien("models", "add", weights, "--name", "mine")[0] in (0, 5)
    mien("models", "list")


def test_brackets_are_no_markup_and_a_table_no_place_to_hide(mien: Mien, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal tables are drawn by rich, which would take `[red]` for a colour and `:smile:` for a picture."""
    rows = [("[red]a[/red]", "[/]"), ("\x1b[31m:smile:", "[link=http://x]b\nc")]
    monkeypatch.setattr(show.sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("mien.avatar.library.listed", lambda: [library.Listed(n, Path("x"), t) for n, t in rows])
    _, out, _ = mien("avatars", "list")
    for shown in ("[red]a[/red]", "[/]", "\\x1b[31m:smile:", "[link=http://x]b\\nc"):
        assert shown in out


def test_warnings_are_lines_in_letters(mien: Mien, capsys: pytest.CaptureFixture[str]) -> None:
    mien("engines")
    logging.getLogger("mien").warning("%s shows 2 faces", NASTY)
    err = capsys.readouterr().err
    assert set(err.splitlines()) == {f"note: {visible(NASTY)} shows 2 faces"}


def strictly(*arguments: str | bytes, folder: Path, encoding: str = "utf-8:strict") -> tuple[int, str, str]:
    """Run mien as a program of its own, whose output takes nothing but what the encoding allows."""
    environment = os.environ | {"PYTHONIOENCODING": encoding, "MIEN_AVATARS": str(folder / "own")}
    environment.pop("MIEN_DEBUG", None)
    ran = subprocess.run(
        [sys.executable, "-m", "mien", *arguments], capture_output=True, cwd=folder, env=environment, check=False,
        timeout=120,
    )  # fmt: skip
    codec = encoding.split(":")[0].replace("ascii", "utf-8")  # Click takes ASCII for a mistake and writes UTF-8
    out, err = (text.decode(codec) for text in (ran.stdout, ran.stderr))
    assert "Traceback" not in err
    assert "should not have happened" not in err
    assert not OBEYED.search((out + err).replace("\n", "").replace("\t", ""))
    return ran.returncode, out, err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_in_latin_1_on_a_strict_terminal(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for folder in (os.fsencode(tmp_path), os.fsencode(tmp_path / "own")):
        with open(folder + b"/" + BYTES, "wb") as file:  # noqa: PTH123  paths are text
            Image.new("RGB", (64, 64)).save(file, "PNG")
    shown = "caf\\xe9\\x1b[2J\\n"
    for arguments in ((b"anonymize", BYTES), (b"avatars", b"check", BYTES), (b"avatars", b"add", b"x" + BYTES),
                      (b"models", b"add", BYTES), (b"avatars", b"show", b"y" + BYTES)):  # fmt: skip
        code, _, err = strictly(*arguments, folder=tmp_path)
        assert code in (3, 5, 6)
        assert shown in err.replace("\\udce9", "\\xe9")  # quoted names are written out by Python
        code, out, _ = strictly(*arguments, b"--json", folder=tmp_path)
        assert "caf\udce9" in json.loads(out)["error"].replace("\\udce9", "\udce9")
    code, _, err = strictly(b"anonymize", b"--" + BYTES, folder=tmp_path)
    assert code == 2
    assert "caf\\xe9" in err
    assert shown in strictly(b"avatars", b"list", folder=tmp_path)[1]
    (row,) = [r for r in json.loads(strictly(b"avatars", b"list", b"--json", folder=tmp_path)[1]) if "caf" in r["name"]]
    assert os.fsencode(row["path"]).endswith(BYTES)


@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1:strict", "cp1252:strict"])
def test_an_encoding_that_lacks_letters(encoding: str, tmp_path: Path) -> None:
    for arguments in (
        ["avatars", "check", str(library.built_in()["tik"])],
        ["engines"],
        ["--help"],
        ["avatars", "show", "이모"],
    ):
        code, out, _ = strictly(*arguments, folder=tmp_path, encoding=encoding)
        assert code == (6 if "이모" in arguments else 0)
        assert out or code
        if arguments != ["--help"]:
            code, out, _ = strictly(*arguments, "--json", folder=tmp_path, encoding=encoding)
            assert json.loads(out)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_whole_run_on_files_of_such_names(tmp_path: Path) -> None:
    performers.needs_face_model()
    performers.clip(tmp_path / "visit.mp4", performers.swaying(5))
    clip = b"caf\xe9\x1b[2J\n[red].mp4"
    os.rename(os.fsencode(tmp_path / "visit.mp4"), os.fsencode(tmp_path) + b"/" + clip)  # noqa: PTH104
    code, out, err = strictly(b"anonymize", clip, b"--size", b"64", b"--report", b"--csv", folder=tmp_path)
    assert code == 0, err
    assert "wrote caf\\xe9\\x1b[2J\\n[red]-anonymous.mp4" in out
    code, out, err = strictly(b"anonymize", clip, b"--size", b"64", b"--json", folder=tmp_path)
    assert code == 0, err
    assert os.fsencode(json.loads(out)["input"]) == clip
