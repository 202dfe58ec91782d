"""A process that sees faces leaves no core dump."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="core dumps are a matter of Unix")
def test_no_command_may_dump_its_memory() -> None:
    script = (
        "import resource, sys\n"
        "_, hard = resource.getrlimit(resource.RLIMIT_CORE)\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        "from mien.cli import main\n"
        "try:\n    main(['engines', '--json'])\n"
        "except SystemExit:\n    print(*resource.getrlimit(resource.RLIMIT_CORE))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    soft, hard = map(int, done.stdout.splitlines()[-1].split())
    assert 0 <= soft <= 1
    assert 0 <= hard <= 1
