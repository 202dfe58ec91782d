"""Finds the avatar a user means: a built-in one or one of their own by name, any picture, any folder with a rig."""

from __future__ import annotations

import difflib
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from mien.errors import AvatarError, InputError, OutputError
from mien.media.chosen import chosen_folder
from mien.types import Avatar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RIG_FILE = "rig.toml"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
DEFAULT = "maya"
_log = logging.getLogger("mien")


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
    folder = Path(__file__).parent / "builtin"
    return {path.name: path for path in sorted(folder.iterdir()) if (path / RIG_FILE).is_file()}


def users() -> dict[str, Path]:
    """Pictures and folders of the user's own avatars, by name."""
    folder = user_folder()
    try:
        found = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        _say_unreadable(folder, error.strerror or str(error))
        return {}
    return {path.stem if path.is_file() else path.name: path for path in found if _is_avatar(path)}


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
    try:
        there = path.exists()
    except OSError:  # a folder on the way that may not be looked into: reading the picture says so
        there = len(path.parts) > 1
    if there:
        return load(path)
    if path.suffix.lower() in PICTURES or len(path.parts) > 1:
        raise InputError(f"There is no picture or avatar folder {path}. Check the name and the folder.")
    near = difflib.get_close_matches(text, by_name, n=3, cutoff=0.5) or sorted(by_name)
    raise AvatarError(
        f"There is no avatar called {text!r}. Did you mean {', '.join(near)}? `mien avatars list` shows all; a picture "
        "or a folder with a rig can be given by its path."
    )


def load(path: Path, *, name: str = "") -> Avatar:
    """The avatar in a picture file or a rig's folder. Raises AvatarError or InputError."""
    if os.path.isdir(path):  # noqa: PTH112  `Path.is_dir` raises where one may not look
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
    """Copy a picture or a rig's folder among the user's avatars, checked first. Raises AvatarError where it would not
    work or the name is taken."""
    avatar = load(source, name=name)
    if avatar.kind == "puppet":
        from mien.avatar.rig import read_rig

        read_rig(source)
    if avatar.name in built_in() or avatar.name in users():
        raise AvatarError(f"An avatar called {avatar.name!r} is there already. Give another name with --name.")
    if not avatar.name or Path(avatar.name).name != avatar.name or avatar.name.startswith("."):
        raise AvatarError(f"{avatar.name!r} cannot be an avatar's name. Use letters, digits and dashes.")
    target = user_folder() / (avatar.name if source.is_dir() else avatar.name + source.suffix.lower())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
    except OSError as error:
        raise OutputError(
            f"{target} cannot be written ({error.strerror or error}). Set MIEN_AVATARS to a folder."
        ) from error
    return load(target, name=avatar.name)


def listed() -> Iterator[tuple[str, Path, str]]:
    """Name, place and title of every avatar that can be given by name, built-in ones first."""
    for name, path in (built_in() | users()).items():
        yield name, path, read_title(path)[0] if path.is_dir() else "a picture of yours"


def read_title(folder: Path) -> tuple[str, str]:
    """Title and licence of a rig, read without drawing it. Raises AvatarError where there is no rig."""
    path = folder / RIG_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AvatarError(f"The folder {folder} is no avatar: it has no {RIG_FILE}.") from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AvatarError(f"{path} cannot be read: {error}.") from error
    return str(table.get("title", folder.name)), str(table.get("licence", ""))


@cache
def _say_unreadable(folder: Path, why: str) -> None:
    _log.warning("Your own avatars are missing: the folder %s cannot be read (%s).", folder, why)


def _is_avatar(path: Path) -> bool:
    return (path / RIG_FILE).is_file() if path.is_dir() else path.suffix.lower() in PICTURES
