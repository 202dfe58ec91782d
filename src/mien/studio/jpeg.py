"""JPEG between the browser and Python, measured before it is decoded: a small file can claim gigabytes."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from mien.errors import InputError
from mien.types import Picture

MAX_PIXELS: Final = 1920 * 1080
MAX_BYTES: Final = 1 << 20
QUALITY: Final = 88
_BASELINE: Final = (0xC0, 0xC1)
"""Start-of-frame markers that are taken: what browsers write. A progressive picture may have any number of scans."""
_BESIDE: Final = frozenset({0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)})
"""Segments that may stand before the picture: tables, restart interval, comment, application data. Anything else, fill
bytes too, a decoder could read in another way than we do."""
_SCAN: Final = 0xDA


def decode(data: bytes | memoryview) -> Picture:
    """(H, W, 3) uint8 RGB. Raises InputError for anything that is not one plain baseline JPEG of at most 1920×1080."""
    width, height = measure(data)
    if not 0 < width * height <= MAX_PIXELS:
        raise InputError(f"A frame claims {width}×{height} pixels; the limit is {MAX_PIXELS}.")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise _garbage() from error
    if picture is None or picture.shape[:2] != (height, width):
        raise _garbage()
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB, dst=picture), np.uint8)


def encode(picture: Picture, *, quality: int = QUALITY) -> bytes:
    """(H, W, 3) uint8 RGB as JPEG."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def measure(data: bytes | memoryview) -> tuple[int, int]:
    """Width and height from the header, nothing decoded. Raises InputError."""
    if len(data) > MAX_BYTES or bytes(data[:2]) != b"\xff\xd8":
        raise _garbage()
    at = 2
    size: tuple[int, int] | None = None
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == _SCAN and size is not None:
            return size
        if kind in _BASELINE and size is None and length >= 8 and at + 9 <= len(data):
            size = int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        elif kind not in _BESIDE or length < 2:
            break
        at += 2 + length
    raise _garbage()


def _garbage() -> InputError:
    return InputError("A frame is no JPEG as browsers write them.")
