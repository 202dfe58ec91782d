"""Measures over unevenly sampled signals with gaps: what every figure in `dynamics` is built from.

A signal is a pair of arrays, `time` (seconds, rising) and `value`. Between samples it is taken as straight; across a
gap it is unknown, so nothing is interpolated there and no time is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

SHORTEST_GAP: Final = 0.35
"""Seconds without a sample from which on the signal counts as interrupted (or four usual steps, if that is more)."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A stretch in which a signal stayed above its resting level. Seconds from the start of the clip."""

    onset: float
    apex: float
    offset: float
    peak: float
    """Height above rest at the apex."""
    cut: bool
    """True where it began or ended outside of what was seen, so that `duration` is a lower bound."""

    @property
    def duration(self) -> float:
        return self.offset - self.onset


def segments(time: Signal) -> list[slice]:
    """The stretches between gaps."""
    if len(time) == 0:
        return []
    steps = np.diff(time)
    usual = float(np.median(steps)) if len(steps) else 0.0
    breaks = np.flatnonzero(steps > max(SHORTEST_GAP, 4 * usual)) + 1
    edges = [0, *breaks.tolist(), len(time)]
    return [slice(a, b) for a, b in pairwise(edges)]


def weights(time: Signal) -> Signal:
    """(N,) seconds that each sample stands for (trapezoids, none across gaps); their sum is the time observed."""
    held = np.zeros(len(time))
    for part in segments(time):
        half = np.diff(time[part]) / 2
        held[part][:-1] += half
        held[part][1:] += half
    return held


def observed(time: Signal) -> float:
    """Seconds observed, gaps left out."""
    return float(weights(time).sum())


def mean(value: Signal, weight: Signal) -> float:
    """Weighted mean; NaN without any weight."""
    total = weight.sum()
    return float((value * weight).sum() / total) if total > 0 else float("nan")


def quantile(value: Signal, weight: Signal, share: float) -> float:
    """The value below which the signal spends that share of the time; NaN without any weight."""
    if not weight.sum() > 0:
        return float("nan")
    order = np.argsort(value)
    reached = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(share * weight.sum(), reached, value[order]))


def slow_floor(time: Signal, value: Signal, *, window: float = 3.0, share: float = 0.3) -> Signal:
    """(N,) the lower quantile of the samples within a window around each one: a resting level that may drift."""
    import pandas as pd

    index = pd.to_timedelta(time - time[0], unit="s") if len(time) else pd.to_timedelta([])
    rolling = pd.Series(value, index=index).rolling(pd.Timedelta(seconds=window), center=True, min_periods=1)
    return np.asarray(rolling.quantile(share), np.float64)


def episodes(
    time: Signal, above: Signal, *, enter: float, leave: float, shortest: float, join: float = 0.0
) -> list[Episode]:
    """Stretches where `above` (height over rest) passes `enter`, from and until it crosses `leave` (≤ enter).

    Crossings are interpolated between samples. Episodes nearer than `join` seconds become one; those shorter than
    `shortest` seconds are dropped; where they are cut off, half of that will do.
    """
    found: list[Episode] = []
    for part in segments(time):
        inside = [_episode(time[part], above[part], a, b, leave) for a, b in _runs(above[part], enter, leave)]
        joined: list[Episode] = []
        for episode in inside:
            if joined and episode.onset - joined[-1].offset < join:
                joined[-1] = _union(joined[-1], episode)
            else:
                joined.append(episode)
        found += [e for e in joined if e.duration >= (shortest / 2 if e.cut else shortest)]
    return found


def _runs(above: Signal, enter: float, leave: float) -> Iterator[tuple[int, int]]:
    """First and last index of each run above `leave` that reaches `enter`."""
    high = np.flatnonzero(np.diff(np.concatenate([[0], (above > leave).astype(int), [0]])))
    for first, end in zip(high[::2].tolist(), high[1::2].tolist(), strict=True):
        if above[first:end].max() >= enter:
            yield first, end - 1


def _episode(time: Signal, above: Signal, first: int, last: int, leave: float) -> Episode:
    def crossing(outside: int, inside: int) -> float:
        share = (leave - above[outside]) / (above[inside] - above[outside])
        return float(time[outside] + share * (time[inside] - time[outside]))

    apex = first + int(np.argmax(above[first : last + 1]))
    return Episode(
        onset=crossing(first - 1, first) if first > 0 else float(time[first]),
        apex=float(time[apex]),
        offset=crossing(last + 1, last) if last + 1 < len(time) else float(time[last]),
        peak=float(above[apex]),
        cut=first == 0 or last + 1 == len(time),
    )


def _union(a: Episode, b: Episode) -> Episode:
    higher = a if a.peak >= b.peak else b
    return Episode(a.onset, higher.apex, b.offset, higher.peak, a.cut or b.cut)


def speed(time: Signal, values: Signal, *, lag: float) -> Signal:
    """(N, D) rates of change per second of (N, D) values, each over about `lag` seconds around the sample so that
    jitter from frame to frame does not count as movement; NaN where a segment is shorter than half of that."""
    rates = np.full(values.shape, np.nan)
    for part in segments(time):
        t, v = time[part], values[part]
        start, end = (np.clip(t + d, t[0], t[-1]) for d in (-lag / 2, lag / 2))
        span = end - start
        if t[-1] - t[0] < lag / 2:
            continue
        for column in range(v.shape[1]):
            change = np.interp(end, t, v[:, column]) - np.interp(start, t, v[:, column])
            rates[part, column] = change / span
    return rates


def windowed(time: Signal, value: Signal, *, window: float, step: float) -> tuple[Signal, Signal]:
    """Means over windows of that many seconds, one every `step` seconds: their centres, and NaN where less than half of
    a window was observed."""
    if len(time) == 0:
        return np.empty(0), np.empty(0)
    weight = np.where(np.isfinite(value), weights(time), 0.0)
    centres = np.arange(time[0], time[-1] + step / 2, step)
    low, high = np.searchsorted(time, centres - window / 2), np.searchsorted(time, centres + window / 2, side="right")
    held = np.concatenate([[0.0], np.cumsum(weight)])
    sums = np.concatenate([[0.0], np.cumsum(np.where(weight > 0, np.nan_to_num(value), 0.0) * weight)])
    total = held[high] - held[low]
    whole = np.minimum(centres + window / 2, time[-1]) - np.maximum(centres - window / 2, time[0])
    means = np.divide(sums[high] - sums[low], total, out=np.full(len(centres), np.nan), where=total > 0)
    return centres, np.where(total >= whole / 2, means, np.nan)
