"""Finds engines: the built-in ones and whatever is registered under the entry-point group `mien.engines`."""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points

from mien.engine.base import Engine
from mien.errors import EngineError

GROUP = "mien.engines"


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def names() -> list[str]:
    """Names of all installed engines, without importing any of them."""
    return sorted(_found())


def get(name: str) -> Engine:
    """The engine of that name, imported now. Raises EngineError for an unknown name or one that fails to import."""
    found = _found()
    if name not in found:
        near = difflib.get_close_matches(name, found, n=3, cutoff=0.4) or sorted(found)
        raise EngineError(f"There is no engine called {name!r}. Did you mean {', '.join(near)}?")
    try:
        engine = found[name].load()()
    except ImportError as error:
        raise EngineError(f"The engine {name!r} cannot be loaded: {error}. Its extra may not be installed.") from error
    if not isinstance(engine, Engine):
        raise EngineError(
            f"{found[name].value} is registered as an engine but does not follow mien.engine.base.Engine."
        )
    return engine


def for_avatar(kind: str) -> Engine:
    """The default engine for a kind of avatar: `puppet` for vector rigs, `mesh` for pictures."""
    return get("puppet" if kind == "puppet" else "mesh")
