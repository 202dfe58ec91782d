"""Writes the report: one HTML file that opens offline and reads in a minute.

It holds numbers and curves and nothing else: no picture, no path, no file name, no hash of the clip. A content security
policy forbids it every connection, so that what is in the file is all there is.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np

from mien.emotion import charts, signal
from mien.emotion.moments import clock
from mien.emotion.report_face import face_section
from mien.emotion.timeline import CAUTION, Timeline, Track
from mien.media.atomic import Outputs, atomic_path
from mien.types import EMOTIONS

CAUTIONS: Final = (
    CAUTION,
    "Models like this one are right about 60 % of the time on benchmarks, weakest on fear and disgust, and differ "
    "between people and cultures. The clinician decides. Tell the person whose face is read, and have their consent. "
    "In the EU, emotion recognition at work and in education is prohibited, and elsewhere people must be told.",
)
"""On every report, where it cannot be overlooked."""

MOST_SECTIONS: Final = 8
_BRIEF: Final = (1.0, 0.02)
"""A face seen for less than this many seconds, or this share of the clip, gets a line and no charts."""
_WORTH_A_WORD: Final = 0.3
"""Seconds; what is shorter is more likely a false detection than a person."""
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
"""What Python makes of a byte that is no UTF-8, and other halves of characters."""


def write_report(
    timeline: Timeline, path: Path, *, title: str = "", note: str = "", outputs: Outputs | None = None
) -> None:
    """One HTML file at `path`, replaced only when complete, and together with other `outputs`. `title` and `note` are
    the only words in it that are not mien's own. Raises OutputError where it cannot be written."""
    page = report_html(timeline, title=title, note=note)
    with atomic_path(path, outputs=outputs) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _text(words: str) -> str:
    """Words that can be written as UTF-8: a byte of the command line that is none becomes a replacement character."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", words).strip()


def report_html(timeline: Timeline, *, title: str = "", note: str = "") -> str:
    """The page as text."""
    charted, brief = _sorted_by_presence(timeline)
    style, script = (
        files(__package__).joinpath(name).read_text("utf-8").strip() for name in ("report.css", "report.js")
    )
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    times = timeline.frame_times
    start = float(times.min()) if len(times) else 0.0
    sections = [
        face_section(timeline.track(face), start, start + timeline.duration, _person(i, charted), first=i == 0)
        for i, face in enumerate(charted)
    ]
    title, note = _text(title), _text(note)
    heading = escape(title or "Expression report")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{heading}</title>
<style>{style}</style>
</head>
<body>
{charts.PATTERN}
<main>
<header>
<p class="kind">mien · visible expression over time</p>
<h1>{heading}</h1>
{f'<p class="hint">{escape(note)}</p>' if note else ""}
</header>
<div class="caution" role="note"><strong>{CAUTIONS[0]}</strong><p>{CAUTIONS[1]}</p></div>
{_seen(timeline, [s.track for s in sections])}
{_brief_line(brief)}
{"".join(s.html for s in sections) or _nobody(timeline)}
{_glossary() if sections else ""}
<footer>Made by mien {version("mien")} on this computer; nothing was sent anywhere.
This file holds no picture of the person and loads nothing. Times count from the start of the clip.</footer>
</main>
<script>{script}</script>
</body>
</html>
"""


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _person(index: int, charted: Sequence[int]) -> str:
    return f"person-{index + 1}" if len(charted) > 1 else "person"


def _sorted_by_presence(timeline: Timeline) -> tuple[list[int], list[float]]:
    """Faces that get a section, and for the others how many seconds each was seen."""
    seconds = {face: signal.observed(timeline.track(face).time) for face in timeline.faces}
    least = max(_BRIEF[0], _BRIEF[1] * timeline.duration)
    charted = [face for face in timeline.faces if seconds[face] >= least][:MOST_SECTIONS] or timeline.faces[:1]
    if timeline.duration == 0:
        charted = timeline.faces[:MOST_SECTIONS]
    return charted, [seconds[face] for face in timeline.faces if face not in charted]


def _seen(timeline: Timeline, tracks: Sequence[Track]) -> str:
    """What was seen, and how surely."""
    confidence = np.concatenate([t.confidence for t in tracks]) if tracks else np.empty(0)
    emotions = np.concatenate([t.emotions for t in tracks]) if tracks else np.empty((0, len(EMOTIONS)))
    surest = emotions[np.isfinite(emotions).all(1)].max(1, initial=0) if len(emotions) else np.empty(0)
    duration, frames = timeline.duration, timeline.frames_total
    still = duration == 0
    rate = f"{(frames - 1) / max(np.ptp(timeline.frame_times), 1e-9):.0f} frames a second" if not still else "1 picture"
    facts = [
        ("Length", "still picture" if still else length(duration), f"{frames} frames, {rate}" if not still else ""),
        ("A face was seen in", f"{100 * timeline.coverage:.0f} %", "" if still else _coverage_word(timeline)),
        ("People", str(len(tracks)), ""),
    ]
    if len(confidence):
        facts.append(("Tracking confidence", f"{100 * confidence.mean():.0f} %", "that the landmarks sit on a face"))
    if len(surest):
        unsure = f"no class above half in {100 * np.mean(surest < 0.5):.0f} % of the frames"
        facts.append(("Emotion model", f"{100 * surest.mean():.0f} % sure", "" if still else unsure))
    items = "".join(
        f"<div><dt>{name}</dt><dd>{value}{f'<small>{more}</small>' if more else ''}</dd></div>"
        for name, value, more in facts
    )
    return f'<div class="sheet"><dl class="facts">{items}</dl></div>'


def _coverage_word(timeline: Timeline) -> str:
    if timeline.coverage >= 0.95:
        return "of the frames: a full record"
    if timeline.coverage >= 0.7:
        return "of the frames: read gaps with care"
    return "of the frames: too little for conclusions" if timeline.frames_with_face else "of the frames"


def length(seconds: float) -> str:
    """For people: "9.4 s", "12:05 min", "1:02:03 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{clock(seconds)} {'h' if seconds >= 3600 else 'min'}"


def _brief_line(seconds: Sequence[float]) -> str:
    seconds = [s for s in seconds if s >= _WORTH_A_WORD]
    if not seconds:
        return ""
    each = ", ".join(f"{s:.1f} s" for s in seconds[:10])
    who = "One more face was" if len(seconds) == 1 else f"{len(seconds)} more faces were"
    return f'<p class="hint">{who} in sight too briefly to chart ({each}).</p>'


def _nobody(timeline: Timeline) -> str:
    what = "this clip" if timeline.frames_total != 1 else "this picture"
    return (
        f'<section class="section first"><h2>No face was found in {what}</h2>'
        '<p class="lead">There is nothing to chart. '
        "The face may be too small, too dark, turned away, or covered. A face that fills at least a tenth of the "
        "picture's width, lit from the front, is found best.</p></section>"
    )


def _glossary() -> str:
    terms = {
        "The seven emotions": "How much the face looks like pictures that people labelled angry, disgust, fear, happy, "
        "sad, surprise or neutral. They always add up to 100 %. A talking mouth alone can move them.",
        "Rest, baseline": "The level this person's face keeps below for a fifth of this session. Movements are "
        "measured against it, so a mouth that droops or curves at rest is no frown and no smile. What lasts nearly "
        "throughout is itself this level; the sentences at the top say so.",
        "Smile (AU12)": "Lip corners pulled up and back. Episode: 0.15 above rest for a quarter of a second or longer.",
        "Brow lowering (AU4)": "Brows drawn down and together: effort, pain, displeasure or bright light.",
        "Lip corners down (AU15)": "Lip corners pulled down.",
        "Dimpling (AU14)": "Lip corners tightened inwards, as in a wry look.",
        "Blink": "Both eyes shut for up to half a second. Longer counts as closed or cast down. A wink is not a blink.",
        "Looking away": "Eyes and head together point more than 15° away from where this person looks most of the "
        "session.",
        "Head movement": "Amplitude: how far the head strays from its middle position (root mean square of turning and "
        "nodding). Speed: degrees per second, averaged.",
        "Liveliness": "How much all parts of the face move, blinks and gaze left out, over five seconds. In the chart, "
        "1 is usual for this session.",
        "Hatched": "The face was not seen. Nothing is estimated there.",
    }
    items = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in terms.items())
    return f'<section class="sheet"><h3>In plain words</h3><dl class="glossary">{items}</dl></section>'
