"""Follows every face through a clip: the same person keeps the same number, through turns, losses and cuts."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from mien.face.calibration import Neutral, gaze_of
from mien.face.detect import Detection, Detector, iou
from mien.face.landmarks import FaceMesh, Region
from mien.face.pose import head_pose
from mien.face.smoothing import OneEuro
from mien.types import Array, Face, Frame, Picture

PRESENT = 0.5
"""Presence score from which the landmark model's answer counts as a face."""
CERTAIN = 0.8
"""Presence score that somebody new must reach: a false face that comes and goes would flash up an avatar."""
RESCAN_EVERY = 0.5
"""Seconds between looks at the whole frame for people who came in."""
FORGET_AFTER = 60.0
"""Seconds after which somebody who left is forgotten."""
CUT = 28.0
"""Mean absolute difference of two thumbnails, of 255, that makes a cut."""
SAME_SHAPE = 0.045
"""Mean distance of two resting faces, in inter-ocular units, below which they may be the same person."""


@dataclass(slots=True)
class _Track:
    """One person."""

    id: int
    region: Region | None
    """Where to look in the next frame; None while lost."""
    box: Array
    seen: float
    signature: Array | None = None
    """Running mean of the face's rigid part in the head's frame, for telling people apart within this clip only."""
    neutral: Neutral = field(default_factory=Neutral)
    smooth: OneEuro = field(default_factory=lambda: OneEuro(min_cutoff=2.0, beta=40.0, speed_cutoff=4.0))


class FaceTracker:
    """Callable stage: a Frame in, its Faces out (largest first at their first sight, then by id).

    `detector` finds faces in a whole frame; `mesh` gives landmarks and coefficients of one. Frames must come in order;
    `reset` starts a new clip. At most `max_faces` are followed.
    """

    def __init__(self, detector: Detector, mesh: FaceMesh, *, max_faces: int = 6) -> None:
        self._detector, self._mesh, self._max_faces = detector, mesh, max_faces
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self._tracks: list[_Track] = []
        self._next_id = 0
        self._scanned = float("-inf")
        self._thumbnail: Picture | None = None

    def calibrate(self) -> bool:
        """Take everybody's face of this moment as neutral. False where nobody is in sight."""
        return any([track.neutral.calibrate() for track in self._tracks if track.region])

    def __call__(self, frame: Frame) -> list[Face]:
        """Faces of the frame that are really seen in it; nothing is held or guessed."""
        if self._is_cut(frame.image):
            for track in self._tracks:
                track.region = None
        faces: dict[int, Face] = {}
        for track in self._live():
            face = self._look(frame, track, track.region)
            if face is not None and not any(iou(face.box, other.box) > 0.5 for other in faces.values()):
                faces[track.id] = face
            else:
                track.region = None
        for face in self._scan(frame, [f.box for f in faces.values()]):
            faces[face.id] = face
        self._tracks = [t for t in self._tracks if t.region or frame.time - t.seen < FORGET_AFTER]
        return [faces[id] for id in sorted(faces)]

    def _live(self) -> list[_Track]:
        return [track for track in self._tracks if track.region]

    def _is_cut(self, image: Picture) -> bool:
        small = cv2.resize(image, (32, 18), interpolation=cv2.INTER_AREA)
        previous, self._thumbnail = self._thumbnail, small  # type: ignore[assignment]
        return previous is not None and float(cv2.absdiff(previous, small).mean()) > CUT

    def _scan(self, frame: Frame, known: list[Array]) -> list[Face]:
        """Faces that no track follows yet, largest first. While nobody is in sight every frame is searched, but for
        small faces, which cost many looks, only every `RESCAN_EVERY` seconds."""
        due = frame.time - self._scanned >= RESCAN_EVERY
        if len(self._live()) >= self._max_faces or (self._live() and not due):
            return []
        if due:
            self._scanned = frame.time
        found = self._detector(frame.image, thorough=due)
        found = [d for d in found if all(iou(d.box, box) < 0.2 for box in known)]
        found.sort(key=lambda d: -float(d.box[2] - d.box[0]))
        faces = []
        for detection in found[: self._max_faces - len(self._live())]:
            region = self._settle(frame.image, detection)
            if region is None:
                continue
            landmarks, presence = self._mesh.landmarks(frame.image, region)
            box = _box(landmarks)
            if presence < CERTAIN or any(iou(box, other) > 0.3 for other in known):
                continue
            track = self._who(landmarks, box, frame.time)
            track.smooth.reset()
            face = self._face(frame, track, landmarks, presence)
            known.append(face.box)
            faces.append(face)
        return faces

    def _settle(self, image: Picture, detection: Detection) -> Region | None:
        """A first look, to frame the face by its own landmarks; None where there is no face after all."""
        landmarks, presence = self._mesh.landmarks(image, Region.around_detection(detection))
        return Region.around_landmarks(landmarks) if presence >= PRESENT else None

    def _who(self, landmarks: Array, box: Array, time: float) -> _Track:
        """The lost person this is, else a new one."""
        lost = [track for track in self._tracks if track.region is None]
        signature = _signature(landmarks)
        here = [t for t in lost if time - t.seen < 1.5 and iou(t.box, box) > 0.3]
        alike = [t for t in lost if t.signature is not None and _distance(t.signature, signature) < SAME_SHAPE]
        for candidates in ([t for t in here if t in alike], alike, here):
            if candidates:
                return min(candidates, key=lambda t: _distance(t.signature, signature))
        track = _Track(self._next_id, None, box, time)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _look(self, frame: Frame, track: _Track, region: Region | None) -> Face | None:
        if region is None or region.side < 16:
            return None
        landmarks, presence = self._mesh.landmarks(frame.image, region)
        height, width = frame.image.shape[:2]
        centre = landmarks[:468, :2].mean(0)
        inside = 0 <= centre[0] < width and 0 <= centre[1] < height
        return self._face(frame, track, landmarks, presence) if presence >= PRESENT and inside else None

    def _face(self, frame: Frame, track: _Track, landmarks: Array, presence: float) -> Face:
        """Smooth, measure, and remember where to look next."""
        track.region = Region.around_landmarks(landmarks)
        unit = float(np.linalg.norm(landmarks[263] - landmarks[33])) + 1e-6
        landmarks = track.smooth(landmarks, frame.time, unit=unit)
        coefficients = self._mesh.coefficients(landmarks)
        pose = head_pose(landmarks)
        gaze = gaze_of(pose.to_head(landmarks), coefficients)
        signature = _signature(landmarks)
        track.signature = signature if track.signature is None else 0.95 * track.signature + 0.05 * signature
        track.box, track.seen = _box(landmarks), frame.time
        expression = track.neutral(landmarks, pose, coefficients, gaze, frame.time)
        return Face(track.id, track.box, landmarks, coefficients, *pose.angles, gaze, presence, expression)


def _box(landmarks: Array) -> Array:
    skin = landmarks[:468, :2]
    return np.concatenate([skin.min(0), skin.max(0)]).astype(np.float32)


_SHAPE_POINTS = np.array([33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 234, 454, 10, 152, 61, 291, 172, 397])
"""Points whose mutual places tell faces apart: eye corners, nose, temples, chin, mouth corners, jaw."""


def _signature(landmarks: Array) -> Array:
    return head_pose(landmarks).to_head(landmarks)[_SHAPE_POINTS]


def _distance(a: Array | None, b: Array) -> float:
    return float("inf") if a is None else float(np.linalg.norm(a - b, axis=1).mean())
