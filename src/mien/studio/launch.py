"""Opens the browser at a page of ours without telling the rest of the computer how to get in."""

from __future__ import annotations

import html
import os
import sys
import tempfile
import weakref
import webbrowser
from pathlib import Path
from threading import Timer
from typing import Final

from mien.errors import OutputError
from mien.studio.scratch import Scratch
from mien.studio.token import CODE_LIFETIME

SNAPS: Final = Path("/snap/bin")
"""Where snaps have their commands. Browsers among them see neither the system's temporary folders nor hidden ones."""
_BROWSERS: Final = ("firefox", "chromium", "brave", "opera", "vivaldi")
_PREFIX: Final = "mien-open-"


def open_browser(link: str) -> bool:
    """Whether a browser could be started; it is led to `link`, which holds a launch code.

    Everybody on a computer can read the command lines of programs, so the browser is given a file that only this user
    can read, and the file leads to the link. It goes when the code has run out, at the latest when the program ends.
    Nothing is started where a browser would take over the terminal, or where no such file can be made.
    """
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))):
        return False
    try:
        scratch = Scratch(_parent(), _PREFIX)
    except OutputError:
        return False
    remove = weakref.finalize(scratch, scratch.close)  # held by its own method until then: once, or at the exit
    page = scratch.path / "open.html"
    try:
        with os.fdopen(os.open(page, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(_leading_to(link))
        opened = webbrowser.open(page.as_uri())
    except (OSError, webbrowser.Error):
        opened = False
    if opened:
        expiry = Timer(CODE_LIFETIME, remove)
        expiry.daemon = True
        expiry.start()
    else:
        remove()
    return opened


def _parent() -> Path:
    """A place that the browser can read: in memory where the system has one of the user's own."""
    if sys.platform == "linux":
        if any((SNAPS / browser).exists() for browser in _BROWSERS):
            return Path.home()
        if (runtime := os.environ.get("XDG_RUNTIME_DIR")) and os.access(runtime, os.W_OK):
            return Path(runtime)
    return Path(tempfile.gettempdir())


def _leading_to(link: str) -> str:
    url = html.escape(link)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
        f'<meta http-equiv="refresh" content="0;url={url}"><title>mien</title><a href="{url}">mien</a></html>\n'
    )
