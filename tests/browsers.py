"""The real browser that tests drive; where there is none they are skipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from benchmarks import browser
from benchmarks.browser import CAMERA_FPS, CAMERA_SIZE, NoBrowser, film

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["CAMERA_FPS", "CAMERA_SIZE", "chromium", "film"]


@contextmanager
def chromium(camera: Path | None = None, *, more: Iterable[str] = ()) -> Iterator[Browser]:
    """Headless, with a fresh profile; skips where there is no browser, or nothing to drive it with."""
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(browser.chromium(camera, more=more))
        except NoBrowser as error:
            pytest.skip(str(error))
        yield opened
