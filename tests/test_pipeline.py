"""The loop: what goes in comes out, in order, and nothing is left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from mien.ahead import ahead
from mien.pipeline import CancelledError, Pipeline, Progress
from mien.scene.avatar import AvatarScene
from mien.scene.guard import GuardedRenderer
from mien.types import Frame
from scripted import Kept, OvalRenderer, ScriptedTracker, face, frames


def scene() -> AvatarScene:
    return AvatarScene(GuardedRenderer(OvalRenderer(), engine="oval"))


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    yield
    assert not [t for t in threading.enumerate() if t.name == "mien-ahead"]


def test_every_frame_reaches_every_sink_with_its_time_stamp() -> None:
    sinks = [Kept(), Kept()]
    done = Pipeline(frames(30), ScriptedTracker(lambda n: [face()]), scene=scene(), sinks=sinks).run()
    assert done.frames == 30
    for sink in sinks:
        assert sink.pts == list(range(30))
        assert {picture.shape for picture in sink.pictures} == {(128, 128, 3)}


def test_timeline_covers_every_frame_and_face_with_emotions_off_the_original() -> None:
    seen: list[np.ndarray] = []

    def emotions(frame: Frame, who: object) -> np.ndarray:
        seen.append(frame.image)
        return np.full(7, 1 / 7, np.float32)

    script = ScriptedTracker(lambda n: [face(0), face(1, at=(60, 80), unit=20)] if n < 10 else [])
    pipeline = Pipeline(frames(20, seed=3), script, scene=scene(), sinks=[Kept()], emotions=emotions)
    pipeline.run()
    assert pipeline.timeline.frames_total == 20
    assert pipeline.timeline.coverage == 0.5
    assert pipeline.timeline.faces == [0, 1]
    original = next(iter(frames(1, seed=3))).image
    assert len(seen) == 20
    assert all(np.array_equal(image, original) for image in seen)


def test_without_a_scene_there_can_be_no_sink() -> None:
    with pytest.raises(ValueError, match="scene"):
        Pipeline(frames(1), ScriptedTracker(lambda n: []), sinks=[Kept()])
    assert Pipeline(frames(7), ScriptedTracker(lambda n: [])).run().frames == 7


def test_cancel_ends_the_run_after_the_frame_at_hand() -> None:
    sink = Kept()
    pipeline = Pipeline(
        frames(1000), ScriptedTracker(lambda n: []), scene=scene(), sinks=[sink],
        on_progress=lambda progress: pipeline.cancel() if progress.frames == 5 else None,
    )  # fmt: skip
    with pytest.raises(CancelledError):
        pipeline.run()
    assert len(sink.pictures) == 5


@pytest.mark.parametrize("stage", ["source", "tracker", "scene", "sink", "progress"])
def test_what_a_stage_raises_is_raised_by_run(stage: str) -> None:
    class BrokenError(Exception):
        pass

    def fail_at(name: str, number: int) -> None:
        if name == stage and number == 4:
            raise BrokenError(name)

    def source() -> Iterator[Frame]:
        for frame in frames(50):
            fail_at("source", frame.index)
            yield frame

    def track(frame: Frame) -> list[object]:
        fail_at("tracker", frame.index)
        return []

    def show(tracked: Iterator[tuple[Frame, list[object]]]) -> Iterator[Frame]:
        for frame, _ in tracked:
            fail_at("scene", frame.index)
            yield frame

    class Sink(Kept):
        def write(self, picture: np.ndarray, pts: int | None = None) -> None:
            assert pts is not None
            fail_at("sink", pts)
            super().write(picture, pts)

    def progress(at: Progress) -> None:
        fail_at("progress", at.frames)

    with pytest.raises(BrokenError, match=stage):
        Pipeline(source(), track, scene=show, sinks=[Sink()], on_progress=progress).run()  # type: ignore[arg-type]


def test_progress_counts_up_and_knows_the_pace() -> None:
    steps: list[Progress] = []
    Pipeline(frames(12), ScriptedTracker(lambda n: []), total=12, on_progress=steps.append).run()
    assert [step.frames for step in steps] == list(range(1, 13))
    assert steps[-1].total == 12
    assert steps[-1].time == pytest.approx(11 / 25)
    assert steps[-1].fps > 0
    assert steps[-1].speed > 0


def test_reading_ahead_is_bounded() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            made.append(number)
            yield number

    with ahead(numbers(), depth=3) as items:
        assert next(items) == 0
        time.sleep(0.2)
        assert len(made) <= 6  # one taken, three waiting, one held by the thread


def test_decoding_and_tracking_go_on_while_a_frame_is_rendered() -> None:
    threads: set[int] = set()

    def track(frame: Frame) -> list[object]:
        threads.add(threading.get_ident())
        return []

    Pipeline(frames(5), track, scene=scene(), sinks=[Kept()]).run()  # type: ignore[arg-type]
    assert threads.isdisjoint({threading.get_ident()})
