"""Voices made by formula, for which pitch, vocal tract and vowels are known; and what can be measured on a sound.

A Rosenberg pulse per period, noise for breath and fricatives, and formants in cascade (Fant 1960, Klatt 1980).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE = 48_000
VOWELS = {
    "i": (270, 2290, 3010), "e": (530, 1840, 2480), "a": (730, 1090, 2440), "o": (570, 840, 2410),
    "u": (300, 870, 2240), "E": (660, 1720, 2410), "A": (640, 1190, 2390), "I": (390, 1990, 2550),
}  # fmt: skip
"""Hz, the first three formants of men (Peterson and Barney 1952)."""
HIGHER = (3500, 4500, 5500, 6500, 7500)
WIDTHS = np.array([70, 90, 130, 200, 250, 300, 400, 500.0])
HISSES = {"s": (6200.0, 1800.0), "S": (3400.0, 1200.0), "t": (4500.0, 2500.0), "k": (2200.0, 1200.0)}
"""Hz, middle and width of the noise of a man's fricatives and bursts."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person's constants."""

    pitch: float = 115.0
    """Hz, usual."""
    tract: float = 1.0
    """Formants over an adult man's."""
    quirks: Sequence[float] = (0,) * 8
    """Each formant's own deviation, as a part of it."""
    open: float = 0.6
    """Part of the period in which the glottis is open."""
    breath: float = 0.02
    """Noise over voice, as an amplitude."""
    tilt: float = 0.0
    """dB per octave above 500 Hz."""
    lively: float = 1.0
    """How far intonation goes; 1: some two semitones to either side."""

    def formants(self, vowel: str) -> Sound:
        return self.tract * np.array((*VOWELS[vowel], *HIGHER), float) * (1 + np.asarray(self.quirks))


MAN = Speaker(105, 0.97)
WOMAN = Speaker(205, 1.17, breath=0.05)
CHILD = Speaker(290, 1.34, breath=0.05)


def anybody(rng: np.random.Generator) -> Speaker:
    """Somebody at random, as different as people are."""
    pitch = float(np.exp(rng.uniform(np.log(85), np.log(290))))
    return Speaker(
        pitch=pitch,
        tract=float((pitch / 115) ** 0.27 * np.exp(rng.normal(0, 0.04))),
        quirks=tuple(rng.normal(0, 0.03, 8)),
        open=float(rng.uniform(0.45, 0.75)),
        breath=float(np.exp(rng.uniform(np.log(0.01), np.log(0.08)))),
        tilt=float(rng.normal(0, 2)),
        lively=float(rng.uniform(0.6, 1.5)),
    )


@dataclass(slots=True)
class Speech:
    """A sound and what is known of it."""

    sound: Sound
    """(n,) about −1..1."""
    f0: Sound
    """(n,) Hz, 0 where there is no voice."""
    rate: int = RATE
    vowels: list[tuple[str, float, float]] = field(default_factory=list)
    """Vowel, start and end in s."""


def say(who: Speaker, what: str, *, seed: int = 0, length: float = 0.22, rate: int = RATE) -> Speech:
    """Vowels (a letter of VOWELS), hisses (of HISSES) and pauses (space), each about `length` s, with an intonation."""
    rng = np.random.default_rng(seed)
    lengths = length * rng.uniform(0.8, 1.2, len(what)) * [0.5 if c in "tk" else 1 for c in what]
    ends = 0.1 + np.cumsum(lengths)
    n = round((ends[-1] + 0.15) * rate)
    time = np.arange(n) / rate
    f0 = who.pitch * 2 ** (who.lively * intonation(time, rng) / 12)
    marks, tones = targets(who, what, ends - lengths / 2)
    loud = np.interp(time, *loudness(what, ends - lengths, ends))
    sound = pulses(who, f0, loud, marks, tones, rate, rng)
    for letter, start, end in zip(what, ends - lengths, ends, strict=True):
        if letter in HISSES:
            sound += hiss(who, letter, start, end, n, rate, rng)
    vowels = [(c, s, e) for c, s, e in zip(what, ends - lengths, ends, strict=True) if c in VOWELS]
    return Speech(0.4 * sound / np.max(np.abs(sound)), np.where(loud > 0.05, f0, 0), rate, vowels)


def hold(who: Speaker, vowel: str, f0: Sound, *, rate: int = RATE, seed: int = 0) -> Speech:
    """One vowel on a given contour of pitch, (n,) Hz."""
    rng = np.random.default_rng(seed)
    loud = np.minimum(1, np.minimum(np.arange(len(f0)), np.arange(len(f0))[::-1]) / (0.03 * rate))
    sound = pulses(who, f0, loud, np.array([0.0]), who.formants(vowel)[None], rate, rng)
    return Speech(0.4 * sound / np.max(np.abs(sound)), f0, rate, [(vowel, 0, len(f0) / rate)])


def intonation(time: Sound, rng: np.random.Generator) -> Sound:
    """Semitones about the usual pitch: phrases that fall, and accents."""
    slow = sum(rng.uniform(0.7, 1.3) * np.sin(2 * np.pi * (rate * time + rng.uniform())) for rate in (0.35, 0.9, 1.7))
    return np.asarray(1.6 * slow)


def targets(who: Speaker, what: str, middles: Sound) -> tuple[Sound, Sound]:
    """(k,) s and (k, 8) Hz: formants that the vowels aim at, held for half of each."""
    marks: list[float] = []
    tones: list[Sound] = []
    for letter, middle in zip(what, middles, strict=True):
        if letter in VOWELS:
            marks += [middle - 0.05, middle + 0.05]
            tones += [who.formants(letter)] * 2
    return np.array(marks or [0.0]), np.array(tones or [who.formants("A")])


def loudness(what: str, starts: Sound, ends: Sound) -> tuple[Sound, Sound]:
    """Corners of the voice's loudness: (k,) s, (k,) 0..1."""
    times, values = [0.0], [0.0]
    for letter, start, end in zip(what, starts, ends, strict=True):
        value = 1.0 if letter in VOWELS else 0.0
        times += [start + 0.02, end - 0.02]
        values += [value, value]
    return np.array([*times, ends[-1] + 0.03]), np.array([*values, 0.0])


def pulses(
    who: Speaker, f0: Sound, loud: Sound, marks: Sound, tones: Sound, rate: int, rng: np.random.Generator
) -> Sound:
    """Period by period: a pulse and a puff of noise through the formants of that moment."""
    times = [0.0]
    while times[-1] < len(f0) - 1:
        times.append(times[-1] + rate / f0[int(times[-1])] * (1 + rng.normal(0, 0.004)))
    at = np.array(times[:-1])
    at = at[loud[at.astype(int)] > 0]
    size = 2 ** int(np.ceil(np.log2(0.04 * rate)))
    out = np.zeros(len(f0) + size)
    hertz, clock = np.fft.rfftfreq(size, 1 / rate), np.arange(size)
    slope = 10 ** (-who.tilt * np.log2(np.maximum(hertz, 500) / 500) / 20)
    for some in np.array_split(at, len(at) // 64 + 1):
        first = some.astype(int)
        period = (rate / f0[first])[:, None]
        shape = rosenberg((clock - (some - first)[:, None]) / (who.open * period), who.open * period)
        swell = np.where(clock < period, 0.5 - 0.5 * np.cos(2 * np.pi * clock / period), 0)
        puff = rng.normal(0, 1, shape.shape) * swell * np.abs(shape).max(1, keepdims=True) * who.breath
        moments = np.array([np.interp(first / rate, marks, tone) for tone in tones.T]).T
        sounds = np.fft.irfft(np.fft.rfft(shape + puff) * cascade(hertz, moments) * slope, size)
        for start, sound in zip(first, sounds * loud[first, None], strict=True):
            out[start : start + size] += sound
    return out[: len(f0)]


def rosenberg(phase: Sound, opened: Sound) -> Sound:
    """The derivative of Rosenberg's glottal pulse, rising for two thirds of the open time; phase 0..1 while open."""
    rise = 2 / 3
    rising = np.sin(np.pi * phase / rise) * np.pi / rise / 2
    falling = -np.sin(np.pi / 2 * (phase - rise) / (1 - rise)) * np.pi / 2 / (1 - rise)
    return np.where((phase >= 0) & (phase < 1), np.where(phase < rise, rising, falling) / opened, 0.0)


def cascade(hertz: Sound, formants: Sound) -> NDArray[np.complex128]:
    """(k, len(hertz)) responses of (k, 8) formants, one after the other, each with gain 1 at 0 Hz."""
    omega = 2 * np.pi * hertz
    response = np.ones((len(formants), len(hertz)), complex)
    for formant, width in zip(formants.T[:, :, None], WIDTHS, strict=True):
        pole = (2 * np.pi * formant) ** 2 + (np.pi * width) ** 2
        response *= (1 - omega**2 / pole) + 2j * np.pi * width * omega / pole
    return 1 / response


def hiss(who: Speaker, letter: str, start: float, end: float, n: int, rate: int, rng: np.random.Generator) -> Sound:
    """Noise around the letter's frequency, swelling and fading; bursts begin at once after a silence."""
    middle, width = HISSES[letter]
    length = round((end - start) * rate)
    noise = np.fft.rfft(rng.normal(0, 1, length))
    hertz = np.fft.rfftfreq(length, 1 / rate) / who.tract
    noise *= np.exp(-0.5 * ((hertz - middle) / width) ** 2)
    phase = np.arange(length) / length
    swell = np.where(phase < 0.5, 0, np.exp(-(phase - 0.5) * 12)) if letter in "tk" else np.sin(np.pi * phase) ** 0.5
    sound = np.zeros(n)
    first = round(start * rate)
    sound[first : first + length] = np.fft.irfft(noise, length)[: n - first] * swell
    return sound * 0.05 / max(1e-9, float(np.std(sound[first : first + length]))) * 0.02
