"""Whatever a user hands over: one clear line, its own exit code, no traceback, no partial file, input untouched."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import performers
from conftest import Mien, encode_clip
from mien.avatar import library
from mien.media.images import write_image
from patience import LONG, wait_for


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return encode_clip(tmp_path / "visit.mp4", frames=10)


def unchanged(folder: Path) -> dict[str, str]:
    """Every file below a folder and its digest."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims that size, and nothing in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")
    )


def bad_clip(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("Dear doctor, here is my video.\n" * 50)
    elif kind == "folder":
        path.mkdir()
    elif kind == "truncated":
        whole = encode_clip(folder / "whole.mp4", frames=50).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "sound":
        import wave

        path = folder / "sound.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\0\0" * 8000)
    elif kind == "no-frames":
        path = folder / "no-frames.avi"
        whole = encode_clip(folder / "one.avi", frames=1, codec="mjpeg", pix_fmt="yuvj420p").read_bytes()
        path.write_bytes(whole[: whole.index(b"movi") + 4])
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(20_000))
    else:
        assert kind == "missing"
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "truncated", "text", "sound", "no-frames", "folder", "noise"])
@pytest.mark.parametrize("command", ["anonymize", "read", "animate"])
def test_a_clip_that_is_none(kind: str, command: str, mien: Mien, tmp_path: Path) -> None:
    path = bad_clip(kind, tmp_path)
    before = unchanged(tmp_path)
    first = [library.DEFAULT] if command == "animate" else []
    ran = mien(command, *first, path)
    assert ran.code == 3
    assert path.name in ran.line
    assert ran.out == ""
    assert unchanged(tmp_path) == before


def test_a_picture_where_a_video_is_needed(mien: Mien, tmp_path: Path) -> None:
    write_image(tmp_path / "face.jpg", np.zeros((64, 64, 3), np.uint8))
    ran = mien("anonymize", tmp_path / "face.jpg")
    assert ran.code == 3
    assert "picture" in ran.line


@pytest.mark.parametrize("command", ["anonymize", "read"])
def test_the_error_is_json_too_for_scripts(command: str, mien: Mien) -> None:
    ran = mien(command, "nowhere.mp4", "--json")
    record = json.loads(ran.out)
    assert record["exit_code"] == ran.code == 3
    assert "nowhere.mp4" in record["error"]


def test_unknown_avatar_shows_the_nearest_names(mien: Mien, clip: Path) -> None:
    name = library.DEFAULT
    ran = mien("anonymize", clip, "--avatar", name[:-1] + "q")
    assert ran.code == 6
    assert name in ran.line
    assert mien("anonymize", clip, "--avatar", "zzzzzz").code == 6


def test_unknown_engine_shows_the_nearest_names(mien: Mien, clip: Path) -> None:
    ran = mien("anonymize", clip, "--engine", "pupet")
    assert ran.code == 7
    assert "puppet" in ran.line


def test_an_engine_for_another_kind_of_avatar(mien: Mien, clip: Path) -> None:
    ran = mien("anonymize", clip, "--engine", "mesh", "--avatar", library.DEFAULT)
    assert ran.code == 7
    assert "mesh" in ran.line


@pytest.mark.parametrize("kind", ["bomb", "1x1", "text", "missing", "no rig", "bad rig"])
def test_an_avatar_that_is_none(kind: str, mien: Mien, clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "face.png"
    if kind == "bomb":
        path.write_bytes(png_claiming(30_000, 30_000))
    elif kind == "1x1":
        write_image(path, np.zeros((1, 1, 3), np.uint8))
    elif kind == "text":
        path.write_text("not a picture")
    elif kind in ("no rig", "bad rig"):
        path = tmp_path / "rig"
        path.mkdir()
        if kind == "bad rig":
            (path / "rig.toml").write_text("title = ")
    before = unchanged(tmp_path)
    ran = mien("anonymize", clip, "--avatar", path)
    assert ran.code in (3, 6), ran.err
    assert path.name in ran.line
    assert unchanged(tmp_path) == before


def test_a_picture_without_a_face(mien: Mien, clip: Path, tmp_path: Path) -> None:
    performers.needs_face_model()
    write_image(tmp_path / "field.png", np.full((200, 200, 3), (90, 160, 70), np.uint8))
    for command in (
        ("anonymize", clip, "--avatar", tmp_path / "field.png"),
        ("avatars", "check", tmp_path / "field.png"),
    ):
        ran = mien(*command)
        assert ran.code == 6
        assert "field.png" in ran.line
        assert "face" in ran.line


@pytest.mark.parametrize("name", ["visit.mp4", "link.mp4", "hard.mp4"])
def test_output_onto_the_input(name: str, mien: Mien, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(clip)
    (tmp_path / "hard.mp4").hardlink_to(clip)
    before = unchanged(tmp_path)
    ran = mien("anonymize", clip, "-o", tmp_path / name)
    assert ran.code == 4
    assert name in ran.line
    assert unchanged(tmp_path) == before


@pytest.mark.parametrize("target", ["nowhere/out.mp4", ".", "out.avi", "/proc/out.mp4"])
def test_a_target_that_cannot_be_written(target: str, mien: Mien, clip: Path, tmp_path: Path) -> None:
    if target.endswith("mp4"):
        performers.needs_face_model()
    before = unchanged(tmp_path)
    ran = mien("anonymize", clip, "-o", target)
    assert ran.code == 4, ran.err
    assert ran.line
    assert unchanged(tmp_path) == before


def test_a_report_that_cannot_be_written_is_known_before_the_work(mien: Mien, clip: Path) -> None:
    ran = mien("read", clip, "-o", "nowhere/visit")
    assert ran.code == 4
    assert "nowhere" in ran.line


@pytest.mark.parametrize("options", [("--size", "20"), ("--people", "0"), ("--neutral", "soon"), ("--neutral", "-1")])
def test_options_out_of_range(options: tuple[str, str], mien: Mien, clip: Path) -> None:
    performers.needs_face_model()
    ran = mien("anonymize", clip, *options)
    assert ran.code == 3, ran.err
    assert options[1] in ran.line


def test_a_neutral_moment_without_a_face(mien: Mien, clip: Path) -> None:
    performers.needs_face_model()
    assert "Nobody is seen" in mien("anonymize", clip, "--neutral", "0.2").line
    assert "over before" in mien("anonymize", clip, "--neutral", "77").line


def test_an_unknown_detector(mien: Mien, clip: Path) -> None:
    performers.needs_face_model()
    ran = mien("read", clip, "--detector", "eyes")
    assert ran.code == 3
    assert "blazeface" in ran.line


def test_an_option_that_does_not_exist(mien: Mien, clip: Path) -> None:
    ran = mien("anonymize", clip, "--avatr", "x")
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert "--avatr" in ran.err


def test_without_models_the_command_that_fetches_them_is_named(
    mien: Mien, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_MODELS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for command in (("anonymize", clip), ("read", clip)):
        ran = mien(*command)
        assert ran.code == 5
        assert "mien models pull" in ran.line
    assert not list((tmp_path / "here").iterdir())


def test_a_damaged_model_offers_to_fetch_it_again(
    mien: Mien, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without touching the network, and with a fallback where there is one."""
    damaged = tmp_path / "models"
    damaged.mkdir()
    (damaged / "face_landmarker.task").write_bytes(b"PK\x03\x04 no such thing")
    monkeypatch.setenv("MIEN_MODELS", str(damaged))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    ran = mien("anonymize", clip)
    assert ran.code == 5
    assert "face_landmarker.task (model face-landmarker) is damaged" in ran.line
    assert "mien models pull face-landmarker" in ran.line


def test_a_clip_without_a_face_becomes_the_avatar_at_rest(mien: Mien, clip: Path, tmp_path: Path) -> None:
    performers.needs_face_model()
    from mien.media.reader import VideoReader

    ran = mien("anonymize", clip, "-o", "out.mp4", "--size", "128", "--json", "--report", "--csv")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert record["coverage"] == 0
    assert record["people"] == 0
    assert "No face was found" in record["warnings"][0]
    assert "warning: No face was found" in mien("anonymize", clip, "-o", "again.mp4", "--size", "64").err
    with VideoReader("out.mp4") as out:
        pictures = [frame.image for frame in out]
    assert len(pictures) == 10
    assert pictures[0].shape == (128, 128, 3)
    assert np.abs(pictures[0].astype(int) - pictures[-1]).mean() < 3
    assert "face" in Path("out.report.html").read_text()
    assert Path("out.expression.csv").read_text().count("\n") == 1


def test_a_clip_without_a_face_is_a_card_throughout_where_faces_are_replaced(mien: Mien, clip: Path) -> None:
    performers.needs_paste_models()
    ran = mien("anonymize", clip, "-o", "out.mp4", "--scene", "paste", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["cards"] == 10


def test_a_full_disk(tmp_path: Path) -> None:
    """The system refuses to let any file grow beyond 30 kB."""
    performers.needs_paste_models()
    path = performers.clip(tmp_path / "visit.mp4", performers.swaying(30))
    out = tmp_path / "out"
    out.mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "mien", "anonymize", str(path), "-o", str(out / "out.mp4"), "--scene", "paste"],
        capture_output=True, text=True, timeout=LONG, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000)),
    )  # fmt: skip
    assert ran.returncode == 4, ran.stderr
    assert "too large for this disk" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(out.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="signals as on Unix")
@pytest.mark.parametrize(("signal", "code"), [("INT", 130), ("TERM", 143)])
def test_stopping_leaves_nothing_half_written(signal: str, code: int, tmp_path: Path) -> None:
    performers.needs_face_model()
    import signal as signals

    path = performers.clip(tmp_path / "visit.mp4", performers.swaying(40) * 10)
    out = tmp_path / "out"
    out.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "mien", "anonymize", str(path), "-o", str(out / "out.mp4"), "--report"],
        stderr=subprocess.PIPE, text=True, cwd=out,
    )  # fmt: skip
    wait_for(lambda: list(out.iterdir()))
    process.send_signal(signals.Signals[f"SIG{signal}"])
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert not list(out.iterdir())


def test_models_are_the_only_thing_pulled() -> None:
    """No command but `models pull` may fetch: nothing else imports what fetches."""
    code = "import sys, mien.api, mien.demo, mien.cli.app; sys.exit('mien.models.fetch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_read_only_input_is_read(tmp_path: Path) -> None:
    performers.needs_face_model()
    path = performers.clip(tmp_path / "visit.mp4", performers.swaying(3))
    path.chmod(0o400)
    before = path.read_bytes()
    import mien

    assert mien.anonymize(path, output=tmp_path / "out.mp4", size=64).frames == 3
    assert path.read_bytes() == before


@pytest.mark.parametrize("seconds", ["-1", "-0.01", "nan", "inf", "-inf"])
def test_people_are_forgotten_after_no_such_time(seconds: str, mien: Mien, clip: Path) -> None:
    import mien as library
    from mien.errors import InputError

    for scene in ("paste", "avatar"):
        ran = mien("anonymize", clip, "-o", "out.mp4", "--scene", scene, f"--forget-after={seconds}")
        assert ran.code == 3, ran.err
        assert f"forget_after of {float(seconds):g} seconds" in ran.line
    with pytest.raises(InputError, match="forget_after"):
        library.anonymize(clip, scene=library.Scene.PASTE, forget_after=float(seconds))
    assert not list(Path().iterdir())


def test_a_title_that_is_no_utf_8(mien: Mien, clip: Path) -> None:
    performers.needs_face_model()
    pytest.importorskip("starlette", reason="needs the extra 'live'")
    title = "Jos\udce9"  # what Python makes of the byte 0xE9
    for command in (
        ("anonymize", clip, "-o", "out.mp4", "-s", 64, "--report"), ("read", clip, "-o", "out"),
        ("animate", "maya", clip, "-o", "out.mp4", "-s", 64, "--report"),
        ("live", "--camera", clip, "--no-virtual", "--no-preview", "-s", 64, "--report", "out.report.html"),
    ):  # fmt: skip
        ran = mien(*command, "--title", title)
        assert ran.code == 0, ran.err
        assert "<title>Jos\ufffd</title>" in Path("out.report.html").read_text("utf-8")
        Path("out.report.html").unlink()


@pytest.mark.parametrize("seconds", ["-5", "0", "nan", "inf"])
def test_live_for_no_such_time(seconds: str, mien: Mien, clip: Path) -> None:
    ran = mien("live", "--camera", clip, "--no-virtual", "--no-preview", "--csv", "o.csv", f"--seconds={seconds}")
    assert ran.code == 3, ran.err
    assert f"A run of {float(seconds):g} seconds" in ran.line
    assert not list(Path().iterdir())


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (3, 2)])
def test_live_with_the_smallest_pictures(size: tuple[int, int], mien: Mien, tmp_path: Path) -> None:
    performers.needs_face_model()
    pytest.importorskip("starlette", reason="needs the extra 'live'")
    clip = encode_clip(tmp_path / "dot.mov", frames=5, size=size, codec="png", pix_fmt="rgb24")
    ran = mien("live", "--camera", clip, "--no-virtual", "--no-preview", "-s", 64, "--report", "r.html")
    assert ran.code == 0, ran.err
    assert Path("r.html").exists()


def test_an_empty_name_for_the_output(mien: Mien, clip: Path) -> None:
    ran = mien("anonymize", clip, "-o", "")
    assert ran.code == 4, ran.err
    assert "an empty name" in ran.line


@pytest.mark.skipif(os.name == "nt", reason="a folder that somebody is in cannot be removed")
@pytest.mark.parametrize("command", ["anonymize", "read", "live", "show", "demo"])
def test_a_working_folder_that_is_gone(command: str, mien: Mien, clip: Path) -> None:
    performers.needs_face_model()
    pytest.importorskip("skimage")
    arguments = {
        "anonymize": (clip, "-o", "out.mp4", "--report"), "read": (clip, "-o", "out"), "demo": ("-s", 64),
        "live": ("--camera", clip, "--no-virtual", "--no-preview", "--csv", "out.csv", "--report", "out.html"),
        "show": ("maya",),
    }  # fmt: skip
    Path.cwd().rmdir()
    ran = mien(*(["avatars", "show"] if command == "show" else [command]), *arguments[command])
    assert ran.code == 4, ran.err
    assert "should not have happened" not in ran.err


def test_an_avatar_that_is_no_picture_is_named_with_its_folder(mien: Mien, tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "x.png"
    path.parent.mkdir()
    for content in (b"Dear doctor,", b"", png_claiming(64, 64), png_claiming(30_000, 30_000)):
        path.write_bytes(content)
        ran = mien("avatars", "add", path)
        assert ran.code == 3, ran.err
        assert str(path) in ran.line
