"""Follows every face through a clip: the same person keeps the same number, through turns, losses and cuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from mien.face.boxes import around, containment, iou, shared
from mien.face.calibration import Neutral
from mien.face.cuts import CutDetector
from mien.face.detect import Detection, Detector, look, windows
from mien.face.frontal import frontal, read_coefficients
from mien.face.frown_lines import FrownLines, with_worry
from mien.face.gaze import gaze_of
from mien.face.identity import SAME, Look
from mien.face.landmarks import Region
from mien.face.mouth_shape import without_grimaces
from mien.face.pose import head_pose
from mien.face.smoothing import OneEuro, for_landmarks
from mien.types import Array, Face, Frame, Picture

PRESENT = 0.5
"""Presence score from which the landmark model's answer counts as a face."""
CERTAIN = 0.9
"""Presence score that somebody new must reach twice: a false face that comes and goes would flash up an avatar."""
SETTLED = 0.08
"""How far a new face's frame may still shift from one look to the next, as a share of its side: on what is no face
the landmarks wander."""
MISSED_FOR = 2.0
"""Seconds during which somebody lost is searched for in every frame."""
FORGET_AFTER = 60.0
"""Seconds after which somebody who left is forgotten."""
SMALLEST = 20.0
"""Pixels across the landmark model's square below which nothing can be read off a face."""


class Mesh(Protocol):
    """A landmark model: `FaceMesh` or `AttentionMesh`."""

    name: str

    def landmarks(self, image: Picture, region: Region) -> tuple[Array, float]:
        """(478, 3) float32 points in the frame and the presence score in [0, 1]."""
        ...

    def coefficients(self, landmarks: Array) -> Array:
        """(52,) float32 in [0, 1] from (478, 3) landmarks in pixels."""
        ...


@dataclass(slots=True)
class _Track:
    """One person."""

    id: int
    region: Region | None
    """Where to look in the next frame; None while lost."""
    box: Array
    seen: float
    smooth: OneEuro
    look: Look | None = None
    """How this person has looked so far."""
    frames: int = 0
    neutral: Neutral = field(default_factory=Neutral)
    frown: FrownLines = field(default_factory=FrownLines)


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """A face that was seen in this frame, before it is measured."""

    track: _Track
    landmarks: Array
    presence: float
    box: Array


class FaceTracker:
    """Callable stage: a Frame in, its Faces out, by id; ids are given largest face first.

    `detector` finds faces in a whole frame; `mesh` gives landmarks and coefficients of one. Frames must come in order;
    `reset` starts a new clip. At most `max_faces` are followed. `model` names the mesh.
    """

    def __init__(
        self, detector: Detector, mesh: Mesh, *, max_faces: int = 6, smoothing: Callable[[], OneEuro] = for_landmarks
    ) -> None:
        self._detector, self._mesh, self._max_faces, self._smoothing = detector, mesh, max_faces, smoothing
        self.model = mesh.name
        self.reset()

    def reset(self) -> None:
        """Forget everybody."""
        self._tracks: list[_Track] = []
        self._next_id = 0
        self._turn = 0
        self._is_cut = CutDetector()

    def calibrate(self) -> bool:
        """Take everybody's face of this moment as neutral. False where nobody is in sight."""
        seen = [track for track in self._tracks if track.region]
        for track in seen:
            track.frown.calibrate()
        done = [track.neutral.calibrate() for track in seen]
        return any(done)

    def release(self) -> None:
        """Go back from `calibrate` to estimating everybody's neutral face as the clip goes on."""
        for track in self._tracks:
            track.neutral.release()
            track.frown.release()

    def __call__(self, frame: Frame) -> list[Face]:
        """Faces of the frame that are really seen in it; nothing is held or guessed."""
        cut = self._is_cut(frame.image)
        sightings = [] if cut else self._follow(frame.image)
        seen = {id(sighting.track) for sighting in sightings}
        for track in self._tracks:
            if id(track) not in seen:
                track.region = None
        sightings += self._search(frame, sightings, cut=cut)
        faces = [self._measure(frame, sighting, clear=_clear(sighting, sightings)) for sighting in sightings]
        self._tracks = [t for t in self._tracks if t.region or frame.time - t.seen < FORGET_AFTER]
        return sorted(faces, key=lambda face: face.id)

    def _follow(self, image: Picture) -> list[_Sighting]:
        """Everybody who is still where they were."""
        sightings: list[_Sighting] = []
        for track in self._tracks:
            sighting = self._look_again(image, track)
            if sighting is None:
                continue
            twin = next((s for s in sightings if iou(s.box, sighting.box) > 0.5), None)
            if twin is None:
                sightings.append(sighting)
            elif self._strangeness(image, sighting) < self._strangeness(image, twin):
                sightings[sightings.index(twin)] = sighting
        return sightings

    def _look_again(self, image: Picture, track: _Track) -> _Sighting | None:
        if track.region is None:
            return None
        landmarks, presence = self._mesh.landmarks(image, track.region)
        height, width = image.shape[:2]
        x, y = landmarks[:468, :2].mean(0)
        if presence < PRESENT or not (0 <= x < width and 0 <= y < height):
            return None
        return _Sighting(track, landmarks, presence, around(landmarks))

    def _strangeness(self, image: Picture, sighting: _Sighting) -> float:
        """How unlike its track's person a face looks: two tracks have run into the same face, and one is right."""
        known = sighting.track.look
        return known.difference(self._look_of(image, sighting.landmarks)) if known else float("inf")

    def _look_of(self, image: Picture, landmarks: Array) -> Look:
        return Look.at(image, landmarks, head_pose(landmarks), self._mesh.coefficients(landmarks))

    def _search(self, frame: Frame, sightings: list[_Sighting], *, cut: bool) -> list[_Sighting]:
        """Faces that no track follows yet, largest first."""
        found: list[_Sighting] = []
        known = [sighting.box for sighting in sightings]
        for detection in self._candidates(frame, cut=cut, alone=not sightings):
            if len(known) >= self._max_faces:
                break
            if any(containment(detection.box, box) > 0.3 for box in known):
                continue
            settled = self._settle(frame.image, detection)
            if settled is None:
                continue
            landmarks, presence = settled
            box = around(landmarks)
            if any(containment(box, other) > 0.3 for other in known):
                continue
            track = self._who(frame, landmarks, box, cut=cut)
            track.smooth.reset()
            known.append(box)
            found.append(_Sighting(track, landmarks, presence, box))
        return found

    def _candidates(self, frame: Frame, *, cut: bool, alone: bool) -> list[Detection]:
        """Detections, largest first. A new picture is searched all over; after that the whole frame and its tiles are
        looked at in turn, one look at a time, and oftener while somebody is missing."""
        self._turn += 1
        height, width = frame.image.shape[:2]
        if cut:
            found = self._detector(frame.image, thorough=True)
        else:
            missing = alone or any(t.region is None and frame.time - t.seen < MISSED_FOR for t in self._tracks)
            pause = 1 if missing and self._detector.pause < 10 else self._detector.pause
            number, rest = divmod(self._turn, pause)
            if rest:
                return []
            whole, *tiles = windows(width, height, self._detector.reach)
            tile = [tiles[number // 2 % len(tiles)]] if tiles else []
            pieces = [whole, *tile] if missing else [whole] if number % 2 or not tile else tile
            found = [d for piece in pieces for d in look(self._detector, frame.image, piece)]
        return sorted(found, key=lambda d: -float(d.box[2] - d.box[0]))

    def _settle(self, image: Picture, detection: Detection) -> tuple[Array, float] | None:
        """Landmarks and presence once the face is framed by its own landmarks; None where there is no face."""
        landmarks, presence = self._mesh.landmarks(image, Region.around_detection(detection))
        if presence < PRESENT:
            return None
        for _ in range(3):
            region = Region.around_landmarks(landmarks)
            if region.side < SMALLEST:
                return None
            landmarks, presence = self._mesh.landmarks(image, region)
            if presence < CERTAIN:
                return None
            if region.shift(Region.around_landmarks(landmarks)) < SETTLED:
                return landmarks, presence
        return None

    def _who(self, frame: Frame, landmarks: Array, box: Array, *, cut: bool) -> _Track:
        """The lost person this is, else a new one."""
        now = self._look_of(frame.image, landmarks)
        best, least = None, SAME
        for track in self._tracks:
            if track.region is None and track.look is not None:
                difference = track.look.difference(now)
                if not cut and frame.time - track.seen < MISSED_FOR:
                    difference *= _nearness(track.box, box)
                if difference < least:
                    best, least = track, difference
        if best is None:
            best = _Track(self._next_id, None, box, frame.time, self._smoothing())
            self._next_id += 1
            self._tracks.append(best)
        # Taken: nobody else in this frame can be the same person.
        best.region = Region.around_landmarks(landmarks)
        return best

    def _measure(self, frame: Frame, sighting: _Sighting, *, clear: bool) -> Face:
        """Smooth, measure, and remember where to look next and, where nobody is in front, how this person looks."""
        track = sighting.track
        framed = Region.around_landmarks(sighting.landmarks)
        track.region = track.region.follow(framed) if track.region else framed
        unit = float(np.linalg.norm(sighting.landmarks[263] - sighting.landmarks[33])) + 1e-6
        landmarks = track.smooth(sighting.landmarks, frame.time, unit=unit)
        pose = head_pose(landmarks)
        shown = without_grimaces(read_coefficients(self._mesh, landmarks, pose), frontal(landmarks, pose))
        coefficients = with_worry(shown, track.frown(frame.image, landmarks, frame.time))
        gaze = gaze_of(pose.to_head(landmarks), coefficients)
        if track.look is None or (clear and track.frames % 5 == 0):
            now = Look.at(frame.image, landmarks, pose, coefficients)
            track.look = now if track.look is None else track.look.towards(now, 1 / min(track.frames / 5 + 1, 20))
        track.frames += 1
        track.box, track.seen = around(landmarks), frame.time
        expression = track.neutral(landmarks, pose, coefficients, gaze, frame.time, unseen=coefficients - shown)
        return Face(track.id, track.box, landmarks, coefficients, *pose.angles, gaze, sighting.presence, expression)


def _clear(sighting: _Sighting, sightings: list[_Sighting]) -> bool:
    """Whether nobody else is in front of or close to this face."""
    reach = 0.3 * float(sighting.box[2] - sighting.box[0])
    wide = sighting.box + np.array([-reach, -reach, reach, reach], np.float32)
    return not any(other is not sighting and shared(wide, other.box) > 0 for other in sightings)


def _nearness(last: Array, now: Array) -> float:
    """Factor on the difference of two looks for where somebody turns up a moment after they were lost."""
    if iou(last, now) > 0.3:
        return 0.5
    between = np.linalg.norm((last[:2] + last[2:] - now[:2] - now[2:]) / 2)
    return 0.75 if between < 2 * float(now[2] - now[0]) else 1.0
