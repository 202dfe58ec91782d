"""Folders that the user chooses in environment variables."""

from __future__ import annotations

import os
from pathlib import Path

from mien.errors import InputError


def chosen_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, `~` and `~user` resolved; None where it is not set or empty.
    Raises InputError for an unknown user."""
    chosen = os.environ.get(variable)
    return _resolved(chosen, variable) if chosen else None


def chosen_folders(variable: str) -> tuple[Path, ...]:
    """Several, separated as in PATH."""
    return tuple(_resolved(entry, variable) for entry in os.environ.get(variable, "").split(os.pathsep) if entry)


def _resolved(folder: str, variable: str) -> Path:
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:  # "~nobody"; or "~", and the system does not know this user's home
        raise InputError(
            f"{variable} is set to {folder!r}, and no such user has a home folder here. Set it to a folder's full path."
        ) from error
