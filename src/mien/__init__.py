"""mien gives a person in a video another face and keeps their expression.

    import mien

    mien.anonymize("visit.mp4", avatar="maya", output="out.mp4", report=True)
    table = mien.read("visit.mp4").timeline.to_frame()

Importing this loads nothing heavy: the names below arrive when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mien.api import Outcome, animate, anonymize, read
    from mien.avatar.library import find as find_avatar
    from mien.batch.many import anonymize_many
    from mien.batch.outcome import Batch, BatchProgress
    from mien.errors import AvatarError, EngineError, InputError, MienError, ModelError, OutputError
    from mien.pipeline import CancelledError, Pipeline, Progress
    from mien.types import Avatar, Expression, Face, Frame, Scene

_WHERE: Final = {
    "animate": "api", "anonymize": "api", "read": "api", "Outcome": "api",
    "anonymize_many": "batch.many", "Batch": "batch.outcome", "BatchProgress": "batch.outcome",
    "find_avatar": "avatar.library:find",
    "AvatarError": "errors", "EngineError": "errors", "InputError": "errors", "MienError": "errors",
    "ModelError": "errors", "OutputError": "errors",
    "CancelledError": "pipeline", "Pipeline": "pipeline", "Progress": "pipeline",
    "Avatar": "types", "Expression": "types", "Face": "types", "Frame": "types", "Scene": "types",
}  # fmt: skip

__all__ = [
    "Avatar", "AvatarError", "Batch", "BatchProgress", "CancelledError", "EngineError", "Expression", "Face", "Frame",
    "InputError", "MienError", "ModelError", "Outcome", "OutputError", "Pipeline", "Progress", "Scene", "animate",
    "anonymize", "anonymize_many", "find_avatar", "read",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(import_module(f"mien.{module}"), attribute or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
