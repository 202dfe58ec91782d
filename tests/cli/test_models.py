"""`mien models verify`: what it says and the exit code it ends with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Mien
from mien import models
from mien.models.catalogue import Model, ModelFile
from mien.models.store import ModelStore

WHOLE = b"weights"
Spoil = Callable[[Path, pytest.MonkeyPatch], None]


def model(name: str, files: int = 1) -> Model:
    digest = hashlib.sha256(WHOLE).hexdigest()
    return Model(name, "testing", "MIT", tuple(ModelFile(f"{name}{n}.bin", len(WHOLE), digest) for n in range(files)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where two models lie, the second of two files; a third is missing."""
    catalogue = (model("one"), model("two", files=2), model("none"))
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("one0.bin", "two0.bin", "two1.bin"):
        (folder / name).write_bytes(WHOLE)
    monkeypatch.setattr(models, "default_store", lambda: ModelStore((folder,), tmp_path / "cache", catalogue))
    return folder


def damaged(file: Path, _: pytest.MonkeyPatch) -> None:
    file.write_bytes(WHOLE[::-1])


def unreadable(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = Path.stat

    def refused(path: Path, **options: Any) -> Any:
        if path == file:
            raise PermissionError
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refused)


def states(out: str) -> dict[str, str]:
    return {record["name"]: record["state"] for record in json.loads(out)}


@pytest.mark.usefixtures("folder")
def test_a_missing_model_is_an_error_only_where_it_was_asked_for(mien: Mien) -> None:
    ran = mien("models", "verify", "--json")
    assert ran.code == 0, ran.err
    assert states(ran.out) == {"one": "ready", "two": "ready", "none": "missing"}
    assert mien("models", "verify", "two").code == 0
    assert mien("models", "verify", "none").code == 5


@pytest.mark.parametrize("spoil", [damaged, unreadable])
@pytest.mark.parametrize("file", ["one0.bin", "two1.bin"])
def test_a_file_that_cannot_be_used(
    spoil: Spoil, file: str, mien: Mien, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(folder / file, monkeypatch)
    name = file[:3]
    ran = mien("models", "verify", "--json")
    assert ran.code == 5
    assert states(ran.out)[name] == spoil.__name__
    ran = mien("models", "verify")
    assert ran.code == 5
    assert f": {name}. " in ran.err
    assert mien("models", "verify", name).code == 5


def test_half_of_the_model_asked_for(mien: Mien, folder: Path) -> None:
    (folder / "two1.bin").unlink()
    assert mien("models", "verify").code == 0
    assert mien("models", "verify", "two").code == 5
