"""Where weights lie on this machine: found in the user's folders or the cache, checked, added. Never fetched."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mien.errors import InputError, ModelError, OutputError
from mien.media.atomic import atomic_path
from mien.media.chosen import chosen_folders
from mien.media.plain_file import open_plain, read_plain
from mien.media.readable import check_readable
from mien.models.catalogue import NAME, Model, ModelFile, built_in, parse_model

State = Literal["ready", "partly", "missing", "damaged", "unreadable"]
_RECORD = "model.json"
_LARGEST_RECORD = 1 << 20
"""Bytes."""
_digests: dict[tuple[str, int, int], str] = {}
"""SHA-256 by path, size and time of change: each file is read once a run."""


@dataclass(frozen=True, slots=True)
class FileStatus:
    """One file of a model on this machine."""

    file: ModelFile
    where: Path | None
    """The file, whole, damaged or not to be read for want of permission; None where there is none."""
    state: State


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model on this machine."""

    model: Model
    files: tuple[FileStatus, ...]

    @property
    def state(self) -> State:
        """ "ready": usable now. "partly": some files are there, but not enough of them."""
        states = {file.state for file in self.files}
        if states == {"ready"} or ("ready" in states and self.model.enough == "any"):
            return "ready"
        for state in ("damaged", "unreadable"):
            if state in states:
                return state
        return "partly" if "ready" in states else "missing"


class ModelStore:
    """Weights in `folders` (searched first, never written) and in `cache` (`cache/MODEL/FILE`)."""

    def __init__(self, folders: tuple[Path, ...], cache: Path, catalogue: tuple[Model, ...] | None = None) -> None:
        self.folders = folders
        self.cache = cache
        self._catalogue = built_in() if catalogue is None else catalogue

    def models(self) -> list[Model]:
        """The built-in ones, then what the user has added. A damaged record of the latter is left out."""
        known = {model.name: model for model in self._catalogue}
        for record in sorted(self.cache.glob(f"*/{_RECORD}")):
            with suppress(ModelError, OSError, ValueError, RecursionError):
                added = parse_model(record.parent.name, json.loads(read_plain(record, limit=_LARGEST_RECORD)))
                known.setdefault(added.name, added)
        return list(known.values())

    def model(self, name: str) -> Model:
        """The model of that name. Raises ModelError that offers the nearest names."""
        known = {model.name: model for model in self.models()}
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or sorted(known)
            raise ModelError(f"There is no model called {name!r}. Did you mean {', '.join(near)}?")
        return known[name]

    def path(self, name: str, member: str | None = None) -> Path:
        """The file `member` of a model (its first if None), checked. Raises ModelError if it is missing or damaged."""
        found = self._find(self.model(name), self.model(name).file(member))
        if found.state == "ready" and found.where is not None:
            return found.where
        if found.state == "damaged":
            raise ModelError(self._damaged(name, found))
        if found.state == "unreadable":
            raise ModelError(
                f"{found.where} (model {name}) may not be read: you have no permission there. Change that, or set "
                "MIEN_MODELS to a folder of your own."
            )
        raise ModelError(f"The model {name} ({found.file.name}) is not on this machine. {self._remedy(name)}")

    def available(self, name: str, member: str | None = None) -> bool:
        """Whether a model, or one file of it, is there and whole."""
        model = self.model(name)
        if member is not None:
            return self._find(model, model.file(member)).state == "ready"
        return self.status(name).state == "ready"

    def damage(self, name: str, member: str | None = None) -> str:
        """Which file of a model, or whether that one file, is damaged and how to get it again; "" where it can be used
        or is missing altogether."""
        if self.available(name, member):
            return ""
        model = self.model(name)
        files = model.files if member is None else (model.file(member),)
        found = (self._find(model, file) for file in files)
        return next((self._damaged(name, file) for file in found if file.state == "damaged"), "")

    def status(self, name: str) -> ModelStatus:
        """What is there of a model."""
        model = self.model(name)
        return ModelStatus(model, tuple(self._find(model, file) for file in model.files))

    def verify(self, name: str) -> ModelStatus:
        """The same, with every file read and checked again now."""
        for found in self.status(name).files:
            for key in [key for key in _digests if key[0] == str(found.where)]:
                del _digests[key]
        return self.status(name)

    def add(self, file: Path | str, name: str | None = None) -> tuple[Model, ModelFile]:
        """Copy a file into the cache: one that is known, by its checksum, or any other under a `name` of the user's.

        Adding more files under the same name makes one model of them. Raises InputError, ModelError or OutputError.
        """
        file = Path(file)
        check_readable(file, what="weights")
        try:
            sha256, size = digest(file), file.stat().st_size
        except OSError as error:
            raise InputError(f"{file} cannot be read ({error.strerror or error}). Copy it again.") from error
        for model in self._catalogue:
            for known in model.files:
                if known.sha256 == sha256:
                    self.keep(model, known, file)
                    return model, known
        if name is None:
            raise ModelError(
                f"{file} is none of the files mien knows by checksum. To use it all the same, give it a name: "
                f"`mien models add {file} --name NAME`."
            )
        if not NAME.fullmatch(name) or any(name == model.name for model in self._catalogue):
            raise ModelError(
                f"{name!r} cannot be used as a name: it is taken by mien, or has more in it than lower-case letters, "
                "digits, dots and dashes. Choose another."
            )
        added = ModelFile(file.name, size, sha256)
        others = [f for model in self.models() if model.name == name for f in model.files if f.name != file.name]
        model = Model(name, "added by you", "as its author says", (*others, added))
        files = [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in model.files]
        record = {"purpose": model.purpose, "licence": model.licence, "files": files}
        parse_model(name, record)  # what could not be read back is not written
        self.keep(model, added, file)
        with atomic_path(self.cache / name / _RECORD) as part:
            part.write_text(json.dumps(record, indent=1), encoding="utf-8")
        return model, added

    def keep(self, model: Model, file: ModelFile, content: Path) -> Path:
        """Copy checked content into the cache, whole or not at all; returns where. Raises ModelError if it is not what
        the catalogue says."""
        if content.stat().st_size != file.size or digest(content) != file.sha256:
            raise ModelError(
                f"What came as {file.name} is not the file expected (its checksum differs). It was not kept."
            )
        target = self.cache / model.name / file.name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"The folder {target.parent} for models cannot be made ({error.strerror}). Set XDG_CACHE_HOME to a "
                "folder of yours, or MIEN_MODELS to one that holds the models."
            ) from error
        with atomic_path(target) as part:
            shutil.copyfile(content, part)
        return target

    def _find(self, model: Model, file: ModelFile) -> FileStatus:
        found: FileStatus | None = None
        for candidate in self._candidates(model, file):
            state = _state(candidate, file)
            if state == "ready":
                return FileStatus(file, candidate, state)
            if state != "missing":
                found = found or FileStatus(file, candidate, state)
        return found or FileStatus(file, None, "missing")

    def _candidates(self, model: Model, file: ModelFile) -> Iterator[Path]:
        for folder in self.folders:
            for name in (file.name, *file.aliases):
                yield folder / name
                yield folder / model.name / name
        yield self.cache / model.name / file.name

    def _damaged(self, name: str, found: FileStatus) -> str:
        return f"{found.where} (model {name}) is damaged: its checksum differs. {self._remedy(name, again=True)}"

    def _remedy(self, name: str, *, again: bool = False) -> str:
        if any(name == model.name for model in self._catalogue):
            return f"Run `mien models pull {name}` to fetch it{' again' if again else ''}."
        return "You added it yourself: run `mien models add FILE --name " + name + "` again."


def _state(path: Path, file: ModelFile) -> State:
    """What lies at `path`, where `file` could be."""
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            return "missing"
        return "ready" if info.st_size == file.size and digest(path) == file.sha256 else "damaged"
    except PermissionError:
        return "unreadable"
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except OSError:
        return "damaged"


def default_store() -> ModelStore:
    """The folders of MIEN_MODELS, then this user's cache."""
    return ModelStore(chosen_folders("MIEN_MODELS"), _user_cache() / "models")


def digest(path: Path) -> str:
    """SHA-256 of a file, read once as long as it does not change."""
    info = path.stat()
    key = (str(path), info.st_size, info.st_mtime_ns)
    if key not in _digests:
        sha = hashlib.sha256()
        with open_plain(path) as file:
            while block := file.read(1 << 20):
                sha.update(block)
        _digests[key] = sha.hexdigest()
    return _digests[key]


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "mien"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "mien"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mien"
