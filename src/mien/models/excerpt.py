"""Takes one stretch out of a TensorFlow Lite network, so that the steps LiteRT does not know can be done in between.

The list of operators is shortened in place, and new lists of inputs and outputs are appended.
"""

from __future__ import annotations

from mien.errors import ModelError
from mien.models.flatbuffer import DAMAGE, FlatBuffer

_MODEL_SUBGRAPHS, _GRAPH_TENSORS, _GRAPH_INPUTS, _GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 0, 1, 2, 3
_TENSOR_NAME, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 3, 1, 2
"""Numbers of the fields in the tables of TensorFlow Lite's public schema."""


def excerpt(content: bytes, *, inputs: list[str], outputs: list[str]) -> bytes:
    """The part of a network that computes the tensors named `outputs` from those named `inputs`, as a network file.

    Raises ModelError where the file is not a network with such tensors.
    """
    try:
        return _excerpt(bytearray(content), inputs, outputs)
    except DAMAGE as error:
        raise ModelError("The model file is damaged or of another version. `mien models pull` fetches it again.") from (
            error
        )


def _excerpt(data: bytearray, inputs: list[str], outputs: list[str]) -> bytes:
    buffer = FlatBuffer(data)
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
