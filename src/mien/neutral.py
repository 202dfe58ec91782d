"""Which moment of a clip shows the driver's relaxed face: chosen by the user, or estimated all along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.errors import InputError
from mien.media.reader import VideoReader
from mien.types import Face, Frame

if TYPE_CHECKING:
    from mien.face.tracker import FaceTracker
    from mien.media.memory import Source
    from mien.pipeline import Tracker

_BEFORE = 1.0
"""Seconds before the chosen moment from which faces are followed, to be sure of them by then."""


def calibrated(tracker: FaceTracker, neutral: str, clip: Source) -> Tracker:
    """The tracker, told which face is neutral: "auto", "first" (when first seen), or a time in seconds or "frame:N",
    for which the clip is read up to there. Raises InputError for anything else, and where nobody is seen then."""
    number = chosen_moment(neutral)
    if neutral == "auto":
        return tracker
    if number is None:
        return _FirstNeutral(tracker)
    with VideoReader(clip) as video:
        time = number / (video.fps if neutral.startswith("frame:") else 1)
        for frame in video:
            if frame.time >= time - _BEFORE:
                seen = tracker(frame)
            if frame.time >= time:
                break
        else:
            raise InputError(f"{clip} is over before {time:.2f} s. Choose an earlier moment for the neutral face.")
    if not (seen and tracker.calibrate()):
        raise InputError(f"Nobody is seen in {clip} at {time:.2f} s. Choose a moment at which the face is in sight.")
    return tracker


def chosen_moment(neutral: str) -> float | None:
    """The time in seconds, or the frame's number, that `--neutral` names; None for "auto" and "first". Raises
    InputError where it names nothing."""
    if neutral in ("auto", "first"):
        return None
    try:
        number = float(neutral.removeprefix("frame:"))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise InputError(
            f"{neutral!r} is no neutral face. Give 'auto', 'first', a time in seconds such as 2.5, or 'frame:60'."
        )
    return number


class _FirstNeutral:
    """Takes the first face seen for the relaxed one."""

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self._done = False

    def __call__(self, frame: Frame) -> list[Face]:
        faces = self._tracker(frame)
        if faces and not self._done:
            self._done = self._tracker.calibrate()
            faces = self._tracker(frame)
        return faces
