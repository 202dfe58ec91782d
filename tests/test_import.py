"""Importing mien and asking it for help is quick, opens no socket, loads nothing heavy and writes nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "cv2", "av", "pandas", "ai_edge_litert", "thorvg_python", "scipy", "matplotlib", "tensorflow")

AUDIT = """
import json, sys
seen = {"network": [], "written": []}

def watch(event, args):
    if event.startswith("socket."):
        seen["network"].append(event)
    writing = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writing and "__pycache__" not in str(args[0]):
        seen["written"].append(str(args[0]))
    if event in ("os.mkdir", "os.rename", "os.remove", "subprocess.Popen"):
        seen["written"].append(f"{event} {args[0]}")

sys.addaudithook(watch)
"""

RUNS = {
    "import": "import mien",
    "help": "sys.argv = ['mien', '--help']\nfrom mien.cli import main\ntry:\n    main()\nexcept SystemExit:\n    pass",
    "models": "import mien.models",
    "pipeline": "import mien.pipeline",
}


def _run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )


def _least(command: list[str], times: int = 5) -> float:
    """Seconds of the processor, for a busy machine must not count."""
    subprocess.run(command, capture_output=True, check=True)  # bytecode and disk cache, as on every later start
    spent = []
    for _ in range(times):
        before = os.times()
        subprocess.run(command, capture_output=True, check=True)
        after = os.times()
        spent.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(spent)


def test_import_is_quick() -> None:
    bare = _least([sys.executable, "-c", "pass"])
    assert _least([sys.executable, "-c", "import mien"]) - bare < 0.3


def test_help_is_quick() -> None:
    bare = _least([sys.executable, "-c", "pass"])
    assert _least([sys.executable, "-c", "from mien.cli import main; main()", "--help"]) - bare < 0.5


@pytest.mark.parametrize("what", RUNS)
def test_opens_no_socket_and_writes_nothing(what: str, tmp_path: Path) -> None:
    report = "print('\\nSEEN' + json.dumps(seen))"
    result = _run(f"{AUDIT}\n{RUNS[what]}\n{report}", HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    seen = json.loads(result.stdout.rpartition("SEEN")[2])
    assert seen == {"network": [], "written": []}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("what", ["import", "help"])
def test_loads_nothing_heavy(what: str) -> None:
    result = _run(f"import sys, json\n{RUNS[what]}\nprint('\\nSEEN' + json.dumps(sorted(sys.modules)))")
    loaded = {name.partition(".")[0] for name in json.loads(result.stdout.rpartition("SEEN")[2])}
    assert not loaded & set(HEAVY)
