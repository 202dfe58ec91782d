"""The report's cards: one measure each, with its course over the thirds of the session."""

from __future__ import annotations

from html import escape
from typing import Final

from mien.emotion import charts
from mien.emotion.dynamics import Dynamics, Measure, Movement
from mien.emotion.moments import clock

_TREND: Final = 0.25
"""Change from the first to the last third, over the session's own figure, from which on a course is called rising."""
_LONG_ENOUGH_FOR_TRENDS: Final = 60.0
"""Seconds seen; in a shorter session the thirds are shown without a word for their course."""


def cards(d: Dynamics) -> str:
    """All of them, with their heading."""
    trends = d.observed >= _LONG_ENOUGH_FOR_TRENDS
    away = "More than 15° from the usual direction"
    stray = "How far the head strays from its middle position"
    shown = [
        _movement("Smile <span>(AU12)</span>", d.smile, trends),
        _movement("Brow lowering <span>(AU4)</span>", d.brow_lowering, trends),
        _movement("Lip corners down <span>(AU15)</span>", d.lip_corner_depression, trends),
        _movement("Dimpling <span>(AU14)</span>", d.dimpling, trends),
        _card("Blinks", d.blink_rate, "{:.0f}", "per minute", _blink_note(d), trends),
        _card("Looking away", d.gaze_aversion, "{:.0f} %", "of the time", away, trends),
        _card("Head amplitude", d.head_amplitude, "{:.1f}°", "", stray, trends),
        _card("Head speed", d.head_velocity, "{:.1f}°", "per second", "Turning and nodding together", trends),
        _card("Liveliness", d.expressivity, "{:.1f}", "per second", "Movement of all parts of the face", trends),
    ]
    return (
        "<h3>Dynamics, against this session's own baseline</h3>"
        '<p class="hint">Bars: first, middle and last third of the session. Dashed line: the whole session.</p>'
        f'<div class="cards">{"".join(shown)}</div>'
    )


def _movement(title: str, movement: Movement, trends: bool) -> str:
    return _card(title, movement.share, "{:.0f} %", "of the time", _episodes_note(movement), trends)


def _episodes_note(movement: Movement) -> str:
    count, duration = len(movement.episodes), movement.duration.value
    if not count:
        return "No episode above rest"
    note = "One episode" if count == 1 else f"{count} episodes"
    if duration is not None:
        note += f", {'' if count == 1 else 'typically '}{duration:.1f} s"
    strongest = max(movement.episodes, key=lambda e: e.peak)
    return f"{note}; strongest +{strongest.peak:.2f} over a rest of {movement.rest:.2f}, at {clock(strongest.apex)}"


def _blink_note(d: Dynamics) -> str:
    note = f"{len(d.blinks)} seen"
    if d.blink_duration.value is not None:
        note += f", typically {d.blink_duration.value:.2f} s"
    return note + (f"; eyes closed or cast down for longer {len(d.closures)}×" if d.closures else "")


def _card(title: str, measure: Measure, form: str, unit: str, note: str, trends: bool) -> str:
    """`form` is how a number of this measure is written."""
    if measure.value is None:
        number = f'<p class="none">{escape(measure.reason.capitalize())}</p>'
    else:
        number = f'<div class="value">{form.format(measure.value)} <small>{unit}</small></div>'
    return f'<div class="card"><h4>{title}</h4>{number}<p>{note}</p>{_course(measure, form, trends)}</div>'


def _course(measure: Measure, form: str, trends: bool) -> str:
    """The thirds of the session, drawn and said."""
    value = measure.value
    if value is None or not any(measure.thirds):
        return ""
    start, _, end = measure.thirds
    said = " → ".join("–" if v is None else form.format(v) for v in measure.thirds)
    word = ""
    if trends and start is not None and end is not None and value > 0:
        change = (end - start) / value
        word = f"<b>{'Rising' if change > _TREND else 'Falling' if change < -_TREND else 'Steady'}</b><br>"
    return f'<div class="course">{charts.thirds_bars(measure.thirds, value)}<span>{word}{said}</span></div>'
