"""Finds the avatar a user means: a built-in one or one of their own by name, any picture, any folder with a rig."""

from __future__ import annotations

import difflib
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mien.avatar.rig_file import BUILT_IN, RIG_FILE, read_table
from mien.errors import AvatarError, InputError, MienError, OutputError
from mien.media.chosen import chosen_folder
from mien.media.memory import MemoryFile
from mien.types import Avatar

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
DEFAULT = "maya"
_LONGEST_TITLE = 200
"""Characters."""
_LONGEST_NAME = 100
"""Characters."""
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')
DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"{p}{n}" for p in ("com", "lpt") for n in "0123456789¹²³")}
)
"""Names that Windows keeps for devices, whatever follows after a dot."""
_log = logging.getLogger("mien")


@dataclass(frozen=True, slots=True)
class Listed:
    """An avatar that can be given by name."""

    name: str
    path: Path
    title: str
    """For people. The name, where there is trouble."""
    trouble: str = ""
    """Why it cannot be worn; empty where it can."""


def user_folder() -> Path:
    """Where the user's own avatars lie: MIEN_AVATARS, else the system's place for a program's data."""
    if chosen := chosen_folder("MIEN_AVATARS"):
        return chosen
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Application Support")
    else:
        base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "mien" / "avatars"


def built_in() -> dict[str, Path]:
    """Folders of the avatars that come with mien, by name."""
    return {path.name: path for path in sorted(BUILT_IN.iterdir()) if (path / RIG_FILE).is_file()}


def users() -> dict[str, Path]:
    """Pictures and folders of the user's own avatars, by name; a broken one too. Hidden files are none of them: a file
    that is being written has such a name."""
    folder = user_folder()
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        _say_unreadable(folder, error.strerror or str(error))
        return {}
    kinds = ((path, kind(path)) for path in entries if not path.name.startswith("."))
    return {path.name if what == "puppet" else path.stem: path for path, what in kinds if what}


def known() -> dict[str, Path]:
    """Places of all avatars that can be given by name; a built-in name comes before a user's."""
    return users() | built_in()


def find(wanted: str | Path) -> Avatar:
    """The avatar of that name, else the picture or folder at that path, ready for an engine.

    A built-in name comes before a user's, and both before a file of the same name: write `./ines` for the file.
    Raises AvatarError, which shows the nearest names; InputError for a picture that cannot be read.
    """
    by_name = known()
    text = str(wanted)
    path = by_name.get(text) if isinstance(wanted, str) else None
    if path is not None:
        return load(path, name=text)
    path = Path(wanted)
    with suppress(RuntimeError):  # "~nobody"
        path = path.expanduser()
    if _exists(path):
        return load(path)
    shown = text if len(text) <= 100 else f"{text[:100]}…"
    if path.suffix.lower() in PICTURES or len(path.parts) > 1:
        raise InputError(f"There is no picture or avatar folder {shown}. Check the name and the folder.")
    near = difflib.get_close_matches(text[:100], by_name, n=3, cutoff=0.5) or sorted(by_name)
    raise AvatarError(
        f"There is no avatar called {shown!r}. Did you mean {', '.join(near)}? `mien avatars list` shows all; "
        "a picture or a folder with a rig can be given by its path."
    )


def load(path: Path, *, name: str = "") -> Avatar:
    """The avatar in a picture file or a rig's folder. Raises AvatarError or InputError."""
    if is_folder(path):
        title, licence = read_title(path)
        return Avatar(name or path.resolve().name, path, "puppet", None, title, licence)
    from mien.avatar.crop import portrait
    from mien.media.images import read_image

    return Avatar(name or path.stem, path, "picture", portrait(read_image(path), name=str(path)), name or path.stem)


def files(avatar: Avatar) -> list[Path]:
    """What an avatar is made of on this machine: its picture, or everything in its rig's folder."""
    with suppress(OSError):  # a picture, or a folder whose list may not be read
        return sorted(avatar.path.iterdir())
    return [avatar.path, avatar.path / RIG_FILE]


def add(source: Path, *, name: str = "") -> Avatar:
    """Copy a picture, or of a rig's folder what the rig names, among the user's avatars: all of it or nothing.

    Raises AvatarError where it could not be worn or the name is taken, InputError for a picture that cannot be read.
    """
    is_rig = is_folder(source)
    name = name or (source.resolve().name if is_rig else source.stem)
    if not _can_be_kept(name):
        shown = name if len(name) <= 60 else f"{name[:60]}…"
        raise AvatarError(
            f"{shown!r} cannot be an avatar's name. Give another with --name: letters, digits and dashes, at most "
            f"{_LONGEST_NAME}."
        )
    if name in known():
        raise AvatarError(f"An avatar called {name!r} is there already. Give another name with --name.")
    target = user_folder() / name
    try:
        return _add_rig(source, target) if is_rig else _add_picture(source, target)
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written ({error.strerror or error}). Set MIEN_AVATARS to a folder."
        ) from error


def _add_rig(source: Path, target: Path) -> Avatar:
    """Raises OSError where the copy cannot be written, AvatarError for a rig that cannot be worn."""
    from mien.avatar import rig_file, svg
    from mien.avatar.rig import read_rig
    from mien.media.atomic_folder import atomic_folder

    limits = {RIG_FILE: rig_file.MAX_BYTES, read_rig(source).art: svg.MAX_BYTES}
    with atomic_folder(target) as part:
        for file, limit in limits.items():
            (part / file).write_bytes(rig_file.read_file(source / file, limit=limit))
        read_rig(part)  # the files may have changed since they were checked
    return load(target)


def _add_picture(source: Path, target: Path) -> Avatar:
    """Raises OSError as `_add_rig`, InputError and AvatarError for a picture that cannot be worn."""
    from mien.avatar.crop import portrait
    from mien.media.atomic import atomic_path
    from mien.media.images import png, read_image, whole_file

    file = whole_file(source)
    picture = read_image(MemoryFile(str(source), file.data))  # whose errors say where it lies
    worn = portrait(picture, name=str(source))
    ending = source.suffix.lower()
    data = file.data if ending in PICTURES else png(picture)  # under another ending it would not be found again
    target.parent.mkdir(parents=True, exist_ok=True)
    target = target.with_name(target.name + (ending if ending in PICTURES else ".png"))
    with atomic_path(target) as part:
        os.chmod(part, 0o600)  # noqa: PTH101  a face is nobody else's business
        part.write_bytes(data)
    return Avatar(target.stem, target, "picture", worn, target.stem)


def listed() -> Iterator[Listed]:
    """Every avatar that can be given by name, built-in ones first, the user's own checked."""
    for name, path in (built_in() | users()).items():
        own = path.parent != BUILT_IN
        try:
            title = checked_title(path) if own else read_title(path)[0]
        except MienError as error:
            yield Listed(name, path, name, str(error))
        else:
            yield Listed(name, path, title)


def read_title(folder: Path) -> tuple[str, str]:
    """Title and licence of a rig, read without drawing it. Raises AvatarError where there is no rig."""
    if not os.path.lexists(folder / RIG_FILE) and os.access(folder, os.X_OK):
        raise AvatarError(f"The folder {folder} is no avatar: it has no {RIG_FILE}.")
    table = read_table(folder)
    return str(table.get("title", folder.name))[:_LONGEST_TITLE], str(table.get("licence", ""))[:_LONGEST_TITLE]


def kind(path: Path) -> str:
    """ "picture" or "puppet", whole or broken, by its name and what is in it; "" for anything else."""
    try:
        if is_folder(path):
            (path / RIG_FILE).lstat()
            return "puppet"
    except FileNotFoundError:
        return ""
    except OSError:  # a folder that may not be looked into
        return "puppet"
    return "picture" if path.suffix.lower() in PICTURES else ""


def checked_title(path: Path) -> str:
    """An avatar's title. Raises MienError for a rig that cannot be worn, a picture that cannot be opened."""
    if kind(path) == "puppet":
        from mien.avatar.rig import read_rig

        return read_rig(path).title
    from mien.media.images import check_image

    check_image(path)
    return "a picture of yours"


def _can_be_kept(name: str) -> bool:
    """Whether a name can be a file's on every system, and typed."""
    if not name.isprintable() or name != name.strip(" .") or set(name) & _NOT_IN_NAMES:
        return False
    if name.split(".")[0].rstrip().casefold() in DEVICES:
        return False
    return 0 < len(name) <= _LONGEST_NAME and len(name.encode()) <= 2 * _LONGEST_NAME


def is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as one may look."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _exists(path: Path) -> bool:
    """Whether there is something of that name, even if it may not be looked at."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):  # a name too long, a NUL in it
        return False
    return True


@cache
def _say_unreadable(folder: Path, why: str) -> None:
    _log.warning("Your own avatars are missing: the folder %s cannot be read (%s).", folder, why)
