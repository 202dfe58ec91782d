"""Drawings from strangers that would keep a careless reader busy for ever."""

from __future__ import annotations

import pytest

from mien.avatar.svg import MAX_BYTES, parse_drawing
from mien.avatar.svg_style import angle_free_numbers, parse_colour, parse_transform
from mien.errors import AvatarError
from patience import patience

HALF = MAX_BYTES // 2
PAINTS = ["url(#{})x", "url({}#a", "url(#a{}", 'url("#a"{}x', "rgb({}", "rgb(1{}", "#{}", "url(#{}x"]
REPEATED = {
    "path": ('<path id="p" d="M0 0 L5 5 {long}"/>', '<use href="#p"/>'),
    "transform": ('<path id="p" d="M0 0 L5 5" transform="{long}"/>', '<use href="#p"/>'),
    "style": ('<path id="p" d="M0 0 L5 5" style="{long}"/>', '<use href="#p"/>'),
    "gradient": (
        '<path id="p" d="M0 0 L5 5" fill="url(#f)"/></g><linearGradient id="f" gradientTransform="{long}">'
        '<stop offset="0"/></linearGradient><g id="b">', '<use href="#p"/>',
    ),
    "stops": (
        '<path id="p" d="M0 0 L5 5" fill="url(#f)"/></g><linearGradient id="f" x1="0">' + 2000 * '<stop offset="0"/>'
        + '</linearGradient><g id="b">', '<use href="#p"/>',
    ),
    "clip": (
        '<path id="p" d="M0 0 L5 5" clip-path="url(#c)"/></g><clipPath id="c">' + 2000 * "<title/>"
        + '<path d="M0 0 L9 0 L9 9"/></clipPath><g id="b">', '<use href="#p"/>',
    ),
}  # fmt: skip
"""What is long, and what refers to it."""


def drawn(body: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{body}</svg>'.encode()


@pytest.mark.parametrize("paint", PAINTS)
@pytest.mark.parametrize("filling", [" ", "a", "(", "#", "1", "1,"])
@pytest.mark.parametrize("key", ["fill", "clip-path"])
def test_a_paint_is_read_once(paint: str, filling: str, key: str) -> None:
    value = paint.format(filling * (HALF // len(filling))).replace('"', "'")
    with patience(), pytest.raises(AvatarError) as caught:
        parse_drawing(drawn(f'<g id="a"><path d="M0 0 L5 5" {key}="{value}"/></g>'), "art.svg")
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "text", ["matrix(", "matrix ", "matrix", "matrix(1", "rotate(", "((", "1e", "1.", "-", "e1", "."]
)
def test_lists_are_read_once(text: str) -> None:
    long = text * (HALF // len(text))
    for read in (angle_free_numbers, parse_transform, parse_colour):
        with patience(), pytest.raises(ValueError):
            read(long)
    spaced = "matrix" + " " * HALF + "x"
    with patience(), pytest.raises(ValueError):
        parse_transform(spaced)


@pytest.mark.parametrize("kind", REPEATED)
def test_what_is_repeated_is_counted_each_time(kind: str) -> None:
    long, use = REPEATED[kind]
    body = f'<g id="a">{long.replace("{long}", " " * 2_000_000)}<g id="many">{use * 2000}</g></g>'
    assert len(drawn(body)) <= MAX_BYTES
    with patience(), pytest.raises(AvatarError, match="too often"):
        parse_drawing(drawn(body), "art.svg")
