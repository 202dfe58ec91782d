"""Do real people's emotions survive the change of face? The same moments of clips on avatars, named without labels.

`python -m benchmarks.blind_drivers make FOLDER --moments CLIP:FRAME… --avatars AVATAR…` writes numbered sheets: the
people themselves (`original 1.png` …) and the avatars at the same moments, in random order (`avatar 1.png` …). Let
different readers name the two; each writes a JSON file, {"1": "happy", …}. `… score FOLDER ANSWERS.json…` takes what
most readers named the original as what it shows, and prints how often the avatars were named the same, beside what the
emotion network reads. The sheets of originals show real faces: they stay on this machine.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from benchmarks.alphabet import Cell, drawn, face_box, open_avatar, sheet
from benchmarks.blind_reading import NEGATIVE, confusion
from benchmarks.table import Table
from mien.emotion.classifier import EmotionClassifier
from mien.face.parts import open_tracker
from mien.face.tracker import FaceTracker
from mien.media.images import write_image
from mien.media.reader import VideoReader
from mien.types import EMOTIONS, Face, Frame, Picture

_ORIGINAL = "the person"
_A_SHEET, _COLUMNS, _SIDE = 21, 7, 256


def moments(wanted: list[str]) -> dict[str, tuple[Frame, Face]]:
    """For each CLIP:FRAME the frame and its largest face, tracked from the beginning of the clip."""
    found = {}
    for path in dict.fromkeys(text.rpartition(":")[0] for text in wanted):
        frames = {int(text.rpartition(":")[2]) for text in wanted if text.rpartition(":")[0] == path}
        tracker = open_tracker()
        with VideoReader(Path(path)) as reader:
            for frame in reader:
                faces = tracker(frame)
                if frame.index in frames and faces:
                    found[f"{Path(path).stem}:{frame.index}"] = (frame, faces[0])
                if frame.index >= max(frames):
                    break
    return found


def face_of(frame: Frame, face: Face) -> Picture:
    """The square around a face, as an avatar's is cut."""
    x0, y0, x1, y1 = (float(v) for v in face.box)
    half = 0.68 * max(x1 - x0, y1 - y0)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    whole = cv2.copyMakeBorder(frame.image, *[int(half)] * 4, cv2.BORDER_CONSTANT)
    cut = whole[int(y) : int(y + 2 * half), int(x) : int(x + 2 * half)]
    return np.asarray(cv2.resize(cut, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def network_reading(classifier: EmotionClassifier, tracker: FaceTracker, picture: Picture) -> str:
    """What the emotion network sees in a picture; "" where no face is found."""
    tracker.reset()
    frame = Frame(picture, 0, 0.0)
    faces = tracker(frame)
    return EMOTIONS[int(classifier(frame, faces[0]).argmax())] if faces else ""


def make(folder: Path, wanted: list[str], avatars: list[str], *, seed: int) -> None:
    """Write the sheets and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    seen = moments(wanted)
    classifier, tracker = EmotionClassifier.find(), open_tracker()
    originals = [(_ORIGINAL, name, face_of(frame, face), frame.image) for name, (frame, face) in seen.items()]
    worn = []
    for avatar in avatars:
        renderer = open_avatar(avatar)
        x0, y0, x1, y1 = face_box(renderer)
        for name, (_, face) in seen.items():
            picture = drawn(renderer, face.expression)
            worn.append((Path(avatar).stem, name, np.ascontiguousarray(picture[y0:y1, x0:x1]), picture))
    order = random.Random(seed)
    key: dict[str, dict[str, str]] = {}
    for kind, pictures in (("original", originals), ("avatar", worn)):
        order.shuffle(pictures)
        cells = []
        for wearer, name, cut, whole in pictures:
            number = str(len(key) + 1)
            key[number] = {
                "avatar": wearer, "moment": name, "network": network_reading(classifier, tracker, whole),
            }  # fmt: skip
            cells.append(Cell(number, cut))
        for number, start in enumerate(range(0, len(cells), _A_SHEET), 1):
            page = sheet(f"{kind} {number}", cells[start : start + _A_SHEET], columns=_COLUMNS)
            write_image(folder / f"{kind} {number}.png", np.asarray(page, np.uint8))
    (folder / "key.json").write_text(json.dumps(key, indent=1), encoding="utf-8")
    print(f"{len(originals)} moments, {len(worn)} avatars in {folder}. Keep key.json from the readers.")


def score(folder: Path, files: list[Path]) -> None:
    """Print how often an avatar was named as the person was."""
    key = json.loads((folder / "key.json").read_text(encoding="utf-8"))
    answers = [json.loads(path.read_text(encoding="utf-8")) for path in files]

    def named(number: str) -> list[str]:
        return [answer[number] for answer in answers if number in answer]

    truth = {
        e["moment"]: Counter(named(n)).most_common(1)[0][0]
        for n, e in key.items()
        if e["avatar"] == _ORIGINAL and named(n)
    }
    worn = {n: {**e, "emotion": truth[e["moment"]]} for n, e in key.items() if e["avatar"] != _ORIGINAL and named(n)}
    readers = [{n: name for n, name in answer.items() if n in worn} for answer in answers]
    readers = [answer for answer in readers if answer]
    print(confusion(worn, readers, f"What {len(readers)} readers named on avatars, by what the person shows"))
    table = Table(
        "Named as the person is", ("moment", "the person", "by the network", "avatars named the same", "others")
    )
    for moment, emotion in truth.items():
        said = Counter(name for n, e in worn.items() if e["moment"] == moment for name in named(n))
        network = next(e["network"] for e in key.values() if e["avatar"] == _ORIGINAL and e["moment"] == moment)
        others = ", ".join(f"{name} {count}" for name, count in said.most_common() if name != emotion)
        table.add(moment, emotion, network, f"{said[emotion] / max(sum(said.values()), 1):.0%}", others)
    print(table)
    negative = [name for n, e in worn.items() if e["emotion"] in NEGATIVE for name in named(n)]
    print(f"Negative emotions taken for joy: {negative.count('happy')} of {len(negative)}")
    same = [e["network"] == next(o["network"] for o in key.values() if o["avatar"] == _ORIGINAL
            and o["moment"] == e["moment"]) for e in worn.values() if e["network"]]  # fmt: skip
    print(f"The network reads on avatars what it reads on the person: {np.mean(same):.0%} of {len(same)} pictures")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("folder", type=Path)
    making.add_argument("--moments", nargs="+", required=True, metavar="CLIP:FRAME")
    making.add_argument("--avatars", nargs="+", required=True, help="names or pictures")
    making.add_argument("--seed", type=int, default=1)
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("answers", nargs="+", type=Path)
    options = parser.parse_args()
    if options.command == "make":
        make(options.folder, options.moments, options.avatars, seed=options.seed)
    else:
        score(options.folder, options.answers)


if __name__ == "__main__":
    main()
