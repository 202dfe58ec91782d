"""The model store: what weights there are, where they lie, whether they are whole. Only `pull` uses the network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mien.models.catalogue import Model, ModelFile
from mien.models.store import ModelStatus, default_store

if TYPE_CHECKING:
    from mien.models.fetch import Outcome

__all__ = [
    "Model",
    "ModelFile",
    "ModelStatus",
    "add",
    "available",
    "damage",
    "path",
    "pull",
    "pull_default",
    "status",
    "verify",
]


def path(name: str, member: str | None = None) -> Path:
    """A model's file on this machine (its first if `member` is None), its checksum verified; never downloads.

    Raises ModelError, saying which command fetches it, where it is missing or damaged.
    """
    return default_store().path(name, member)


def available(name: str, member: str | None = None) -> bool:
    """Whether a model, or one file of it, is on this machine and whole."""
    return default_store().available(name, member)


def damage(name: str, member: str | None = None) -> str:
    """Which file of a model is damaged and how to get it again; "" where it can be used, or is missing altogether."""
    return default_store().damage(name, member)


def status() -> list[ModelStatus]:
    """Every model mien knows and what there is of it on this machine."""
    store = default_store()
    return [store.status(model.name) for model in store.models()]


def verify(name: str) -> ModelStatus:
    """Read and check every file of a model again."""
    return default_store().verify(name)


def add(file: Path | str, name: str | None = None) -> tuple[Model, ModelFile]:
    """Take a file of weights into the store: a known one by its checksum, any other under `name`."""
    return default_store().add(file, name)


def pull(name: str, *, progress: Callable[[str, int, int], None] | None = None) -> Outcome:
    """Fetch a model into the user's cache; `progress` is called with its name, bytes so far and bytes in all."""
    from mien.models.fetch import pull

    return pull(default_store(), name, progress=progress)


def pull_default(*, progress: Callable[[str, int, int], None] | None = None) -> list[Outcome]:
    """Fetch all that a default install needs, going on past what cannot be had."""
    from mien.models.fetch import pull_default

    return pull_default(default_store(), progress=progress)
