"""One clip through the product: made, anonymized by the public API, and its frames compared with what came out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import cv2
import numpy as np

import mien
from benchmarks.leaks.clips import Clip
from benchmarks.leaks.measure import Exposure, exposure
from benchmarks.leaks.ordinary import Film
from benchmarks.leaks.stage import Region, Shot
from mien.errors import MienError
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
from mien.scene.card import card
from mien.types import Frame, Picture, Scene

_BASE: Final = Fraction(1, 90_000)
"""Unit of the time stamps of the clips made, seconds."""
_CARD_OFF: Final = 6.0
"""A frame is a card where it differs from it by less than this, in the mean, levels of 255."""
_SHEET_ROWS: Final = 6


class Source(Protocol):
    """A clip to attack with."""

    avatar: str

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    def shots(self) -> Iterator[Shot]: ...


@dataclass(slots=True)
class Outcome:
    """What one clip showed."""

    kind: str
    name: str
    avatar: str
    frames: int = 0
    faces: int = 0
    """Frames in which a face is to be seen in the input."""
    exposed: int = 0
    """Frames that expose a face."""
    slivers: int = 0
    """Frames that show a piece of a face, too small for an eye, a nose or a mouth."""
    cards: int = 0
    veiled: int | None = None
    """Frames with a veil over a part, as the product says; None where it does not say."""
    worst: float = 0.0
    """Largest share of a face that a frame exposed in one piece."""
    first: float | None = None
    """Time of the first exposed frame, seconds."""
    who: dict[str, int] = field(default_factory=dict)
    """Exposed frames by person."""
    refused: str = ""
    """The error, where the product made no video."""
    wrong: str = ""
    """What is wrong with the video made: frames missing, or at other times."""
    seconds: float = 0.0


@dataclass(slots=True)
class _Worst:
    """A frame to look at."""

    share: float
    time: float
    before: Picture
    after: Picture
    regions: tuple[Region, ...]
    found: tuple[Exposure, ...]


def attack(clip: Clip | Film, *, frames: int | None = None, keep: Path | None = None) -> Outcome:
    """Run the product over a clip and measure. With `keep`, write a sheet of the worst frames of an exposed clip."""
    began = time.perf_counter()
    with TemporaryDirectory(prefix="mien-leaks-") as folder:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        truth = write(clip, source, frames=frames)
        outcome = Outcome(clip.kind, clip.name, Path(clip.avatar).stem, frames=len(truth))
        try:
            made = mien.anonymize(source, scene=Scene.PASTE, avatar=clip.avatar, output=target, audio="drop")
        except MienError as error:
            outcome.refused = str(error)
        except Exception as error:  # a crash of one clip must not end the run, and is told
            outcome.refused = f"{type(error).__name__}: {error}"
        else:
            outcome.cards = made.cards
            outcome.veiled = getattr(made, "veiled", None)
            worst = _compare(source, target, truth, outcome)
            if keep is not None and outcome.exposed + outcome.slivers:
                keep.mkdir(parents=True, exist_ok=True)
                _sheet(keep / f"{'exposed' if outcome.exposed else 'sliver'} {_file_name(clip)}.png", worst)
    outcome.seconds = time.perf_counter() - began
    return outcome


def write(clip: Clip | Film, path: Path, *, frames: int | None = None) -> list[tuple[Region, ...]]:
    """Write the clip as MP4, or about so many `frames` spread over it; what is seen of every face, frame by frame."""
    truth: list[tuple[Region, ...]] = []
    crf = clip.settings.crf if isinstance(clip, Clip) else 12
    shots = clip.shots()
    if frames is not None:
        every = list(shots)
        shots = iter(every[:: -(-len(every) // frames)])
    first = next(shots)
    height, width = first.picture.shape[:2]
    size = (width - width % 2, height - height % 2)
    with VideoWriter(path, size=size, rate=30, time_base=_BASE, crf=crf) as writer:
        for shot in _first_and_rest(first, shots):
            writer.write(np.ascontiguousarray(shot.picture[: size[1], : size[0]]), round(shot.time / _BASE))
            truth.append(shot.faces)
    return truth


def _first_and_rest(first: Shot, rest: Iterable[Shot]) -> Iterator[Shot]:
    yield first
    yield from rest


def _compare(source: Path, target: Path, truth: list[tuple[Region, ...]], outcome: Outcome) -> list[_Worst]:
    """Compare frame by frame; the worst frames."""
    worst: list[_Worst] = []
    with VideoReader(source) as before, VideoReader(target) as after:
        blank = card(before.size).astype(np.int16)
        produced = iter(after)
        for frame, regions in zip(before, truth, strict=True):
            shown = next(produced, None)
            if shown is None or abs(shown.time - frame.time) > 0.004:
                at = "nothing" if shown is None else f"{shown.time:.3f} s"
                outcome.wrong = f"frame {frame.index} at {frame.time:.3f} s: {at} came out"
                break
            seen = [region for region in regions if np.count_nonzero(region.labels) >= 0.03 * region.whole.sum()]
            outcome.faces += bool(seen)
            if np.abs(shown.image.astype(np.int16) - blank).mean() < _CARD_OFF:
                continue
            found = tuple(exposure(frame.image, shown.image, region) for region in seen)
            _count(outcome, frame, seen, found)
            share = max((e.share + (1 if e.exposed else 0) for e in found), default=0.0)
            if any(e.exposed or e.sliver for e in found):
                worst.append(_Worst(share, frame.time, frame.image, shown.image, tuple(seen), found))
                if len(worst) > 40:
                    worst = sorted(worst, key=lambda w: -w.share)[:20]
    return worst


def _count(outcome: Outcome, frame: Frame, seen: list[Region], found: tuple[Exposure, ...]) -> None:
    if any(e.exposed for e in found):
        outcome.exposed += 1
        outcome.first = frame.time if outcome.first is None else outcome.first
        for who in {region.who for region, e in zip(seen, found, strict=True) if e.exposed}:
            outcome.who[who] = outcome.who.get(who, 0) + 1
    elif any(e.sliver for e in found):
        outcome.slivers += 1
    outcome.worst = max([outcome.worst, *(e.share for e in found)])


def _sheet(path: Path, worst: list[_Worst]) -> None:
    """Input beside output, the true face outlined in the input: red where exposed."""
    chosen = sorted(worst, key=lambda w: -w.share)
    step = max(1, len(chosen) // _SHEET_ROWS)
    rows = []
    for item in chosen[::step][:_SHEET_ROWS]:
        before, after = item.before.copy(), item.after.copy()
        for region, found in zip(item.regions, item.found, strict=True):
            colour = (255, 0, 0) if found.exposed else (255, 200, 0) if found.sliver else (0, 255, 0)
            place, mask = (region.x, region.y), (region.labels > 0).astype(np.uint8)
            outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=place)
            cv2.drawContours(before, outlines, -1, colour, 1)
            note = f"{found.share:.2f} {' '.join(found.features)}"
            cv2.putText(
                before, note, (max(0, region.x), max(12, region.y - 4)), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1
            )
        cv2.putText(
            before, f"{item.time:.2f} s", (4, before.shape[0] - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 0, 0), 1
        )
        pair = np.hstack([before, after])
        rows.append(cv2.resize(pair, (1280, round(1280 * pair.shape[0] / pair.shape[1]))))
    cv2.imwrite(str(path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


def _file_name(clip: Clip | Film) -> str:
    name = f"{clip.name} {Path(clip.avatar).stem}"
    return "".join(c if c.isalnum() or c in " -" else "_" for c in name)
