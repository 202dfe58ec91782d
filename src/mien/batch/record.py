"""What was done before: a hidden file in each folder with results says of what clip, and with which options, each was
made, so that a batch that is run again skips those that are done and whole.

The file holds no clear word on a clip: a keyed digest of its size and time of change, one of the options, and the
numbers of the table. Its content is never hashed.
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from mien.batch.outcome import Seen
from mien.media.atomic import atomic_path
from mien.media.plain_file import read_plain

NAME: Final = ".mien-batch.json"
_VERSION: Final = 1
_LARGEST: Final = 64 << 20
"""Bytes."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known of an output that is there already."""

    seen: Seen | None = None
    files: tuple[Path, ...] = ()
    """Tables and reports beside it."""
    again: str = ""
    """Why it must be made again; empty where it is done and whole."""


class Record:
    """The record of one folder. One thread and one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Read it. A file that is damaged counts as none: then everything is made again."""
        self._path = folder / NAME
        self._key = secrets.token_hex(16)
        self._made: dict[str, Any] = {}
        with suppress(OSError, ValueError, RecursionError):
            known = json.loads(read_plain(self._path, limit=_LARGEST, links=False))
            if isinstance(known, dict) and known.get("version") == _VERSION:
                key, made = known.get("key"), known.get("made")
                if isinstance(key, str) and isinstance(made, dict):
                    self._key, self._made = key, made

    def before(self, output: Path, clip: str, options: str) -> Before:
        """Whether `output` was made of that clip with those options, and is whole; both as text that tells them from
        others."""
        if not output.exists():
            return Before()
        entry: Any = self._made.get(output.name)
        try:
            seen = Seen(**{name: _number(value) for name, value in entry["seen"].items()})
            sizes = {output.with_name(name): int(size) for name, size in entry["files"].items()}
            known = (entry["clip"], entry["options"])
        except (KeyError, TypeError, ValueError, AttributeError):
            return Before(again="nothing is known of the older output")
        if known[0] != self._digest(clip):
            return Before(again="the clip has changed")
        if known[1] != self._digest(options):
            return Before(again="options, avatar, models or mien have changed")
        if any(path.parent != output.parent or _size(path) != size for path, size in sizes.items()):
            return Before(again="the older output is not whole")
        return Before(seen, tuple(path for path in sizes if path != output))

    def add(self, output: Path, files: tuple[Path, ...], clip: str, options: str, seen: Seen) -> None:
        """Note that an output and the `files` beside it are done. Raises OutputError where that cannot be written."""
        self._made[output.name] = {
            "clip": self._digest(clip), "options": self._digest(options), "seen": asdict(seen),
            "files": {path.name: _size(path) for path in (output, *files)},
        }  # fmt: skip
        text = json.dumps({"version": _VERSION, "key": self._key, "made": self._made}, indent=1)
        with atomic_path(self._path) as part:
            part.write_text(text, encoding="utf-8")

    def _digest(self, text: str) -> str:
        """Keyed, so that nobody can try out what is likely without this file at hand."""
        key = self._key.encode("utf-8", "surrogateescape")[: hashlib.blake2b.MAX_KEY_SIZE]
        return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), key=key, digest_size=16).hexdigest()


def _number(value: Any) -> Any:
    """The same. Raises ValueError unless it is an ordinary number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ValueError(value)
    return value


def _size(path: Path) -> int | None:
    """Bytes; None where there is no such file."""
    try:
        return path.lstat().st_size
    except OSError:
        return None
