"""Takes one stretch out of a TensorFlow Lite network, so that the steps LiteRT does not know can be done in between.

A network file is a FlatBuffer: tables that point forwards by byte offsets. The stretch is made by shortening the list
of operators in place and by appending new lists of inputs and outputs; nothing else of the file is touched.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from mien.errors import ModelError

_MODEL_SUBGRAPHS, _GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 0, 1, 2, 3
_TENSOR_NAME, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 3, 1, 2
"""Numbers of the fields in the tables of TensorFlow Lite's public schema."""


def excerpt(content: bytes, *, inputs: list[str], outputs: list[str]) -> bytes:
    """The part of a network that computes the tensors named `outputs` from those named `inputs`, as a network file.

    Raises ModelError where the file is not a network with such tensors.
    """
    try:
        return _excerpt(bytearray(content), inputs, outputs)
    except (struct.error, IndexError, UnicodeDecodeError, KeyError) as error:
        raise ModelError("The model file is damaged or of another version. `mien models pull` fetches it again.") from (
            error
        )


def _excerpt(data: bytearray, inputs: list[str], outputs: list[str]) -> bytes:
    buffer = _FlatBuffer(data)
    graph = buffer.elements(buffer.table(0), _MODEL_SUBGRAPHS)[0]
    number = {buffer.text(t, _TENSOR_NAME): i for i, t in enumerate(buffer.elements(graph, _GRAPH_TENSORS))}
    first, last = [number[name] for name in inputs], [number[name] for name in outputs]
    operators = buffer.elements(graph, _GRAPH_OPERATORS)
    makes = {made: operator for operator in operators for made in buffer.numbers(operator, _OPERATOR_OUTPUTS)}
    needed, wanted = set(), [*last]
    while wanted:
        tensor = wanted.pop()
        operator = makes.get(tensor)
        if tensor not in first and operator is not None and operator not in needed:
            needed.add(operator)
            wanted += buffer.numbers(operator, _OPERATOR_INPUTS)
    buffer.keep(graph, _GRAPH_OPERATORS, [operator for operator in operators if operator in needed])
    buffer.append(graph, _GRAPH_INPUTS, first)
    buffer.append(graph, _GRAPH_OUTPUTS, last)
    return bytes(data)


@dataclass(slots=True)
class _FlatBuffer:
    """The few moves in a FlatBuffer that `excerpt` makes. A table is known by its position in `data`."""

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

    def append(self, table: int, number: int, values: list[int]) -> None:
        """Give a table a new list of int32 at the end of the file."""
        field = self._field(table, number)
        self.data.extend(bytes(-len(self.data) % 4))
        struct.pack_into("<I", self.data, field, len(self.data) - field)
        self.data.extend(struct.pack(f"<{1 + len(values)}i", len(values), *values))
