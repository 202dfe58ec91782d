"""Which errors mean that the machine has not enough memory."""

from __future__ import annotations

import errno
from typing import Final

_SAID: Final = (
    "bad_alloc",
    "insufficient memory",
    "cannot allocate memory",
    "failed to allocate",
    "failed to map segment",
    "can't start new thread",
)
"""What C++, OpenCV, the system's loader, LiteRT and Python say in errors of other types."""


def out_of_memory(error: BaseException) -> bool:
    """Whether the error, or one that it was raised from, is for lack of memory."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM or any(s in text for s in _SAID):
        return True
    return error.__cause__ is not None and out_of_memory(error.__cause__)
