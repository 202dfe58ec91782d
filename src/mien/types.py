"""The records that pass between stages: Frame, Face, Expression, Avatar.

Conventions, said once for the whole package:

- Pictures are RGB (or RGBA), uint8, shape (H, W, 3 or 4), rows from the top.
- Points are (x, y[, z]) in pixels of the frame, y downwards; z grows away from the camera.
- "Left" and "right" in coefficient names are the person's own, as in ARKit: in an unmirrored picture
  `eyeBlinkLeft` is the eye on the right-hand side.
- Angles are radians inside the package and degrees in everything a user reads.
  yaw > 0: the face turns towards the right of the picture. pitch > 0: it looks up.
  roll > 0: the head leans clockwise as seen in the picture.
- Times are seconds from the start of the clip.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Array = NDArray[np.float32]

LANDMARK_COUNT: Final = 478
"""Points of the face mesh: 468 on the skin, then five for the right iris (468 is its centre) and the left (473)."""

COEFFICIENTS: Final[tuple[str, ...]] = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft",
    "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft",
    "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft",
    "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight",
    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft",
    "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""The 52 expression coefficients, ARKit's names in the order of Google's Face Landmarker."""

COEFFICIENT: Final[dict[str, int]] = {name: i for i, name in enumerate(COEFFICIENTS)}

EMOTIONS: Final[tuple[str, ...]] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""The seven classes, in FER2013's order."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a clip or a camera."""

    image: Picture
    """(H, W, 3) uint8 RGB, upright (the container's rotation already applied)."""
    index: int
    """Number of the frame, from 0."""
    time: float
    """Seconds from the start of the clip."""
    pts: int = 0
    """Presentation time stamp in units of `time_base`, exactly as read."""
    time_base: Fraction = Fraction(1, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """What a face does, and nothing of what it is: offsets from the person's own neutral face.

    An engine with `needs = "expression"` sees this and nothing else, so no pixel of the driver can reach its picture.
    """

    offsets: Array
    """(478, 3) float32: how far each landmark is from where it rests on this person's relaxed face, in the frame of
    the head (x right, y down, z away, as if looking straight into the camera), in units of the distance between the
    outer eye corners. Iris points included: gaze shows in them."""
    coefficients: Array
    """(52,) float32 in [0, 1], in the order of `COEFFICIENTS`, less the person's own resting values and stretched
    back to [0, 1]: 0 is this person at rest, 1 the full movement (eyes shut, jaw open)."""
    yaw: float
    """Radians from the neutral pose."""
    pitch: float
    roll: float
    gaze: Array
    """(2,) float32 radians, both eyes' mean, relative to the head: x > 0 to the right of the picture, y > 0 up."""

    @staticmethod
    def neutral() -> Expression:
        """The relaxed face, looking straight ahead."""
        return Expression(
            np.zeros((LANDMARK_COUNT, 3), np.float32), np.zeros(len(COEFFICIENTS), np.float32), 0.0, 0.0, 0.0,
            np.zeros(2, np.float32),
        )  # fmt: skip

    def __getitem__(self, name: str) -> float:
        """The coefficient of that ARKit name, e.g. `expression["jawOpen"]`."""
        return float(self.coefficients[COEFFICIENT[name]])


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face found in a frame. It describes the real person: it never leaves the process and is never written whole."""

    id: int
    """The same person keeps the same number through the clip, from 0."""
    box: Array
    """(4,) float32: x0, y0, x1, y1 around the skin landmarks."""
    landmarks: Array
    """(478, 3) float32, smoothed over time; z on the same scale as x and y."""
    coefficients: Array
    """(52,) float32 in [0, 1], as measured (not relative to neutral): of a turned head as seen from the front, with
    grimaces told from smiles."""
    yaw: float
    """Radians, relative to the camera."""
    pitch: float
    roll: float
    gaze: Array
    """(2,) float32 radians relative to the head, as in `Expression`."""
    confidence: float
    """The landmark model's own presence score, 0 to 1."""
    expression: Expression = field(default_factory=Expression.neutral)
    """The same face as offsets from this person's neutral."""


class Scene(Enum):
    """What the output picture shows."""

    AVATAR = "avatar"
    """The avatar before its own background. Nothing of the input picture is in it."""
    PASTE = "paste"
    """The input picture with every face replaced; a card in place of any frame where that cannot be done."""


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """A face to wear: a picture, or a folder with a vector rig."""

    name: str
    path: Path
    """The picture file, or the rig's folder."""
    kind: str
    """"picture" or "puppet"."""
    picture: Picture | None = None
    """(H, W, 4) uint8 RGBA, cropped as engines like it; None for a puppet."""
    title: str = ""
    """For people: 'Ines, with the grey bun'."""
    licence: str = ""
