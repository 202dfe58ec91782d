"""The report's section on one person: a reading in one sentence, cards, charts, and moments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Final

import numpy as np

from mien.emotion import charts, moments, signal
from mien.emotion.charts import Span
from mien.emotion.dynamics import Dynamics, Measure, analyse
from mien.emotion.moments import Moment, clock
from mien.emotion.report_cards import cards
from mien.emotion.signal import Signal
from mien.emotion.summary import sentences
from mien.emotion.timeline import Track
from mien.types import EMOTIONS

_STACK_ORDER: Final = ("neutral", "happy", "surprise", "fear", "sad", "disgust", "angry")
"""From the bottom: calm below, so that what departs from it stands out on top."""

_MOST_STROKES: Final = 150
_FINE_TIME_CODES: Final = 120.0
"""Seconds; the time codes of shorter clips have tenths."""


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    track: Track
    html: str


def face_section(track: Track, start: float, end: float, anchor: str, *, first: bool) -> Section:
    """For a clip that lasts from `start` to `end` seconds. `anchor` is unique on the page."""
    number = anchor.rpartition("-")[2]
    heading = f"Person {number}" if number.isdigit() else "The session"
    if end <= start or len(track.time) < 3:
        return Section(track, _still(track, anchor, heading if number.isdigit() else "The picture", first))
    dynamics = analyse(track)
    chosen = moments.find(track, dynamics)
    span = Span.of(track.time, start, end, chosen)
    known = bool(np.isfinite(track.emotions).any())
    shares = np.stack([span.curve(track.time, track.emotions[:, i].astype(float)) for i in range(len(EMOTIONS))], 1)
    html = (
        f'<section class="section{" first" if first else ""}" id="{anchor}" '
        f'data-start="{start:.3f}" data-end="{end:.3f}">'
        f"<h2>{heading}</h2>"
        f'<p class="lead">{" ".join(sentences(track, dynamics, end - start))}</p>'
        '<p class="readout" hidden aria-live="off"></p>'
        f"{_emotion_charts(track, span, shares, anchor) if known else _NO_MODEL}"
        f"{_moment_list(chosen, anchor, tenths=end - start < _FINE_TIME_CODES)}"
        f"{_share_chart(track, span, shares) if known else ''}"
        f"{cards(dynamics)}"
        f"{_dynamics_charts(dynamics, span)}"
        f"{_curve_data(dynamics, span, shares if known else None)}"
        "</section>"
    )
    return Section(track, html)


_NO_MODEL: Final = (
    '<p class="hint">The emotion model was not at hand, so the seven emotions were not read. '
    "<code>mien models pull fer-mini-xception</code> fetches it.</p>"
)


def _row(kind: str, name: str, plot: str, figure: str, note: str = "") -> str:
    small = f" <small>{note}</small>" if note else ""
    return (
        f'<div class="row"><span class="name {kind}"><i></i><span>{name}{small}</span></span>{plot}'
        f'<span class="figure">{figure}</span></div>'
    )


def _bare(plot: str) -> str:
    return f'<div class="row bare"><span></span>{plot}<span></span></div>'


def _means(track: Track) -> dict[str, float]:
    """Mean probability of each emotion over the time seen."""
    weight = signal.weights(track.time)
    return {n: signal.mean(np.nan_to_num(track.emotions[:, i].astype(float)), weight) for i, n in enumerate(EMOTIONS)}


def _emotion_charts(track: Track, span: Span, shares: Signal, anchor: str) -> str:
    means, rows = _means(track), []
    for i, name in enumerate(EMOTIONS):
        highest = float(np.nanmax(shares[:, i])) if np.isfinite(shares[:, i]).any() else 0.0
        label = f"{name.title()} over time: mean {100 * means[name]:.0f} percent, highest {100 * highest:.0f} percent"
        plot = charts.curve_plot(span, shares[:, i], kind=name, label=label, high=1.0)
        rows.append(_row(name, name.title(), plot, f"mean <b>{100 * means[name]:.0f} %</b>"))
    return (
        '<div class="sheet"><h3>Emotions over time</h3>'
        '<p class="hint">How much the face looks like each class, 0 to 100 %; thin line: 50 %. Hatched: not seen. '
        "Numbers mark the moments listed below.</p>"
        f"{_bare(charts.pins(span, anchor))}{''.join(rows)}{_bare(charts.time_axis(span))}</div>"
    )


def _share_chart(track: Track, span: Span, shares: Signal) -> str:
    means = _means(track)
    stacked = shares[:, [EMOTIONS.index(name) for name in _STACK_ORDER]]
    order = ", ".join(f"{n} {100 * means[n]:.0f} percent" for n in sorted(EMOTIONS, key=lambda n: -means[n]))
    plot = charts.share_plot(
        span, stacked, kinds=_STACK_ORDER, label=f"Shares of the emotions over time; means: {order}"
    )
    legend = "".join(f'<li class="{n}"><i></i>{n.title()} {100 * means[n]:.0f} %</li>' for n in reversed(_STACK_ORDER))
    return (
        '<div class="sheet"><h3>Share of each emotion</h3>'
        '<p class="hint">The same, stacked: every instant adds up to 100 %.</p>'
        f"{_bare(plot)}{_bare(charts.time_axis(span))}"
        f'<ul class="legend">{legend}</ul>{_table(track, span, means)}</div>'
    )


def _table(track: Track, span: Span, means: dict[str, float]) -> str:
    """The charts as numbers: means of ten equal parts of the clip."""
    edges = np.linspace(span.start, span.end, 11)
    weight = signal.weights(track.time)
    rows = []
    for a, b in pairwise(edges):
        inside = np.where((track.time >= a) & (track.time < b), weight, 0.0)
        cells = [signal.mean(np.nan_to_num(track.emotions[:, i].astype(float)), inside) for i in range(len(EMOTIONS))]
        text = "".join(f"<td>{100 * v:.0f}</td>" if np.isfinite(v) else "<td>–</td>" for v in cells)
        code = clock(a) if span.end - span.start > 20 else f"{a:.1f} s"
        rows.append(f'<tr><th scope="row">from {code}</th>{text}</tr>')
    head = "".join(f'<th scope="col">{name.title()}</th>' for name in EMOTIONS)
    total = "".join(f"<td>{100 * means[name]:.0f}</td>" for name in EMOTIONS)
    return (
        '<details><summary>As a table</summary><div class="scroll"><table><thead><tr><th scope="col">Mean, %</th>'
        f'{head}</tr></thead><tbody>{"".join(rows)}<tr><th scope="row">Session</th>{total}</tr></tbody></table></div>'
        "</details>"
    )


def _dynamics_charts(d: Dynamics, span: Span) -> str:
    def figure(measure: Measure, form: str) -> str:
        return f"<b>{form.format(measure.value)}</b>" if measure.value is not None else "–"

    rows = []
    for name, kind, movement in (
        ("Smile", "smile", d.smile),
        ("Brow lowering", "brow", d.brow_lowering),
        ("Lip corners down", "lips", d.lip_corner_depression),
    ):
        curve = span.curve(movement.time, movement.value)
        label = f"{name} over time, 0 to 1: {len(movement.episodes)} episodes, rest {movement.rest:.2f}"
        plot = charts.curve_plot(
            span, curve, kind=kind, label=label, high=1.0, rest=movement.rest, episodes=movement.episodes
        )
        rows.append(_row(kind, name, plot, figure(movement.share, "{:.0f} % of time")))
    rows.append(_blinks_row(d, span, figure(d.blink_rate, "{:.0f} / min")))
    speed = span.curve(d.head_time, d.head_speed)
    top = max(20.0, float(np.nanquantile(speed, 0.995))) if np.isfinite(speed).any() else 20.0
    plot = charts.curve_plot(
        span, speed, kind="head", label=f"Head speed over time, 0 to {top:.0f} degrees a second", high=top
    )
    rows.append(_row("head", "Head speed", plot, figure(d.head_velocity, "{:.1f} °/s"), f"0–{top:.0f} °/s"))
    lively = span.curve(d.expressivity_time, d.expressivity_curve)
    plot = charts.curve_plot(
        span, lively, kind="lively", label="Liveliness over time; 1 is usual in this session", high=3.0, rest=1.0
    )
    rows.append(_row("lively", "Liveliness", plot, figure(d.expressivity, "{:.1f} / s"), "usual = 1"))
    return (
        '<div class="sheet"><h3>Movement over time</h3>'
        '<p class="hint">Dashed: this session\'s own rest (for liveliness: its usual level). Bars along the bottom: '
        f"episodes.</p>{''.join(rows)}{_bare(charts.time_axis(span))}</div>"
    )


def _blinks_row(d: Dynamics, span: Span, figure: str) -> str:
    """A stroke for each blink, or their rate where the strokes would run together."""
    label = f"Blinks over time: {len(d.blinks)} seen"
    apexes = np.array([e.apex for e in d.blinks])
    if len(apexes) <= _MOST_STROKES:
        return _row("blink", "Blinks", charts.tick_plot(span, apexes.tolist(), kind="blink", label=label), figure)
    begun, _ = np.histogram(apexes, np.append(d.head_time, np.inf))
    steps = np.maximum(np.gradient(d.head_time), 1e-3)
    centres, rate = signal.windowed(d.head_time, 60 * begun / steps, window=60.0, step=10.0)
    top = max(30.0, float(np.nanmax(rate)))
    plot = charts.curve_plot(span, span.curve(centres, rate), kind="blink", label=label, high=top)
    return _row("blink", "Blinks", plot, figure, f"0–{top:.0f} per minute")


def _moment_list(chosen: Sequence[Moment], anchor: str, *, tenths: bool) -> str:
    if not chosen:
        return ""
    items = "".join(
        f'<li id="{anchor}-moment-{i}"><span class="number" aria-hidden="true">{i}</span>'
        f'<a class="code" href="#{anchor}-pin-{i}" data-at="{m.time:.3f}">{clock(m.time, tenths=tenths)}</a>'
        f"<span>{escape(m.title)}<small>{escape(m.detail)}</small></span></li>"
        for i, m in enumerate(chosen, 1)
    )
    return (
        '<div class="sheet"><h3>Moments worth looking at</h3>'
        '<p class="hint">Where the face changed most. The time code leads to the place in the charts.</p>'
        f'<ol class="moments">{items}</ol></div>'
    )


def _curve_data(d: Dynamics, span: Span, shares: Signal | None) -> str:
    """What the time cursor reads out: the drawn curves, rounded."""
    curves: list[tuple[str, str, Signal, int]] = []
    if shares is not None:
        curves += [(name, " %", 100 * shares[:, i], 0) for i, name in enumerate(EMOTIONS)]
    for name, movement in (("smile", d.smile), ("brow", d.brow_lowering)):
        curves.append((name, "", span.curve(movement.time, movement.value), 2))
    curves.append(("head", " °/s", span.curve(d.head_time, d.head_speed), 0))
    data = {
        "count": len(span.centres),
        "curves": [
            {"name": n, "unit": u, "values": [_short(v, digits) for v in values.tolist()]}
            for n, u, values, digits in curves
        ],
    }
    return f'<script type="application/json">{json.dumps(data, separators=(",", ":"))}</script>'


def _short(value: float, digits: int) -> float | int | None:
    if not np.isfinite(value):
        return None
    return round(value) if digits == 0 else round(value, digits)


def _still(track: Track, anchor: str, heading: str, first: bool) -> str:
    """A picture, or so few frames that there is no course over time: means as bars."""
    means = track.emotions.mean(0)
    if not np.isfinite(means).all():
        body = _NO_MODEL
    else:
        rows = []
        for i in np.argsort(means)[::-1]:
            name, share = EMOTIONS[i], 100 * float(means[i])
            bar = (
                f'<svg role="img" aria-label="{name.title()} {share:.0f} percent" width="100%" height="18">'
                '<rect class="track" width="100%" height="18" rx="3"/>'
                f'<rect class="fill" width="{share:.1f}%" height="18" rx="3"/></svg>'
            )
            rows.append(_row(name, name.title(), f'<div class="{name}">{bar}</div>', f"<b>{share:.0f} %</b>"))
        body = f'<div class="sheet still"><h3>Emotions</h3>{"".join(rows)}</div>'
    yaw, pitch, roll = track.pose.mean(0)
    turn = (
        f"turned {abs(yaw):.0f}° to the {'right' if yaw > 0 else 'left'} of the picture, "
        f"{'raised' if pitch > 0 else 'lowered'} {abs(pitch):.0f}°, "
        f"leaning {abs(roll):.0f}° to the {'right' if roll > 0 else 'left'}"
    )
    return (
        f'<section class="section{" first" if first else ""}" id="{anchor}"><h2>{heading}</h2>{body}'
        f'<p class="hint">Head: {turn}. A course over time, '
        "blinks and the session's own baseline need a clip.</p></section>"
    )
