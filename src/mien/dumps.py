"""No core dumps: the memory of a process that sees faces must not be written to a disk when it crashes."""

from __future__ import annotations

import sys
from contextlib import suppress


def forbid_core_dumps() -> None:
    """For this process and those it starts; nothing on systems without such a limit.

    The limit is one byte, not none: Linux writes no file then, and passes nothing to a program that collects dumps
    either, which a limit of 0 alone does not keep it from. Windows shows no box and reports nothing to its collector.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.SetErrorMode(msvcrt.SEM_FAILCRITICALERRORS | msvcrt.SEM_NOGPFAULTERRORBOX)
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
