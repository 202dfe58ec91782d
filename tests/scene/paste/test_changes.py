"""What has changed in the picture, and what has not been searched since."""

from __future__ import annotations

import cv2
import numpy as np

from mien.scene.paste.changes import Changes
from mien.scene.paste.places import CELLS
from mien.types import Picture
from scripted import textured

SIZE = (384, 216)


def room() -> Picture:
    return textured(3, SIZE)


def with_somebody(x: int, y: int, side: int = 40) -> Picture:
    picture = room()
    picture[y : y + side, x : x + side] = (240, 20, 60)
    return picture


def test_what_turns_up_is_seen_at_once_and_what_stays_is_not() -> None:
    changes = Changes()
    changes(room())
    assert not changes(room()).any()
    sudden = changes(with_somebody(200, 100))
    rows, columns = np.nonzero(sudden)
    assert len(rows) > 20
    assert 200 / SIZE[0] * CELLS[0] - 1 <= columns.min() <= columns.max() <= 240 / SIZE[0] * CELLS[0] + 1
    assert not changes(with_somebody(200, 100)).any()


def test_a_small_movement_is_not_sudden_but_adds_up() -> None:
    changes = Changes()
    changes(with_somebody(200, 100))
    changes.searched(None)
    for x in range(201, 231):
        assert not changes(with_somebody(x, 100)).any()
    assert changes.unsearched().sum() > 40
    changes.searched(changes.unsearched())
    assert not changes.unsearched().any()


def test_a_dark_picture_changes_by_less() -> None:
    changes = Changes()
    changes(room() // 8)
    changes.searched(None)
    assert changes(with_somebody(200, 100) // 8).any()
    assert changes.unsearched().any()


def test_everything_is_unsearched_at_first() -> None:
    changes = Changes()
    changes(room())
    assert changes.unsearched().all()


def test_what_turns_up_before_a_fine_pattern_is_seen_too() -> None:
    pattern = np.where((np.indices(SIZE[::-1]) // 6).sum(0) % 2, 230, 30).astype(np.uint8)[..., None].repeat(3, 2)
    changes = Changes()
    changes(pattern)
    appeared = pattern.copy()
    appeared[60:130, 200:270] = np.asarray(cv2.GaussianBlur(textured(5, SIZE), (0, 0), 6), np.uint8)[60:130, 200:270]
    sudden = changes(appeared)
    assert sudden[round(95 / SIZE[1] * CELLS[1]), round(235 / SIZE[0] * CELLS[0])]
