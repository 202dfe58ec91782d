"""Tables of the benchmarks: read in a terminal as they are, and kept in a Markdown file between two marks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

START, END = "<!-- figures: python -m benchmarks --markdown -->", "<!-- end of figures -->"


@dataclass(slots=True)
class Table:
    """A heading, rows under column names, and a sentence on how they were measured."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    note: str = ""

    def add(self, *cells: object) -> None:
        self.rows.append(tuple(str(cell) for cell in cells))

    def __str__(self) -> str:
        """As Markdown, columns lined up."""
        widths = [max(len(row[i]) for row in (self.columns, *self.rows)) for i in range(len(self.columns))]

        def line(cells: Iterable[str]) -> str:
            return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        table = "\n".join([line(self.columns), rule, *(line(row) for row in self.rows)])
        return f"## {self.title}\n{table}\n" + (f"\n{self.note}\n" if self.note else "")


def keep(path: Path, figures: str, *, marks: tuple[str, str] = (START, END)) -> None:
    """Put the figures into a Markdown file: between its marks, where it has them, and what is around them stays."""
    opening, closing = marks
    marked = f"{opening}\n{figures}\n{closing}\n"
    text = path.read_text(encoding="utf-8") if path.exists() else "# Benchmarks\n\n"
    before, start, rest = text.partition(opening)
    after = rest.partition(closing)[2].lstrip("\n")
    path.write_text(before + marked + (f"\n{after}" if start and after else ""), encoding="utf-8")
