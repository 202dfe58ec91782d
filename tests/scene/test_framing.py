"""An avatar's picture in a frame of another shape."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.scene.framing import Framing
from mien.types import Picture
from scripted import textured

_SIDES = st.integers(16, 300)
_FRAMES = st.integers(1, 300)


def plain(size: tuple[int, int] = (96, 96)) -> Picture:
    """A red square in the middle of a plain ground that darkens downwards."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[:] = np.linspace(200, 160, size[1])[:, None, None]
    picture[30:60, 30:60] = (200, 0, 0)
    return picture


@given(_SIDES, _SIDES, _FRAMES, _FRAMES, st.floats(0.5, 3), st.booleans())
def test_every_picture_fills_every_frame(w: int, h: int, width: int, height: int, zoom: float, mirrored: bool) -> None:
    picture = textured(1, (w, h))
    framed = Framing(picture, (width, height))(picture, zoom=zoom, mirrored=mirrored)
    assert framed.shape == (height, width, 3)
    assert framed.dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3)])
@pytest.mark.parametrize("picture", [textured(1, (300, 20)), textured(1, (20, 300)), plain()])
def test_the_smallest_frames(picture: Picture, size: tuple[int, int]) -> None:
    for zoom in (0.5, 1, 3):
        assert Framing(picture, size)(picture, zoom=zoom).shape == (*size[::-1], 3)


def test_without_a_frame_the_picture_passes_as_it_is() -> None:
    picture = textured(2)
    assert np.array_equal(Framing(picture)(picture), picture)


def test_a_plain_ground_is_led_on_to_the_sides() -> None:
    framed = Framing(plain(), (192, 96))(plain())
    assert np.array_equal(framed[:, 48:144], plain())
    assert (np.abs(framed[:, :48].astype(int) - plain()[:, :1].astype(int)) <= 1).all()


def test_a_picture_full_of_detail_stands_before_a_dark_blur_of_itself() -> None:
    picture = textured(3, (96, 96))
    framed = Framing(picture, (192, 96))(picture)
    assert np.array_equal(framed[:, 48:144], picture)
    side = framed[:, :48].astype(float)
    assert side.mean() < picture.mean()
    assert np.abs(np.diff(side, axis=1)).mean() < np.abs(np.diff(picture.astype(float), axis=1)).mean() / 4


def test_mirrored_and_zoomed_about_the_middle() -> None:
    picture = plain()
    picture[40:50, 35:40] = (0, 0, 255)
    framing = Framing(picture)
    assert np.array_equal(framing(picture, mirrored=True), picture[:, ::-1])

    def red(p: Picture) -> int:
        return int(((p[..., 0] > 150) & (p[..., 1] < 60)).sum())

    assert red(framing(picture, zoom=1.5)) == pytest.approx(2.25 * red(picture), rel=0.1)
    assert red(framing(picture, zoom=0.5)) == pytest.approx(0.25 * red(picture), rel=0.2)
