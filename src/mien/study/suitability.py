"""How well a picture will move: each thing that matters, scored from 0 to 10, with advice in plain words.

The criteria come from a study of twenty pictures animated from video: a face the size of the driver's or larger works
best; near the picture's edge it is crushed, and without brows the eyes die; strong contrast at eyes and mouth helps; of
mouths, slightly open and dark is best, then closed, then slightly open with teeth, then open with teeth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.avatar.crop import largest_face, square
from mien.engine.mesh.topology import EYES, LIPS, MOUTH
from mien.types import COEFFICIENT, Array, Picture

if TYPE_CHECKING:
    from mien.face.still import StillFace

GOOD, USABLE = 7.0, 4.5
"""Scores from which a picture is called so."""

_BROWS: Final = np.array([70, 63, 105, 66, 107, 336, 296, 334, 293, 300])


@dataclass(frozen=True, slots=True)
class Finding:
    """One criterion."""

    name: str
    score: float
    """0 (will not work) to 10 (as good as can be)."""
    seen: str
    """What was measured, in words."""
    advice: str = ""
    """What would be better; empty where nothing needs to be."""


@dataclass(frozen=True, slots=True)
class Suitability:
    """The verdict on a picture."""

    score: float
    """0 to 10: the mean of all criteria, pulled down by the worst, and most by a doubtful face."""
    verdict: str
    """"good", "usable" or "poor"."""
    findings: tuple[Finding, ...]
    faces: int
    """How many faces the picture shows; the largest is judged."""
    crop: tuple[int, int, int, int]
    """x, y, width, height in pixels of the part that engines get."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def check(picture: Picture, *, name: str = "the picture") -> Suitability:
    """Judge (H, W, 4) uint8 RGBA by its largest face. Raises AvatarError where there is none."""
    face, faces = largest_face(picture, name=name)
    looks = _Looks(picture, face)
    findings = tuple(criterion(looks) for criterion in _CRITERIA)
    scores = [finding.score for finding in findings]
    # Where there is hardly a face the other measures mean little.
    score = round(min(float(np.mean(scores)), min(scores) + 4.5, findings[0].score + 3), 1)
    verdict = "good" if score >= GOOD else "usable" if score >= USABLE else "poor"
    return Suitability(score, verdict, findings, faces, square(face.box, (picture.shape[1], picture.shape[0])))


class _Looks:
    """A face and the measures that several criteria share."""

    def __init__(self, picture: Picture, face: StillFace) -> None:
        self.face = face
        self.height, self.width = picture.shape[:2]
        self.lab = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2LAB).astype(np.float32)
        self.unit = float(face.pose.scale)
        """Pixels between the outer eye corners."""

    def points(self, indices: NDArray[np.integer] | slice) -> Array:
        return np.asarray(self.face.landmarks[indices, :2], np.float32)

    def mean(self, polygon: Array, without: Array | None = None) -> Array | None:
        """(3,) mean Lab colour inside a polygon (less another), None where that is nothing."""
        mask = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
        if without is not None:
            cv2.fillPoly(mask, [np.rint(without * 16).astype(np.int32)], 0, cv2.LINE_8, 4)
        return np.array(cv2.mean(self.lab, mask=mask)[:3], np.float32) if mask.any() else None

    def lightness(self, x: float, y: float) -> float:
        """Of a small patch around a point, 0 to 255."""
        r = max(1, round(self.unit * 0.03))
        patch = self.lab[max(0, round(y) - r) : round(y) + r + 1, max(0, round(x) - r) : round(x) + r + 1, 0]
        return float(patch.mean()) if patch.size else 0.0

    def coefficient(self, name: str) -> float:
        """Mean of both sides."""
        return float(np.mean([self.face.coefficients[COEFFICIENT[name + side]] for side in ("Left", "Right")]))


def _ramp(value: float, bad: float, good: float) -> float:
    """0 at `bad`, 10 at `good`, straight in between; either may be the larger."""
    return round(float(np.clip((value - bad) / (good - bad), 0, 1)) * 10, 1)


def _finding(name: str, score: float, seen: str, advice: str) -> Finding:
    return Finding(name, score, seen, advice if score < GOOD else "")


def _certainty(looks: _Looks) -> Finding:
    score = _ramp(looks.face.likeness, 0.3, 0.9)
    seen = "sure" if score >= GOOD else "doubtful: an animal, a mask or a very stylised drawing?"
    return _finding("a face", score, seen, "Landmarks may sit wrongly; look at the result before use.")


def _resolution(looks: _Looks) -> Finding:
    height = float(looks.face.box[3] - looks.face.box[1])
    return _finding(
        "resolution", _ramp(height, 30, 200), f"the face is {height:.0f} pixels high",
        "Use a larger picture: from about 200 pixels, brow to chin, the result is crisp.",
    )  # fmt: skip


def _room(looks: _Looks) -> Finding:
    x0, y0, x1, y1 = (float(v) for v in looks.face.box)
    room = {"left": x0, "right": looks.width - x1, "top": y0, "bottom": looks.height - y1}
    side, least = min(room.items(), key=lambda item: item[1])
    share = least / max(y1 - y0, 1)
    where = "beyond the edge" if share < 0 else f"{share:.0%} of the face's height"
    return _finding(
        "room", _ramp(share, -0.05, 0.25), f"least at the {side}: {where}",
        f"Leave more room at the {side}: a face near the edge is crushed when it moves.",
    )  # fmt: skip


def _brows(looks: _Looks) -> Finding:
    brows = looks.points(_BROWS)
    margin = _ramp(float(brows[:, 1].min()) / looks.unit, 0.0, 0.5)
    if margin < GOOD:
        return Finding("brows", margin, "cut off at the top", "Choose a picture that shows the forehead.")
    above = 0.28 * looks.unit
    contrast = float(np.mean([abs(looks.lightness(x, y) - looks.lightness(x, y - above)) for x, y in brows]))
    score = round(4 + 0.6 * _ramp(contrast, 2, 14), 1)
    seen = "clear" if score >= GOOD else "hard to tell from the forehead"
    return _finding("brows", score, seen, "Brows that stand out carry more expression.")


def _eyes(looks: _Looks) -> Finding:
    shut = looks.coefficient("eyeBlink")
    if shut > 0.55:
        return Finding("eyes", 1.0, "closed", "Choose a picture with open eyes: what is not there cannot be opened.")
    contrast = []
    for eye in EYES:
        iris = looks.points(slice(eye.iris + 1, eye.iris + 5))
        inside, around = looks.mean(iris), looks.mean(looks.points(eye.outline), without=iris)
        if inside is not None and around is not None:
            contrast.append(float(around[0] - inside[0]))
    score = min(_ramp(float(np.mean(contrast)) if contrast else 0.0, 2, 45), _ramp(shut, 0.6, 0.3))
    seen = "clear" if score >= GOOD else "half shut" if shut > 0.38 else "little contrast between iris and white"
    return _finding("eyes", score, seen, "A dark, clear pupil and open lids make the gaze readable.")


def _mouth(looks: _Looks) -> Finding:
    upper, lower = looks.face.landmarks[13, :2], looks.face.landmarks[14, :2]
    gap = float(np.linalg.norm(upper - lower)) / looks.unit
    if gap < 0.03:
        return Finding("mouth", 9.0, "closed")
    inner = looks.points(MOUTH)
    inside, lips = looks.mean(inner), looks.mean(looks.points(LIPS), without=inner)
    teeth = inside is not None and lips is not None and bool(inside[0] > 0.85 * lips[0])
    if gap < 0.12 and not teeth:
        return Finding("mouth", 10.0, "slightly open, dark inside")
    if gap < 0.12:
        return Finding("mouth", 6.5, "slightly open, teeth showing", "A closed mouth would move more cleanly.")
    return Finding(
        "mouth", 3.5 if teeth else 5.5, "wide open, teeth showing" if teeth else "wide open",
        "Choose a picture with the mouth closed or nearly so: an open one cannot be closed cleanly.",
    )  # fmt: skip


def _lips(looks: _Looks) -> Finding:
    outer = looks.points(LIPS)
    centre = outer.mean(0)
    lips = looks.mean(outer, without=looks.points(MOUTH))
    skin = looks.mean(centre + (outer - centre) * 1.5, without=centre + (outer - centre) * 1.15)
    score = 0.0 if lips is None or skin is None else _ramp(float(np.linalg.norm(lips - skin)), 2, 22)
    seen = "stand out" if score >= GOOD else "close to the skin in colour"
    return _finding("lips", score, seen, "Lips that stand out carry a smile and speech better.")


def _head(looks: _Looks) -> Finding:
    yaw, pitch, roll = (abs(float(np.degrees(angle))) for angle in looks.face.pose.angles)
    turned = {"is turned sideways": yaw, "looks up or down": 0.9 * pitch, "leans over": 0.6 * roll}
    way, worst = max(turned.items(), key=lambda item: item[1])
    return _finding(
        "head", _ramp(worst, 40, 12), f"{yaw:.0f}° sideways, {pitch:.0f}° up or down, {roll:.0f}° leaning",
        f"The head {way}; one that faces the camera can move both ways.",
    )  # fmt: skip


_CRITERIA: Final[tuple[Callable[[_Looks], Finding], ...]] = (
    _certainty, _resolution, _room, _brows, _eyes, _mouth, _lips, _head,
)  # fmt: skip
