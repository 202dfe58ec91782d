"""Draws an avatar in every expression, as one picture to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from mien.avatar import library
from mien.engine import registry
from mien.media.atomic import check_target
from mien.media.images import write_image
from mien.types import Avatar, Picture

_POSES: Final = (("neutral", 0.0), ("happy", 0.0), ("sad", 0.0), ("surprise", 0.0), ("angry", 0.0), ("fear", 0.0),
                 ("disgust", 0.0), ("neutral", 0.3))  # fmt: skip
"""Emotion and yaw in radians."""
_COLUMNS: Final = 4
_PAPER: Final = (236, 233, 228)


def write_sheet(avatar: Avatar, path: Path, *, size: int = 256) -> Path:
    """Write the sheet as PNG, JPEG or WebP and return its path. `size` is each picture's longer side in pixels. Raises
    OutputError where it cannot be written, or would replace the avatar itself."""
    check_target(path, *library.files(avatar))
    write_image(path, sheet(avatar, size=size))
    return path


def sheet(avatar: Avatar, *, size: int = 256) -> Picture:
    """(H, W, 3) uint8 RGB: the seven expressions and a turned head, four in a row, named."""
    from mien.avatar.performance import posed
    from mien.scene.avatar import lay_on

    renderer = registry.for_avatar(avatar.kind).prepare(avatar, size=size)
    cells = []
    for emotion, yaw in _POSES:
        picture = lay_on(renderer(posed(emotion, yaw=yaw)), _PAPER)
        name = emotion if not yaw else "turned"
        cv2.putText(
            picture, name, (size // 24, size // 11), cv2.FONT_HERSHEY_DUPLEX, size / 480, (40, 40, 40), 1, cv2.LINE_AA
        )
        cells.append(picture)
    rows = [np.concatenate(cells[i : i + _COLUMNS], axis=1) for i in range(0, len(cells), _COLUMNS)]
    return np.concatenate(rows, axis=0)
