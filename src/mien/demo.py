"""The demo: a public-domain photo performs a consultation, is anonymised twice, read and reported."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mien.errors import InputError, OutputError
from mien.options import Demonstrating, OnProgress, takes

if TYPE_CHECKING:
    from mien.api import Outcome
    from mien.avatar.performance import Script
    from mien.types import Avatar, Frame, Picture

FPS: Final = 25
_STAND_IN: Final = "kofi"
"""Built-in avatar whose drawn portrait serves as the picture to animate."""
_MADE: Final = ("visit.mp4", "portrait.png", "visit-puppet.mp4", "visit-picture.mp4", "side-by-side.mp4")
_READ: Final = ("visit-puppet.report.html", "visit.expression.csv", "visit.expression.json")


@dataclass(frozen=True, slots=True)
class Step:
    """One file the demo wrote."""

    what: str
    path: Path
    outcome: Outcome | None = None
    """How the run went, where it was one."""

    def moved(self, folder: Path) -> Step:
        """The same, its files in another folder."""
        run = self.outcome and replace(
            self.outcome, input=folder / self.outcome.input.name, output=folder / self.path.name,
            files=tuple(folder / file.name for file in self.outcome.files),
        )  # fmt: skip
        return replace(self, path=folder / self.path.name, outcome=run)


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo did."""

    steps: tuple[Step, ...]
    warnings: tuple[str, ...]

    def moved(self, folder: Path) -> Demo:
        """The same, its files in another folder."""
        return replace(self, steps=tuple(step.moved(folder) for step in self.steps))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "steps": [
                {"what": s.what, "path": str(s.path), "run": s.outcome and s.outcome.to_dict()} for s in self.steps
            ],
            "warnings": list(self.warnings),
        }


@takes(Demonstrating)
def demo(options: Demonstrating) -> Demo:
    """Show what mien does: no clip and no camera needed, a minute at most."""
    from mien.api import check_size
    from mien.avatar import library
    from mien.media.atomic import Outputs, atomic_path

    check_size(options.size)
    if not 0 < options.seconds < math.inf:
        raise InputError(
            f"A demo of {options.seconds:g} seconds is not possible. Give more than 0; the whole takes 20."
        )
    library.find(options.avatar)  # a wrong name is known before the work
    actor = _astronaut()
    with _folder(Path(options.output)) as folder, _work_folder(folder) as work:
        try:
            done = _made(options, actor, work)
        except OutputError as error:  # the hidden folder would say nothing to anybody
            raise OutputError(str(error).replace(str(work), str(folder))) from error
        with Outputs() as outputs:
            for step in done.steps:
                with atomic_path(folder / step.path.name, outputs=outputs) as part:
                    step.path.replace(part)
    return done.moved(folder)


def _made(options: Demonstrating, actor: Avatar, folder: Path) -> Demo:
    """The files of the demo in that folder, one made from another."""
    from mien.api import anonymize, read
    from mien.media.images import write_image

    visit, portrait, by_puppet, by_picture, together = (folder / name for name in _MADE)
    perform(actor, consultation(), visit, size=options.size, seconds=options.seconds, on_progress=options.on_progress)
    write_image(portrait, drawn_portrait(_STAND_IN, options.size))
    puppet = anonymize(
        visit, avatar=options.avatar, output=by_puppet, size=options.size, report=True, title="A demo visit",
        on_progress=options.on_progress,
    )  # fmt: skip
    picture = anonymize(visit, avatar=portrait, output=by_picture, size=options.size, on_progress=options.on_progress)
    reading = read(visit, output=folder / "visit", csv=True, summary=True, on_progress=options.on_progress)
    side_by_side([visit, by_puppet, by_picture], together)
    steps = (
        Step("a public-domain photo, performing", visit),
        Step("a drawn portrait", portrait),
        Step(f"the same visit as {options.avatar}", by_puppet, puppet),
        Step("the same visit as the drawn portrait", by_picture, picture),
        Step("its report, to open in a browser", puppet.files[0]),
        *(Step("what was read off the face", path) for path in reading.files),
        Step("all three side by side: look at this first", together),
    )
    return Demo(steps, tuple(dict.fromkeys((*puppet.warnings, *picture.warnings, *reading.warnings))))


@contextmanager
def _folder(folder: Path) -> Iterator[Path]:
    """The folder to write into, made where there is none, and taken away again if it is still empty after an error.
    Raises OutputError where one of the demo's files cannot be written there."""
    from mien.media.atomic import check_target

    try:
        there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror or error}). Choose another folder.") from error
    try:
        for name in (*_MADE, *_READ):
            check_target(folder / name)
        yield folder
    except BaseException:
        if not there:
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def _work_folder(beside: Path) -> Iterator[Path]:
    """A hidden folder, gone afterwards: files that are made from one another appear together as well."""
    try:
        work = Path(tempfile.mkdtemp(prefix=".demo.", suffix=".part", dir=beside))
    except OSError as error:
        raise OutputError(
            f"{beside} cannot be written into ({error.strerror or error}). Choose another folder."
        ) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def consultation() -> Script:
    """Twenty seconds with a clinician: a greeting, what hurts, a fright, relief."""
    from mien.avatar.performance import Moment, Script

    return Script(
        moments=(
            Moment(0.0), Moment(1.0), Moment(1.6, "happy", 0.75, yaw=4, pitch=2), Moment(2.6, "happy", 0.8, yaw=-4),
            Moment(3.2, "neutral", 0, yaw=-8), Moment(4.4, "neutral", 0, yaw=10, gaze=(14, 0)),
            Moment(5.0, "sad", 0.8, pitch=-7, roll=4, gaze=(0, -10)),
            Moment(7.2, "sad", 0.9, pitch=-9, roll=6, gaze=(-8, -8)),
            Moment(7.9, "neutral", 0, yaw=-14), Moment(8.6, "fear", 0.75, yaw=-6, pitch=2),
            Moment(9.8, "fear", 0.75, yaw=-4), Moment(10.3, "surprise", 0.9, pitch=4), Moment(11.3, "surprise", 0.8),
            Moment(11.9, "disgust", 0.9, yaw=8, roll=-4), Moment(13.0, "disgust", 0.9, yaw=10),
            Moment(13.6, "angry", 0.9, pitch=-5), Moment(15.0, "angry", 0.9, yaw=-6, pitch=-4),
            Moment(15.6), Moment(17.2, "neutral", 0, yaw=16, gaze=(-16, 4)), Moment(17.8, "happy", 0.5, yaw=2),
            Moment(19.0, "happy", 0.9, roll=-5, pitch=3), Moment(20.0, "happy", 0.4),
        ),
        blinks=(0.7, 3.0, 4.7, 6.2, 8.0, 10.0, 11.6, 13.3, 15.4, 16.4, 17.6, 19.5),
        speech=((2.0, "MELO OMIA"), (5.4, "AI FIL SO WIRE ARU"), (15.7, "WERI OFEN ALSO"), (18.2, "UAM SE")),
    )  # fmt: skip


def perform(
    actor: Avatar,
    script: Script,
    path: Path,
    *,
    size: int = 512,
    seconds: float = 60.0,
    on_progress: OnProgress | None = None,
) -> None:
    """Film a picture acting out a script, or its first `seconds`: an MP4 with quiet speech-like sound."""
    from mien.avatar.voice import voice
    from mien.engine import registry
    from mien.media.writer import VideoWriter
    from mien.pipeline import Pipeline
    from mien.scene.avatar import lay_on
    from mien.types import Frame

    renderer = registry.for_avatar(actor.kind).prepare(actor, size=size)
    total = max(1, round(min(script.duration, seconds) * FPS))

    def film() -> Iterator[Frame]:
        for index in range(total):
            picture = lay_on(renderer(script.at(index / FPS), time=index / FPS), (255, 255, 255))
            yield Frame(picture, index, index / FPS, index)

    with VideoWriter(
        path,
        size=renderer.size,
        rate=Fraction(FPS),
        time_base=Fraction(1, FPS),
        audio_from=voice(script, seconds=total / FPS),
    ) as writer:
        # Nobody is in front of a camera here: the pictures filmed are the scene.
        Pipeline(
            film(), lambda _: [], scene=lambda tracked: (frame for frame, _ in tracked), sinks=[writer],
            total=total, on_progress=on_progress,
        ).run()  # fmt: skip


def side_by_side(clips: list[Path], path: Path) -> None:
    """One MP4 with clips of the same length and rate beside each other, and the sound of the first."""
    import numpy as np

    from mien.media.reader import VideoReader
    from mien.media.writer import VideoWriter

    readers = [VideoReader(clip) for clip in clips]
    try:
        width, height = sum(reader.width for reader in readers), min(reader.height for reader in readers)
        with VideoWriter.like(readers[0], path, size=(width, height)) as writer:
            for frames in zip(*readers, strict=False):
                picture = np.concatenate([frame.image[:height] for frame in frames], axis=1)
                writer.write(picture, frames[0].pts)
    finally:
        for reader in readers:
            reader.close()


def _astronaut() -> Avatar:
    """NASA's portrait of Eileen Collins, public domain, as scikit-image carries it."""
    import numpy as np

    from mien.avatar.crop import portrait
    from mien.types import Avatar

    try:
        from skimage import data
    except ImportError as error:
        raise InputError(
            "The demo's photo comes with scikit-image, which is not installed: pip install 'mien[demo]'."
        ) from error
    rgb = np.asarray(data.astronaut(), np.uint8)  # type: ignore[no-untyped-call]
    picture = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    return Avatar(
        "astronaut", Path("astronaut"), "picture", portrait(picture, name="the photo"), licence="public domain"
    )


def drawn_portrait(name: str, size: int) -> Picture:
    """A built-in avatar's resting face as a picture."""
    from mien.avatar import library
    from mien.engine import registry
    from mien.scene.avatar import BACKGROUND, lay_on
    from mien.types import Expression

    avatar = library.find(name)
    return lay_on(registry.for_avatar(avatar.kind).prepare(avatar, size=size)(Expression.neutral()), BACKGROUND)
