"""Typed access to TOML tables, with messages that name the file and the key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from mien.errors import AvatarError

Point = tuple[float, float]
SIDES: Final = ("right", "left")
_LONGEST_KEY: Final = 80
"""Characters of a key that are shown."""


class Table:
    """A TOML table that knows where it is and which of its keys have been read."""

    def __init__(self, values: Mapping[str, Any], file: str, path: str) -> None:
        self.values, self.file, self.path = values, file, path
        self.read: set[str] = set()

    def error(self, key: str, trouble: str) -> AvatarError:
        return AvatarError(f"{self.file}: {self._name(key)} {trouble}.")

    def _name(self, key: str) -> str:
        key = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
        return f"{self.path}.{key}" if self.path else key

    def _get(self, key: str, default: Any) -> Any:
        self.read.add(key)
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, "is missing")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        value = self._get(key, default)
        if not isinstance(value, str) or not (value.strip() or default == "") or len(value) > 200:
            raise self.error(key, "must be a text in quotes, at most 200 characters long and not empty")
        return value

    def number(self, key: str, default: float | None = None, *, low: float = -1e4, high: float = 1e4) -> float:
        return self._number(key, self._get(key, default), low, high)

    def _number(self, key: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, "must be a number")
        if isinstance(value, float) and math.isnan(value):
            raise self.error(key, "must be a number")
        if not low <= value <= high:  # compared as it is: a whole number may be too long for a float
            shown = f"{value:g}" if abs(value) < 1e300 else "out of range"
            raise self.error(key, f"is {shown}; it must be from {low:g} to {high:g}")
        return float(value)

    def point(self, key: str, default: Point | None = None, *, low: float = -1e4) -> Point:
        value = self._get(key, default)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self.error(key, "must be two numbers, like [256, 240]")
        x, y = (self._number(key, v, low, 1e4) for v in value)
        return x, y

    def table(self, key: str) -> Table:
        value = self._get(key, None)
        if not isinstance(value, Mapping):
            raise self.error(key, "must be a table")
        return Table(value, self.file, self._name(key))

    def tables(self, key: str) -> list[Table]:
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.error(key, f"must be written as [[{key}]] tables")
        return [Table(item, self.file, f"{self._name(key)}[{i}]") for i, item in enumerate(value)]

    def sides(self, key: str) -> list[tuple[str, Table]]:
        """The sub-tables `right` and `left`, those that are there."""
        if key not in self.values:
            return []
        both = self.table(key)
        found = [(side, both.table(side)) for side in SIDES if side in both.values]
        both.done()
        return found

    def done(self) -> None:
        """Raise for a key that nothing has read: most likely misspelt."""
        for key in self.values:
            if key not in self.read:
                near = get_close_matches(str(key), self.read, n=1)
                raise self.error(str(key), "is not known here" + (f"; did you mean {near[0]}?" if near else ""))
