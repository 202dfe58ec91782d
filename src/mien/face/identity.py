"""Who is who within one clip: what a person looks like, to know them again when they come back into the picture.

It lives in memory while the clip runs, and is forgotten with it; nothing of it is ever written or handed on.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face.landmarks import Region
from mien.face.pose import Pose, canonical
from mien.types import Array, Picture

SAME = 2.6
"""Difference of two looks below which they are the same person: 95 of 100 pairs of one person are, while the nearest
two of the nine people in the measuring clips are 2.4 apart and the others 3 or more."""

_POINTS = np.array([33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 234, 454, 10, 152, 61, 291, 172, 397])
"""Points whose mutual places tell faces apart: eye corners, nose, temples, chin, mouth corners, jaw."""
_CELLS = 6
_COLOUR_UNIT, _SHAPE_UNIT = 8.0, 0.015
"""Twice the usual difference between two looks at the same person, in Lab units and inter-ocular units."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How somebody looks."""

    shape: Array
    """(20, 3) places of bony points in the head's frame, what the expression and the turn move them by taken off."""
    colours: Array
    """(6, 6, 3) Lab means over the face and the hair around it."""

    @staticmethod
    def at(image: Picture, landmarks: Array, pose: Pose, coefficients: Array) -> Look:
        """The look of a face in a frame."""
        mean = canonical()
        yaw, pitch, _ = pose.angles
        moved = np.tensordot(coefficients, mean.basis[:, _POINTS], 1)
        turned = np.tensordot(np.array([yaw, pitch], np.float32), mean.turn_bias[:, _POINTS], 1)
        crop = Region.around_landmarks(landmarks, grow=1.5).crop(image, 32)
        lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
        colours = cv2.resize(lab, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA).astype(np.float32)
        return Look(pose.to_head(landmarks[_POINTS]) - moved - turned, colours)

    def difference(self, other: Look) -> float:
        """About 1 between two looks at the same person; see `SAME`."""
        colour = float(np.abs(self.colours - other.colours).mean())
        shape = float(np.linalg.norm(self.shape - other.shape, axis=1).mean())
        return colour / _COLOUR_UNIT + shape / _SHAPE_UNIT

    def towards(self, other: Look, share: float) -> Look:
        """This look, moved a little towards a newer one of the same person."""
        return Look(
            self.shape + np.float32(share) * (other.shape - self.shape),
            self.colours + np.float32(share) * (other.colours - self.colours),
        )
