"""The few moves in a TensorFlow Lite file that changing it takes.

A network file is a FlatBuffer: tables that point forwards by byte offsets. What is new goes to the end of the file, and
the offset to it is changed in place; nothing else of the file is touched.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

DAMAGE: Final = (struct.error, IndexError, UnicodeDecodeError, KeyError)
"""What reading a damaged file raises."""
_ALIGNMENT: Final = 16
"""Bytes to a multiple of which constants are laid out, as LiteRT wants them."""


@dataclass(slots=True)
class FlatBuffer:
    """A network file that is read and changed in place. A table is known by its position in `data`."""

    data: bytearray

    def table(self, position: int) -> int:
        """What the offset stored at `position` points to."""
        return position + int(struct.unpack_from("<I", self.data, position)[0])

    def _field(self, table: int, number: int) -> int:
        """Position of a field; 0 where it is absent."""
        directory = table - int(struct.unpack_from("<i", self.data, table)[0])
        (size,) = struct.unpack_from("<H", self.data, directory)
        if 4 + 2 * number >= size:
            return 0
        (offset,) = struct.unpack_from("<H", self.data, directory + 4 + 2 * number)
        return table + offset if offset else 0

    def _list(self, table: int, number: int) -> tuple[int, int]:
        """Position of a list's first element, and its length."""
        field = self._field(table, number)
        if not field:
            return 0, 0
        start = self.table(field)
        return start + 4, int(struct.unpack_from("<I", self.data, start)[0])

    def elements(self, table: int, number: int) -> list[int]:
        """Tables in a list of tables."""
        start, length = self._list(table, number)
        return [self.table(start + 4 * i) for i in range(length)]

    def numbers(self, table: int, number: int) -> list[int]:
        """A list of int32."""
        start, length = self._list(table, number)
        return list(struct.unpack_from(f"<{length}i", self.data, start))

    def text(self, table: int, number: int) -> str:
        start, length = self._list(table, number)
        return self.data[start : start + length].decode()

    def keep(self, table: int, number: int, tables: list[int]) -> None:
        """Shorten a list of tables to some of its elements, in its own order."""
        start, _ = self._list(table, number)
        offsets = [element - (start + 4 * i) for i, element in enumerate(tables)]
        struct.pack_into(f"<{1 + len(offsets)}I", self.data, start - 4, len(offsets), *offsets)

    def number(self, table: int, number: int, kind: str = "i") -> int:
        """A whole number, of a `kind` as `struct` names it; 0 where it is absent."""
        field = self._field(table, number)
        return int(struct.unpack_from(f"<{kind}", self.data, field)[0]) if field else 0

    def content(self, table: int, number: int) -> bytes:
        """A list of bytes."""
        start, length = self._list(table, number)
        return bytes(self.data[start : start + length])

    def append(self, table: int, number: int, values: list[int]) -> None:
        """Give a table a new list of int32 at the end of the file."""
        self._append(table, number, len(values), struct.pack(f"<{len(values)}i", *values))

    def append_content(self, table: int, number: int, content: bytes) -> None:
        """Give a table a new list of bytes at the end of the file."""
        self._append(table, number, len(content), content)

    def _append(self, table: int, number: int, length: int, elements: bytes) -> None:
        field = self._field(table, number)
        self.data.extend(bytes(-(len(self.data) + 4) % _ALIGNMENT))  # the length comes first, then the elements
        struct.pack_into("<I", self.data, field, len(self.data) - field)
        self.data.extend(struct.pack("<I", length) + elements)
