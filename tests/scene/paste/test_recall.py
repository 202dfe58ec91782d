"""What the first pass tracked is given again in the second: the same faces, once, and none that was not tracked."""

from __future__ import annotations

from mien.scene.paste.recall import Recall
from mien.types import Face, Frame
from scripted import face, frames


def script(frame: Frame) -> list[Face]:
    return [] if frame.index == 2 else [face(0), face(1, at=(40, 60 + frame.index))]


def test_the_same_faces_come_again_and_each_frame_once() -> None:
    recall = Recall(script)
    clip = list(frames(5))
    seen = [recall(frame) for frame in clip]
    replay = recall.replay()
    assert replay is not None
    again = [replay(frame) for frame in clip]
    assert all(a is b for one, other in zip(seen, again, strict=True) for a, b in zip(one, other, strict=True))
    assert [len(faces) for faces in again] == [2, 2, 0, 2, 2]
    assert all(replay(frame) == [] for frame in clip)


def test_a_frame_that_was_not_tracked_shows_nobody() -> None:
    recall = Recall(script)
    recall(next(iter(frames(1))))
    replay = recall.replay()
    assert replay is not None
    assert replay(list(frames(8))[7]) == []


def test_a_long_clip_is_tracked_again() -> None:
    recall = Recall(script, most=40_000)
    clip = list(frames(6))
    assert [len(recall(frame)) for frame in clip] == [2, 2, 0, 2, 2, 2]
    assert recall.replay() is None
