"""Which classes of clips the docs promise to cover, and why not where they don't: said here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Promise:
    """What docs/privacy.md says of a class."""

    held: bool
    """Whether no frame may be exposed."""
    reason: str = ""
    """Why there is no promise."""


_YES: Final = Promise(True)

PROMISES: Final[dict[str, Promise]] = {
    "cut by the edge": _YES,
    "half hidden": _YES,
    "one behind another": _YES,
    "a third in sight behind another": Promise(False, "too little of a face is in sight to know it by"),
    "one before another": _YES,
    "a small known face before a large one": _YES,
    "so close that it fills the picture": _YES,
    "coming in slowly": _YES,
    "leaving slowly": _YES,
    "leaving and coming back": _YES,
    "turned beside an upright person": _YES,
    "turning slowly": _YES,
    "tiny": Promise(False, "faces of less than about 35 pixels at 720p are not looked for"),
    "huge": _YES,
    "turned away": _YES,
    "dark": _YES,
    "overexposed": _YES,
    "blurred": _YES,
    "motion blur": _YES,
    "noisy": _YES,
    "low bit rate": _YES,
    "grey": _YES,
    "hue shifted": _YES,
    "colour negative": _YES,
    "surgical mask": _YES,
    "sunglasses": _YES,
    "cap or hood": _YES,
    "mask with glasses or cap": Promise(False, "little of a face is left to find"),
    "hands before the face": _YES,
    "poles crossing": _YES,
    "behind a blind": Promise(False, "between slats the detector knows no face"),
    "crowd": _YES,
    "look-alike": _YES,
    "few frames a second": _YES,
    "uneven frame rate": _YES,
    "mirror": _YES,
    "poster": Promise(False, "a picture of a face on a wall may not be taken for one"),
    "picture on a phone": Promise(False, "a picture of a face on a screen may not be taken for one"),
    "before pixelated or frosted glass": _YES,
    "flicker": _YES,
    "teleports": _YES,
    "a moment before a fine pattern": _YES,
    "zoom": _YES,
    "jumps closer": _YES,
    "a fast pan": _YES,
    "hard cuts": _YES,
    "fades": _YES,
    "alone and hard to see": _YES,
    "ordinary": _YES,
}
"""By class, in the order of the table."""
