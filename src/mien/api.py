"""The three things mien does, as functions: `anonymize`, `animate`, `read`. The command line calls these."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from mien.errors import EngineError, InputError, OutputError
from mien.media.memory import MemoryFile, Source
from mien.options import Animating, Anonymizing, Reading, Rerendering, Tracking, takes
from mien.types import Avatar, Frame, Scene

if TYPE_CHECKING:
    from mien.emotion.timeline import Timeline
    from mien.engine.base import Engine
    from mien.media.atomic import Outputs
    from mien.media.reader import VideoReader
    from mien.pipeline import EmotionReader, Passes, Progress, Tracker
    from mien.scene.avatar import AvatarScene
    from mien.scene.paste import PasteScene, Plan

SIZES: Final = range(64, 2049)
"""Lengths of an avatar picture's longer side that can be asked for, pixels."""
PEOPLE: Final = range(1, 9)
_MANY: Final = 32
"""Faces followed at once where every one must be covered."""
ANONYMOUS: Final = "-anonymous"
"""How the name of an anonymized clip ends."""
_WAITING, _MOST_WAITING = 40_000_000, 12
"""Bytes of frames, and frames, that may be tracked ahead of the search of scene paste: it stays at one frame for long,
then goes through many at once."""
_SIDE_FILES: Final = {"csv": ".expression.csv", "summary": ".expression.json", "report": ".report.html"}
VIDEO: Final = (".mp4", ".m4v")
"""How the names of videos end that mien writes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    input: Source
    output: Path | None
    """The video; None where none was asked for."""
    files: tuple[Path, ...]
    """Tables and reports written beside it."""
    avatar: str | None
    engine: str | None
    scene: str | None
    frames: int
    clip_seconds: float
    """Length of the clip."""
    seconds: float
    """What the run took."""
    fps: float
    speed: float
    """Seconds of clip per second of work."""
    coverage: float
    """Share of the frames in which a face was seen, 0 to 1."""
    people: int
    """How many different people were seen."""
    cards: int
    """Frames in whose place the card is shown."""
    veiled: int
    """Frames with a veil over a place that is or may be a face and that no avatar could be fitted to."""
    audio: str | None
    """What became of the sound; None for a clip without."""
    warnings: tuple[str, ...]
    timeline: Timeline
    """Everything measured; `timeline.to_frame()` is a pandas table."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, all but the timeline."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "timeline"}
        return {name: _plain(value) for name, value in values.items()}


@takes(Anonymizing)
def anonymize(clip: Annotated[Source | str, "The video."], options: Anonymizing) -> Outcome:
    """Give everybody in a clip another face and keep what their own expresses."""
    clip = Path(clip) if isinstance(clip, str) else clip
    return _rerender(clip, options, anonymous_name(clip.name))


@takes(Animating)
def animate(
    source: Annotated[str | Path, "The picture to bring to life, or an avatar by name."],
    driving: Annotated[Source | str, "The video whose expression it takes on."],
    options: Animating,
) -> Outcome:
    """Bring a picture to life with the expression of the person in a video."""
    driving = Path(driving) if isinstance(driving, str) else driving
    chosen = {f.name: getattr(options, f.name) for f in fields(options)}
    name = f"{Path(source).stem}-{Path(driving.name).stem}.mp4"
    return _rerender(driving, Anonymizing(avatar=source, **chosen), name)


@takes(Reading)
def read(clip: Annotated[Source | str, "The video or picture."], options: Reading) -> Outcome:
    """Read the visible expression off a clip or a picture, into a table, a summary and a report. No video is made."""
    from mien.avatar.library import PICTURES
    from mien.media.atomic import Outputs
    from mien.media.reader import VideoReader
    from mien.pipeline import Pipeline

    clip = Path(clip) if isinstance(clip, str) else clip
    warnings: list[str] = []
    if clip.suffix.lower() in PICTURES:
        still = _still(clip)
        targets = _side_files(options.output, options, clip)
        pipeline = Pipeline(
            [still], _tracker(options, clip), emotions=_emotions(warnings), total=1, on_progress=options.on_progress
        )
        progress = pipeline.run()
    else:
        with VideoReader(clip) as video:
            targets = _side_files(options.output, options, clip)
            pipeline = Pipeline(
                video, _tracker(options, clip), emotions=_emotions(warnings), total=video.frame_count,
                on_progress=options.on_progress,
            )  # fmt: skip
            progress = pipeline.run()
    with Outputs() as outputs:
        return _outcome(clip, None, targets, outputs, pipeline.timeline, progress, warnings, title=options.title)


def anonymous_name(clip: str) -> str:
    """The name of the video that is made of a clip of that name."""
    return f"{Path(clip).stem}{ANONYMOUS}.mp4"


def side_file_ends(options: Reading | Rerendering) -> list[str]:
    """How the names of the tables and reports end that these options ask for; the video's name without its own ending
    comes before."""
    return [end for kind, end in _SIDE_FILES.items() if getattr(options, kind)]


def check_size(size: int) -> None:
    """Raises InputError unless an avatar's picture can be that large."""
    if size not in SIZES:
        raise InputError(f"A size of {size} is not possible. Choose from {SIZES[0]} to {SIZES[-1]} pixels.")


def check_values(options: Anonymizing) -> None:
    """Raises InputError where an option has a value that no clip can be worked on with. Nothing is opened."""
    from mien.face.parts import check_detector
    from mien.neutral import chosen_moment

    check_detector(options.detector)
    chosen_moment(options.neutral)
    check_size(options.size)
    if options.people not in PEOPLE:
        raise InputError(f"{options.people} people cannot be shown. Choose from {PEOPLE[0]} to {PEOPLE[-1]}.")
    if options.forget_after is not None and not 0 <= options.forget_after < math.inf:
        raise InputError(
            f"A forget_after of {options.forget_after:g} seconds is not possible. Give 0 or more, or leave it out: "
            "then nobody is forgotten."
        )


def open_clip(clip: Source) -> VideoReader:
    """A video, opened. Raises InputError where it is none or cannot be read."""
    from mien.avatar.library import PICTURES
    from mien.media.reader import VideoReader

    if clip.suffix.lower() in PICTURES:
        raise InputError(f"{clip} is a picture, and this needs a video. `mien read` takes pictures.")
    return VideoReader(clip)


def _rerender(clip: Source, options: Anonymizing, default_name: str) -> Outcome:
    """A clip with another face. Everything that can be wrong is looked for before the work begins."""
    from mien.avatar import library
    from mien.media.atomic import Outputs, check_target
    from mien.media.writer import VideoWriter
    from mien.pipeline import Passes, Pipeline

    check_values(options)
    warnings: list[str] = []
    with open_clip(clip) as video, Outputs() as outputs:
        output = _beside(clip, default_name) if options.output is None else Path(options.output)
        if output == Path():
            raise OutputError("'.' is a folder, and an empty name means the same. Give a name that ends in .mp4.")
        if output.suffix.lower() not in VIDEO:
            raise OutputError(f"{output}: mien writes MP4. Give a name that ends in .mp4.")
        avatar = library.find(options.avatar)
        check_target(output, clip, *library.files(avatar))
        targets = _side_files(output, options, clip, *library.files(avatar))
        engine = find_engine(options.engine, avatar)
        passes = Passes(options.on_progress, video.frame_count, 2 if options.scene is Scene.PASTE else 1)
        scene, tracker = _scene(engine, avatar, options, video, passes)
        with VideoWriter.like(video, output, size=scene.size, audio=options.audio, outputs=outputs) as writer:
            pipeline = Pipeline(
                video, tracker, scene=scene, sinks=[writer], emotions=_emotions(warnings), total=video.frame_count,
                on_progress=passes.on_progress,
            )  # fmt: skip
            progress = passes.done(pipeline.run())
            verdict = scene.verdict()
        sound = writer.audio_note if video.has_audio else None
        if writer.audio_lost:
            verdict = [*verdict, f"The sound of {clip} was {sound}."]
        return _outcome(
            clip, output, targets, outputs, pipeline.timeline, progress, warnings, verdict, title=options.title,
            avatar=avatar.name, engine=engine.name, scene=options.scene.value, cards=scene.cards,
            veiled=scene.veiled, audio=sound,
        )  # fmt: skip


def _beside(clip: Source, name: str) -> Path:
    """Where a file goes by default."""
    if isinstance(clip, MemoryFile):
        raise OutputError(f"{clip} lies in memory, so no file can go beside it. Say where with output.")
    return clip.with_name(name)


def find_engine(wanted: str | None, avatar: Avatar) -> Engine:
    """The engine of that name, else the one for the avatar's kind. Raises EngineError."""
    from mien.engine import registry

    engine = registry.get(wanted) if wanted else registry.for_avatar(avatar.kind)
    if engine.needs != "expression":
        raise EngineError(f"The engine {engine.name!r} needs the driver's pixels, which nothing here gives away.")
    if avatar.kind not in engine.takes:
        raise EngineError(
            f"The engine {engine.name!r} takes a {' or a '.join(engine.takes)}, and {avatar.name} is a {avatar.kind}. "
            f"Leave --engine out, or use {registry.for_avatar(avatar.kind).name}."
        )
    return engine


def _scene(
    engine: Engine, avatar: Avatar, options: Anonymizing, video: VideoReader, passes: Passes
) -> tuple[AvatarScene | PasteScene, Tracker]:
    """The scene and the tracker that it needs."""
    from mien.engine.base import HasBackdrop
    from mien.scene.guard import GuardedRenderer

    renderer = engine.prepare(avatar, size=options.size, on_progress=passes.preparing)
    if options.scene is Scene.AVATAR:
        from mien.scene.avatar import AvatarScene

        scene = AvatarScene(GuardedRenderer(renderer, engine=engine.name), people=options.people)
        return scene, _tracker(options, video.source)
    from mien.scene.paste import PasteScene

    if isinstance(renderer, HasBackdrop):
        renderer = renderer.without_backdrop()
    guarded = GuardedRenderer(renderer, engine=engine.name)
    plan, tracker = _watch(options, video.source, passes)
    return PasteScene(guarded, plan, size=video.size, fit_colours=avatar.kind == "picture"), tracker


def _watch(options: Anonymizing, clip: Source, passes: Passes) -> tuple[Plan, Tracker]:
    """The first pass of Scene.PASTE: what must be covered, and where, all through the clip; and what tracks the same
    faces again in the second."""
    from mien.face.parts import open_lookout, open_people
    from mien.media.reader import VideoReader
    from mien.pipeline import Pipeline
    from mien.scene.paste import Recall, Watch

    people = open_people()
    with VideoReader(clip) as video, open_lookout() as lookout:
        watch = Watch(lookout, people, most=_MANY, forget_after=options.forget_after)
        recall = Recall(_tracker(options, clip, everybody=True))
        depth = min(max(_WAITING // (3 * video.size[0] * video.size[1]), 3), _MOST_WAITING)
        pipeline = Pipeline(
            video, recall, scene=watch.stage, total=video.frame_count, depth=depth, on_progress=passes.on_progress
        )  # fmt: skip
        passes.done(pipeline.run())
        plan = watch.plan()
    return plan, recall.replay() or _tracker(options, clip, everybody=True)


def _tracker(options: Tracking, clip: Source, *, everybody: bool = False) -> Tracker:
    from mien.face.parts import open_detector, open_mesh, open_tracker
    from mien.face.tracker import FaceTracker
    from mien.neutral import calibrated

    if not everybody:
        return calibrated(open_tracker(detector=options.detector), options.neutral, clip)
    detector = open_detector(options.detector)
    detector.pause = 1  # somebody overlooked would be shown
    return calibrated(FaceTracker(detector, open_mesh(), max_faces=_MANY), options.neutral, clip)


def _emotions(warnings: list[str]) -> EmotionReader | None:
    """Smoothed probabilities for every face; None, with a warning, where there are no weights or damaged ones."""
    from mien.emotion.classifier import EmotionClassifier, why_not
    from mien.emotion.smoothing import EmotionSmoother

    if reason := why_not():
        warnings.append(reason)
        return None
    classify, smooth = EmotionClassifier.find(), EmotionSmoother()
    return lambda frame, face: smooth(face.id, frame.time, classify(frame, face))


def _still(picture: Source) -> Frame:
    from mien.media.images import read_image
    from mien.scene.avatar import lay_on

    return Frame(lay_on(read_image(picture), (255, 255, 255)), 0, 0.0)


def _side_files(
    output: Path | str | None, options: Reading | Rerendering, clip: Source, *inputs: Source
) -> dict[str, Path]:
    """Where tables and reports go, checked before any work is done: none may replace the clip, another of the `inputs`,
    or the video."""
    from mien.face.parts import detector_files
    from mien.media.atomic import check_target, final_name

    ends = {kind: end for kind, end in _SIDE_FILES.items() if getattr(options, kind)}
    if not ends:
        return {}
    stem = _beside(clip, Path(clip.name).stem) if output is None else Path(output)
    if stem.name in ("", ".."):
        raise OutputError(f"{str(output)!r} is a folder. Give the beginning of the files' names, such as visit.")
    base = stem.with_suffix("") if stem.suffix.lower() in VIDEO else stem
    wanted = {kind: base.with_name(base.name + end) for kind, end in ends.items()}
    taken = {final_name(stem)}
    for file in wanted.values():
        final = check_target(file, clip, *inputs, *detector_files(options.detector))
        if final in taken:
            raise OutputError(f"{file} leads to another file that this run writes. Remove it or give another name.")
        taken.add(final)
        if not os.access(final.parent, os.W_OK):
            raise OutputError(
                f"{file} cannot be written: its folder is missing, or you have no permission there. Choose another."
            )
    return wanted


def _outcome(
    clip: Source, output: Path | None, targets: dict[str, Path], outputs: Outputs, timeline: Timeline,
    progress: Progress, warnings: Sequence[str], verdict: Sequence[str] = (), *, title: str, avatar: str | None = None,
    engine: str | None = None, scene: str | None = None, cards: int = 0, veiled: int = 0, audio: str | None = None,
) -> Outcome:  # fmt: skip
    """Write the tables and reports asked for, and sum up.

    No file name and no path gets into them. `warnings` are about what was read, and the report repeats them; the
    scene's `verdict` is about the video.
    """
    if "csv" in targets:
        timeline.write_csv(targets["csv"], outputs=outputs)
    if "summary" in targets:
        timeline.write_json(targets["summary"], outputs=outputs)
    if "report" in targets:
        from mien.emotion.report import write_report

        write_report(timeline, targets["report"], title=title, note=" ".join(warnings), outputs=outputs)
    warnings = [*warnings, *verdict]
    if timeline.coverage == 0:
        shown = " The avatar rests throughout." if scene == Scene.AVATAR.value else ""
        warnings.append(f"No face was found anywhere in {clip}.{shown}")
    length = timeline.duration
    return Outcome(
        clip, output, tuple(targets.values()), avatar, engine, scene, progress.frames, length, progress.seconds,
        progress.fps, length / progress.seconds if progress.seconds else 0.0, timeline.coverage, len(timeline.faces),
        cards, veiled, audio, tuple(warnings), timeline,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return round(value, 4)
    return str(value) if isinstance(value, Path | MemoryFile) else value
