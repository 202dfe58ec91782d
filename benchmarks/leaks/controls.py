"""Measures the measure: what it says where the answer is known."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import cv2
import numpy as np

from benchmarks.leaks.clips import Clip
from benchmarks.leaks.measure import exposure
from benchmarks.leaks.ordinary import Film
from benchmarks.leaks.people import Person, cast, person
from benchmarks.leaks.run import write
from benchmarks.leaks.stage import Region
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
from mien.scene.card import card
from mien.types import Picture

CONTROLS: Final = ("nothing covered", "30 % left out", "another face over it", "card")
"""What is done to a face. The first two must count as exposed, the others must not."""
_MOST: Final = 16
"""Frames of a clip."""
_ENOUGH: Final = 0.4
"""Faces less visible than this are left aside: 30 % of them is no eye, nose or mouth."""


def controls(clip: Clip | Film) -> dict[str, tuple[int, int]]:
    """For each of `CONTROLS`: how many faces the measure called exposed, of how many."""
    counts = dict.fromkeys(CONTROLS, (0, 0))
    strangers = [person(name) for name in cast()[:2]]
    with TemporaryDirectory(prefix="mien-leaks-") as folder:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        truth = write(clip, source, frames=_MOST)
        with VideoReader(source) as reader, VideoWriter.like(reader, target, audio="drop") as writer:
            for frame in reader:
                writer.write(frame.image, frame.pts)
        with VideoReader(source) as before, VideoReader(target) as after:
            for frame, coded, regions in islice(zip(before, after, truth, strict=True), _MOST):
                for region in regions:
                    if np.count_nonzero(region.labels) < _ENOUGH * region.whole.sum():
                        continue
                    stranger = next(who for who in strangers if who.name != region.who)
                    hidden = covered(coded.image, region, stranger)
                    outputs = (coded.image, covered(coded.image, region, stranger, leave=0.3), hidden,
                               card(before.size))  # fmt: skip
                    for name, output in zip(CONTROLS, outputs, strict=True):
                        exposed, faces = counts[name]
                        counts[name] = (exposed + exposure(frame.image, output, region).exposed, faces + 1)
    return counts


def covered(picture: Picture, region: Region, stranger: Person, *, leave: float = 0.0) -> Picture:
    """The picture with another person's face over what is seen of one, but for the lowest share `leave` of it."""
    rows, columns = np.nonzero(stranger.labels[0])
    face = stranger.pictures[0][rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    h, w = region.labels.shape
    mask = np.zeros(picture.shape[:2], np.uint8)
    mask[region.y : region.y + h, region.x : region.x + w] = region.labels > 0
    reach = 2 * round(0.1 * region.height) + 1
    mask = np.asarray(cv2.dilate(mask, np.ones((reach, reach), np.uint8)), np.uint8)
    if leave:
        seen = np.nonzero(region.labels)[0]
        mask[region.y + int(np.quantile(seen, 1 - leave)) :] = 0
    ys, xs = np.nonzero(mask)
    result = picture.copy()
    if ys.size:
        top, bottom, left, right = ys.min(), ys.max() + 1, xs.min(), xs.max() + 1
        paint = cv2.resize(face, (int(right - left), int(bottom - top)), interpolation=cv2.INTER_AREA)
        part, inside = result[top:bottom, left:right], mask[top:bottom, left:right] > 0
        part[inside] = paint[inside]
    return result
