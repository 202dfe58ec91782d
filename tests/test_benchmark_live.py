"""The delay that the live benchmark tells: the number in a frame survives the way, and pictures find their frame."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from benchmarks import live_run, live_server, marker

from mien.studio import jpeg
from mien.types import Frame, Picture


@pytest.mark.parametrize("number", [0, 1, 599, 2730, marker.NUMBERS - 1])
@pytest.mark.parametrize("size", [(640, 480), (512, 512), (480, 360)])
def test_a_number_survives_jpeg_and_scaling(number: int, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(number).integers(0, 256, (480, 640, 3), np.uint8)
    picture = cv2.resize(noise, size)
    marker.stamp(picture, number)
    sent = jpeg.decode(jpeg.encode(picture, quality=60))
    assert marker.read(sent) == number
    assert marker.read(cv2.resize(sent, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)) == number


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_plain_picture_has_no_number(grey: int) -> None:
    assert marker.read(np.full((480, 640, 3), grey, np.uint8)) is None


def test_a_picture_answers_the_frame_it_was_made_from_however_often_the_clip_begins_anew() -> None:
    seen = [(n % 3, 100.0 * n) for n in range(7)]
    drawn = [(n % 3, 100.0 * n + 20 + n) for n in range(7)]
    delays, unknown = live_run.matched(np.array(seen), np.array(drawn))
    assert delays[:, 1].tolist() == pytest.approx([20 + n for n in range(7)])
    assert delays[:, 0].tolist() == pytest.approx([(100 * n + 20 + n) / 1000 for n in range(7)])
    assert unknown == 0


def test_only_the_first_sight_and_the_first_drawing_count() -> None:
    delays, unknown = live_run.matched(
        np.array([(5, 0.0), (5, 10.0), (6, 33.0)]), np.array([(5, 30.0), (5, 250.0), (6, 280.0)])
    )
    assert delays[:, 1].tolist() == [30.0, 247.0]
    assert unknown == 0


def test_a_picture_of_no_frame_that_was_seen_is_told_of() -> None:
    seen = np.array([(1, 0.0), (2, 33.0)])
    delays, unknown = live_run.matched(seen, np.array([(1, 40.0), (7, 50.0), (-1, 60.0), (2, 70.0)]))
    assert delays[:, 1].tolist() == [40.0, 37.0]
    assert unknown == 2


def test_pictures_of_frames_from_before_the_watch_do_not_count() -> None:
    delays, unknown = live_run.matched(np.array([(8, 10.0)]), np.array([(7, 15.0), (8, 45.0)]))
    assert delays[:, 1].tolist() == [35.0]
    assert unknown == 0


def test_nothing_seen_is_no_delay() -> None:
    delays, unknown = live_run.matched(np.empty((0, 2)), np.empty((0, 2)))
    assert delays.shape == (0, 2)
    assert unknown == 0


def test_each_picture_carries_the_number_of_its_frame_even_if_two_are_under_way() -> None:
    kept: list[tuple[int | None, int | None]] = []

    class Kept:
        def write(self, picture: Picture, pts: int | None = None) -> None:
            kept.append((marker.read(picture), pts))

    def frames() -> Iterator[Frame]:
        for n in range(4):
            image = np.full((480, 640, 3), 90, np.uint8)
            marker.stamp(image, 100 + n)
            yield Frame(image, n, n / 30, n)

    marks = live_server.Marks([Kept()])
    card = np.full((512, 512, 3), 200, np.uint8)
    waiting: list[Frame] = []
    for frame in marks.read(frames()):
        waiting.append(frame)
        if len(waiting) == 2:
            marks.write(card, waiting.pop(0).pts)
    assert kept == [(100, 0), (101, 1), (102, 2)]
    assert marker.read(card) is None
