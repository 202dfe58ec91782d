"""Finds the faces of a single picture: photographs, paintings, drawings, heads of clay, leaning and of any size.

A clip gives many chances to find a face and a picture one, so this looks at several sizes and leans, and lets the
landmark model correct its own framing until it settles.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mien.face.boxes import around, containment, iou
from mien.face.detect import Detection, Detector, look, merge, windows
from mien.face.frontal import read_coefficients
from mien.face.landmarks import Region
from mien.face.pose import Pose, canonical, head_pose
from mien.face.tracker import SMALLEST, Mesh
from mien.types import Array, Picture

_LEANS = (0.0, -30.0, 30.0, -60.0, 60.0, 90.0, -90.0, 180.0)
"""Degrees that the picture is turned by, in the order tried; the search ends with the first that shows a sure face."""
SURE = 0.5
"""Likeness from which a face is one: paintings and heads of clay reach 1, a capuchin .6, hands and spoons .2."""
_CERTAIN = 0.9
"""Likeness that ends the search; upside down, a chin and a brow can look like a face as well."""
_INDIFFERENT, _CONVINCED = 0.5, 0.85
"""Scores of the detector, from close by, that say nothing and all."""
_ODD = 0.06
"""Mean distance from the mean face, in inter-ocular units, that no human face, painted or not, was seen to exceed."""
_LOOKS = 6
_SETTLED = 0.01
"""Shift of the frame, as a share of its side, below which looking again changes nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class StillFace:
    """A face in a picture."""

    landmarks: Array
    """(478, 3) float32, pixels of the picture."""
    coefficients: Array
    """(52,) float32 in [0, 1], as seen."""
    pose: Pose
    presence: float
    """The landmark model's score, 0 to 1."""
    likeness: float
    """How sure it is that this is a face, 0 to 1: `presence`, the detector's score from close by, and how human the
    proportions are, multiplied. Below `SURE` it is an animal, a very stylised drawing, or no face at all."""
    box: Array
    """(4,) float32: x0, y0, x1, y1 around the skin landmarks."""


class FaceFinder:
    """A picture in, its faces out, largest first."""

    def __init__(self, detector: Detector, mesh: Mesh) -> None:
        """`detector` should be lenient: every answer of it is checked by `mesh`."""
        self._detector, self._mesh = detector, mesh
        self.model = mesh.name

    def __call__(self, image: Picture, *, least: float = 0.05) -> list[StillFace]:
        """All sure faces in (H, W, 3) uint8 RGB; where there is none, the likeliest one if it reaches `least`.

        Takes some 50 ms where there is an upright human face, and a second or two where there is none.
        """
        upright, *leaning = (partial(self._leaning, degrees=degrees) for degrees in _LEANS)
        searches: list[Callable[[Picture], list[Detection]]] = [upright, self._small, *leaning]
        tried = []
        for search in searches:
            faces = self._faces(image, search(image))
            if any(face.likeness >= _CERTAIN for face in faces):
                return [face for face in faces if face.likeness >= SURE]
            tried.append(faces)
        best = max(tried, key=lambda faces: max((_upright_likeness(face) for face in faces), default=0.0))
        sure = [face for face in best if face.likeness >= SURE]
        if sure:
            return sure
        doubtful = [face for faces in tried for face in faces] + self._faces(image, self._guesses(image))
        likeliest = sorted(doubtful, key=_upright_likeness)[-1:]
        return [face for face in likeliest if face.likeness >= least]

    def _leaning(self, image: Picture, degrees: float) -> list[Detection]:
        """Detections in the picture turned by an angle, in pixels of the picture as it is.

        The picture gets a border of a quarter all around: a face that fills it is then as large as the detector likes.
        """
        height, width = image.shape[:2]
        side = max(width, height) * 1.5
        turned = Region(width / 2, height / 2, side, float(np.radians(degrees)))
        return self._through(image, turned, round(min(side, 1280)))

    def _small(self, image: Picture) -> list[Detection]:
        """Detections in ever smaller tiles of the picture at its own size."""
        height, width = image.shape[:2]
        levels = max(1, round(math.log2(min(width, height) / 200)))
        tiles = windows(width, height, self._detector.reach, levels=levels)
        return merge([detection for tile in tiles for detection in look(self._detector, image, tile)])

    def _through(self, image: Picture, region: Region, pixels: int) -> list[Detection]:
        """Detections in a region of the picture seen at that many pixels across, in pixels of the picture."""
        crop = region.crop(image, pixels)
        back = region.to_frame(pixels)
        found = []
        for detection in self._detector(crop, thorough=pixels > 300):
            x0, y0, x1, y1 = detection.box
            x, y = back[:, :2] @ np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + back[:, 2]
            half = max(x1 - x0, y1 - y0) / 2 * region.side / pixels
            box = np.array([x - half, y - half, x + half, y + half], np.float32)
            found.append(Detection(box, detection.roll + region.roll, detection.score))
        return found

    def _guesses(self, image: Picture) -> list[Detection]:
        """Where portraits have their faces, for heads that no detector takes for one."""
        height, width = image.shape[:2]
        guesses = [
            Detection(np.array([x - half, y - half, x + half, y + half], np.float32), 0.0, 0.0)
            for half in (min(width, height) * share for share in (0.36, 0.26, 0.18))
            for y in np.arange(half, height - half * 0.99, half)
            for x in np.arange(half, width - half * 0.99, half)
        ]
        seen = [(self._mesh.landmarks(image, Region.around_detection(guess))[1], guess) for guess in guesses]
        return [guess for _, guess in sorted(seen, key=lambda pair: -pair[0])[:6]]

    def _faces(self, image: Picture, detections: list[Detection]) -> list[StillFace]:
        """What the landmark model makes of detections, the likelier of two that share a place, largest first."""
        found = [face for detection in detections if (face := self._settled(image, detection))]
        kept: list[StillFace] = []
        for face in sorted(found, key=lambda face: -face.likeness):
            if all(containment(face.box, other.box) < 0.5 for other in kept):
                kept.append(face)
        return sorted(kept, key=lambda face: float(face.box[0] - face.box[2]))

    def _settled(self, image: Picture, detection: Detection) -> StillFace | None:
        """The face once its frame is laid by its own landmarks; the best look on the way there."""
        region = Region.around_detection(detection)
        best, best_presence = None, 0.0
        for number in range(_LOOKS):
            if region.side < SMALLEST:
                break
            landmarks, presence = self._mesh.landmarks(image, region)
            if number and presence >= best_presence - 0.005:
                best, best_presence = landmarks, presence
            following = Region.around_landmarks(landmarks)
            if not 0.3 < following.side / region.side < 3 or (number and region.shift(following) < _SETTLED):
                break
            region = following
        if best is None or best_presence < 0.1 or containment(around(best), detection.box) < 0.3:
            return None
        pose = head_pose(best)
        coefficients = read_coefficients(self._mesh, best, pose)
        likeness = best_presence * self._closer(image, best) * _proportion(pose.to_head(best), coefficients)
        return StillFace(best, coefficients, pose, best_presence, likeness, around(best))

    def _closer(self, image: Picture, landmarks: Array) -> float:
        """How sure the detector is of a face seen upright and at the size it likes, 0 to 1."""
        region = Region.around_landmarks(landmarks, grow=1.9)
        box = around(landmarks)
        seen = self._through(image, region, 160)
        upright = [d for d in seen if abs(math.remainder(d.roll - region.roll, math.tau)) < 0.6]
        score = max((d.score for d in upright if iou(d.box, box) > 0.35), default=0.0)
        return float(np.clip((score - _INDIFFERENT) / (_CONVINCED - _INDIFFERENT), 0, 1))


def _proportion(head: Array, coefficients: Array) -> float:
    """1 for human proportions, less the farther the relaxed shape of (478, 3) landmarks in the head's frame is off."""
    relaxed = head - np.tensordot(coefficients, canonical().basis, 1)
    apart = float(np.linalg.norm(relaxed - canonical().shape, axis=1)[:468].mean())
    return float(np.clip(1 - (apart - _ODD) / _ODD, 0.3, 1))


def _upright_likeness(face: StillFace) -> float:
    """Likeness, less for one that leans: what is no human face looks like one at some angle or other."""
    return face.likeness * (0.7 + 0.3 * math.cos(face.pose.angles[2]))
