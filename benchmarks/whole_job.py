"""How long the whole job takes, beside decoding and encoding alone, and where the time goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypeVar

import av

import mien
from benchmarks.material import PUPPET, Material
from benchmarks.table import Table
from mien import models
from mien.avatar import library
from mien.emotion.classifier import MODEL, EmotionClassifier
from mien.engine import registry
from mien.engine.mesh import forget
from mien.face.parts import open_tracker
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
from mien.scene.avatar import AvatarScene
from mien.scene.guard import GuardedRenderer
from mien.types import Avatar, Face, Frame, Picture

T = TypeVar("T")
ENOUGH_FPS, ENOUGH_RATIO = 45, 2.5


def jobs(material: Material, *, rounds: int) -> Table:
    """Whole runs of `anonymize`, taken in turns with the same clip merely copied."""
    table = Table(
        "The whole job",
        ("clip", "avatar", "fps", "over copying", "over copying by way of RGB", "copying alone, fps"),
        note=(
            f"Medians of {rounds} rounds in which all runs take turns; loading of models and avatar included. "
            "*Copying* is PyAV decoding and encoding with the same settings and nothing between; *by way of RGB* "
            "adds the conversion to pictures and back that whoever changes pictures needs. The avatar is 512 "
            f"pixels large on the first clip and 720 on the second. Targets at 512²: {ENOUGH_FPS} fps, "
            f"{ENOUGH_RATIO} × copying."
        ),
    )
    for clip, size in ((material.square, 512), (material.wide, 720)):
        with TemporaryDirectory() as folder:
            out = Path(folder) / "out.mp4"
            runs: dict[str, Callable[[], int]] = {
                "copy": lambda: copy(clip, out),  # noqa: B023
                "rgb": lambda: copy_by_rgb(clip, out),  # noqa: B023
                f"puppet {PUPPET}": lambda: anonymize(clip, PUPPET, out, size),  # noqa: B023
                f"mesh {material.picture.stem}": lambda: anonymize(clip, material.picture, out, size),  # noqa: B023
            }
            taken: dict[str, list[float]] = {name: [] for name in runs}
            frames = 0
            for _ in range(rounds):
                for name, run in runs.items():
                    frames, seconds = timed(run)
                    taken[name].append(seconds)
        what = f"{clip.stem}, {dimensions(clip)}, {frames} frames"
        for name in list(runs)[2:]:
            over = (median(a / b for a, b in zip(taken[name], taken[k], strict=True)) for k in ("copy", "rgb"))
            speed, alone = frames / median(taken[name]), frames / median(taken["copy"])
            table.add(what, name, f"{speed:.0f}", *(f"{ratio:.1f} ×" for ratio in over), f"{alone:.0f}")
    return table


def stages(material: Material, *, frames: int = 120) -> Table:
    """Each stage by itself, on the same frames."""
    columns = ("stage", "512², puppet", "512², mesh", "720p, puppet", "720p, mesh")
    table = Table(
        "Stages, milliseconds a frame",
        columns,
        note=(
            f"Each stage alone on the first {frames} frames: medians; of decoding and encoding, which have threads "
            "of their own and convert to and from RGB, the better of two means. In a run they share the cores: "
            "decoding and tracking in one thread, emotion and rendering in the next, encoding in more."
        ),
    )
    spent = [
        _stages(clip, avatar, size, frames)
        for clip, size in ((material.square, 512), (material.wide, 720))
        for avatar in (PUPPET, str(material.picture))
    ]
    for stage in spent[0]:
        table.add(stage, *(f"{times[stage]:.2f}" for times in spent))
    table.add("sum", *(f"{sum(times.values()):.1f}" for times in spent))
    return table


def preparation(material: Material) -> Table:
    """How long an avatar takes before the first frame."""
    table = Table("Making an avatar ready, at 512²", ("avatar", "seconds"))
    for avatar in (PUPPET, str(material.picture)):
        seconds = min(timed(lambda: prepared(avatar, 512))[1] for _ in range(2))  # noqa: B023
        table.add(Path(avatar).stem, f"{seconds:.2f}")
    return table


def copy(clip: Path, out: Path) -> int:
    """Decode and encode, as `VideoWriter` does, with nothing between; the number of frames."""
    count = 0
    with av.open(str(clip)) as source, av.open(str(out), "w") as target:
        pictures = source.streams.video[0]
        pictures.thread_type = "AUTO"
        stream = target.add_stream("libx264", rate=pictures.average_rate, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = pictures.width, pictures.height, "yuv420p"
        for count, frame in enumerate(source.decode(pictures), 1):  # noqa: B007
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return count


def copy_by_rgb(clip: Path, out: Path) -> int:
    """Through mien's own reader and writer, every frame an RGB picture between; the number of frames."""
    count = 0
    with VideoReader(clip) as reader, VideoWriter.like(reader, out, audio="drop") as writer:
        for count, frame in enumerate(reader, 1):  # noqa: B007
            writer.write(frame.image, frame.pts)
    return count


def anonymize(clip: Path, avatar: str | Path, out: Path, size: int) -> int:
    """The number of frames. Every run is a first one, as on the command line."""
    forget()
    return mien.anonymize(clip, avatar=avatar, output=out, size=size).frames


def prepared(avatar: str | Avatar, size: int) -> GuardedRenderer:
    chosen = library.find(avatar) if isinstance(avatar, str) else avatar
    forget()
    return GuardedRenderer(registry.for_avatar(chosen.kind).prepare(chosen, size=size), engine=chosen.kind)


def timed(run: Callable[[], T]) -> tuple[T, float]:
    """What it returns, and the seconds it took."""
    began = time.perf_counter()
    return run(), time.perf_counter() - began


def dimensions(clip: Path) -> str:
    with VideoReader(clip) as reader:
        return f"{reader.width}×{reader.height}"


def _stages(clip: Path, avatar: str, size: int, most: int) -> dict[str, float]:
    """Milliseconds a frame of each stage."""

    def count_frames() -> int:
        with VideoReader(clip) as reader:
            return sum(1 for _ in islice(reader, most))

    tracker, scene = open_tracker(), AvatarScene(prepared(avatar, size))
    times = {"decode": 1e3 * min(seconds / count for count, seconds in (timed(count_frames) for _ in range(2)))}
    with VideoReader(clip) as reader:
        frames = list(islice(reader, most))
    seen, times["track"] = _each(tracker, frames)
    if models.available(MODEL):
        read = EmotionClassifier.find()

        def emotions(item: tuple[Frame, list[Face]]) -> None:
            for face in item[1]:
                read(item[0], face)

        _, times["emotion"] = _each(emotions, list(zip(frames, seen, strict=True)))

    def render(item: tuple[Frame, list[Face]]) -> Picture:
        frame, faces = item
        return scene.compose({face.id: face.expression for face in faces}, frame.time)

    pictures, times["render"] = _each(render, list(zip(frames, seen, strict=True)))
    with TemporaryDirectory() as folder:
        encoding = min(timed(lambda: _encode(pictures, Path(folder) / "out.mp4"))[1] for _ in range(2))
    times["encode"] = 1e3 * encoding / len(pictures)
    return times


def _encode(pictures: list[Picture], path: Path) -> None:
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, size=(width, height)) as writer:
        for picture in pictures:
            writer.write(picture)


def _each(stage: Callable[[T], object], items: list[T]) -> tuple[list, float]:
    """All results, and the median milliseconds for one."""
    made, spent = [], []
    for item in items:
        result, seconds = timed(lambda: stage(item))  # noqa: B023
        made.append(result)
        spent.append(1e3 * seconds)
    return made, median(spent)
