"""What can be measured on a voice: pitch, formants, how much of the speech survives, and who it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]
STEP = 0.01
"""s from one measurement to the next."""


def frames(sound: Sound, rate: int, seconds: float) -> Sound:
    """(k, seconds * rate), one every STEP, the middle of the first at half of `seconds`."""
    size = round(seconds * rate)
    return np.lib.stride_tricks.sliding_window_view(sound, size)[:: round(STEP * rate)]


def pitch(sound: Sound, rate: int, *, lowest: float = 60, highest: float = 450, seconds: float = 0.045) -> Sound:
    """(k,) Hz, 0 without a steady voice: autocorrelation over that of the window (Boersma 1993)."""
    window = np.hanning(round(seconds * rate))
    size = 2 ** int(np.ceil(np.log2(2 * len(window))))
    pieces = frames(sound, rate, seconds)
    pieces = (pieces - pieces.mean(1, keepdims=True)) * window
    hertz = np.fft.rfftfreq(size, 1 / rate)
    likeness = np.fft.irfft(np.abs(np.fft.rfft(pieces, size)) ** 2 / (1 + (hertz / 1500) ** 4), size)
    own = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2 / (1 + (hertz / 1500) ** 4), size)
    lags = np.arange(int(rate / highest), int(rate / lowest))
    likeness = likeness[:, lags] / (likeness[:, :1] + 1e-12) / (own[lags] / own[0])
    best = np.argmax(likeness - 0.08 * np.log2(lags / lags[0]), axis=1)
    height = likeness[np.arange(len(best)), best]
    loud = np.sqrt((pieces**2).mean(1))
    found = np.where((height > 0.6) & (loud > 0.03 * loud.max()), rate / lags[best], 0.0)
    # Half and double the pitch last a frame or two, at the edges of voice.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(found, 4), 9)
    usual = np.array([np.median(row[row > 0]) if (row > 0).sum() > 4 else 0.0 for row in around])
    return np.where(np.abs(found - usual) < 0.15 * usual, found, 0.0)


def envelope(sound: Sound, rate: int, *, order: int = 14, to: float = 11_000) -> tuple[Sound, Sound]:
    """Hz and dB of linear prediction's spectrum, of what lies below `to` / 2 on average over the sound."""
    pieces = frames(np.append(sound[0], sound[1:] - 0.97 * sound[:-1]), rate, 0.03)
    power = (np.abs(np.fft.rfft(pieces * np.hanning(pieces.shape[1]), 4096)) ** 2).mean(0)
    kept = power[: int(4096 * to / rate / 2)]
    likeness = np.fft.irfft(kept)[: order + 1]
    matrix = likeness[np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    predictor = np.linalg.solve(matrix + 1e-9 * likeness[0] * np.eye(order), likeness[1:])
    response = np.fft.rfft(np.concatenate([[1], -predictor]), 2048)
    return np.arange(1025) * to / 2048, -20 * np.log10(np.abs(response))


def formants(sound: Sound, rate: int, near: Sequence[float], *, order: int = 14, to: float = 11_000) -> Sound:
    """(len(near),) Hz: the peaks of linear prediction's spectrum closest to those expected."""
    hertz, level = envelope(sound, rate, order=order, to=to)
    peaks = [k for k in range(1, len(level) - 1) if level[k - 1] < level[k] >= level[k + 1]]
    exact = []
    for k in peaks:
        left, here, right = level[k - 1 : k + 2]
        exact.append(hertz[k] + (left - right) / (2 * (left - 2 * here + right)) * hertz[1])
    return np.array([min(exact, key=lambda peak: abs(np.log(peak / wanted))) for wanted in near])


def bands(sound: Sound, rate: int, edges: Sound, *, seconds: float = 0.026) -> Sound:
    """(len(edges) - 1, k) amplitudes."""
    pieces = frames(sound, rate, seconds)
    spectrum = np.abs(np.fft.rfft(pieces * np.hanning(pieces.shape[1]), 4096)) ** 2
    hertz = np.fft.rfftfreq(4096, 1 / rate)
    return np.sqrt([spectrum[:, (hertz >= low) & (hertz < high)].sum(1) for low, high in pairwise(edges)])


EDGES = np.array([200, 700, 1200, 1700, 2200, 2700, 3300, 4000, 5000, 6500.0])
"""Hz. No band is narrower than a child's harmonics are apart: otherwise it would show the pitch."""


def kept(clean: Sound, masked: Sound, rate: int, *, factor: float = 1.0, delay: float = 0.0) -> float:
    """
    How much of the speech is in the masked voice, up to 1: short-time correlation of amplitudes in bands, as in STOI
    (Taal et al. 2011), bands of the masked voice taken where `factor` moved them, `delay` in s.
    """
    late = round(delay * rate)
    length = min(len(clean), len(masked) - late)
    before, after = bands(clean[:length], rate, EDGES), bands(masked[late : late + length], rate, EDGES * factor)
    loud = 20 * np.log10(np.sqrt((before**2).sum(0)) + 1e-9)
    speech = loud > loud.max() - 40
    before, after = before[:, speech], after[:, speech]
    size = 38
    scores = []
    for start in range(0, before.shape[1] - size, size // 2):
        x, y = before[:, start : start + size], after[:, start : start + size]
        y = y * np.linalg.norm(x, axis=1, keepdims=True) / (np.linalg.norm(y, axis=1, keepdims=True) + 1e-9)
        y = np.minimum(y, x * (1 + 10 ** (15 / 20)))
        x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
        scores.append((x * y).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1) + 1e-9))
    return float(np.mean(scores))


def same_sound(one: Sound, other: Sound, rate: int, *, seconds: float = 1.0) -> float:
    """The highest correlation, 0..1, of any stretch of `one` with any of `other`, at any lag; up to 4 kHz."""
    one, other = slower(one, rate, 8000), slower(other, rate, 8000)
    size = round(seconds * 8000)
    full = 2 ** int(np.ceil(np.log2(len(other) + size)))
    spectrum = np.fft.rfft(other, full)
    sums = np.concatenate([[0.0], np.cumsum(other**2)])
    energy = sums[size:] - sums[:-size]
    energy = np.maximum(energy, 0.05 * energy.max())
    best = 0.0
    for start in range(0, len(one) - size, size):
        piece = one[start : start + size]
        product = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, full)), full)[: len(energy)]
        best = max(best, float(np.max(np.abs(product) / np.sqrt(np.sum(piece**2) * energy))))
    return best


def slower(sound: Sound, rate: int, wanted: int) -> Sound:
    """The same sound at a lower rate."""
    length = len(sound) * wanted // rate
    return np.fft.irfft(np.fft.rfft(sound)[: length // 2 + 1], length) * length / len(sound)


def voiceprint(sound: Sound, rate: int, *, seconds: float = 4.0) -> Sound:
    """
    (k, 42): one row for every `seconds` of a sound, of what classic speaker recognition looks at: means and
    deviations of 20 mel-frequency cepstral coefficients in voiced frames, and of the logarithm of the pitch.
    """
    tones = pitch(sound, rate)
    pieces = frames(sound, rate, 0.045)[: len(tones)]
    spectrum = np.abs(np.fft.rfft(pieces * np.hanning(pieces.shape[1]), 4096)) ** 2
    log = np.log(spectrum @ mel_filters(30, rate, 4096).T + 1e-10)
    angles = np.pi / 30 * np.outer(np.arange(1, 21), np.arange(30) + 0.5)
    cepstrum = log @ np.cos(angles).T / 30
    rows, size = [], round(seconds / STEP)
    for start in range(0, len(tones) - size + 1, size):
        voiced = tones[start : start + size] > 0
        if voiced.sum() < 30:
            continue
        features, logs = cepstrum[start : start + size][voiced], np.log(tones[start : start + size][voiced])
        rows.append(np.concatenate([features.mean(0), features.std(0), [logs.mean(), logs.std()]]))
    return np.array(rows)


def mel_filters(count: int, rate: int, size: int, *, top: float = 7600) -> Sound:
    """(count, size / 2 + 1) triangles, evenly spaced in mel up to `top` Hz."""
    corners = 700 * (10 ** (np.linspace(0.03, np.log10(1 + top / 700), count + 2)) - 1)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    rising = (hertz - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - hertz) / (corners[2:] - corners[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling))


def recognised(known: Sequence[Sound], heard: Sequence[Sound]) -> float:
    """Share of the prints in `heard` whose nearest speaker in `known` is their own, differences weighed by how much
    they vary within a speaker (a linear discriminant)."""
    within = np.concatenate([prints - prints.mean(0) for prints in known])
    spread = within.T @ within / len(within)
    weights = np.linalg.inv(spread + 0.05 * np.diag(np.diag(spread)) + 1e-6 * np.eye(len(spread)))
    right = []
    for own, prints in enumerate(heard):
        for row in prints:
            off = np.array([row - speaker.mean(0) for speaker in known])
            right.append(np.argmin(np.einsum("ij,jk,ik->i", off, weights, off)) == own)
    return float(np.mean(right))


def apart(speakers: Sequence[Sound], scale: Sound) -> float:
    """Mean distance between speakers' mean prints, each feature over `scale`."""
    means = np.array([prints.mean(0) / scale for prints in speakers])
    distances = np.linalg.norm(means[:, None] - means[None], axis=-1)
    return float(distances[np.triu_indices(len(means), 1)].mean())
