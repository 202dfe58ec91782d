"""The record of a clip: one row per face and frame, as a table, CSV or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.emotion.columns import Rows
from mien.media.atomic import Outputs, atomic_path
from mien.types import COEFFICIENTS, EMOTIONS, Array, Face, Frame

if TYPE_CHECKING:
    import pandas as pd

FORMAT: Final = 1
"""Version of the CSV and JSON layouts."""

CAUTION: Final = (
    "These are estimates of visible expression. They do not show what a person feels, and they are not a diagnosis."
)
"""In every summary and on every report."""

_BOX: Final = ("box_x0", "box_y0", "box_x1", "box_y1")
_POSE: Final = ("yaw_deg", "pitch_deg", "roll_deg")
_GAZE: Final = ("gaze_x_deg", "gaze_y_deg")
_KEYS: Final = ("time_s", "frame", "face")
_MEASURED: Final = (*_BOX, "confidence", *EMOTIONS, *COEFFICIENTS, *_POSE, *_GAZE)
COLUMNS: Final[tuple[str, ...]] = (*_KEYS, *_MEASURED)
"""Of the CSV and of `Timeline.to_frame`, in order: when and who; the box in pixels; the landmark model's presence score
(0 to 1); seven probabilities (0 to 1, sum 1, smoothed; empty where no emotion model was at hand); 52 ARKit coefficients
(0 to 1, as measured; `_neutral` is one of them and not an emotion); head pose in degrees (yaw > 0 to the right of the
picture, pitch > 0 up, roll > 0 clockwise); gaze relative to the head in degrees (x > 0 right, y > 0 up)."""

_AT: Final = {name: i for i, name in enumerate(_MEASURED)}
_DECIMALS: Final = {"time_s": 4, **dict.fromkeys(_BOX, 1), **dict.fromkeys((*_POSE, *_GAZE), 2)}
_OTHER_DECIMALS: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face through the clip: the rows in which it was seen, in order of time. N rows."""

    face: int
    time: NDArray[np.float64]
    """(N,) seconds."""
    frame: NDArray[np.int64]
    """(N,) numbers of the frames."""
    box: Array
    """(N, 4) pixels."""
    confidence: Array
    """(N,) 0 to 1."""
    emotions: Array
    """(N, 7) probabilities, NaN without an emotion model."""
    coefficients: Array
    """(N, 52) as measured."""
    pose: Array
    """(N, 3) yaw, pitch, roll in degrees."""
    gaze: Array
    """(N, 2) degrees, relative to the head."""


class Timeline:
    """Grows by one frame at a time. An hour of one face at 30 fps takes 32 MB."""

    def __init__(self) -> None:
        self._frames = Rows(np.float64)
        self._times = Rows(np.float64)
        self._keys = Rows(np.int64, 2)
        self._values = Rows(np.float32, len(_MEASURED))
        self._frames_with_face = 0

    def add(self, frame: Frame, faces: Sequence[Face], emotions: Sequence[Array | None] | None = None) -> None:
        """Record a frame: call it for every frame, also for those without a face, or coverage means nothing.

        `faces` are those seen in this frame; `emotions` holds (7,) probabilities for each of them, None where there is
        no emotion model.
        """
        self._frames.append(frame.time)
        self._frames_with_face += bool(faces)
        for face, emotion in zip(faces, emotions or [None] * len(faces), strict=True):
            self._times.append(frame.time)
            self._keys.append((frame.index, face.id))
            self._values.append(_measured(face, emotion))

    def __len__(self) -> int:
        """Rows."""
        return len(self._times)

    @property
    def frames_total(self) -> int:
        """Frames recorded, with and without a face."""
        return len(self._frames)

    @property
    def frames_with_face(self) -> int:
        return self._frames_with_face

    @property
    def coverage(self) -> float:
        """Share of the frames in which at least one face was seen, 0 to 1; 0 for an empty clip."""
        return self._frames_with_face / max(1, self.frames_total)

    @property
    def frame_times(self) -> NDArray[np.float64]:
        """(frames_total,) seconds of every frame recorded."""
        return self._frames.array()

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the end of the last; 0 for fewer than two frames (a still picture)."""
        times = self.frame_times
        if len(times) < 2:
            return 0.0
        return float(times.max() - times.min() + np.median(np.abs(np.diff(times))))

    @property
    def faces(self) -> list[int]:
        """Numbers of the faces seen, the one seen longest first."""
        ids, counts = np.unique(self._keys.array()[:, 1], return_counts=True)
        return [int(i) for i in ids[np.lexsort((ids, -counts))]]

    def track(self, face: int) -> Track:
        """All rows of one face. Empty for a number that never occurred."""
        keys = self._keys.array()
        mine = np.flatnonzero(keys[:, 1] == face)
        time = self._times.array()[mine]
        order = np.argsort(time, kind="stable")
        mine, time = mine[order], time[order]
        values = self._values.array()[mine]

        def columns(names: Sequence[str]) -> Array:
            return values[:, _AT[names[0]] : _AT[names[-1]] + 1]

        return Track(
            face, time, keys[mine, 0], columns(_BOX), values[:, _AT["confidence"]], columns(EMOTIONS),
            columns(COEFFICIENTS), columns(_POSE), columns(_GAZE),
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """The table with `COLUMNS`, unrounded: `time_s` float64, `frame` and `face` int64, all else float32."""
        import pandas as pd

        keys = self._keys.array()
        head = pd.DataFrame({"time_s": self._times.array(), "frame": keys[:, 0], "face": keys[:, 1]})
        table: pd.DataFrame = pd.concat([head, pd.DataFrame(self._values.array(), columns=list(_MEASURED))], axis=1)
        return table

    def csv(self) -> str:
        """The table, rounded: pixels to 0.1, degrees to 0.01, shares to 0.0001, seconds to 0.1 ms."""
        table = self.to_frame()
        rounded = table.astype(np.float64).round({c: _DECIMALS.get(c, _OTHER_DECIMALS) for c in COLUMNS})
        rounded[["frame", "face"]] = table[["frame", "face"]]
        return str(rounded.to_csv(index=False, lineterminator="\n"))

    def write_csv(self, path: Path, *, outputs: Outputs | None = None) -> None:
        """The table of `csv`. Replaces `path` only when complete, and together with other `outputs`. Raises OutputError
        where it cannot be written."""
        text = self.csv()
        with atomic_path(path, outputs=outputs) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")

    def summary(self) -> dict[str, Any]:
        """What was seen, how surely, and the dynamics of every face: plain numbers, ready for JSON."""
        from mien.emotion.dynamics import analyse

        return {
            "format": FORMAT,
            "caution": CAUTION,
            "duration_s": round(self.duration, 3),
            "frames_total": self.frames_total,
            "frames_with_face": self.frames_with_face,
            "coverage": round(self.coverage, 4),
            "faces": [self._face_summary(face, analyse(self.track(face)).to_dict()) for face in self.faces],
        }

    def _face_summary(self, face: int, dynamics: dict[str, Any]) -> dict[str, Any]:
        track = self.track(face)
        known = track.emotions[np.isfinite(track.emotions).all(1)]
        return {
            "face": face,
            "frames": len(track.time),
            "coverage": round(len(track.time) / max(1, self.frames_total), 4),
            "first_seen_s": round(float(track.time[0]), 3),
            "last_seen_s": round(float(track.time[-1]), 3),
            "confidence_mean": round(float(track.confidence.mean()), 4),
            "emotion_mean": {name: round(float(v), 4) for name, v in zip(EMOTIONS, known.mean(0), strict=True)}
            if len(known)
            else None,
            "dynamics": dynamics,
        }

    def write_json(self, path: Path, *, outputs: Outputs | None = None) -> None:
        """`summary` as JSON. Replaces `path` only when complete, and together with other `outputs`. Raises OutputError
        where it cannot be written."""
        text = json.dumps(self.summary(), indent=2, allow_nan=False)
        with atomic_path(path, outputs=outputs) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _measured(face: Face, emotion: Array | None) -> Array:
    row = np.empty(len(_MEASURED), np.float32)
    row[:4] = face.box
    row[4] = face.confidence
    row[5:12] = np.nan if emotion is None else emotion
    row[12:64] = face.coefficients
    row[64:67] = np.degrees([face.yaw, face.pitch, face.roll])
    row[67:69] = np.degrees(face.gaze)
    return row
