"""Ordinary clips, as they are: one person, nothing made up. Here a card is a loss, and a face shown still a leak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.leaks.people import labelled
from benchmarks.leaks.stage import Region, Shot
from benchmarks.material import DATA
from mien.face.parts import open_tracker
from mien.media.reader import VideoReader
from mien.types import Face


@dataclass(frozen=True, slots=True)
class Film:
    """A clip that lies on disk."""

    path: Path
    avatar: str
    frames: int | None = None
    """At most so many."""

    kind = "ordinary"

    @property
    def name(self) -> str:
        return f"ordinary: {self.path.stem}"

    def shots(self) -> Iterator[Shot]:
        """Its frames, with the face where the landmark model sees it."""
        tracker = open_tracker()
        with VideoReader(self.path) as reader:
            for frame in islice(reader, self.frames):
                yield Shot(frame.image, frame.time, tuple(_region(face, frame.image.shape) for face in tracker(frame)))


def films(avatars: tuple[str, ...], *, frames: int | None) -> list[Film]:
    """The clips with one person; none where there is no shared material."""
    clips = [path for path in sorted((DATA / "clips").glob("*.mp4")) if path.stem != "no_face"]
    return [Film(clip, avatars[n % len(avatars)], frames) for n, clip in enumerate(clips)]


def _region(face: Face, shape: tuple[int, ...]) -> Region:
    labels = labelled(face.landmarks, (shape[0], shape[1]))
    whole = np.bincount(labels.ravel(), minlength=6).astype(np.float32)[:6]
    whole[0] = 0
    rows, columns = np.nonzero(labels)
    y, x = int(rows.min()), int(columns.min())
    cut = np.ascontiguousarray(labels[y : rows.max() + 1, x : columns.max() + 1])
    return Region(x, y, cut, whole, float(face.box[3] - face.box[1]), "the person")
