"""Opens the files of a rig's folder, which may come from anybody, and reads `rig.toml` as a table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from mien.errors import AvatarError
from mien.media.plain_file import read_plain

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RIG_FILE: Final = "rig.toml"
MAX_BYTES: Final = 256 << 10
BUILT_IN: Final = Path(__file__).parent / "builtin"
_MAX_DOTS: Final = 200
"""In one line: as many as a title may have. The time that a parser takes for `a.a.a = 1` grows with their square."""


def read_file(path: Path, *, limit: int) -> bytes:
    """A file of a rig's folder, at most `limit` bytes. Raises AvatarError for links, pipes and what else is no file.

    Links are followed in mien's own folder only: some installers put links there.
    """
    try:
        return read_plain(path, limit=limit, links=path.parent.parent == BUILT_IN)
    except OSError as error:
        raise AvatarError(
            f"{path} cannot be read ({error.strerror or error}). An avatar's folder holds it as an ordinary file."
        ) from error


def read_table(folder: Path) -> dict[str, Any]:
    """The table in a folder's `rig.toml`. Raises AvatarError where there is none or it cannot be parsed."""
    path = folder / RIG_FILE
    data = read_file(path, limit=MAX_BYTES)
    try:
        text = data.decode("utf-8")
        if any(line.count(".") > _MAX_DOTS for line in text.split("\n")):
            raise AvatarError(f"{path} has a line with more than {_MAX_DOTS} dots. Break it up.")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise AvatarError(f"{path} is not valid TOML: it is not UTF-8 text. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise AvatarError(f"{path} is not valid TOML: {error}.") from error
    except RecursionError as error:
        raise AvatarError(f"{path} is nested too deeply. Take out the inner brackets.") from error
    except ValueError as error:  # what Python says of numbers with thousands of digits
        raise AvatarError(f"{path} has a number that is too long. Write it with fewer digits.") from error
