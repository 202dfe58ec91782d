"""The function behind `mien live`: a camera in, the avatar out to a virtual camera and a preview, until somebody ends
it."""

from __future__ import annotations

import math
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from mien.errors import InputError, OutputError
from mien.live.stopwatch import Stopwatch
from mien.media.camera import Camera, ClipCamera, LiveSource, open_camera
from mien.options import GoingLive, takes

if TYPE_CHECKING:
    from mien.emotion.timeline import Timeline
    from mien.media.virtual_camera import VirtualCamera
    from mien.pipeline import Tracker
    from mien.studio.preview import Preview

TICK: Final = 0.05
"""Seconds between looks at keys, time and whether to end."""


@dataclass(frozen=True, slots=True)
class Status:
    """How a live run is doing, for the terminal and the preview. Plain values, and nothing of a picture."""

    avatar: str
    preparing: str | None
    """Avatar that is being made ready."""
    faces: int
    """Seen in the newest frame."""
    fps: float
    delay: float
    """Seconds from a frame's being taken to its picture's being handed on, the median of the last second."""
    paused: bool
    mirrored: bool
    zoom: float
    calibrated: bool
    slowed: bool
    """Whether the size was lowered because the machine was too slow."""
    unplugged: bool
    """Whether the camera is away and being looked for."""
    trouble: str | None
    """What else went wrong, in words."""
    shows_fps: bool
    shows_help: bool


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """How a live run went."""

    camera: str
    virtual: str | None
    """What the virtual camera is called; None without."""
    avatar: str
    """The one worn last."""
    seconds: float
    frames: int
    fps: float
    """Mean over the whole run."""
    delay_p50: float
    """Seconds from a frame's being taken to its picture's being handed on: half were faster. 0 without frames."""
    delay_p95: float
    """19 of 20 were faster."""
    coverage: float
    """Share of the frames in which a face was seen, 0 to 1."""
    files: tuple[Path, ...]
    warnings: tuple[str, ...]
    timeline: Timeline
    """Everything measured. It describes the real person."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, all but the timeline."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "timeline"}
        numbers = {name: round(value, 4) for name, value in values.items() if isinstance(value, float)}
        return values | numbers | {"files": [str(file) for file in self.files], "warnings": list(self.warnings)}


@takes(GoingLive)
def live(options: GoingLive) -> LiveOutcome:
    """Be at the webcam with another face: camera in, avatar out, as a camera that any meeting program can choose."""
    with LiveShow(options) as show:
        show.play()
    return show.outcome()


class LiveShow:
    """One run of `live`, from the camera to whoever looks on. Use as a context manager; `on_tick` sees it every `TICK`
    seconds.

    Raises what stands in the way, before anything is shown: InputError (camera, clip, size), AvatarError, EngineError,
    ModelError, OutputError (files, and the virtual camera where there is no preview to go on with).
    """

    def __init__(self, options: GoingLive) -> None:
        from mien.api import check_size
        from mien.avatar import library
        from mien.face.parts import open_tracker
        from mien.live.commands import Remote, wearables
        from mien.live.run import LiveRun
        from mien.media.virtual_camera import even

        self._options = options
        self.notes: list[str] = []
        """What to know that is no error."""
        check_size(options.size)
        if options.seconds is not None and not 0 < options.seconds < math.inf:
            raise InputError(
                f"A run of {options.seconds:g} seconds is not possible. Give more than 0, or leave it out: then it "
                "goes on until you end it."
            )
        wanted = library.find(options.avatar)  # a wrong name is known before the camera is on
        self._targets = _targets(options, library.files(wanted))
        if not (options.virtual or options.preview or self._targets):
            raise InputError("Nothing would come of this: leave out --no-virtual or --no-preview, or ask for --report.")
        tracker: Tracker = options.tracker or open_tracker(max_faces=3)
        self._error: BaseException | None = None
        self._files: list[Path] = []
        self._began = self._ended = time.monotonic()
        with ExitStack() as opened:
            self.camera = opened.enter_context(_camera(options))
            self.virtual: VirtualCamera | None = self._virtual(opened)
            self.preview: Preview | None = self._preview(opened)
            self._stopwatch = Stopwatch(self.camera.now)
            sinks = [sink for sink in (self.virtual, self.preview, self._stopwatch) if sink is not None]
            self._run = LiveRun(
                self.camera, avatar=options.avatar, size=options.size, engine=options.engine,
                frame=even(self.camera.size), sinks=sinks, emotions=bool(self._targets), tracker=tracker,
            )  # fmt: skip
            self._run.mirror(options.mirror)
            self.remote = Remote(self._run, *wearables(options.avatar))
            if self.preview is not None:
                self.preview.start(self)
            self._opened = opened.pop_all()
        self._thread = Thread(target=self._work, name="mien-live", daemon=True)

    def __enter__(self) -> LiveShow:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._opened.close()

    def play(self) -> None:
        """Go on until the camera's clip ends, somebody quits, or the time is up; write the files asked for.

        Raises InputError where a clip is damaged, OutputError where a file cannot be written, and whatever `on_tick`
        raises; the files are written all the same.
        """
        if self.preview is not None and self._options.browser:
            self.preview.open_browser()
        self._began = time.monotonic()
        self._thread.start()
        try:
            while self._thread.is_alive() and not self.remote.quit.is_set() and self._time_left():
                if self._options.on_tick is not None:
                    self._options.on_tick(self)
                self._thread.join(TICK)
        finally:
            self._run.stop()
            self.camera.close()
            self._thread.join()
            self._ended = time.monotonic()
            self._opened.close()  # the card is shown before anything is written, which can take a while
            self._write()
        if self._error is not None:
            raise self._error

    @property
    def status(self) -> Status:
        """How it is doing now."""
        state, remote = self._run.state, self.remote
        trouble = (self.virtual.trouble if self.virtual else None) or state.trouble
        return Status(
            avatar=state.avatar, preparing=state.preparing, faces=state.faces,
            fps=0.0 if self.camera.lost else state.fps,
            delay=round(self._stopwatch.recent, 3), paused=state.paused, mirrored=state.mirrored,
            zoom=round(state.zoom, 2),
            calibrated=state.calibrated, slowed=state.slowed, unplugged=self.camera.lost, trouble=trouble,
            shows_fps=remote.shows_fps, shows_help=remote.shows_help,
        )  # fmt: skip

    def outcome(self) -> LiveOutcome:
        """How it went, once `play` is over."""
        timeline, seconds = self._run.timeline, self._ended - self._began
        frames = timeline.frames_total
        warnings = list(self.notes)
        if self._run.state.slowed:
            warnings.append(f"This machine was too slow for the size: the last was {self._run.state.size} pixels.")
        if frames and timeline.coverage == 0:
            warnings.append("No face was ever seen: the avatar rested. Look for light from the front, and sit closer.")
        p50, p95 = self._stopwatch.percentiles(50, 95)
        return LiveOutcome(
            camera=self.camera.name, virtual=self.virtual.name if self.virtual else None, avatar=self._run.state.avatar,
            seconds=seconds, frames=frames, fps=frames / seconds if seconds > 0 else 0.0, delay_p50=p50, delay_p95=p95,
            coverage=timeline.coverage, files=tuple(self._files), warnings=tuple(warnings), timeline=timeline,
        )  # fmt: skip

    def _virtual(self, opened: ExitStack) -> VirtualCamera | None:
        """The virtual camera; without one a note, where there is a preview to go on with."""
        from mien.media.virtual_camera import VirtualCamera

        if not self._options.virtual:
            return None
        try:
            virtual = VirtualCamera(self.camera.size, self.camera.fps, device=self._options.device)
        except OutputError as error:
            if not self._options.preview or self._options.device is not None:
                raise
            self.notes.append(f"{error} For now the avatar is shown on the preview page only.")
            return None
        opened.enter_context(virtual)
        if isinstance(self.camera, Camera) and self.camera.path == virtual.device:
            raise InputError(f"{virtual.device} is the virtual camera itself. Choose a real one with --camera.")
        return virtual

    def _preview(self, opened: ExitStack) -> Preview | None:
        if not self._options.preview:
            return None
        try:
            from mien.studio.preview import Preview
        except ImportError as error:
            raise InputError(
                "The preview page needs packages that are not installed: pip install 'mien[live]'; or leave it out "
                "with --no-preview."
            ) from error
        return opened.enter_context(Preview(port=self._options.port))

    def _work(self) -> None:
        try:
            self._run.run()
        except BaseException as error:
            self._error = error

    def _time_left(self) -> bool:
        return self._options.seconds is None or time.monotonic() - self._began < self._options.seconds

    def _write(self) -> None:
        from mien.emotion.classifier import why_not
        from mien.emotion.report import write_report
        from mien.media.atomic import Outputs

        if not self._targets:
            return
        if reason := why_not():
            self.notes.append(reason)
        with Outputs() as outputs:
            for kind, file in self._targets.items():
                if kind == "csv":
                    self._run.timeline.write_csv(file, outputs=outputs)
                else:
                    write_report(self._run.timeline, file, title=self._options.title, outputs=outputs)
        self._files.extend(self._targets.values())


def _camera(options: GoingLive) -> LiveSource:
    if isinstance(options.camera, LiveSource):
        return options.camera
    camera = open_camera(options.camera, loop=options.loop)
    if options.loop and not isinstance(camera, ClipCamera):
        camera.close()
        raise InputError("--loop is for a clip that is played as a camera. Leave it out, or give a file to --camera.")
    return camera


def _targets(options: GoingLive, avatar: list[Path]) -> dict[str, Path]:
    """Files to write in the end, checked before anything begins."""
    from mien.media.atomic import check_target, final_name

    inputs = [path for path in (options.camera, *avatar) if isinstance(path, Path | str)]
    wanted = {kind: Path(file) for kind in ("csv", "report") if (file := getattr(options, kind)) is not None}
    if len({os.path.realpath(final_name(file)) for file in wanted.values()}) < len(wanted):
        raise OutputError(f"{options.csv} cannot be the table and the report. Give two names.")
    for file in wanted.values():
        check_target(file, *inputs)
        if not os.access(file.absolute().parent, os.W_OK):
            raise OutputError(
                f"{file} cannot be written: its folder is missing, or you have no permission there. Choose another."
            )
    return wanted
