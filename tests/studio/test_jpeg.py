"""Frames from the browser: measured before they are decoded, and nothing odd is decoded at all."""

from __future__ import annotations

import io
import struct
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mien.errors import InputError
from mien.studio import jpeg
from scripted import likeness, textured


def test_pictures_survive_the_way_there_and_back() -> None:
    picture = textured(1, (320, 240))
    data = jpeg.encode(picture, quality=95)
    assert jpeg.measure(data) == (320, 240)
    back = jpeg.decode(data)
    assert back.shape == picture.shape
    assert np.abs(back.mean((0, 1)) - picture.mean((0, 1))).max() < 2
    assert likeness(back, picture) > 0.9


def test_colours_are_rgb() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 250
    buffer = io.BytesIO()
    Image.fromarray(red).save(buffer, "JPEG")
    assert jpeg.decode(buffer.getvalue())[16, 16, 0] > 200
    assert jpeg.decode(jpeg.encode(red))[16, 16, 0] > 200


def claiming(width: int, height: int) -> bytes:
    """A real JPEG whose header claims another size."""
    data = bytearray(jpeg.encode(textured(1, (64, 64))))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize("size", [(30000, 30000), (65535, 65535), (1921, 1081), (0, 10), (10, 0)])
def test_a_picture_that_claims_too_much_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    began = time.process_time()
    with pytest.raises(InputError, match="claims"):
        jpeg.decode(claiming(*size))
    assert time.process_time() - began < 1


def test_a_second_header_cannot_smuggle_another_size_in() -> None:
    small = jpeg.encode(textured(1, (64, 64)))
    at = small.index(b"\xff\xc0")
    length = 2 + int.from_bytes(small[at + 2 : at + 4], "big")
    huge = bytearray(small[at : at + length])
    huge[5:9] = struct.pack(">HH", 30000, 30000)
    with pytest.raises(InputError):
        jpeg.decode(small[: at + length] + bytes(huge) + small[at + length :])


@pytest.mark.parametrize("filler", [b"\xff", b"\xff\xd0", b"\xff\x01", b"\xff\xd8", b"\x00"])
def test_what_a_decoder_would_skip_hides_no_second_size(filler: bytes) -> None:
    small = jpeg.encode(textured(1, (64, 64)))
    at = small.index(b"\xff\xc0")
    length = 2 + int.from_bytes(small[at + 2 : at + 4], "big")
    huge = bytearray(small[at : at + length])
    huge[5:9] = struct.pack(">HH", 12000, 12000)
    decoy = b"\xff\xe0" + struct.pack(">H", 2 + length) + small[at : at + length]
    for data in (small[:at] + filler + bytes(huge) + decoy + small[at + length :], small[:at] + filler + small[at:]):
        with pytest.raises(InputError):
            jpeg.decode(data)


def test_progressive_pictures_are_refused() -> None:
    data = cv2.imencode(".jpg", textured(1), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    with pytest.raises(InputError):
        jpeg.decode(data)


def test_other_formats_and_oversized_messages_are_refused() -> None:
    for data in (
        cv2.imencode(".png", textured(1))[1].tobytes(),
        b"",
        b"\xff\xd8",
        b"\xff\xd8" + bytes(2 << 20),
        b"GIF89a" + bytes(40),
    ):
        with pytest.raises(InputError):
            jpeg.decode(data)


@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 200))
def test_damage_anywhere_is_an_input_error_or_a_picture_of_the_size_claimed(rubbish: bytes, at: int, cut: int) -> None:
    good = jpeg.encode(textured(1, (48, 40)))
    for data in (rubbish, good[:at] + rubbish + good[at + len(rubbish) :], good[: len(good) - cut]):
        try:
            picture = jpeg.decode(data)
        except InputError:
            continue
        assert picture.shape[1::-1] == jpeg.measure(data)
        assert picture.dtype == np.uint8
