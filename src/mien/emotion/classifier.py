"""Reads the seven emotions off a face with mini-XCEPTION: what the face shows, not what the person feels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from mien.emotion.crop import INPUT_SIZE, network_input
from mien.errors import ModelError
from mien.types import EMOTIONS, Array, Face, Frame

MODEL: Final = "fer-mini-xception"
FILES: Final = ("emotion_model_quantized.tflite", "emotion_model.hdf5")
"""In the model store, the faster one first. Either is enough."""

_FLATBUFFER: Final = b"TFL3"


class EmotionClassifier:
    """Seven probabilities for a face in the ORIGINAL frame.

    Takes the quantised .tflite or the authors' .hdf5, from which a LiteRT network is built; the file's content decides,
    and either reads a face in 0.2 ms. Not for use by two threads at once.
    """

    def __init__(self, path: Path) -> None:
        """Raises ModelError where the file is missing, damaged, or not these weights."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(
                f"The emotion model {path.name} cannot be read ({error.strerror or error}). "
                f"`mien models pull {MODEL}` fetches it."
            ) from error
        ready = content[4:8] == _FLATBUFFER
        self._network = _network(content if ready else _built_from(content, path.name), path.name)

    @classmethod
    def find(cls) -> EmotionClassifier:
        """With whichever of its two files the model store has. Raises ModelError where it has neither."""
        from mien import models

        here = (file for file in FILES if models.available(MODEL, file))
        if (file := next(here, None)) is None:
            raise ModelError(why_not())
        return cls(models.path(MODEL, file))

    def __call__(self, frame: Frame, face: Face) -> Array:
        """(7,) float32 probabilities in the order of `EMOTIONS`, of this frame alone (see `EmotionSmoother`)."""
        return self._network(network_input(frame.image, face.landmarks))


def why_not() -> str:
    """Why no emotions can be read, and the remedy; "" where they can be."""
    from mien import models

    if models.available(MODEL):
        return ""
    reason = models.damage(MODEL) or f"No emotion model is on this machine. `mien models pull {MODEL}` fetches it."
    return f"No emotions were read. {reason}"


def _built_from(content: bytes, name: str) -> bytes:
    """The LiteRT network that a .hdf5 holds the weights of."""
    from mien.emotion.compiled import compiled
    from mien.emotion.hdf5 import read_arrays
    from mien.emotion.xception import MiniXception

    return compiled(MiniXception(read_arrays(content, name=name)))


def _network(content: bytes, name: str) -> Callable[[Array], Array]:
    from mien.models.litert import Network

    network = Network(content, name=name, threads=1)
    if network.input_shape != (1, INPUT_SIZE, INPUT_SIZE, 1):
        raise ModelError(f"{name} is not the emotion network: its input has the shape {network.input_shape}.")

    def run(picture: Array) -> Array:
        probabilities = network(picture[None, ..., None])[0].reshape(-1)
        if probabilities.shape != (len(EMOTIONS),):
            raise ModelError(f"{name} is not the emotion network: it answers with {probabilities.size} numbers.")
        return np.asarray(probabilities, np.float32)

    return run
