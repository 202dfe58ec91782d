"""Draws time series as inline SVG that stretches with the page: shapes scale, text does not.

Every chart spans the whole clip from left to right, so that all of them share one time axis. Horizontal places are
percentages; what was not seen is hatched, never bridged. Colours come from the style sheet by class name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from mien.emotion import signal
from mien.emotion.moments import Moment, clock
from mien.emotion.signal import Episode, Signal

MOST_POINTS: Final = 600
"""Of one curve: an hour becomes steps of six seconds, and the report stays below a megabyte."""
_TICKS: Final = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)

PATTERN: Final = (
    '<svg class="defs" width="0" height="0" aria-hidden="true"><defs><pattern id="unseen" width="6" height="6" '
    'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/>'
    '<rect class="hatch" width="1.6" height="6"/></pattern></defs></svg>'
)
"""Once per page: the hatching of what was not seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """The time axis of a face's charts."""

    start: float
    end: float
    """Seconds."""
    centres: Signal
    """(B,) seconds: where curves have their points."""
    unseen: list[tuple[float, float]]
    """Seconds from and to, without overlap."""
    marks: Sequence[Moment] = ()

    @staticmethod
    def of(time: Signal, start: float, end: float, marks: Sequence[Moment] = ()) -> Span:
        """For a face seen at those times in a clip that lasts from `start` to `end`."""
        parts = signal.segments(time)
        edges = [start, *(float(time[i]) for p in parts for i in (p.start, p.stop - 1)), end]
        step = float(np.median(np.diff(time))) if len(time) > 1 else 0.0
        unseen = [
            (a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > max(signal.SHORTEST_GAP, 4 * step)
        ]
        count = int(np.clip(len(time), 2, MOST_POINTS))
        return Span(start, end, start + (np.arange(count) + 0.5) * (end - start) / count, unseen, marks)

    def percent(self, time: float) -> str:
        return f"{100 * self._share(time):.2f}%"

    def _share(self, time: float) -> float:
        return float(np.clip((time - self.start) / max(self.end - self.start, 1e-9), 0, 1))

    def curve(self, time: Signal, value: Signal) -> Signal:
        """(B,) means of the samples around each point, NaN where unseen."""
        known = np.isfinite(value)
        if not known.any():
            return np.full(len(self.centres), np.nan)
        time, value = time[known], value[known]
        place = (time - self.start) / max(self.end - self.start, 1e-9) * len(self.centres)
        bins = np.clip(place.astype(int), 0, len(self.centres) - 1)
        count = np.bincount(bins, minlength=len(self.centres))
        total = np.bincount(bins, weights=value, minlength=len(self.centres))
        between = np.interp(self.centres, time, value)
        means = np.where(count > 0, total / np.maximum(count, 1), between)
        for a, b in self.unseen:
            means[(self.centres > a) & (self.centres < b)] = np.nan
        return means

    def x(self, time: float) -> float:
        """0 to 1000, the width of a stretched drawing."""
        return 1000 * self._share(time)


def area(span: Span, value: Signal, *, low: float, high: float, below: Signal | None = None) -> tuple[str, str]:
    """Paths of a filled area down to `low` (or to another curve) and of its upper line, one piece between gaps."""
    scale = 100 / (high - low)
    top = 100 - (np.clip(value, low, high) - low) * scale
    bottom = np.full_like(top, 100.0) if below is None else 100 - (np.clip(below, low, high) - low) * scale
    filled, line = [], []
    for piece in _pieces(np.isfinite(value)):
        xs = [span.x(t) for t in span.centres[piece]]
        if piece.start == 0 and not any(a <= span.start for a, _ in span.unseen):
            xs[0] = 0.0
        if piece.stop == len(value) and not any(b >= span.end for _, b in span.unseen):
            xs[-1] = 1000.0
        upper = [f"{x:.1f} {y:.1f}" for x, y in zip(xs, top[piece], strict=True)]
        lower = [f"{x:.1f} {y:.1f}" for x, y in zip(xs, bottom[piece], strict=True)]
        line.append("M" + "L".join(upper))
        filled.append("M" + "L".join([*upper, *reversed(lower)]) + "Z")
    return "".join(filled), "".join(line)


def _pieces(known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def plot(span: Span, drawing: str, *, label: str, height: int, under: str = "") -> str:
    """An SVG as wide as its column. `drawing` lies in a stretched 1000×100 field; `under` in unstretched pixels."""
    return (
        f'<svg class="plot" role="img" aria-label="{escape(label)}" width="100%" height="{height}">'
        f"{_hatched(span)}{under}"
        f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" width="100%" height="{height}">{drawing}</svg>'
        f'{_marks(span)}<line class="cursor" x1="0" x2="0" y1="0" y2="100%"/></svg>'
    )


def _hatched(span: Span) -> str:
    return "".join(
        f'<rect class="unseen" x="{span.percent(a)}" y="0" '
        f'width="{100 * (span._share(b) - span._share(a)):.2f}%" height="100%"/>'
        for a, b in span.unseen
    )


def _marks(span: Span) -> str:
    return "".join(
        f'<line class="mark" x1="{span.percent(m.time)}" x2="{span.percent(m.time)}" y1="0" y2="100%"/>'
        for m in span.marks
    )


def curve_plot(
    span: Span,
    value: Signal,
    *,
    kind: str,
    label: str,
    high: float,
    height: int = 44,
    rest: float | None = None,
    episodes: Sequence[Episode] = (),
) -> str:
    """A curve from 0 to `high` over its area, a dashed line at `rest`, and a bar along the bottom for each episode."""
    filled, line = area(span, value, low=0.0, high=high)
    drawing = '<path class="grid" d="M0 50H1000"/>'
    drawing += f'<path class="area {kind}" d="{filled}"/><path class="line {kind}" d="{line}"/>'
    if rest is not None and np.isfinite(rest):
        y = 100 - 100 * min(rest / high, 1.0)
        drawing += f'<path class="rest" d="M0 {y:.1f}H1000"/>'
    bars = "".join(f"M{span.x(e.onset):.1f} 98H{span.x(e.offset):.1f}" for e in episodes)
    if bars:
        drawing += f'<path class="episode {kind}" d="{bars}"/>'
    return plot(span, drawing, label=label, height=height)


def tick_plot(span: Span, times: Sequence[float], *, kind: str, label: str, height: int = 26) -> str:
    """A short upright stroke at each of those times."""
    strokes = "".join(f"M{span.x(t):.1f} 15V85" for t in times)
    return plot(span, f'<path class="ticks {kind}" d="{strokes}"/>', label=label, height=height)


def share_plot(span: Span, shares: Signal, *, kinds: Sequence[str], label: str, height: int = 150) -> str:
    """(B, K) shares stacked to the full height, the first at the bottom."""
    total = shares.sum(1, keepdims=True)
    stacked = np.cumsum(shares / total, axis=1)
    drawing = []
    for k, kind in enumerate(kinds):
        below = stacked[:, k - 1] if k else np.where(np.isfinite(stacked[:, 0]), 0.0, np.nan)
        filled, _ = area(span, stacked[:, k], low=0.0, high=1.0, below=below)
        drawing.append(f'<path class="stack {kind}" d="{filled}"/>')
    return plot(span, "".join(drawing), label=label, height=height)


def time_axis(span: Span) -> str:
    """Time codes under the charts; every second one gives way on a narrow screen."""
    length = span.end - span.start
    step = next((s for s in _TICKS if length / s <= 8), _TICKS[-1])
    parts = []
    for i in range(int(length / step) + 1):
        at = span.start + i * step
        share = span._share(at)
        anchor = "start" if share < 0.02 else "end" if share > 0.97 else "middle"
        text = clock(at) if step >= 1 else f"{at:.1f} s"
        rank = "minor" if i % 2 else "major"
        parts.append(
            f'<g class="{rank}"><line x1="{span.percent(at)}" x2="{span.percent(at)}" y1="0" y2="5"/>'
            f'<text x="{span.percent(at)}" y="18" text-anchor="{anchor}">{text}</text></g>'
        )
    return f'<svg class="axis" width="100%" height="22" aria-hidden="true">{"".join(parts)}</svg>'


def pins(span: Span, section: str) -> str:
    """Numbered links from the charts to the list of moments, each the target of a link back."""
    parts = []
    for i, m in enumerate(span.marks, 1):
        x = span.percent(m.time)
        parts.append(
            f'<a href="#{section}-moment-{i}" id="{section}-pin-{i}" aria-label="Moment {i}, {clock(m.time)}: '
            f'{escape(m.title)}"><circle cx="{x}" cy="13" r="9.5"/>'
            f'<text x="{x}" y="17" text-anchor="middle">{i}</text></a>'
        )
    return f'<svg class="pins" width="100%" height="26">{"".join(parts)}</svg>'


def thirds_bars(values: Sequence[float | None], session: float) -> str:
    """Three bars (start, middle, end of the session), with a dashed line at the session's own figure."""
    highest = max([session, *(v for v in values if v is not None)]) or 1.0
    bars = "".join(
        f'<rect class="unseen" x="{4 + 34 * i}" y="4" width="26" height="32"/>'
        if v is None
        else f'<rect class="bar" x="{4 + 34 * i}" y="{36 - 32 * v / highest:.1f}" width="26" '
        f'height="{32 * v / highest:.1f}"/>'
        for i, v in enumerate(values)
    )
    y = 36 - 32 * session / highest
    return (
        f'<svg class="thirds" viewBox="0 0 102 37" aria-hidden="true">{bars}<path class="foot" d="M0 36.5H102"/>'
        f'<path class="rest" d="M0 {y:.1f}H102"/></svg>'
    )
