"""The tables of texts: every language says the same things, and the pages ask for nothing that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from mien.studio.static import PAGES

LANGUAGES: Final = sorted(folder.name for folder in (PAGES / "texts").iterdir())
OWNERS: Final = sorted(file.name for file in (PAGES / "texts" / "en").glob("*.json"))
_MARK: Final = re.compile(r'data-t(?:-label|-hint)?="([^"]+)"')
_CALL: Final = re.compile(r'\bt\(\s*"([a-z][\w.-]*)"')
_FAMILY: Final = re.compile(r"`([a-z]+(?:\.[a-z-]+)*\.)\$\{[^}`]*\}([a-z.-]*)`")
"""Keys put together at run time: `state.${kind}.title`, as what stands before and after."""


def table(language: str, owner: str) -> dict[str, str]:
    texts = json.loads((PAGES / "texts" / language / owner).read_text(encoding="utf-8"))
    assert isinstance(texts, dict)
    return texts


def ours(suffix: str) -> list[Path]:
    return sorted(PAGES.rglob(f"*{suffix}"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("owner", OWNERS)
def test_a_language_has_every_text_with_every_placeholder(language: str, owner: str) -> None:
    english, other = table("en", owner), table(language, owner)
    assert other.keys() == english.keys()
    for key, text in english.items():
        assert other[key].strip(), key
        assert sorted(re.findall(r"\{\w+\}", other[key])) == sorted(re.findall(r"\{\w+\}", text)), key


def test_korean_is_korean() -> None:
    for owner in OWNERS:
        for key, text in table("ko", owner).items():
            words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\{\w+\}", "", text))
            assert re.search("[가-힣]", text) or set(words) <= {"fps", "ms", "mien"}, key


def test_every_text_a_page_asks_for_is_there() -> None:
    known = {key for owner in OWNERS for key in table("en", owner)}
    for file in [*ours(".html"), *ours(".js")]:
        source = file.read_text(encoding="utf-8")
        if file.name == "text.js":
            continue  # its comments show how
        asked = set(_MARK.findall(source)) | set(_CALL.findall(source))
        assert not asked - known, f"{file.name} asks for {sorted(asked - known)}"
        for before, after in _FAMILY.findall(source):
            if before.split(".")[0] in {key.split(".")[0] for key in known}:
                assert any(key.startswith(before) and key.endswith(after) for key in known), (file.name, before, after)


def test_no_text_is_left_over() -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in [*ours(".html"), *ours(".js")])
    families = [
        re.compile(rf"{re.escape(before)}[\w-]+{re.escape(after)}") for before, after in _FAMILY.findall(sources)
    ]
    left = [
        key
        for key in table("en", "ui.json")
        if f'"{key}"' not in sources and not any(family.fullmatch(key) for family in families)
    ]
    assert left == []


@pytest.mark.parametrize("file", ours(".html"), ids=lambda file: file.name)
def test_a_page_holds_no_code_and_asks_only_for_files_that_are_there(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:|<script(?![^>]*\ssrc=)", source)
    addresses = re.findall(r'(?:href|src)="([^"]+)"', source)
    static = [address.removeprefix("/static/") for address in addresses if address.startswith("/static/")]
    assert static
    assert [name for name in static if not (PAGES / name).is_file()] == []
    assert {address for address in addresses if not address.startswith("/static/")} <= {"/", "/clips", "/sessions"}


@pytest.mark.parametrize("file", ours(".js"), ids=lambda file: file.name)
def test_a_module_never_makes_html_out_of_text_and_imports_what_is_there(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert not re.search(r"\.(inner|outer)HTML\s*\+?=|insertAdjacentHTML|document\.write|\beval\(|new Function", source)
    modules = re.findall(r'(?:from|import\()\s*"([^"]+)"', source)
    assert all(module.startswith(".") and (file.parent / module).is_file() for module in modules), modules
