"""A quiet speech-like sound for a script, so that a performance can be heard: a buzz through two formants per vowel."""

from __future__ import annotations

import io
import wave
from typing import Final

import numpy as np

from mien.avatar.performance import Script
from mien.media.memory import MemoryFile

RATE: Final = 16_000
_PITCH: Final = 128.0
"""Hz."""
_LEVEL: Final = 0.12
_FORMANTS: Final = {
    "A": (730, 1090), "E": (530, 1840), "I": (270, 2290), "O": (570, 840), "U": (300, 870), "L": (360, 1300),
    "R": (310, 1060), "W": (290, 610), "M": (250, 1000),
}  # fmt: skip
"""Hz, first and second (Peterson and Barney, 1952, rounded); sounds not named are a breath of noise."""


def voice(script: Script, *, seconds: float) -> MemoryFile:
    """The sound of a script's first `seconds` as a mono 16-bit WAV."""
    samples = np.concatenate([_piece(script, start) for start in np.arange(0, seconds, 0.01)])
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.int16(np.clip(samples, -1, 1) * 32767).tobytes())
    return MemoryFile("voice.wav", sound.getvalue())


def _piece(script: Script, start: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Ten milliseconds: harmonics of the pitch, loudest near the formants."""
    time = start + np.arange(RATE // 100) / RATE
    sound, into = script.sound(start)
    if not sound:
        return np.zeros(len(time))
    loud = _LEVEL * np.sin(np.pi * min(1.0, 0.1 + into * 0.9)) ** 0.5
    if sound not in _FORMANTS:
        noise = np.random.default_rng(round(start * 100)).standard_normal(len(time))
        return np.asarray(noise * loud * 0.08)
    harmonics = np.arange(1, 24) * _PITCH
    strength = sum(np.exp(-(((harmonics - formant) / 160) ** 2)) for formant in _FORMANTS[sound]) + 0.02
    return np.asarray(loud * (np.sin(2 * np.pi * harmonics * time[:, None]) * strength).sum(1) / 3)
