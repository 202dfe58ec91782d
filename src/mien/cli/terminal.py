"""Text on the terminal: names of files, devices and people come from strangers, and a terminal obeys some letters."""

from __future__ import annotations

import json
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from mien.cli.streams import put, tell

_BESIDE_C0: Final = "\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""More control characters, line and paragraph separators, what turns the direction of text round, and what stands for
bytes that are no text."""
_OBEYED: Final = re.compile(f"[\x00-\x1f{_BESIDE_C0}]")
"""An escape sequence begins with a control character."""
_OBEYED_IN_JSON: Final = re.compile(f"[{_BESIDE_C0}]")
"""JSON itself writes out the others."""
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BYTES: Final = range(0xDC80, 0xDD00)
"""What Python makes of the bytes 0x80 to 0xFF in a file name that is no UTF-8."""
_LONGEST: Final = 4000
"""Characters of one line."""


def visible(text: str) -> str:
    """The text in one line, with everything that a terminal would obey written out: `\\n`, `\\x1b`, `\\u202e`."""
    return _OBEYED.sub(lambda found: _written(found[0]), text)


def say(text: str, *, err: bool = False) -> None:
    """Print one line; nothing in it can be more than that."""
    text = visible(text)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
    if err:
        tell(text)
    else:
        put(text)


def json_text(record: Any, *, indent: int | None = None) -> str:
    """The record as JSON: letters as they are, what a terminal would obey or cannot show as JSON's own `\\uXXXX`."""
    text = json.dumps(record, ensure_ascii=False, indent=indent)
    text = _OBEYED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(record, indent=indent)
    return text


def accept_any_text() -> None:
    """Let standard output and error write out what their encoding lacks, instead of ending the program."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # none at all, closed, or somebody else's object
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def hide_developers_warnings() -> None:
    """Libraries warn their developers of damaged pictures, in several lines; we say what is wrong in one."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


@contextmanager
def visible_errors() -> Iterator[None]:
    """What is said of a wrong command line shows parts of it."""
    try:
        yield
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = visible(message)  # type: ignore[attr-defined]
        raise


def _written(letter: str) -> str:
    code = ord(letter)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return _SHORT.get(letter) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
