"""How many threads OpenCV uses: one setting of the whole process, lowered while runs go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_blocks = 0
"""Blocks that are entered now, in any thread."""
_before = 0
"""The setting that the first of them found."""


@contextmanager
def opencv_threads(number: int) -> Iterator[None]:
    """OpenCV uses `number` threads inside the block. Blocks may overlap, in several threads and in any order: the first
    one to begin sets the number, the last one to end restores what was there before."""
    global _blocks, _before
    import cv2

    with _lock:
        if not _blocks:
            _before = cv2.getNumThreads()
            cv2.setNumThreads(number)
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks:
                cv2.setNumThreads(_before)
