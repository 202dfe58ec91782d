"""Shows the avatar to a tracker: what an expression looks like on this picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from mien.engine.base import OnShare
from mien.face.pose import Pose, head_pose
from mien.types import Array, Expression, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a tracker reads off a drawn face."""

    landmarks: Array
    """(478, 3) float32, pixels."""
    coefficients: Array
    """(52,) float32 in [0, 1]."""

    @property
    def pose(self) -> Pose:
        """The pose of the head."""
        return head_pose(self.landmarks)

    @property
    def head(self) -> Array:
        """(478, 3) landmarks in the frame of the head."""
        return self.pose.to_head(self.landmarks)


Tracker = Callable[[Picture], "Reading | None"]
"""Reads (H, W, 3) uint8 RGB; None where it finds no face."""


class Mirror:
    """Called with an expression, answers with what the tracker reads; None where it finds no face."""

    def __init__(
        self,
        render: Callable[[Expression], Picture],
        tracker: Tracker,
        *,
        looks: int,
        on_progress: OnShare | None = None,
    ) -> None:
        """`render` draws the avatar, with no correction of its own; it will be looked at `looks` times."""
        self._render, self._tracker = render, tracker
        self._looks, self._looked, self._on_progress = looks, 0, on_progress

    def __call__(self, expression: Expression) -> Reading | None:
        if self._on_progress is not None:
            self._on_progress(min(1.0, self._looked / self._looks))
            self._looked += 1
        return self._tracker(np.asarray(cv2.cvtColor(self._render(expression), cv2.COLOR_RGBA2RGB), np.uint8))
