"""The card: what is shown in place of a picture that must not be."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from mien.types import Picture

_PAPER, _FIGURE, _INK = (226, 224, 219), (198, 194, 187), (96, 92, 88)
_SUPERSAMPLED = 4


@lru_cache(maxsize=4)
def card(size: tuple[int, int], text: str = "picture hidden") -> Picture:
    """(H, W, 3) uint8 RGB, read-only: a faceless figure on plain paper. `size` is (width, height)."""
    width, height = size
    side = min(width, height)
    scale = _SUPERSAMPLED if max(size) <= 1024 else 1
    picture = np.full((height * scale, width * scale, 3), _PAPER, np.uint8)

    def place(x: float, y: float) -> tuple[int, int]:
        return round((width / 2 + x * side) * scale), round((height / 2 + y * side) * scale)

    def length(x: float) -> int:
        return max(1, round(x * side * scale))

    cv2.ellipse(picture, place(0, 0.27), (length(0.22), length(0.2)), 0, 180, 360, _FIGURE, -1, cv2.LINE_AA)
    cv2.circle(picture, place(0, -0.08), length(0.125), _PAPER, -1, cv2.LINE_AA)
    cv2.ellipse(picture, place(0, -0.09), (length(0.1), length(0.125)), 0, 0, 360, _FIGURE, -1, cv2.LINE_AA)
    _write(picture, text, place(0, 0.37), length(0.045))
    if scale > 1:
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    picture.flags.writeable = False
    return picture


def _write(picture: Picture, text: str, centre: tuple[int, int], height: int) -> None:
    font, thickness = cv2.FONT_HERSHEY_DUPLEX, max(1, height // 12)
    (_, unit), _ = cv2.getTextSize(text, font, 1, 1)
    scale = height / unit
    (width, _), _ = cv2.getTextSize(text, font, scale, thickness)
    cv2.putText(picture, text, (centre[0] - width // 2, centre[1]), font, scale, _INK, thickness, cv2.LINE_AA)
