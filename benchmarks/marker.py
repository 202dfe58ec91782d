"""A number in the corner of a picture, as blocks that survive JPEG and scaling; `live_page.js` reads the same."""

from __future__ import annotations

from typing import Final

import numpy as np

from mien.types import Array, Picture

NUMBERS: Final = 1 << 12
"""As many can be told apart; they are followed by four bits to check them."""
_SIDE: Final = 4
"""Blocks a side."""
_ROWS: Final = 30
"""A block is so many times in a picture's height."""


def stamp(picture: Picture, number: int) -> None:
    """Write a number below `NUMBERS` into the upper left corner of (H, W, 3) uint8."""
    block = _block(picture)
    bits = (_checked(number) >> np.arange(_SIDE * _SIDE)) & 1
    blocks = np.kron(bits.reshape(_SIDE, _SIDE), np.full((block, block), 255))
    picture[: block * _SIDE, : block * _SIDE] = blocks[..., None]


def read(picture: Picture) -> int | None:
    """The number in (H, W, 3) uint8; None where there is none."""
    block = _block(picture)
    corner: Array = picture[: block * _SIDE, : block * _SIDE].mean(axis=2).reshape(_SIDE, block, _SIDE, block)
    quarter = block // 4
    middles = corner[:, quarter:-quarter, :, quarter:-quarter].mean(axis=(1, 3)) > 127
    value = int((middles.reshape(-1) << np.arange(_SIDE * _SIDE)).sum())
    return value >> 4 if value == _checked(value >> 4) else None


def _block(picture: Picture) -> int:
    return round(picture.shape[0] / _ROWS)


def _checked(number: int) -> int:
    """The number and its check; neither a black nor a white corner is one."""
    return number << 4 | (number ^ number >> 4 ^ number >> 8 ^ 0b1010) & 15
