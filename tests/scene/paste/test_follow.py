"""Places are followed by their texture, and let go where it is gone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.scene.paste.follow import follow
from mien.types import Array, Picture
from scripted import textured

SIZE = (160, 90)


def grey(seed: int) -> Picture:
    """Texture as soft as that of a face in a small picture."""
    return np.asarray(cv2.GaussianBlur(textured(seed, SIZE)[..., 1], (0, 0), 2), np.uint8)


def with_patch(x: int, y: int, side: int = 32) -> Picture:
    """A patch of another texture, which may lie partly outside."""
    picture, patch = grey(1), grey(2)[:side, :side]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + side, SIZE[0]), min(y + side, SIZE[1])
    picture[top:bottom, left:right] = patch[top - y : bottom - y, left - x : right - x]
    return picture


def box(x: int, y: int, side: int = 32) -> Array:
    return np.array([x, y, x + side, y + side], np.float32)


@settings(max_examples=60, deadline=None)
@given(x=st.integers(10, 110), y=st.integers(10, 45), dx=st.integers(-4, 4), dy=st.integers(-4, 4))
def test_a_place_is_found_where_its_texture_went(x: int, y: int, dx: int, dy: int) -> None:
    found = follow(with_patch(x, y), with_patch(x + dx, y + dy), box(x, y))
    assert found is not None
    assert np.abs(found - box(x + dx, y + dy)).max() < 1.5


def test_half_a_place_at_the_edge_is_followed_out_of_the_picture() -> None:
    x = 130
    while x < 148:
        found = follow(with_patch(x, 30), with_patch(x + 2, 30), box(x, 30))
        assert found is not None
        assert found[0] == pytest.approx(x + 2, abs=1)
        x += 2


def test_what_is_gone_or_was_never_in_sight_is_not_found() -> None:
    assert follow(with_patch(60, 30), grey(7), box(60, 30)) is None
    assert follow(with_patch(60, 30), grey(1), box(60, 30)) is None
    assert follow(grey(1), grey(1), box(200, 30)) is None


def test_a_flat_place_stays_where_it_is() -> None:
    flat = np.full(SIZE[::-1], 90, np.uint8)
    found = follow(flat, flat, box(40, 20))
    assert found is None or np.abs(found - box(40, 20)).max() < 0.5
