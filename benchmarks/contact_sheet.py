"""Draws docs/avatars.png (every built-in avatar in the seven emotions) and docs/avatars-motion.png (how they move).

    python benchmarks/contact_sheet.py [--out docs]

Prints the milliseconds per picture at 512² over an animated sequence, for each avatar.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

import mien.avatar
from mien.avatar.expressions import EMOTION_PRESETS, VISEMES, expression
from mien.engine.base import Renderer
from mien.engine.puppet import PuppetEngine
from mien.types import Avatar, Expression, Picture

BUILTIN = Path(mien.avatar.__file__).parent / "builtin"
CELL, GAP, HEADING, MARGIN = 168, 8, 30, 14
PAPER, INK = (250, 249, 246), (62, 60, 58)
MAX_BYTES = 900_000

BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
MOTIONS: dict[str, Expression] = {
    "turn right": expression({}, yaw=-0.45),
    "turn left": expression({}, yaw=0.45),
    "look up": expression({}, pitch=0.35),
    "look down": expression({}, pitch=-0.35),
    "lean": expression({}, roll=0.3),
    "blink": expression(BLINK),
    "half blink": expression(dict.fromkeys(BLINK, 0.45)),
    "wink": expression({"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.6, "cheekSquintLeft": 0.5}),
    "gaze left": expression({}, gaze=(0.5, 0.0)),
    "gaze right": expression({}, gaze=(-0.5, 0.0)),
    "gaze up": expression({}, gaze=(0.0, 0.4)),
    "gaze down": expression({}, gaze=(0.0, -0.4)),
    "half smile": expression({"mouthSmileLeft": 1.0}),
    "one brow": expression({"browOuterUpLeft": 1.0, "browDownRight": 0.6}),
    "cheeks": expression({"cheekPuff": 1.0, "mouthPucker": 0.3}),
    "mouth aside": expression({"mouthLeft": 1.0}),
    "jaw open": expression({"jawOpen": 1.0}),
} | {sound: expression(shape) for sound, shape in VISEMES.items() if sound != "rest"}


def names() -> list[str]:
    """The built-in avatars: people first, then the others."""
    people = ["maya", "kofi", "mei", "otto", "rosa", "finn"]
    found = sorted(path.parent.name for path in BUILTIN.glob("*/rig.toml"))
    return [name for name in people if name in found] + [name for name in found if name not in people]


def renderer(name: str, size: int) -> Renderer:
    return PuppetEngine().prepare(Avatar(name, BUILTIN / name, "puppet"), size=size)


def label(sheet: Picture, text: str, centre: tuple[float, float]) -> None:
    """Write on the sheet, centred."""
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    at = round(centre[0] - width / 2), round(centre[1] + height / 2)
    cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


def rounded(picture: Picture) -> Picture:
    """The picture, shrunk to a cell with round corners on the sheet's paper."""
    small = cv2.resize(picture[..., :3], (CELL, CELL), interpolation=cv2.INTER_AREA)
    mask = np.zeros((4 * CELL, 4 * CELL), np.uint8)
    radius, end = 4 * 16, 4 * CELL
    cv2.rectangle(mask, (radius, 0), (end - radius, end), 255, -1)
    cv2.rectangle(mask, (0, radius), (end, end - radius), 255, -1)
    for x in (radius, end - radius):
        for y in (radius, end - radius):
            cv2.circle(mask, (x, y), radius, 255, -1)
    share = cv2.resize(mask, (CELL, CELL), interpolation=cv2.INTER_AREA)[..., None] / 255
    return np.asarray(np.rint(small * share + np.array(PAPER) * (1 - share)), np.uint8)


def grid(rows: Sequence[Sequence[Picture]], headings: Callable[[int, int], str]) -> Picture:
    """Cells in rows, with `headings(row, column)` above each where it is not empty."""
    columns = max(len(row) for row in rows)
    tops, y = [], MARGIN
    for r, row in enumerate(rows):
        y += HEADING if any(headings(r, c) for c in range(len(row))) else 0
        tops.append(y)
        y += CELL + GAP
    sheet = np.full((y + MARGIN - GAP, 2 * MARGIN + columns * (CELL + GAP) - GAP, 3), PAPER, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            x = MARGIN + c * (CELL + GAP)
            sheet[tops[r] : tops[r] + CELL, x : x + CELL] = rounded(picture)
            label(sheet, headings(r, c), (x + CELL / 2, tops[r] - HEADING / 2))
    return sheet


def save(path: Path, sheet: Picture) -> None:
    """Write a PNG below MAX_BYTES, dropping the lowest bits of colour until it fits."""
    for bits in range(5):
        step = 1 << bits
        coarse = np.minimum((sheet.astype(np.int32) + step // 2) // step * step, 255).astype(np.uint8)
        _, data = cv2.imencode(".png", coarse[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        if len(data) < MAX_BYTES:
            break
    path.write_bytes(data.tobytes())
    print(f"{path}: {sheet.shape[1]} × {sheet.shape[0]}, {len(data) / 1000:.0f} kB")


def emotions() -> Picture:
    order = ("neutral", "happy", "surprise", "sad", "fear", "angry", "disgust")
    rows = []
    for name in names():
        draw = renderer(name, 2 * CELL)
        rows.append([draw(expression(EMOTION_PRESETS[emotion])) for emotion in order])
    return grid(rows, lambda r, c: order[c] if r == 0 else "")


def motions() -> Picture:
    avatars = names()
    draw = [renderer(name, 2 * CELL) for name in avatars]
    shown = list(MOTIONS.items())
    columns = 7
    rows = [shown[i : i + columns] for i in range(0, len(shown), columns)]
    pictures = [[draw[(r * 2 + c) % len(draw)](pose) for c, (_, pose) in enumerate(row)] for r, row in enumerate(rows)]
    return grid(pictures, lambda r, c: rows[r][c][0])


def milliseconds(name: str, size: int, frames: int = 90) -> float:
    """Mean time of a picture over a sequence in which everything moves."""
    draw = renderer(name, size)
    sequence = []
    for i in range(frames):
        moving = {"eyeBlinkLeft": wave(i, 9), "jawOpen": wave(i, 13), "mouthSmileLeft": wave(i, 31)}
        turn, look = 0.4 * math.sin(i / 20), (0.3 * math.sin(i / 11), 0.0)
        sequence.append(expression(moving, yaw=turn, roll=0.25 * turn, gaze=look))
    draw(sequence[0])
    start = time.perf_counter()
    for i, pose in enumerate(sequence):
        draw(pose, time=i / 30)
    return (time.perf_counter() - start) / frames * 1000


def wave(i: int, period: float) -> float:
    return 0.5 - 0.5 * math.cos(2 * math.pi * i / period)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parents[1] / "docs")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    save(out / "avatars.png", emotions())
    save(out / "avatars-motion.png", motions())
    for name in names():
        print(f"{name:8} {milliseconds(name, 512):5.2f} ms a picture at 512²")


if __name__ == "__main__":
    main()
