"""Every error a user can cause: one clear line that says what was wrong, with which input, and what to do next."""

from __future__ import annotations


class MienError(Exception):
    """Base of all errors raised on purpose. The command line prints the message alone and exits with `exit_code`."""

    exit_code = 1


class InputError(MienError):
    """An input file is missing, unreadable, of the wrong kind or unsafe to open."""

    exit_code = 3


class OutputError(MienError):
    """The output cannot be written there."""

    exit_code = 4


class ModelError(MienError):
    """Weights are missing or damaged."""

    exit_code = 5


class AvatarError(MienError):
    """The avatar is unknown, malformed, or has no face that an engine can move."""

    exit_code = 6


class EngineError(MienError):
    """The engine is unknown, cannot take this avatar, or failed while rendering."""

    exit_code = 7
