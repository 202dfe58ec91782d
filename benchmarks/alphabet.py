"""Draws everything that a face can do on an avatar, to be looked at.

`python -m benchmarks.alphabet AVATAR… [--out FOLDER]` writes one contact sheet for each avatar (`alphabet NAME.png`):
each of the 52 coefficients alone at .5 and 1, then what people do, then the emotions at three strengths. It prints, for
each coefficient, how much of the picture changes and how the tracker reads it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from benchmarks.letters import ACTS, ALONE, AMOUNTS, FEELINGS, STRENGTHS
from benchmarks.table import Table
from mien.avatar import library
from mien.engine import registry
from mien.engine.base import Renderer
from mien.face.landmarks import Region
from mien.face.parts import open_finder, open_mesh
from mien.media.images import write_image
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression, Picture

SIZE: Final = 512
CELL, GAP, HEADING, COLUMNS = 150, 4, 18, 9
_PAPER, _INK = (250, 249, 246), (62, 60, 58)
_SEEN: Final = 12
"""Grey levels, of 255, by which a pixel must differ to count as changed."""


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One picture of the sheet."""

    title: str
    picture: Picture


class Reader:
    """Reads the coefficients off pictures of one avatar with the tracker's networks."""

    def __init__(self, neutral: Picture) -> None:
        """`neutral` (H, W, 3) uint8 RGB: the avatar at rest."""
        found = open_finder()(neutral)
        self._mesh = open_mesh()
        self._region = Region.around_landmarks(found[0].landmarks) if found else None

    def __call__(self, picture: Picture) -> Array | None:
        """(52,) coefficients of (H, W, 3) uint8 RGB; None where the tracker sees no face."""
        if self._region is None:
            return None
        landmarks, presence = self._mesh.landmarks(picture, self._region)
        return self._mesh.coefficients(landmarks) if presence > 0.5 else None


def open_avatar(name: str, *, size: int = SIZE) -> Renderer:
    """The renderer of an avatar by name or path."""
    avatar = library.find(name)
    return registry.for_avatar(avatar.kind).prepare(avatar, size=size)


def drawn(renderer: Renderer, expression: Expression) -> Picture:
    """(H, W, 3) uint8 RGB."""
    return np.ascontiguousarray(renderer(expression)[..., :3])


def face_box(renderer: Renderer) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in pixels: a square around the avatar's face."""
    width, height = renderer.size
    low, high = renderer.outline.min(0), renderer.outline.max(0)
    side = min(1.35 * float((high - low).max()), width, height)
    x, y = (float(np.clip((low[i] + high[i]) / 2, side / 2, end - side / 2)) for i, end in enumerate((width, height)))
    return round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2)


def changed(picture: Picture, neutral: Picture) -> float:
    """Share of the pixels that are seen to differ, in percent."""
    difference = np.abs(picture.astype(np.int16) - neutral).max(-1)
    return 100 * float((difference > _SEEN).mean())


def sheet(title: str, cells: list[Cell], *, columns: int = COLUMNS) -> Picture:
    """A contact sheet with a title above each picture."""
    rows = -(-len(cells) // columns)
    page = np.full((30 + rows * (CELL + HEADING + GAP), GAP + columns * (CELL + GAP), 3), _PAPER, np.uint8)
    cv2.putText(page, title, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _INK, 1, cv2.LINE_AA)
    for number, cell in enumerate(cells):
        x = GAP + number % columns * (CELL + GAP)
        y = 30 + number // columns * (CELL + HEADING + GAP)
        cv2.putText(page, cell.title, (x + 2, y + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, _INK, 1, cv2.LINE_AA)
        small = cv2.resize(cell.picture, (CELL, CELL), interpolation=cv2.INTER_AREA)
        page[y + HEADING : y + HEADING + CELL, x : x + CELL] = small
    return page


def letters() -> Iterator[tuple[str, Expression]]:
    """Every picture of the sheet, with its title."""
    yield "neutral", Expression.neutral()
    for name, steps in ALONE.items():
        for amount, expression in zip(AMOUNTS, steps, strict=True):
            yield f"{name} {amount:g}", expression
    yield from ACTS.items()
    for name, steps in FEELINGS.items():
        for strength, expression in zip(STRENGTHS, steps, strict=True):
            yield f"{name} {strength:g}", expression


def table(name: str, renderer: Renderer) -> Table:
    """How each coefficient alone arrives, by pixels and by the tracker."""
    neutral = drawn(renderer, Expression.neutral())
    read = Reader(neutral)
    rest = read(neutral)
    columns = (
        "coefficient", *(f"changed {amount:g}" for amount in AMOUNTS), "read at rest",
        *(f"read {amount:g}" for amount in AMOUNTS), "read as well",
    )  # fmt: skip
    found = Table(f"Each coefficient alone on {name}", columns)
    for coefficient, steps in ALONE.items():
        pictures = [drawn(renderer, expression) for expression in steps]
        changes = [f"{changed(picture, neutral):.2f} %" for picture in pictures]
        seen = [read(picture) for picture in pictures]
        index = COEFFICIENT[coefficient]
        others = ""
        if rest is not None and seen[-1] is not None:
            rise = seen[-1] - rest
            strongest = [i for i in np.argsort(-np.abs(rise)) if i != index and abs(rise[i]) > 0.15][:4]
            others = ", ".join(f"{COEFFICIENTS[i]} {rise[i]:+.2f}" for i in strongest)
        readings = ["–" if values is None else f"{values[index]:.2f}" for values in (rest, *seen)]
        found.add(coefficient, *changes, *readings, others)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("avatars", nargs="+", help="names or pictures")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the sheets")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for avatar in options.avatars:
        renderer, name = open_avatar(avatar), Path(avatar).stem
        x0, y0, x1, y1 = face_box(renderer)
        cells = [Cell(title, drawn(renderer, expression)[y0:y1, x0:x1]) for title, expression in letters()]
        path = options.out / f"alphabet {name}.png"
        write_image(path, sheet(name, cells))
        print(f"{table(name, renderer)}\n{path}\n", flush=True)


if __name__ == "__main__":
    main()
