"""A live session without its page: frames in, answers out, drops of the connection, recording, what is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import UseEngine
from mien.live.run import LiveRun
from mien.media.reader import VideoReader
from mien.studio import jpeg
from mien.studio.live import ANSWER, INCOMING, LiveSession
from mien.studio.lives import Busy, Lives
from patience import wait_for
from scripted import OvalRenderer, ScriptedTracker, face, likeness, smile, textured


class Looker:
    """A page that keeps everything."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, np.ndarray]] = []
        self.words: list[dict[str, Any]] = []

    def picture(self, data: bytes) -> None:
        (number,) = ANSWER.unpack_from(data)
        self.pictures.append((number, jpeg.decode(data[ANSWER.size :])))

    def say(self, message: dict[str, Any]) -> None:
        self.words.append(message)


def message(number: int, milliseconds: int | None = None, picture: np.ndarray | None = None) -> bytes:
    data = jpeg.encode(textured(number, (160, 120)) if picture is None else picture)
    return INCOMING.pack(number, number * 40 if milliseconds is None else milliseconds) + data


def feed(session: LiveSession, page: Looker, numbers: range) -> None:
    """Frames one by one, each answered before the next."""
    for number in numbers:
        session.frame(message(number))
        wait_for(lambda number=number: bool(page.pictures) and page.pictures[-1][0] == number)  # type: ignore[misc]


@pytest.fixture
def open_run(use_engine: UseEngine) -> Callable[..., LiveRun]:
    use_engine(lambda avatar: OvalRenderer())
    tracker = ScriptedTracker(lambda n: [face(expression=smile(min(1, n / 10)))])
    return lambda source, **options: LiveRun(source, tracker=tracker, emotions=False, **options)


@pytest.fixture
def session(tmp_path: Path, open_run: Callable[..., LiveRun]) -> Iterator[LiveSession]:
    session = LiveSession("maya", recording=tmp_path / "avatar.mp4", open_run=open_run)
    yield session
    session.end()


def test_each_frame_is_answered_with_the_avatar_and_its_number(session: LiveSession) -> None:
    page = Looker()
    session.attach(page)
    feed(session, page, range(1, 8))
    assert [number for number, _ in page.pictures] == list(range(1, 8))
    assert all(picture.shape == (480, 480, 3) for _, picture in page.pictures)
    for number, picture in page.pictures:
        assert likeness(picture, jpeg.decode(jpeg.encode(textured(number, (480, 480))))) < 0.35
    time.sleep(0.11)  # states come ten times a second at most
    feed(session, page, range(8, 9))
    assert any(words["is"] == "state" and words["faces"] == 1 for words in page.words)


def test_garbage_is_left_out_and_the_session_goes_on(session: LiveSession) -> None:
    page = Looker()
    session.attach(page)
    for rubbish in (b"\xff\xd8\xff", b"rubbish", bytes(2000)):
        session.frame(INCOMING.pack(1, 0) + rubbish)
        time.sleep(0.02)
    feed(session, page, range(2, 5))
    assert [number for number, _ in page.pictures] == [2, 3, 4]


def test_a_page_that_comes_back_finds_its_session_and_time_goes_on(
    tmp_path: Path, open_run: Callable[..., LiveRun]
) -> None:
    lives = Lives(lambda: tmp_path / "avatar.mp4", open_run=open_run)
    first, second = Looker(), Looker()
    session = lives.start(first, None, "maya")
    feed(session, first, range(1, 4))
    with pytest.raises(Busy):
        lives.start(second, None, "maya")
    lives.detach(first)
    time.sleep(0.3)
    again = lives.start(second, session.id, "maya")
    assert again is session
    again.frame(message(1, 0))  # a page that was loaded anew counts from zero
    wait_for(lambda: bool(second.pictures))
    ended = lives.end(second)
    assert ended is not None
    times = ended.run.timeline.frame_times
    assert len(times) == 4
    assert (np.diff(times) > 0).all()
    assert times[-1] - times[-2] > 0.15
    assert len(first.pictures) == 3
    lives.close()


def test_a_session_nobody_comes_back_to_ends_by_itself(tmp_path: Path, open_run: Callable[..., LiveRun]) -> None:
    lives = Lives(lambda: tmp_path / "avatar.mp4", open_run=open_run, grace=0.1)
    page = Looker()
    session = lives.start(page, None, "maya")
    feed(session, page, range(1, 3))
    lives.detach(page)
    wait_for(lambda: lives.ended(session.id) is not None)
    other = Looker()
    assert lives.start(other, session.id, "maya") is not session
    lives.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "mien-live"]


def test_only_what_is_asked_for_is_recorded_and_only_the_avatar(
    tmp_path: Path, open_run: Callable[..., LiveRun]
) -> None:
    lives = Lives(lambda: tmp_path / "avatar.mp4", open_run=open_run)
    page = Looker()
    session = lives.start(page, None, "maya")
    feed(session, page, range(1, 5))
    assert list(tmp_path.iterdir()) == []
    assert session.command({"do": "record", "on": True})
    feed(session, page, range(5, 15))
    session.command({"do": "record", "on": False})
    feed(session, page, range(15, 25))
    session.command({"do": "record", "on": True})
    feed(session, page, range(25, 30))
    ended = lives.end(page)
    assert ended is not None
    assert ended.recording == tmp_path / "avatar.mp4"
    with VideoReader(ended.recording) as clip:
        recorded = list(clip)
    assert len(recorded) == 15
    for number, frame in zip([*range(5, 15), *range(25, 30)], recorded, strict=True):
        assert likeness(frame.image, np.asarray(jpeg.decode(jpeg.encode(textured(number, (480, 480)))))) < 0.4
    lives.forget(ended.id)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [{}, {"do": "zoom"}, {"do": "zoom", "factor": "2"}, {"do": "zoom", "factor": float("nan")}, {"do": "fly"},
              {"do": "wear", "avatar": 7}, {"do": "pause", "on": "yes"}],
)  # fmt: skip
def test_commands_that_make_no_sense_change_nothing(session: LiveSession, words: dict[str, Any]) -> None:
    before = session.state
    assert not session.command(words)
    assert session.state == before
