"""Do people read the right emotion on an avatar? Pictures without labels, in random order, and how readers named them.

`python -m benchmarks.blind_reading make FOLDER AVATAR… [--strength .8] [--seed 1]` writes numbered sheets for readers
(`reading 1.png` …) and, in `key.json`, what was acted. Each reader writes one JSON file, {"1": "happy", …}.
`python -m benchmarks.blind_reading score FOLDER ANSWERS.json…` prints the confusion table, and what each avatar's
emotions were named by most readers.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.alphabet import Cell, drawn, face_box, open_avatar, sheet
from benchmarks.table import Table
from mien.avatar.performance import posed
from mien.media.images import write_image
from mien.types import EMOTIONS

NEGATIVE: Final = ("angry", "disgust", "fear", "sad")
_A_SHEET: Final = 21
"""Pictures on one sheet."""
_COLUMNS: Final = 7
_UNSURE: Final = "unsure"


def make(folder: Path, avatars: list[str], *, strength: float, seed: int) -> None:
    """Write the sheets and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for name in avatars:
        renderer = open_avatar(name)
        x0, y0, x1, y1 = face_box(renderer)
        for emotion in EMOTIONS:
            picture = drawn(renderer, posed(emotion, strength=strength))[y0:y1, x0:x1]
            pictures.append((Path(name).stem, emotion, picture))
    random.Random(seed).shuffle(pictures)
    key = {str(n): {"avatar": avatar, "emotion": emotion} for n, (avatar, emotion, _) in enumerate(pictures, 1)}
    cells = [Cell(str(n), picture) for n, (_, _, picture) in enumerate(pictures, 1)]
    for number, start in enumerate(range(0, len(cells), _A_SHEET), 1):
        page = sheet(f"sheet {number}", cells[start : start + _A_SHEET], columns=_COLUMNS)
        write_image(folder / f"reading {number}.png", np.asarray(page, np.uint8))
    (folder / "key.json").write_text(json.dumps(key, indent=1), encoding="utf-8")
    print(f"{len(cells)} pictures on {-(-len(cells) // _A_SHEET)} sheets in {folder}. Keep key.json from the readers.")


def confusion(key: dict[str, dict[str, str]], answers: list[dict[str, str]], title: str) -> Table:
    """Share of the answers, acted emotion by row."""
    columns = (*EMOTIONS, _UNSURE)
    table = Table(title, ("acted", *columns, "named right"))
    for emotion in EMOTIONS:
        numbers = [n for n, entry in key.items() if entry["emotion"] == emotion]
        counts = Counter(answer.get(n, _UNSURE) for n in numbers for answer in answers)
        total = max(sum(counts.values()), 1)
        shares = {name: f"{counts[name] / total:.0%}" if counts[name] else "" for name in columns}
        table.add(emotion, *shares.values(), shares[emotion] or "0%")
    return table


def by_avatar(key: dict[str, dict[str, str]], answers: list[dict[str, str]]) -> Table:
    """What most readers named each emotion of each avatar."""
    table = Table("Named by most readers", ("avatar", *EMOTIONS))
    for avatar in dict.fromkeys(entry["avatar"] for entry in key.values()):
        row = []
        for emotion in EMOTIONS:
            number = next(n for n, e in key.items() if e["avatar"] == avatar and e["emotion"] == emotion)
            named, count = Counter(answer.get(number, _UNSURE) for answer in answers).most_common(1)[0]
            row.append(f"{'✓' if named == emotion else named} {count}/{len(answers)}")
        table.add(avatar, *row)
    return table


def score(folder: Path, files: list[Path]) -> None:
    """Print what the readers made of the pictures."""
    key = json.loads((folder / "key.json").read_text(encoding="utf-8"))
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    print(confusion(key, answers, f"What {len(answers)} readers named, of {len(key)} pictures"))
    print(by_avatar(key, answers))
    negative = [answer.get(n) for n, e in key.items() if e["emotion"] in NEGATIVE for answer in answers]
    print(f"Negative emotions taken for joy: {negative.count('happy')} of {len(negative)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("avatars", nargs="+", help="names or pictures")
    making.add_argument("--strength", type=float, default=0.8)
    making.add_argument("--seed", type=int, default=1)
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("answers", nargs="+", type=Path)
    options = parser.parse_args()
    if options.command == "make":
        make(options.folder, options.avatars, strength=options.strength, seed=options.seed)
    else:
        score(options.folder, options.answers)


if __name__ == "__main__":
    main()
