"""With which options, avatar and models a video is made, as text that tells it from others."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mien import models
from mien.avatar import library
from mien.emotion.classifier import why_not
from mien.face.parts import detector_files
from mien.media.plain_file import read_plain
from mien.media.synthetic import VIDEO_NOTE

if TYPE_CHECKING:
    from mien.options import AnonymizingMany
    from mien.types import Avatar

_WITHOUT_EFFECT: Final = ("output", "jobs", "on_progress")
"""Options that change nothing in a video or in what lies beside it."""
_LARGEST: Final = 256 << 20
"""Bytes of a file of an avatar or a detector."""


def settings(options: AnonymizingMany, avatar: Avatar) -> str:
    """All options with an effect, the content of the avatar and of the user's own detector, which models there are, and
    mien's version."""
    values = {f.name: str(getattr(options, f.name)) for f in fields(options) if f.name not in _WITHOUT_EFFECT}
    values["avatar"] = " ".join(map(_content, library.files(avatar)))
    values["detector"] += " ".join(map(_content, detector_files(options.detector)))
    values["models"] = f"{models.available('face-landmarker')} {not why_not()}"
    return json.dumps(values | {"by": VIDEO_NOTE}, sort_keys=True)


def _content(file: Path) -> str:
    with suppress(OSError):
        return f"{file.name} {hashlib.blake2b(read_plain(file, limit=_LARGEST), digest_size=16).hexdigest()}"
    return file.name
