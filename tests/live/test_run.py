"""A live run: the newest frame in, the avatar out, whatever happens to tracker, engine and source."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from conftest import UseEngine
from mien.errors import AvatarError, EngineError
from mien.live.run import LiveRun
from mien.media.newest import Newest
from mien.scene.card import card
from mien.types import Avatar, Expression, Face, Frame, Picture
from patience import LONG, wait_for
from scripted import (
    FailingRenderer,
    Kept,
    OvalRenderer,
    ScriptedTracker,
    SlowRenderer,
    face,
    frames,
    likeness,
    smile,
    textured,
)  # fmt: skip

SEEN = ScriptedTracker(lambda n: [face(expression=smile(1.0))])
RESTING = OvalRenderer()(Expression.neutral())[..., :3]
SMILING = OvalRenderer()(smile(1.0))[..., :3]


@pytest.fixture(autouse=True)
def _ovals(use_engine: UseEngine) -> None:
    use_engine(lambda avatar: OvalRenderer())


def run_over(count: int = 10, **options: object) -> tuple[LiveRun, Kept]:
    kept = Kept()
    run = LiveRun(frames(count), sinks=[kept], emotions=False, **{"tracker": SEEN, **options})  # type: ignore[arg-type]
    run.run()
    return run, kept


def paced(feed: Callable[[int], None] = lambda n: None, count: int = 400) -> Iterator[Frame]:
    """Frames at 200 a second; `feed` is told the number of each before it comes."""
    for frame in frames(count):
        time.sleep(0.005)
        feed(frame.index)
        yield frame


def until_smaller(running: Callable[[], LiveRun], sizes: list[int], *, wish: str = "") -> Iterator[Frame]:
    """Frames, until the run has gone down to a smaller size; `wish` is asked for at the third."""
    for frame in paced(count=2000):
        sizes.append(running().state.size)
        if sizes[-1] < sizes[0]:
            return
        if wish and frame.index == 2:
            running().wear(wish)
        yield frame


def test_every_frame_gives_a_picture_of_the_avatar_with_its_time_stamp() -> None:
    run, kept = run_over(10)
    assert kept.pts == list(range(10))
    assert np.array_equal(kept.pictures[-1], SMILING)
    assert run.timeline.frames_total == 10
    assert (run.state.faces, run.state.avatar) == (1, "maya")


def test_pictures_have_the_size_of_the_frame_asked_for() -> None:
    _, kept = run_over(3, frame=(200, 120))
    assert {picture.shape for picture in kept.pictures} == {(120, 200, 3)}


def test_no_face_rests_and_a_tracker_that_breaks_counts_as_no_face() -> None:
    _, kept = run_over(3, tracker=ScriptedTracker(lambda n: []))
    assert np.array_equal(kept.pictures[-1], RESTING)

    def breaks(frame: Frame) -> list[Face]:
        raise RuntimeError("the tracker broke")

    run, kept = run_over(3, tracker=breaks)
    assert len(kept.pictures) == 3
    assert np.array_equal(kept.pictures[-1], RESTING)
    assert "the tracker broke" in (run.state.trouble or "")


def test_an_engine_that_breaks_leaves_its_last_picture_standing(use_engine: UseEngine) -> None:
    use_engine(lambda avatar: FailingRenderer(lambda call: call > 3))
    _, kept = run_over(8)
    assert len(kept.pictures) == 8
    assert np.array_equal(kept.pictures[-1], kept.pictures[1])
    use_engine(lambda avatar: FailingRenderer(lambda call: True))
    with pytest.raises(EngineError, match="cannot draw"):
        run_over(1)


def test_paused_it_shows_the_card_and_looks_for_no_face() -> None:
    looked: list[int] = []

    def tracker(frame: Frame) -> list[Face]:
        looked.append(frame.index)
        return SEEN(frame)

    kept = Kept()
    run = LiveRun(
        paced(lambda n: run.pause(n >= 5), 10), sinks=[kept], tracker=tracker, emotions=False
    )  # fmt: skip
    run.run()
    assert np.array_equal(kept.pictures[4], SMILING)
    assert all(np.array_equal(picture, card((128, 128))) for picture in kept.pictures[5:])
    assert looked == [0, 1, 2, 3, 4]
    assert run.timeline.frames_total == 5
    assert run.state.paused


def test_another_avatar_is_worn_once_it_is_ready_and_one_that_cannot_be_had_changes_nothing(
    use_engine: UseEngine,
) -> None:
    class Green(OvalRenderer):
        def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
            picture = super().__call__(expression, time=time)
            picture[..., 1] = 255
            return picture

    ready = threading.Event()

    def prepare(avatar: Avatar) -> OvalRenderer:
        if avatar.name == "tik":
            ready.wait(LONG)
            return Green()
        return OvalRenderer()

    use_engine(prepare)
    kept, source = Kept(), Newest[Frame]()
    run = LiveRun(source, sinks=[kept], tracker=SEEN, emotions=False)
    thread = threading.Thread(target=run.run)
    thread.start()
    supply = iter(frames(1000))

    def one_more() -> Picture:
        before = len(kept.pictures)
        source.put(next(supply))
        wait_for(lambda: len(kept.pictures) > before)
        return kept.pictures[-1]

    try:
        run.wear("tik")
        assert np.array_equal(one_more(), SMILING)
        assert run.state.preparing == "tik"
        ready.set()
        wait_for(lambda: run.state.preparing is None)
        assert one_more()[0, 0, 1] == 255
        assert run.state.avatar == "tik"
        run.wear("nobody-of-that-name")
        wait_for(lambda: run.state.trouble is not None)
        assert "nobody-of-that-name" in (run.state.trouble or "")
        assert one_more()[0, 0, 1] == 255
    finally:
        run.stop()
        source.close()
        thread.join(LONG)
    assert not thread.is_alive()


def test_calibrating_reaches_the_tracker_at_the_next_face_seen() -> None:
    class Calibrating:
        calibrated: list[int]

        def __init__(self) -> None:
            self.calibrated, self._at = [], 0

        def __call__(self, frame: Frame) -> list[Face]:
            self._at = frame.index
            return [face()] if frame.index % 2 else []

        def calibrate(self) -> bool:
            self.calibrated.append(self._at)
            return True

    tracker = Calibrating()
    run = LiveRun(
        paced(lambda n: run.calibrate() if n == 4 else None, 12), sinks=[Kept()], tracker=tracker, emotions=False
    )  # fmt: skip
    run.run()
    assert tracker.calibrated == [5]
    assert run.state.calibrated


def test_a_slow_engine_delays_no_frame_behind_others(use_engine: UseEngine) -> None:
    use_engine(lambda avatar: SlowRenderer(0.05))
    source: Newest[Frame] = Newest()
    delays: list[float] = []
    given: dict[int, float] = {}

    class Clock:
        def write(self, picture: Picture, pts: int | None = None) -> None:
            assert pts is not None
            delays.append(time.perf_counter() - given[pts])

    run = LiveRun(source, sinks=[Clock()], tracker=SEEN, emotions=False)
    thread = threading.Thread(target=run.run)
    thread.start()
    for frame in frames(20_000):
        given[frame.pts] = time.perf_counter()
        source.put(frame)
        time.sleep(0.002)
        if len(delays) > 15:
            break
    source.close()
    thread.join(LONG)
    assert len(delays) > 15
    assert source.dropped > len(delays)
    assert np.quantile(delays, 0.5) < 0.4  # in a queue, seconds


def test_a_machine_that_is_too_slow_gets_a_smaller_avatar_by_itself(use_engine: UseEngine) -> None:
    use_engine(lambda avatar: SlowRenderer(0.08))
    sizes: list[int] = []
    run = LiveRun(until_smaller(lambda: run, sizes), sinks=[Kept()], tracker=SEEN, emotions=False)
    run.run()
    assert sizes[0] == 512
    assert run.state.size == 384
    assert run.state.slowed


def test_nothing_of_the_frames_is_in_the_pictures() -> None:
    size = (128, 128)
    kept = Kept()
    script = ScriptedTracker(lambda n: [face(at=(64, 50), unit=30, expression=smile(n / 20))] if n % 5 else [])
    source = (Frame(textured(n, size), n, n / 25, n) for n in range(20))
    LiveRun(source, sinks=[kept], tracker=script, emotions=False, frame=size).run()
    for number, picture in enumerate(kept.pictures):
        assert likeness(picture, textured(number, size)) < 0.35
    assert likeness(textured(1, size), textured(1, size)) > 0.99


def test_a_slow_machine_is_relieved_after_a_wrong_wish_too(use_engine: UseEngine) -> None:
    use_engine(lambda avatar: SlowRenderer(0.08))
    run = LiveRun(
        until_smaller(lambda: run, [], wish="nobody-of-that-name"), sinks=[Kept()], tracker=SEEN, emotions=False
    )
    run.run()
    assert run.state.size == 384


def test_what_cannot_be_worn_is_said_at_once() -> None:
    with pytest.raises(AvatarError, match="nobody"):
        LiveRun(frames(1), avatar="nobody", tracker=SEEN)
