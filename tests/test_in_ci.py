"""In CI a privacy test is never skipped for want of a model: it fails, and says what to do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PRIVACY = (
    "tests/test_egress.py::test_only_what_was_asked_for_is_written",
    "tests/test_egress.py::test_the_check_detects_a_look_up",
    "tests/test_fail_closed_tracked.py::test_no_face_shows_through_in_avatar",
    "tests/live/test_job.py::TestFailClosed::test_nobody_is_the_avatar_at_rest",
)
OTHER = "tests/test_api.py"
SKIPPED_BY_SYSTEM = """
import pytest
pytestmark = pytest.mark.privacy
@pytest.mark.skipif(True, reason="another system")
def test_elsewhere(): ...
"""


def suite(folder: Path, *tests: str, ci: str | None) -> tuple[int, str]:
    """Exit code and words of a run of tests on a machine without any model."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_ADDOPTS")}
    environment |= {"MIEN_MODELS": "", "XDG_CACHE_HOME": str(folder / "cache"), "LOCALAPPDATA": str(folder / "cache")}
    if sys.platform == "darwin":
        environment["HOME"] = str(folder)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *tests], capture_output=True, text=True,
        timeout=300, check=False, cwd=Path(__file__).parents[1],
        env=environment if ci is None else environment | {"CI": ci},
    )  # fmt: skip
    return ran.returncode, ran.stdout


def test_without_a_model_they_fail_and_say_what_to_do(tmp_path: Path) -> None:
    code, words = suite(tmp_path, *PRIVACY, ci="true")
    assert code == 1
    summary = words.splitlines()[-1]
    assert sum(map(int, re.findall(r"(\d+) (?:failed|error)", summary))) == len(PRIVACY)
    assert not re.search("skipped|passed", summary)
    assert "A privacy test cannot be skipped in CI: no face model on this machine" in words
    assert "mien models pull" in words


@pytest.mark.parametrize("ci", [None, "", "false"])
def test_elsewhere_they_are_skipped_with_the_reason(tmp_path: Path, ci: str | None) -> None:
    code, words = suite(tmp_path, PRIVACY[0], PRIVACY[2], ci=ci)
    assert code == 0
    assert "2 skipped" in words
    assert "no face model on this machine" in words


def test_other_tests_may_be_skipped_in_ci_too(tmp_path: Path) -> None:
    code, words = suite(tmp_path, OTHER, "-k", "not memory", ci="true")
    assert code == 0, words
    assert "no face model on this machine" in words


def test_tests_of_another_system_too(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_system.py").write_text(SKIPPED_BY_SYSTEM)
    code, words = suite(tmp_path, "--rootdir", str(tmp_path), str(tmp_path / "test_system.py"), ci="true")
    assert code == 0, words
    assert "1 skipped" in words
