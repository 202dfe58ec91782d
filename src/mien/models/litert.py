"""The one place that opens TensorFlow Lite networks: quiet, on the CPU, called like a function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ModelError
from mien.media.quiet import quiet_stderr


class Network:
    """A TensorFlow Lite network of floats. Not for use by two threads at once.

    `content` is the model file's bytes; `name` is what errors call it. Raises ModelError where it cannot be loaded.
    """

    def __init__(self, content: bytes, *, name: str, threads: int = 2) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet_stderr():
                self._interpreter: Any = Interpreter(model_content=content, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"The model {name} is damaged or not a TensorFlow Lite file. `mien models pull` fetches it again."
            ) from error
        self._inputs = [given["index"] for given in self._interpreter.get_input_details()]
        self._outputs = [output["index"] for output in self._interpreter.get_output_details()]
        self.input_shape = tuple(int(n) for n in self._interpreter.get_input_details()[0]["shape"])

    def __call__(self, *tensors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run once. One float32 tensor for each input, the first of `input_shape`; returns copies of all outputs."""
        for index, tensor in zip(self._inputs, tensors, strict=True):
            self._interpreter.set_tensor(index, tensor)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]
