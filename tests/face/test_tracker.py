"""Everybody keeps their number, nobody is invented, and what is gone is not held."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.face.tracker import FaceTracker
from mien.media.reader import VideoReader
from mien.types import COEFFICIENT, Picture

from .conftest import placed, room, run


def test_a_moving_head_is_one_person_throughout(tracker: FaceTracker, ada: Picture) -> None:
    path = [(40 + 9 * i, 60 + 40 * np.sin(i / 6)) for i in range(40)]
    faces = run(tracker, (placed(room(), ada, x, y) for x, y in path))
    assert [[face.id for face in frame] for frame in faces] == [[0]] * 40
    found = np.array([(frame[0].box[:2] + frame[0].box[2:]) / 2 for frame in faces])
    wanted = np.array(path)
    assert np.abs((found - found[0]) - (wanted - wanted[0])).max() < 6
    assert all(frame[0].confidence > 0.9 for frame in faces)


def test_an_empty_picture_has_no_face(tracker: FaceTracker) -> None:
    assert run(tracker, [room()] * 10) == [[]] * 10


def test_who_leaves_is_gone_and_comes_back_as_themselves(tracker: FaceTracker, ada: Picture) -> None:
    here = [placed(room(), ada, 80, 100)] * 12
    there = [placed(room(), ada, 380, 180)] * 12
    faces = run(tracker, [*here, *[room()] * 20, *there])
    assert all([face.id for face in frame] == [0] for frame in faces[:12])
    assert all(frame == [] for frame in faces[12:32])
    assert all([face.id for face in frame] == [0] for frame in faces[34:])


def test_somebody_else_gets_another_number(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    faces = run(tracker, [placed(room(), ada, 200, 100)] * 12 + [room()] * 4 + [placed(room(), bob, 200, 100)] * 12)
    assert {face.id for frame in faces[:12] for face in frame} == {0}
    assert {face.id for frame in faces[18:] for face in frame} == {1}


def test_a_cut_to_somebody_else_and_back(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    one, other = placed(room(), ada, 200, 100), placed(255 - room(), bob, 200, 100)
    faces = run(tracker, [one] * 10 + [other] * 10 + [one] * 10)
    assert [frame[0].id for frame in faces] == [0] * 10 + [1] * 10 + [0] * 10


def test_two_people_side_by_side(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    pictures = [placed(placed(room(), ada, 60 + i, 100), bob, 380 - i, 130) for i in range(25)]
    faces = run(tracker, pictures)
    assert all([face.id for face in frame] == [0, 1] for frame in faces)
    left = {min(frame, key=lambda face: face.box[0]).id for frame in faces}
    assert len(left) == 1


def test_two_people_cross_and_stay_themselves(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    steps = 50
    pictures = [placed(placed(room(), bob, 400 - 7.2 * i, 130), ada, 40 + 7.2 * i, 100) for i in range(steps)]
    faces = run(tracker, pictures)
    assert {face.id for frame in faces for face in frame} == {0, 1}
    assert [len(frame) for frame in faces[:12]] == [2] * 12
    assert [len(frame) for frame in faces[-8:]] == [2] * 8

    def leftmost(index: int) -> int:
        return min(faces[index], key=lambda face: float(face.box[0])).id

    assert leftmost(0) != leftmost(-1)


def test_at_most_so_many_faces_largest_first(blazeface, mesh, ada: Picture, bob: Picture) -> None:  # type: ignore[no-untyped-def]
    small = ada[::2, ::2]
    picture = placed(placed(room(), small, 500, 40), bob, 80, 120)
    only = run(FaceTracker(blazeface, mesh, max_faces=1), [picture] * 4)
    assert all(len(frame) == 1 and frame[0].box[0] < 320 for frame in only)


def test_small_faces_are_found_and_given_their_own_number(tracker: FaceTracker, ada: Picture) -> None:
    tiny = cv2.resize(ada, (50, 60), interpolation=cv2.INTER_AREA)
    faces = run(tracker, [placed(room(960, 540), tiny, 700, 300)] * 3)
    assert all(len(frame) == 1 for frame in faces)
    assert faces[0][0].box[2] - faces[0][0].box[0] < 32


def test_somebody_small_who_comes_in_later_is_found(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    alone = placed(room(960, 540), bob, 100, 200)
    tiny = cv2.resize(ada, (60, 72), interpolation=cv2.INTER_AREA)
    faces = run(tracker, [alone] * 5 + [placed(alone, tiny, 700, 100)] * 75)
    assert [len(frame) for frame in faces[:5]] == [1] * 5
    assert [len(frame) for frame in faces[-5:]] == [2] * 5


def test_somebody_who_comes_in_beside_another_is_found_within_a_third_of_a_second(
    tracker: FaceTracker, ada: Picture, bob: Picture
) -> None:
    alone = placed(room(), ada, 80, 120)
    both = placed(alone, bob, 380, 120)
    for frames_before in range(10, 18):
        tracker.reset()
        found = run(tracker, [alone] * frames_before + [both] * 10)
        assert [len(faces) for faces in found[:frames_before]] == [1] * frames_before
        assert len(found[-1]) == 2


def test_lights_that_go_out_do_not_make_another_person(tracker: FaceTracker, ada: Picture) -> None:
    light = placed(room(), ada, 200, 100)
    dark = (light * 0.45).astype(np.uint8)
    faces = run(tracker, [light] * 8 + [dark] * 8 + [light] * 8)
    assert [[face.id for face in frame] for frame in faces] == [[0]] * 24


@pytest.mark.parametrize("shape", [(1, 1), (2, 2000), (2000, 3), (17, 31)])
def test_pictures_of_any_shape_are_taken(tracker: FaceTracker, shape: tuple[int, int]) -> None:
    assert run(tracker, [np.zeros((*shape, 3), np.uint8)] * 3) == [[]] * 3


def test_reset_forgets(tracker: FaceTracker, ada: Picture, bob: Picture) -> None:
    run(tracker, [placed(room(), ada, 200, 100)] * 3)
    tracker.reset()
    assert run(tracker, [placed(room(), bob, 200, 100)] * 3)[0][0].id == 0


def test_the_smile_is_seen(tracker: FaceTracker, ada: Picture) -> None:
    (face,) = run(tracker, [placed(room(), ada, 200, 100)] * 3)[-1]
    assert face.coefficients[COEFFICIENT["mouthSmileLeft"]] > 0.5
    assert face.coefficients[COEFFICIENT["mouthSmileRight"]] > 0.5
    assert face.coefficients[COEFFICIENT["eyeBlinkLeft"]] < 0.4
    assert abs(np.degrees(face.yaw)) < 15
    assert abs(np.degrees(face.pitch)) < 15


def test_leaning_shows_as_roll(tracker: FaceTracker, ada: Picture) -> None:
    picture = placed(room(), ada, 220, 120)
    for degrees in (-25, 20):
        turn = cv2.getRotationMatrix2D((320, 240), -degrees, 1.0)
        tracker.reset()
        (face,) = run(tracker, [cv2.warpAffine(picture, turn, (640, 480))] * 2)[-1]
        assert np.degrees(face.roll) == pytest.approx(degrees, abs=6)


def test_explicit_calibration_makes_this_face_the_neutral_one(tracker: FaceTracker, ada: Picture) -> None:
    assert not tracker.calibrate()
    picture = placed(room(), ada, 200, 100)
    before = run(tracker, [picture] * 20)[-1][0].expression
    assert before["mouthSmileLeft"] > 0.4
    assert tracker.calibrate()
    after = run(tracker, [picture] * 3)[-1][0].expression
    assert after["mouthSmileLeft"] < 0.05
    assert np.abs(after.offsets).max() < 0.02
    tracker.release()
    assert run(tracker, [picture] * 20)[-1][0].expression["mouthSmileLeft"] > 0.4


@pytest.mark.parametrize(
    ("clip", "people"),
    [("no_face", 0), ("s18", 1), ("WolfgangLanger_Pexels", 1), ("d12", 1), ("single_face", 1)],
)
def test_measuring_clips_show_as_many_people_as_they_have(
    tracker: FaceTracker, shared: Path, clip: str, people: int
) -> None:
    with VideoReader(shared / "data" / "clips" / f"{clip}.mp4") as reader:
        counts = [(len(faces), {face.id for face in faces}) for frame in reader for faces in [tracker(frame)]]
    assert {count for count, _ in counts} == {people}
    assert set().union(*(ids for _, ids in counts)) == set(range(people))
