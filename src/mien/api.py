"""The three things mien does, as functions: `anonymize`, `animate`, `read`. The command line calls these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mien.errors import EngineError, InputError, OutputError
from mien.options import Animating, Anonymizing, Reading, Rerendering, Tracking, takes
from mien.types import Avatar, Frame, Scene

if TYPE_CHECKING:
    from mien.emotion.timeline import Timeline
    from mien.media.reader import VideoReader
    from mien.pipeline import EmotionReader, Progress, Tracker
    from mien.scene.avatar import AvatarScene
    from mien.scene.paste import PasteScene

Clip = Annotated[Path, "The video to read."]
SIZES = range(64, 2049)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did."""

    input: Path
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
    cards: int
    """Frames in whose place the card is shown."""
    audio: str | None
    """What became of the sound."""
    warnings: tuple[str, ...]
    timeline: Timeline
    """Everything measured; `timeline.to_frame()` is a pandas table."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, all but the timeline."""
        record = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "timeline"}
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in record.items()}
        rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in plain.items()}
        return rounded | {"files": [str(f) for f in self.files], "warnings": list(self.warnings)}


@takes(Anonymizing)
def anonymize(clip: Clip, options: Anonymizing) -> Outcome:
    """Give everybody in a clip another face and keep what their own expresses."""
    return _rerender(clip, options.avatar, options, options.scene, f"{clip.stem}-anonymous.mp4", options)


@takes(Animating)
def animate(
    source: Annotated[str, "The picture to bring to life: a file, or an avatar by name."],
    driving: Annotated[Path, "The video whose expression it takes on."],
    options: Animating,
) -> Outcome:
    """Bring a picture to life with the expression of the person in a video."""
    return _rerender(driving, source, options, Scene.AVATAR, f"{Path(source).stem}-{driving.stem}.mp4", None)


@takes(Reading)
def read(
    clip: Annotated[Path, "The video or picture to read."],
    options: Reading,
) -> Outcome:
    """Read the visible expression off a clip or a picture: a table, a summary and a report. No video is made."""
    from mien.avatar.library import PICTURES
    from mien.pipeline import Pipeline

    stem = options.output or clip.with_suffix("")
    targets = _side_files(stem, options, clip)
    warnings: list[str] = []
    if clip.suffix.lower() in PICTURES:
        frames: Iterable[Frame] = [_still(clip)]
        pipeline = Pipeline(
            frames, _tracker(options), emotions=_emotions(warnings), total=1, on_progress=options.on_progress
        )
        progress = pipeline.run()
    else:
        from mien.media.reader import VideoReader

        with VideoReader(clip) as video:
            pipeline = Pipeline(
                video, _tracker(options), emotions=_emotions(warnings), total=video.frame_count,
                on_progress=options.on_progress,
            )  # fmt: skip
            progress = pipeline.run()
    return _outcome(clip, None, targets, pipeline.timeline, progress, warnings)


def _rerender(
    clip: Path, wanted: str | Path, options: Rerendering, scene: Scene, default_name: str, more: Anonymizing | None
) -> Outcome:
    from mien.avatar import library
    from mien.engine import registry
    from mien.media.atomic import check_target
    from mien.media.reader import VideoReader
    from mien.media.writer import VideoWriter
    from mien.pipeline import Pipeline

    if options.size not in SIZES:
        raise InputError(f"A size of {options.size} is not possible. Choose from {SIZES[0]} to {SIZES[-1]} pixels.")
    output = options.output or clip.with_name(default_name)
    warnings: list[str] = []
    with VideoReader(clip) as video:
        if output.suffix.lower() not in (".mp4", ".m4v"):
            raise OutputError(f"{output}: mien writes MP4. Give a name that ends in .mp4.")
        avatar = library.find(wanted)
        check_target(output, clip, avatar.path)
        targets = _side_files(output, options, clip)
        engine = registry.get(options.engine) if options.engine else registry.for_avatar(avatar.kind)
        tracker = _tracker(options)
        stage = _scene(engine, avatar, options.size, scene, more, video)
        with VideoWriter.like(video, output, size=stage.size, audio=options.audio) as writer:
            pipeline = Pipeline(
                video, tracker, scene=stage, sinks=[writer], emotions=_emotions(warnings), total=video.frame_count,
                on_progress=options.on_progress,
            )  # fmt: skip
            progress = pipeline.run()
            warnings += stage.verdict()
    return _outcome(
        clip, output, targets, pipeline.timeline, progress, warnings,
        avatar=avatar.name, engine=engine.name, scene=scene.value, cards=stage.cards, audio=writer.audio_note,
    )  # fmt: skip


def _scene(
    engine: Any, avatar: Avatar, size: int, scene: Scene, options: Anonymizing | None, video: VideoReader
) -> AvatarScene | PasteScene:
    from mien.scene.avatar import AvatarScene
    from mien.scene.guard import GuardedRenderer

    if engine.needs != "expression":
        raise EngineError(f"The engine {engine.name!r} needs the driver's pixels, which this command never gives away.")
    if avatar.kind not in engine.takes:
        raise EngineError(f"The engine {engine.name!r} takes {' and '.join(engine.takes)}, not a {avatar.kind}.")
    renderer = GuardedRenderer(engine.prepare(avatar, size=size), engine=engine.name)
    if scene is Scene.AVATAR:
        return AvatarScene(renderer, people=options.people if options else 1)
    from mien.scene.paste import PasteScene

    return PasteScene(
        renderer,
        size=video.size,
        fit_colours=avatar.kind == "picture",
        forget_after=options.forget_after if options else None,
    )


def _tracker(options: Tracking) -> Tracker:
    from mien import models
    from mien.face.detect import BlazeFace
    from mien.face.landmarks import FaceMesh
    from mien.face.parts import read_task
    from mien.face.tracker import FaceTracker

    parts = read_task(models.path("face-landmarker"))
    return FaceTracker(
        BlazeFace(parts["face_detector.tflite"]),
        FaceMesh(parts["face_landmarks_detector.tflite"], parts["face_blendshapes.tflite"]),
    )


def _emotions(warnings: list[str]) -> EmotionReader | None:
    """Smoothed probabilities for every face; None, with a warning, where the weights are not on this machine."""
    from mien import models
    from mien.emotion.classifier import MODEL, EmotionClassifier
    from mien.emotion.smoothing import EmotionSmoother

    if not models.available(MODEL):
        warnings.append(f"No emotion model on this machine, so no emotions were read: `mien models pull {MODEL}`.")
        return None
    classify, smooth = EmotionClassifier.find(), EmotionSmoother()
    return lambda frame, face: smooth(face.id, frame.time, classify(frame, face))


def _still(path: Path) -> Frame:
    from mien.media.images import read_image

    picture = read_image(path)
    from mien.scene.avatar import lay_on

    return Frame(lay_on(picture, (255, 255, 255)), 0, 0.0)


def _side_files(stem: Path, options: Reading | Rerendering, clip: Path) -> dict[str, Path]:
    """Where tables and reports go, checked before any work is done."""
    from mien.media.atomic import check_target

    endings = {"csv": ".expression.csv", "summary": ".expression.json", "report": ".report.html"}
    base = stem.with_suffix("") if stem.suffix.lower() in (".mp4", ".m4v") else stem
    files = {kind: base.with_name(base.name + end) for kind, end in endings.items() if getattr(options, kind)}
    for file in files.values():
        check_target(file, clip)
    return files


def _outcome(
    clip: Path, output: Path | None, targets: dict[str, Path], timeline: Timeline, progress: Progress,
    warnings: list[str], *, avatar: str | None = None, engine: str | None = None, scene: str | None = None,
    cards: int = 0, audio: str | None = None,
) -> Outcome:  # fmt: skip
    from mien.emotion.report import write_report

    if timeline.coverage == 0:
        warnings.append(f"No face was found anywhere in {clip}.")
    if "csv" in targets:
        timeline.write_csv(targets["csv"])
    if "summary" in targets:
        timeline.write_json(targets["summary"])
    if "report" in targets:
        write_report(timeline, targets["report"], title=clip.name, note=" ".join(warnings))
    return Outcome(
        clip, output, tuple(targets.values()), avatar, engine, scene, progress.frames, timeline.duration,
        progress.seconds, progress.fps, timeline.duration / progress.seconds if progress.seconds else 0.0,
        timeline.coverage, len(timeline.faces), cards, audio, tuple(warnings), timeline,
    )  # fmt: skip
