"""How many clips a machine works on at a time."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_CORES_PER_JOB: Final = 1
"""A run keeps one and a half cores busy. Five clips, 1484 frames, on two idle cores, two rounds: 23.3 and 22.7 s one at
a time, 17.4 and 19.6 s two at a time, 19.1 and 19.5 s three at a time."""
_MEMORY_PER_JOB: Final = 1 << 30
"""Bytes of all the memory there is, which others need too. A run takes 240 MB for a small clip, 350 MB for one of
3840×2160."""
_CGROUP: Final = Path("/sys/fs/cgroup")


def usual_jobs() -> int:
    """As many as its cores and its memory are good for, at least one."""
    jobs = cores() // _CORES_PER_JOB
    if (memory := _memory()) is not None:
        jobs = min(jobs, memory // _MEMORY_PER_JOB)
    return max(1, jobs)


def cores() -> int:
    """Cores that this process may use: a container may have fewer than the machine."""
    with suppress(AttributeError, OSError):  # not on every system
        count = len(os.sched_getaffinity(0))
        with suppress(OSError, ValueError):
            allowed, period = (_CGROUP / "cpu.max").read_text().split()
            count = min(count, max(1, int(allowed) // int(period)))  # "max" is no number: no limit
        return count
    return os.cpu_count() or 1


def _memory() -> int | None:
    """Bytes of memory that this process may use; None where the system does not say."""
    with suppress(AttributeError, OSError, ValueError):
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError, ValueError):
            memory = min(memory, int((_CGROUP / "memory.max").read_text()))
        return memory
    return None
