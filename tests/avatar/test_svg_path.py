"""Path data from strangers: what the plainest reading of the grammar says, in time that grows with its length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.avatar.svg_path import parse_path
from patience import patience

COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
DIGITS = "0123456789"


class Plain:
    """The grammar of SVG 1.1 (8.3.9), one character at a time: the slow twin."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def now(self) -> str:
        return self.text[self.at : self.at + 1]

    def gap(self) -> None:
        while self.now() and (self.now().isspace() or self.now() == ","):
            self.at += 1

    def digits(self) -> str:
        begin = self.at
        while self.now() and self.now() in DIGITS:
            self.at += 1
        return self.text[begin : self.at]

    def sign(self) -> str:
        if self.now() and self.now() in "+-":
            self.at += 1
            return self.text[self.at - 1]
        return ""

    def number(self) -> str:
        """The next number as it is written; "" and nothing taken where there is none."""
        begin = self.at
        self.sign()
        whole, fraction = self.digits(), ""
        if self.now() == ".":
            self.at += 1
            fraction = self.digits()
        if not whole and not fraction:
            self.at = begin
            return ""
        end = self.at
        if self.now() in ("e", "E"):
            self.at += 1
            self.sign()
            end = self.at if self.digits() else end
            end = self.at if self.text[end : self.at][-1:] in DIGITS and self.at > end else end
        self.at = end
        return self.text[begin:end]

    def flag(self) -> str:
        if self.now() and self.now() in "01":
            self.at += 1
            return self.text[self.at - 1]
        return ""

    def spelled_out(self) -> str:
        """The same path with one blank between all parts. Raises ValueError."""
        words: list[str] = []
        self.gap()
        while self.now():
            letter = self.now()
            count = COUNTS.get(letter.upper()) if letter.isascii() else None
            if count is None:
                raise ValueError
            self.at += 1
            self.gap()
            words.append(letter)
            taken = 0
            while count:
                is_flag = letter in "Aa" and taken % 7 in (3, 4)
                word = self.flag() if is_flag else self.number()
                if not word:
                    break
                words.append(word)
                taken += 1
                self.gap()
            if count and (taken == 0 or taken % count):
                raise ValueError
        return " ".join(words)


def outcome(text: str) -> tuple[list[int], list[list[float]]] | None:
    """Commands and points; None for what is refused."""
    try:
        path = parse_path(text)
    except ValueError:
        return None
    return path.commands.tolist(), path.points.tolist()


ODD = ["0", "1", ".5", "-.5", "+3", "5.", "1e2", "1.e-1", "-0", "00", "1E+1", "e", ".", "-", "1e", "1e+"]
NUMBERS = st.one_of(st.integers(-999, 999).map(str), st.floats(-1e4, 1e4).map(repr), st.sampled_from(ODD))
OTHERS = [*"MmLlHhVvCcSsQqTtAaZz", "a5 5 0 01", "A1 1 0 11", "0120", "110", " ", ",", "  ", "\n", "x", "ſ", "٣"]
PIECES = st.one_of(NUMBERS, st.sampled_from(OTHERS))


@settings(max_examples=1500, deadline=None)
@given(st.lists(PIECES, max_size=24).map("".join), st.booleans())
def test_it_reads_what_the_plain_twin_reads(text: str, begun: bool) -> None:
    text = "M0 0" + text if begun else text
    try:
        plain = Plain(text).spelled_out()
    except ValueError:
        assert outcome(text) is None
        return
    assert outcome(text) == outcome(plain)


def test_flags_need_nothing_around_them() -> None:
    spread = outcome("M0 0 a 10 10 0 0 1 20 0 a 5 5 0 1 0 -4 2")
    assert spread is not None
    for text in (
        "M0 0a10 10 0 0120 0 5 5 0 10-4 2",
        "M0,0a10,10,0,0,1,20,0,5,5,0,1,0,-4,2",
        "M0 0a10 10 0 01 20 0a5 5 0 1 0-4 2",
    ):
        assert outcome(text) == spread
    for text in ("M0 0a10 10 0 2 1 20 0", "M0 0a10 10 0 -1 1 20 0", "M0 0a10 10 0 0.5 1 20 0"):
        assert outcome(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "M0 0A" + "2" * 400_000,
        "M0 0A" + "2 " * 200_000,
        "M0 0A" + "1e" * 200_000,
        "M0 0A" + "1.5." * 100_000,
        "M0 0A" + "0 0 0 0 0 " * 50_000,
        "M0 0a" + "-" * 400_000,
        "M0 0" + "A" * 400_000,
        "M" + "," * 400_000,
        "M0 0" + "Z" * 400_000,
        "M" + "0 0 " * 100_000,
        "M0 0" * 100_000,
        "M0 0 L" + "9" * 400_000 + "e" + "9" * 4000,
    ],
    ids=lambda text: text[:10],
)  # fmt: skip
def test_nothing_takes_it_long(text: str) -> None:
    """A reader that tries again from every place, or in every way, would not be through with these for hours."""
    with patience():
        assert outcome(text) is None or len(text) < 500_000


@pytest.mark.parametrize("text", ["M0 0A1e300 1e300 0 0 0 5 5", "M1e999 0", "M0 0A5 5 1e999 0 0 5 5", "M0 0L1e13 0"])
def test_numbers_beyond_all_use_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="beyond"):
        parse_path(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=3, max_size=3), st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_any_arc_is_drawn_or_refused(radii: list[float], x: float, y: float) -> None:
    found = outcome(f"M0 0A{radii[0]!r} {radii[1]!r} {radii[2]!r} 1 0 {x!r} {y!r}")
    assert found is None or np.isfinite(found[1]).all()
