"""What there is in a rig's folder and what of it moves: for those who draw avatars."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.avatar.expressions import expression
from mien.avatar.performance import posed
from mien.avatar.rig import PARTS, Rig, read_rig
from mien.avatar.rig_file import RIG_FILE
from mien.engine import registry
from mien.types import COEFFICIENTS, EMOTIONS, Avatar, Expression

_SIZE: Final = 256
"""Pixels of the pictures that are compared."""
_SEEN: Final = 8
"""Levels, of 255, by which a pixel must change to count."""
_NEVER_SEEN: Final = frozenset({"_neutral", "jawForward", "mouthClose"})
"""Coefficients that no puppet shows by themselves: a jaw that comes forward is not seen from the front, and a mouth
that is closed over an open jaw needs the open jaw."""
_TURN: Final = 0.3
"""Radians."""


@dataclass(frozen=True, slots=True)
class RigReport:
    """A rig that can be worn."""

    title: str
    licence: str
    width: float
    """Of the drawing, in its own units."""
    height: float
    files: dict[str, int]
    """Bytes of each file that the rig needs."""
    shapes: int
    points: int
    parts: dict[str, tuple[str, ...]]
    """The layers that are each part, in order of painting; only parts that there are."""
    missing: tuple[str, ...]
    """Parts that no layer is."""
    still: tuple[str, ...]
    """Expressions that change nothing in the picture: emotions, coefficients, turns of the head and the gaze."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def check_rig(folder: Path) -> RigReport:
    """Read a rig's folder and try every expression. Raises AvatarError for what is wrong, naming file and key."""
    rig = read_rig(folder)
    by_part: dict[str, list[str]] = {}
    for name in rig.drawing.layers:
        by_part.setdefault(rig.layers[name].part, []).append(name)
    shapes = (*rig.drawing.shapes, *rig.drawing.clips.values())
    return RigReport(
        title=rig.title,
        licence=rig.licence,
        width=rig.drawing.width,
        height=rig.drawing.height,
        files={name: (folder / name).stat().st_size for name in (RIG_FILE, rig.art)},
        shapes=len(rig.drawing.shapes),
        points=sum(len(shape.path.points) for shape in shapes),
        parts={part: tuple(by_part[part]) for part in PARTS if part in by_part},
        missing=tuple(part for part in PARTS if part not in by_part),
        still=tuple(_still(rig)),
    )


def _still(rig: Rig) -> Iterator[str]:
    """Names of the expressions that leave the picture as it is at rest."""
    avatar = Avatar(rig.title, rig.folder, "puppet")
    render = registry.for_avatar("puppet").prepare(avatar, size=_SIZE)
    rest = render(Expression.neutral()).astype(np.int16)
    for name, tried in _tried():
        if np.abs(render(tried).astype(np.int16) - rest).max() <= _SEEN:
            yield name


def _tried() -> Iterator[tuple[str, Expression]]:
    for emotion in EMOTIONS:
        if emotion != "neutral":
            yield emotion, posed(emotion)
    for name in COEFFICIENTS:
        if name not in _NEVER_SEEN:
            yield name, expression({name: 1.0})
    yield "head turned", expression({}, yaw=_TURN)
    yield "head up or down", expression({}, pitch=_TURN)
    yield "head leaning", expression({}, roll=_TURN)
    yield "gaze sideways", expression({}, gaze=(_TURN, 0.0))
    yield "gaze up or down", expression({}, gaze=(0.0, _TURN))
