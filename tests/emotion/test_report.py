"""The report: opens offline, holds no picture and no path, says what was not seen."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from emotion.synthetic import bump, emotion, face, frame, smiling, timeline
from mien.emotion import charts
from mien.emotion.report import CAUTIONS, report_html, write_report
from mien.emotion.timeline import Timeline

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Checks nesting while it collects what the tests ask for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def session(people: int = 1, seconds: float = 30) -> Timeline:
    record = Timeline()
    for i in range(round(seconds * 25)):
        t = i / 25
        amount = 0.7 * bump(t, 5, 4)
        faces = [] if 12 < t < 15 else [face(smiling(amount), number=n, yaw=5 * np.sin(t)) for n in range(people)]
        record.add(frame(i, t), faces, [emotion(happy=amount)] * len(faces))
    return record


@pytest.fixture(scope="module")
def html() -> str:
    return report_html(session(), title="Visit")


def test_it_is_well_formed_with_unique_anchors_that_all_lead_somewhere(html: str) -> None:
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for _, attrs in page.tags if "href" in attrs]
    assert links
    assert all(link.startswith("#") and link[1:] in ids for link in links)


def test_nothing_is_loaded_and_no_picture_is_in_it(html: str) -> None:
    page = Page(html)
    assert not {"img", "image", "link", "iframe", "object", "embed", "video", "audio", "canvas", "base", "form"} & {
        tag for tag, _ in page.tags
    }
    assert not [
        a for _, attrs in page.tags for a in attrs if a in ("src", "srcset", "xlink:href", "style") or a[:2] == "on"
    ]
    for forbidden in ("http:", "https:", "//cdn", "data:", "@import", "@font-face", "base64", "javascript:"):
        assert forbidden not in html.lower()
    assert all(url.startswith("#") for url in re.findall(r"url\(([^)]*)\)", html))


def test_the_policy_allows_its_own_style_and_script_and_nothing_else(html: str) -> None:
    policy = next(a["content"] for t, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert inline
        digest = base64.b64encode(hashlib.sha256(inline[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_the_caution_is_there_before_any_chart(html: str) -> None:
    page = Page(html)
    assert all(text in page.text for text in CAUTIONS)
    assert "not a diagnosis" in page.text
    assert html.index(CAUTIONS[0]) < html.index('class="plot"')


def test_it_says_what_was_seen_and_how_surely(html: str) -> None:
    text = Page(html).text
    assert "30.0 s" in text
    assert "90 %" in text
    assert "98 %" in text
    assert re.search(r"One smile, it lasts 4\.[0-2] s from 0:0[45]", text)


def test_every_chart_has_words_for_it(html: str) -> None:
    plots = [attrs for tag, attrs in Page(html).tags if attrs.get("class") == "plot"]
    assert len(plots) >= 13
    assert all(attrs["role"] == "img" and len(attrs["aria-label"]) > 10 for attrs in plots)
    assert "As a table" in Page(html).text


def test_a_gap_is_hatched_and_never_bridged() -> None:
    record = session()
    track = record.track(0)
    span = charts.Span.of(track.time, 0.0, record.duration)
    assert span.unseen == [pytest.approx((12.0, 15.0), abs=0.05)]
    curve = span.curve(track.time, track.confidence.astype(float))
    inside = (span.centres > 12.1) & (span.centres < 14.9)
    assert np.isnan(curve[inside]).all()
    assert np.isfinite(curve[(span.centres < 11.9) | (span.centres > 15.1)]).all()
    _, line = charts.area(span, curve, low=0, high=1)
    assert line.count("M") == 2
    assert report_html(record).count('class="unseen"') >= 13


def test_a_title_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    write_report(session(), tmp_path / "r.html", title="Jos\udce9's visit", note="half \ud83d of one")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "<title>Jos\ufffd&#x27;s visit</title>" in page
    assert "half \ufffd of one" in page


def test_titles_are_text_only() -> None:
    page = Page(report_html(session(), title='<script>alert("x")</script>', note="<img src=x>"))
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert 'alert("x")' in page.text


def test_each_person_has_a_section() -> None:
    text = Page(report_html(session(people=2))).text
    assert "Person 1" in text
    assert "Person 2" in text


def test_a_passer_by_gets_a_line_and_no_charts() -> None:
    record = session()
    for i in range(20):
        record.add(frame(750 + i, 30 + i / 25), [face(number=9)], [emotion()])
    text = Page(report_html(record)).text
    assert "One more face was in sight too briefly to chart (0.8 s)" in text
    assert "Person 2" not in text


def test_no_face_anywhere_is_said_plainly() -> None:
    text = Page(report_html(timeline([i / 25 for i in range(50)], lambda t: None))).text
    assert "No face was found in this clip" in text
    assert "0 %" in text
    assert CAUTIONS[0] in text


def test_nothing_at_all_is_no_error() -> None:
    assert "No face was found" in Page(report_html(Timeline())).text


def test_a_still_picture_has_bars_instead_of_curves() -> None:
    page = Page(report_html(timeline([0.0], lambda t: face(yaw=12), emotion(happy=0.8))))
    assert "still picture" in page.text
    assert "turned 12°" in page.text
    assert not [1 for _, attrs in page.tags if attrs.get("class") == "plot"]
    assert any(attrs.get("aria-label") == "Happy 80 percent" for _, attrs in page.tags)


def test_without_an_emotion_model_the_dynamics_are_still_there() -> None:
    record = Timeline()
    for i in range(600):
        record.add(frame(i, i / 30), [face(smiling(0.6 * bump(i / 30, 5, 3)))])
    text = Page(report_html(record)).text
    assert "emotion model was not at hand" in text
    assert "Smile (AU12)" in text
    assert "nan" not in report_html(record).lower().replace("nano", "")


def test_an_hour_stays_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    shares = rng.dirichlet(np.ones(7), 36_000).astype(np.float32)
    someone = [face({"eyeBlinkLeft": b, "eyeBlinkRight": b, **smiling(b)}) for b in (0.1, 0.9, 0.5)]
    record = Timeline()
    for i in range(36_000):
        record.add(frame(i, i / 10), [someone[(i // 7) % 3]], [shares[i]])
    write_report(record, tmp_path / "hour.html")
    assert (tmp_path / "hour.html").stat().st_size < 1_500_000
    assert [p.name for p in tmp_path.iterdir()] == ["hour.html"]
