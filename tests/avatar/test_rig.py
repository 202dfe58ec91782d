"""Rigs and drawings: good ones are read, bad ones are refused with a message that helps."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.avatar.rig import parse_rig, read_rig
from mien.avatar.svg import parse_drawing
from mien.avatar.svg_path import CLOSE, CUBIC, MOVE, parse_path
from mien.avatar.svg_style import parse_colour, parse_transform
from mien.errors import AvatarError

ART = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<defs>
 <linearGradient id="sky" x2="0" y2="1"><stop offset="0" stop-color="#abc"/><stop offset="1" stop-color="#012"/>
 </linearGradient>
 <clipPath id="in-eye"><use href="#white"/></clipPath>
</defs>
<g id="back"><rect id="card" width="100" height="100" fill="url(#sky)"/></g>
<g id="face"><ellipse id="skin" cx="50" cy="50" rx="30" ry="38" fill="#e8b48a"/></g>
<g id="eye"><path id="white" d="M30 45 C34 38 42 38 46 45 C42 50 34 50 30 45 Z" fill="#fff"/></g>
<g id="iris" clip-path="url(#in-eye)"><circle id="ring" cx="38" cy="44" r="4" fill="#0a0"/></g>
<g id="cavity"><path id="gap" d="M38 68 L62 68 Z" fill="#500"/></g>
<g id="lip"><path id="seam" d="M38 68 C45 70 55 70 62 68" fill="none" stroke="#722" stroke-width="2"/></g>
</svg>"""

RIG: dict[str, Any] = {
    "version": 1,
    "title": "Test",
    "outline": "skin",
    "head": {"centre": [50, 48], "radius": [30, 38], "neck": [50, 90]},
    "eye": {"right": {"opening": "white"}},
    "mouth": {"seam": "seam", "opening": "gap", "chin_y": 88},
    "layers": {
        "back": {"part": "backdrop"}, "face": {"part": "face", "jaw": 1}, "eye": {"part": "eye-right"},
        "iris": {"part": "iris-right"}, "cavity": {"part": "mouth"}, "lip": {"part": "lip-upper"},
    },
    "motion": [{"layer": "face", "by": {"jawOpen": 1.0}, "move": [0, 1]}],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "art.svg").write_text(ART, encoding="utf-8")
    return tmp_path


def changed(path: str, value: object) -> dict[str, Any]:
    """RIG with the value at a dotted path replaced, or removed where it is None."""
    rig = copy.deepcopy(RIG)
    *parents, last = path.split(".")
    table = rig
    for key in parents:
        table = table[key]
    if value is None:
        del table[last]
    else:
        table[last] = value
    return rig


def test_reads_a_good_rig(folder: Path) -> None:
    rig = parse_rig(RIG, folder)
    assert rig.title == "Test"
    assert rig.drawing.layers == ("back", "face", "eye", "iris", "cavity", "lip")
    assert rig.layers["face"].jaw == 1
    assert rig.motions[0].by == (("jawOpen", 1.0),)
    ring = rig.drawing.shape("ring")
    assert ring is not None
    assert ring.clip == "white"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", 2, "version is 2"),
        ("version", None, "version is missing"),
        ("title", 5, "title must be a text"),
        ("title", " ", "not empty"),
        ("art", "../art.svg", "in the same folder"),
        ("art", "none.svg", "none.svg cannot be read"),
        ("outline", "nobody", "id of no path"),
        ("head.centre", [1], r"head.centre must be two numbers"),
        ("head.radius", [0, 5], "must be from 1 to"),
        ("head.bulge", float("nan"), "head.bulge must be a number"),
        ("head.centr", [1, 2], "did you mean centre"),
        ("eye.right.opening", "skim", "eye.right.opening is 'skim'"),
        ("eye.right", None, "eye.right is missing"),
        ("mouth", None, "mouth is missing"),
        ("layers.lip", None, "layers.lip is missing"),
        ("layers.lips", {"part": "head"}, "names no layer of the drawing"),
        ("layers.lip", {"part": "lips"}, "must be one of"),
        ("layers.lip", "head", "layers.lip must be a table"),
        ("motion", [{"layer": "face", "by": {"jawOpn": 1.0}}], "did you mean jawOpen"),
        ("motion", [{"layer": "fac", "by": {"jawOpen": 1.0}}], "which is no layer"),
        ("motion", {"layer": "face"}, r"\[\[motion\]\]"),
        ("colour", "red", "colour is not known here"),
    ],
)
def test_says_what_is_wrong_in_a_rig(folder: Path, path: str, value: object, message: str) -> None:
    with pytest.raises(AvatarError, match=message) as caught:
        parse_rig(changed(path, value), folder)
    assert str(folder) in str(caught.value)


def test_says_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match=r"rig\.toml cannot be read"):
        read_rig(tmp_path)
    (tmp_path / "rig.toml").write_text("version = ")
    with pytest.raises(AvatarError, match="not valid TOML"):
        read_rig(tmp_path)
    (tmp_path / "rig.toml").write_bytes(b"#" * 300_000)
    with pytest.raises(AvatarError, match="larger than"):
        read_rig(tmp_path)


BOMB = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><g id="a"><path d="&b;"/></g></svg>"""
FETCH = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><g id="a"><title>&x;</title></g></svg>"""


def drawn(body: str, view: str = "0 0 100 100", extra: str = "") -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}"{extra}>{body}</svg>'.encode()


USES = "".join(f'<g id="u{i}"><use href="#u{i - 1}"/><use href="#u{i - 1}"/></g>' for i in range(1, 40))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOMB.encode(), "entities"),
        (FETCH.encode(), "entities"),
        (b"\x00\xffnot xml", "not well-formed"),
        (b"", "not well-formed"),
        (b"<html/>", "no <svg>"),
        (drawn(""), "draws nothing"),
        (drawn('<g id="a"><path d="M0 0"/></g>', view="0 0 1e9 1e9"), "each side must be"),
        (drawn('<g id="a"><path d="M0 0"/></g>', view="no"), "not a list of numbers"),
        (drawn('<path d="M0 0 L5 5"/>'), "outside every layer"),
        (drawn('<g><path d="M0 0 L5 5"/></g>'), "no id"),
        (drawn('<g id="a"><image href="http://example.org/a.png"/></g>'), "<image> cannot be drawn"),
        (drawn('<g id="a"><text>hello</text></g>'), "turn text into"),
        (drawn('<g id="a"><use href="other.svg#x"/></g>'), "not in this file"),
        (drawn('<g id="a"><use href="#a"/></g>'), "refers to itself"),
        (drawn(f'<g id="u0"><path d="M0 0 L5 5"/></g>{USES}'), "repeated too often|more than"),
        (drawn('<g id="a"><path filter="url(#f)" d="M0 0"/></g>'), "filter"),
        (drawn('<g id="a"><path fill="url(#f)" d="M0 0"/></g>'), "no gradient"),
        (drawn('<g id="a"><path clip-path="url(#f)" d="M0 0"/></g>'), "no <clipPath>"),
        (drawn('<g id="a"><path fill="mauvish" d="M0 0"/></g>'), "not a colour"),
        (drawn('<g id="a"><path id="p" d="M0 0 L1e30 0"/></g>'), "beyond"),
        (drawn('<g id="a"><path d="L5 5"/></g>'), "begin with M"),
        (drawn('<g id="a"><path d="M0 0 L5"/></g>'), "command L has 1"),
        (drawn('<g id="a"/><g id="a"/>'), "two elements have the id"),
        (drawn("<g>" * 60 + "</g>" * 60), "levels"),
        (drawn('<g id="a">' + "<title/>" * 6000 + "</g>"), "elements"),
        (drawn(f'<g id="a"><path d="M0 0{" L1 1" * 5000}"/></g>'), "segments"),
    ],
)  # fmt: skip
def test_refuses_bad_drawings(data: bytes, message: str) -> None:
    with pytest.raises(AvatarError, match=message) as caught:
        parse_drawing(data, "bad.svg")
    assert "bad.svg" in str(caught.value)


def test_refuses_a_huge_file(tmp_path: Path, folder: Path) -> None:
    (folder / "art.svg").write_bytes(b" " * (5 << 20))
    with pytest.raises(AvatarError, match="larger than 4 MB"):
        parse_rig(RIG, folder)


def test_an_illustrator_doctype_is_fine() -> None:
    head = b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    assert parse_drawing(head + drawn('<g id="a"><path d="M0 0 L5 5"/></g>'), "a.svg").layers == ("a",)


def test_paths_come_out_where_they_were_drawn() -> None:
    square = parse_path("M10,10 h20 v20 H10z")
    assert list(square.commands) == [MOVE, CUBIC, CUBIC, CUBIC, CUBIC, CLOSE]
    assert square.box == (10, 10, 30, 30)
    half = parse_path("M0 0 A10 10 0 0 1 20 0").polyline(32)
    assert np.allclose(np.hypot(half[:, 0] - 10, half[:, 1]), 10, atol=0.01)
    assert half[:, 1].min() < -9.9
    assert np.allclose(parse_path("M0 0a10 10 0 0120 0").polyline(32), half)
    assert np.allclose(parse_path("M0 0 Q10 20 20 0").polyline()[-1], (20, 0))
    assert np.allclose(parse_path("M0 0 C5 5 10 5 15 0 S25 -5 30 0").points[4], (20, -5))


def test_splitting_keeps_the_curve() -> None:
    path = parse_path("M0 0 C40 80 60 -80 100 0")
    split = path.split(10)
    assert (split.commands == CUBIC).sum() > 10
    whole, pieces = path.polyline(400), split.polyline(20)
    gap = np.linalg.norm(whole[None] - pieces[:, None], axis=2).min(axis=1)
    assert gap.max() < 0.5


def test_transforms_and_groups_are_applied() -> None:
    rect = '<rect x="1" y="1" width="4" height="4" opacity="0.5"/>'
    body = f'<g id="a" transform="translate(10 0) scale(2)"><g opacity="0.5">{rect}</g></g>'
    shape = parse_drawing(drawn(body), "a.svg").shapes[0]
    assert shape.path.box == (12, 2, 20, 10)
    assert shape.opacity == 0.25
    assert np.allclose(parse_transform("rotate(90 10 10)") @ (20, 10, 1), (10, 20, 1))


def test_colours() -> None:
    assert parse_colour("#f00") == parse_colour("rgb(255, 0, 0)") == parse_colour("red") == (1, 0, 0, 1)
    assert parse_colour("none") is None
    assert parse_colour("#00000080") == pytest.approx((0, 0, 0, 0.502), abs=1e-3)


leaves = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8) | st.just([]) | st.just({})
tables = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_mutation_of_a_rig_gives_a_rig_or_an_error(folder: Path, data: st.DataObject) -> None:
    rig = copy.deepcopy(RIG)
    for _ in range(data.draw(st.integers(1, 3))):
        table: Any = rig
        while True:
            key = data.draw(st.sampled_from(sorted(table) if isinstance(table, dict) else range(len(table))))
            if isinstance(table[key], dict | list) and table[key] and data.draw(st.booleans()):
                table = table[key]
                continue
            table[key] = data.draw(tables)
            break
    try:
        assert parse_rig(rig, folder).title
    except AvatarError as error:
        assert len(str(error)) > 20  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_mutation_of_a_drawing_gives_a_drawing_or_an_error(data: st.DataObject) -> None:
    text = bytearray(ART.encode())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"1e400", b"-", b"NaN", b"<g>", b'"', b"99999999", b"%"])
        )
        text[at : at + data.draw(st.integers(0, 8))] = piece
    try:
        drawing = parse_drawing(bytes(text), "art.svg")
        assert all(np.isfinite(shape.path.points).all() for shape in drawing.shapes)
    except AvatarError as error:
        assert "art.svg" in str(error)  # noqa: PT017


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="MmLlHhVvCcSsQqTtAaZz0123456789.-+eE ,", max_size=60))
def test_path_data_is_parsed_or_refused(text: str) -> None:
    try:
        path = parse_path(text)
    except ValueError:
        return
    assert np.isfinite(path.points).all()
    assert len(path.points) == (path.commands == MOVE).sum() + 3 * (path.commands == CUBIC).sum()
