"""The eight ways a stored picture can lie, as cameras note them in EXIF or in a container's display matrix."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from mien.types import Picture


@dataclass(frozen=True, slots=True)
class Orientation:
    """Steps that turn a stored picture upright, in this order."""

    transpose: bool = False
    """Swap rows and columns."""
    flip_x: bool = False
    flip_y: bool = False

    @staticmethod
    def from_display_matrix(matrix: tuple[int, ...]) -> Orientation:
        """From the nine 16.16 numbers of an MP4 `tkhd` (row-major; a stored point is a row vector on its left)."""
        a, b, _, c, d, *_ = matrix
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return Orientation(False, a < 0, d < 0)
        return Orientation(True, c < 0, b < 0)

    @staticmethod
    def from_degrees(clockwise: float) -> Orientation:
        """A turn alone, to the nearest quarter."""
        quarters = round(clockwise / 90) % 4
        return Orientation(quarters % 2 == 1, quarters in (1, 2), quarters in (2, 3))

    @property
    def degrees(self) -> int:
        """How far the stored picture is turned clockwise to stand upright: 0, 90, 180 or 270, mirroring apart."""
        if self.transpose:
            return 90 if self.flip_x else 270
        return 180 if self.flip_y else 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height once upright."""
        return (height, width) if self.transpose else (width, height)

    def __call__(self, picture: Picture) -> Picture:
        """Turn (H, W, C) uint8 upright. Returns the same array where there is nothing to do."""
        if self.transpose:
            picture = cv2.transpose(picture)  # type: ignore[assignment]
        if self.flip_x or self.flip_y:
            code = -1 if self.flip_x and self.flip_y else int(self.flip_x)
            picture = cv2.flip(picture, code)  # type: ignore[assignment]
        return picture
