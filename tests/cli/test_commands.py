"""The commands as a user or a script meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import performers
from mien.avatar import library
from mien.cli import main
from mien.media.images import read_image, write_image
from mien.media.reader import VideoReader

Mien = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mien(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mien:
    """Run a command in this process and an empty folder: its exit code, what it printed, what it said beside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "avatars"))

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    performers.needs_face_model()
    return performers.clip(tmp_path / "visit.mp4", performers.swaying(10), audio="aac")


def seconds(*command: str) -> float:
    """What a command takes: of the processor, for a busy machine must not count."""
    before = os.times()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_help_comes_at_once() -> None:
    bare = min(seconds("-c", "pass") for _ in range(3))
    assert min(seconds("-m", "mien", "--help") for _ in range(3)) - bare < 0.5


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom mien.cli.app import app\n"
        "heavy = {'cv2', 'av', 'pandas', 'ai_edge_litert', 'thorvg_python', 'skimage'} & set(sys.modules)\n"
        "sys.exit(' '.join(heavy) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_every_command_has_help(mien: Mien) -> None:
    code, out, _ = mien("--help")
    assert code == 0
    for name in ("anonymize", "animate", "read", "avatars", "engines", "models", "demo"):
        assert name in out
        assert mien(name, "--help")[0] == 0


def test_version(mien: Mien) -> None:
    assert mien("--version")[1].startswith("mien 0.")


def test_anonymize_writes_beside_the_input_by_default(mien: Mien, visit: Path) -> None:
    code, out, err = mien("anonymize", visit, "--size", "96")
    assert code == 0, err
    assert "visit-anonymous.mp4" in out
    assert "real time" in out
    with VideoReader(visit.with_name("visit-anonymous.mp4")) as video:
        assert video.size == (96, 96)
        assert video.has_audio
        assert len(list(video)) == 10


def test_json_is_one_object(mien: Mien, visit: Path) -> None:
    code, out, _ = mien("anonymize", visit, "-o", "out.mp4", "-s", "64", "--report", "--csv", "--summary", "--json")
    assert code == 0
    record = json.loads(out)
    assert record["output"] == "out.mp4"
    assert record["files"] == ["out.expression.csv", "out.expression.json", "out.report.html"]
    assert record["avatar"] == library.DEFAULT
    assert record["coverage"] == 1
    assert record["frames"] == 10
    assert all(Path(name).is_file() for name in [record["output"], *record["files"]])


def test_audio_can_be_dropped(mien: Mien, visit: Path) -> None:
    assert mien("anonymize", visit, "-o", "out.mp4", "-s", "64", "--audio", "drop")[0] == 0
    with VideoReader("out.mp4") as video:
        assert not video.has_audio


def test_animate_takes_the_field_s_spelling(mien: Mien, visit: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "face.png", performers.portrait(200))
    code, out, err = mien(
        "animate", "--source_image", "face.png", "--driving_video", visit, "--result_video", "out.mp4", "--relative",
        "--adapt_scale", "--find_best_frame", "--cpu", "--best_frame", "3", "--audio", "--size", "96", "--json",
    )  # fmt: skip
    assert code == 0, err
    record = json.loads(out)
    assert (record["output"], record["engine"], record["avatar"]) == ("out.mp4", "mesh", "face")
    for flag in ("--relative", "--adapt_scale", "--find_best_frame", "--cpu"):
        assert sum(f"note: {flag}:" in line for line in err.splitlines()) == 1


def test_read_writes_table_summary_and_report(mien: Mien, visit: Path) -> None:
    code, _, err = mien("read", visit, "-o", "seen")
    assert code == 0, err
    table = Path("seen.expression.csv").read_text().splitlines()
    assert len(table) == 11
    assert json.loads(Path("seen.expression.json").read_text())["coverage"] == 1
    assert "<html" in Path("seen.report.html").read_text()


def test_read_takes_a_picture(mien: Mien, tmp_path: Path) -> None:
    performers.needs_face_model()
    write_image(tmp_path / "face.png", performers.portrait(200))
    code, out, err = mien("read", "face.png", "--no-report", "--no-summary", "--json")
    assert code == 0, err
    assert json.loads(out)["files"] == ["face.expression.csv"]
    assert len(Path("face.expression.csv").read_text().splitlines()) == 2


def test_engines_are_listed(mien: Mien) -> None:
    assert {row["name"] for row in json.loads(mien("engines", "--json")[1])} >= {"mesh", "puppet"}
    assert "expression" in mien("engines")[1]


def test_avatars_are_listed_and_shown(mien: Mien) -> None:
    rows = json.loads(mien("avatars", "list", "--json")[1])
    assert {row["name"] for row in rows} == set(library.built_in())
    assert all(row["title"] for row in rows)
    code, out, _ = mien("avatars", "show", library.DEFAULT, "-o", "sheet.png", "-s", "64")
    assert code == 0
    assert "sheet.png" in out
    assert read_image("sheet.png").shape == (128, 256, 4)


def test_an_avatar_can_be_added_and_worn(mien: Mien, visit: Path, tmp_path: Path) -> None:
    write_image(tmp_path / "face.png", performers.portrait(200))
    assert mien("avatars", "add", "face.png", "--name", "me")[0] == 0
    (tmp_path / "face.png").unlink()
    assert "me" in [row["name"] for row in json.loads(mien("avatars", "list", "--json")[1])]
    assert mien("anonymize", visit, "--avatar", "me", "-o", "out.mp4", "-s", "64")[0] == 0
    assert mien("avatars", "add", visit.with_name("none.png"))[0] == 3
    code, _, err = mien("avatars", "add", library.built_in()[library.DEFAULT])
    assert code == 6
    assert "already" in err


def test_a_rig_folder_can_be_added(mien: Mien, tmp_path: Path) -> None:
    source = library.built_in()[library.DEFAULT]
    assert mien("avatars", "add", source, "--name", "twin")[0] == 0
    assert library.find("twin").kind == "puppet"
    (tmp_path / "empty").mkdir()
    assert mien("avatars", "add", "empty")[0] == 6
    assert not (tmp_path / "avatars" / "empty").exists()


def test_a_picture_is_judged(mien: Mien, tmp_path: Path) -> None:
    performers.needs_face_model()
    write_image(tmp_path / "face.png", performers.portrait(300))
    record = json.loads(mien("avatars", "check", "face.png", "--json")[1])
    assert record["verdict"] in ("good", "usable")
    assert "mouth" in {finding["name"] for finding in record["findings"]}
    code, out, _ = mien("avatars", "check", "face.png")
    assert code == 0
    assert "of 10" in out


def test_the_demo_needs_no_input(mien: Mien) -> None:
    performers.needs_face_model()
    pytest.importorskip("skimage")
    code, out, err = mien("demo", "--output", "shown", "--size", "96", "--seconds", "4", "--json")
    assert code == 0, err
    steps = json.loads(out)["steps"]
    assert all(Path(step["path"]).stat().st_size > 1000 for step in steps)
    with VideoReader("shown/side-by-side.mp4") as video:
        assert video.size == (288, 96)
        assert video.has_audio
        pictures = [frame.image for frame in video]
    assert len(pictures) == 100
    for panel in range(3):  # somebody moves in each
        first, later = (pictures[n][:, panel * 96 : panel * 96 + 96].astype(int) for n in (5, 60))
        assert np.abs(first - later).mean() > 1
    runs = [step["run"] for step in steps if step["run"]]
    assert all(run["coverage"] > 0.95 for run in runs)


def test_progress_goes_to_standard_error_only(visit: Path, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mien", "read", str(visit), "-o", str(tmp_path / "x"), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert all(line.startswith("note: face-landmarker") for line in ran.stderr.splitlines())
    assert len(ran.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["read", "x.mp4", "--bogus"], "No such option"),
        (["read"], "Missing argument"),
        (["anonymize", "x.mp4", "--size", "large"], "--size"),
        (["anonymize", "x.mp4", "--scene", "nowhere"], "--scene"),
        (["avatars", "shwo"], "No such command"),
        (["nothing"], "No such command"),
        (["models", "add"], "Missing argument"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_json_too(mien: Mien, arguments: list[str], said: str) -> None:
    code, out, err = mien(*arguments)
    assert (code, out) == (2, "")
    code, out, err_beside_json = mien(*arguments, "--json")
    assert code == 2
    record = json.loads(out)
    assert said in record["error"]
    assert record["exit_code"] == 2
    assert err_beside_json.splitlines()[0] == err.splitlines()[0]


def _opencv_s_error() -> Exception:
    import cv2

    said = "OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 6220800 bytes"
    return cv2.error(said)


@pytest.mark.parametrize(
    "error",
    [
        _opencv_s_error(), MemoryError(), RuntimeError("std::bad_alloc"), OSError(12, "Cannot allocate memory"),
        ImportError("libx.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_too_little_memory_is_one_clear_line(mien: Mien, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> None:
        raise error

    monkeypatch.delenv("MIEN_DEBUG", raising=False)
    monkeypatch.setattr("mien.avatar.library.listed", fail)
    message = "not enough memory; try a smaller --size, or fewer programs at the same time"
    code, out, err = mien("avatars", "list", "--json")
    assert (code, err) == (1, f"mien: {message}\n")
    assert json.loads(out) == {"error": message, "exit_code": 1}
