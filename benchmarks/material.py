"""What is measured on: the clips and pictures of ../shared/data where they are, else some made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2

from mien.avatar import library
from mien.demo import consultation, drawn_portrait, perform
from mien.media.images import write_image
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
from mien.types import Picture

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
PUPPET = "maya"
_SECONDS = 18.0


@dataclass(frozen=True, slots=True)
class Material:
    """Clips to drive and pictures to move."""

    origin: str
    """Where they are from, in words."""
    square: Path
    """A clip of 512×512 pixels."""
    wide: Path
    """A clip of 1280×720."""
    picture: Path
    pairs: tuple[tuple[Path, str], ...]
    """A few clips and avatars to judge fidelity by."""
    every_pair: tuple[tuple[Path, str], ...]


def gather(folder: Path) -> Material:
    """Everything needed; what has to be made is written into the folder."""
    return _shared(DATA) if (DATA / "clips").is_dir() else _made(folder)


def _shared(data: Path) -> Material:
    clips, portraits = data / "clips", data / "portraits"
    pictures = {name: str(portraits / f"{name}.jpg") for name in ("s0", "s5", "s6", "s7", "s9", "s10")}
    few = [(clips / f"{c}.mp4", avatar) for c in ("d14", "d9") for avatar in (pictures["s9"], pictures["s5"], PUPPET)]
    avatars = [*pictures.values(), *library.built_in()]
    every = [(clip, avatar) for clip in sorted(clips.glob("*.mp4")) for avatar in avatars]
    return Material(
        "the project's test clips", clips / "d14.mp4", clips / "s18.mp4", Path(pictures["s9"]), tuple(few), tuple(every)
    )


def _made(folder: Path) -> Material:
    """A photo acts out the demo's consultation; a drawn portrait and a puppet take its place."""
    from skimage import data

    actor = folder / "astronaut.png"
    cv2.imwrite(str(actor), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    square, wide, picture = folder / "consultation.mp4", folder / "consultation-720p.mp4", folder / "portrait.png"
    perform(library.find(actor), consultation(), square, seconds=_SECONDS)
    widen(square, wide)
    write_image(picture, drawn_portrait("kofi", 512))
    pairs = ((square, str(picture)), (square, PUPPET))
    return Material("a public-domain photo acting out the demo's consultation", square, wide, picture, pairs, pairs)


def widen(clip: Path, path: Path, *, size: tuple[int, int] = (1280, 720)) -> None:
    """The clip, `widened`, without its sound."""
    with VideoReader(clip) as reader, VideoWriter.like(reader, path, size=size, audio="drop") as writer:
        for frame in reader:
            writer.write(widened(frame.image, size), frame.pts)


def widened(picture: Picture, size: tuple[int, int]) -> Picture:
    """(H, W, 3) scaled to the height wanted and mirrored outwards to the width."""
    width, height = size
    scale = height / picture.shape[0]
    scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    left = (width - scaled.shape[1]) // 2
    return cv2.copyMakeBorder(scaled, 0, 0, left, width - scaled.shape[1] - left, cv2.BORDER_REFLECT)
