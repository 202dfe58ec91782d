"""Where the avatar's landmarks, and everything around the face, go for an expression."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.engine.mesh.curves import ease, smoothstep, soft_limit
from mien.engine.mesh.features import (
    blink,
    close_lids,
    keep_crease,
    keep_lips_thick,
    lift_corners,
    lower_lid,
    meet_lips,
    round_lips,
    shut_mouth,
)
from mien.engine.mesh.margin import Margin, calming
from mien.engine.mesh.topology import (
    EYES,
    LIP_LOWER_INNER,
    LIP_LOWER_OUTER,
    LIP_UPPER_INNER,
    LIP_UPPER_OUTER,
    SKIN,
    delaunay,
    triangles,
)
from mien.face.gaze import EYE_RANGE, each_eye
from mien.face.pose import canonical, head_pose, rotation_from
from mien.types import COEFFICIENTS, Array, Expression

PIVOT = np.array([0, 0.85, 0.75], np.float32)
"""About which a head turns and nods, in the head's frame: between the ears, a little below."""
ROLL_PIVOT = np.array([0, 1.35, 0.75], np.float32)
"""About which it leans: the neck."""
TURN_LINEAR, TURN_LIMIT = math.radians(20), math.radians(30)
"""A turn is followed exactly up to the first angle and never goes beyond the second."""
FARTHEST_TURN = math.radians(48)
"""How far from the camera an avatar may look in all, the pose it was pictured in included."""

HIDDEN_CHEEK = math.radians(46)
"""A head pictured this far to one side cannot turn to the front at all."""

RINGS = np.array([1.06, 1.16, 1.3, 1.5, 1.75, 2.05, 2.4, 2.8, 3.3], np.float32)
"""Rings of points around the face, as multiples of its outline, that carry hair, neck and background along."""
_RIGID_UNTIL, _STILL_FROM = 1.3, 3.1
_NECK_RIGID_UNTIL, _NECK_STILL_FROM = 1.0, 2.1

_JAW_DROP = 0.27
"""Inter-ocular units by which the lower teeth leave the upper ones in a fully open mouth."""
_BESIDE_LIPS = 0.4
"""Inter-ocular units over which the size of the mouth's movements passes into that of the rest of the face."""
_LAUGHING = 0.2
"""Open jaw, beyond a tenth, from which a mouth laughs."""
_SURE_SMILE = 0.4
"""Smile, less stretched mouth, from which a mouth surely smiles."""
_OWN_EXPRESSION = {
    "jawOpen": 1.0, "mouthLowerDown": 1.0, "mouthUpperUp": 1.0, "mouthSmile": 1.3, "mouthDimple": 1.3,
    "cheekSquint": 1.3, "mouthFrown": 0.5, "mouthFunnel": 0.5,
}  # fmt: skip
"""How much of the expression that an avatar was pictured with is taken off before the driver's is put on: a clinician
must not read the smile of the photograph. More than all of a smile, for the cheeks keep its folds and light."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Where everything is for one expression, in pixels of the picture."""

    skin: Array
    """(468, 2) landmarks."""
    depth: Array
    """(468 + rings,) larger is farther."""
    rings: Array
    """(rings, 2) points around the face, ring by ring."""
    irises: Array
    """(2, 2) centre of the right iris and the left."""
    teeth: Array
    """(2,) where the edges of the upper teeth are: they hang from the skull, whatever the lips do."""
    jaw: float
    """Pixels by which the jaw is dropped."""
    closed: Array
    """(2,) 0 open to 1 shut, right eye and left."""


class Head:
    """The avatar's head: its landmarks where nothing moves, and how an expression moves them."""

    def __init__(self, landmarks: Array, coefficients: Array) -> None:
        """landmarks (478, 3) in pixels of the picture, coefficients (52,) as measured on it."""
        self.landmarks = landmarks = np.asarray(landmarks, np.float32)
        self.pose = head_pose(landmarks)
        mean = canonical()
        head = self.pose.to_head(landmarks)
        # A flat painting's depth is a guess: half the average face's keeps a turn believable.
        head[:, 2] = _flatten((head[:, 2] + mean.shape[:, 2]) / 2)
        self._head = head
        self._correction = landmarks[:, :2] - self.pose.to_frame(head)[:, :2]
        share = [next((s for start, s in _OWN_EXPRESSION.items() if n.startswith(start)), 0.0) for n in COEFFICIENTS]
        self._rest = -np.tensordot(np.array(share, np.float32) * coefficients, mean.basis, 1)
        shut_mouth(self._rest, head)
        closed = head + self._rest
        self._bite = closed[[13, 14]].mean(0, keepdims=True)
        self.scale = _feature_scale(head)
        """(478, 3) how much larger than the average each feature is."""
        self._yaw = self.pose.angles[0]
        self._loop = (
            cv2.convexHull(np.ascontiguousarray(landmarks[:SKIN, :2]), returnPoints=False).ravel().astype(np.int32)
        )
        edge = landmarks[self._loop, :2]
        self._rings = np.concatenate([edge.mean(0) + k * (edge - edge.mean(0)) for k in RINGS])
        self._source: Array = np.concatenate([landmarks[:SKIN, :2], self._rings])
        self._calming = calming(head, self.pose.rotation, self._loop)
        self._margin = Margin(landmarks[:, :2], self._loop)
        self._ring_rigid, self._ring_soft = self._ring_weights()
        self._ring_head = self._ring_depths()
        self.unit = self.pose.scale

    def source(self, motion: Motion) -> Array:
        """(468 + rings, 2) places in the avatar's picture of everything that `move` moves.

        A closing lid is unrolled from the skin above it: its dark edge, stretched, would make a black eye of it.
        """
        places: Array = self._source.copy()
        for eye, closed in zip(EYES, motion.closed, strict=True):
            for edge, skin, share in ((eye.upper[1:-1], eye.crease, 0.6), (eye.lower[1:-1], eye.bag, 0.3)):
                places[edge] += np.float32(share * closed) * (places[skin] - places[edge])
        return places

    def move(self, expression: Expression) -> Motion:
        """Places of landmarks and rings for an expression."""
        offsets = self._rest + expression.offsets * self.scale
        head = self._head + offsets
        round_lips(head, self._head)
        lift_corners(head, _smile(expression))
        meet_lips(head)
        keep_lips_thick(head, self._head)
        closed = np.array([blink(expression[f"eyeBlink{eye.side}"]) for eye in EYES], np.float32)
        for eye, amount, gaze in zip(EYES, closed, each_eye(expression), strict=True):
            lower_lid(head, eye, -float(gaze[1]) / EYE_RANGE[1])
            close_lids(head, eye, float(amount))
            keep_crease(head, self._head, eye)
        turn = self._turn(expression)
        lean = self._seen(rotation_from(0, 0, soft_limit(expression.roll, TURN_LINEAR, TURN_LIMIT)))
        moved = self._project(head, turn, lean)
        rigid = self._project(self._head, turn, lean)[:, :2] + self._correction - self.landmarks[:, :2]
        calm = self._calming @ rigid
        still = self.landmarks[:, :2] + calm
        places = self._margin(moved[:, :2] + self._correction + calm - rigid, still)
        rings_moved = self._project(self._ring_head, turn, lean)
        rigid = rings_moved[:, :2] - self.pose.to_frame(self._ring_head)[:, :2]
        soft = np.tile((places - still)[self._loop], (len(RINGS), 1))
        rings = self._rings + rigid * self._ring_rigid[:, None] + soft * self._ring_soft[:, None]
        depth = np.concatenate([moved[:SKIN, 2], rings_moved[:, 2] + self.unit])
        teeth = self._project(self._bite, turn, lean)[0, :2]
        jaw = _JAW_DROP * self.unit * expression["jawOpen"]
        return Motion(places[:SKIN], depth, rings, self._irises(expression, places), teeth, jaw, closed)

    def triangles(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(T, 3) triangles of the face as it is seen in the picture, and (U, 3) of the whole picture around and behind
        it, without a hole, for what the first leave open; indices as in `source`."""
        skin = triangles()
        a, b, c = (self.landmarks[skin[:, i], :2] for i in range(3))
        facing = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
        orientation = np.sign(np.median(facing))
        n = len(self._loop)
        loops = [self._loop] + [np.arange(n) + SKIN + i * n for i in range(len(RINGS))]
        around = []
        for inner, outer in pairwise(loops):
            for i in range(n):
                j = (i + 1) % n
                around += [(inner[i], outer[i], outer[j]), (inner[i], outer[j], inner[j])]
        behind = delaunay(self.landmarks[:SKIN, :2])
        # Slivers along the silhouette differ most between the two maps: there the whole one serves alone.
        within = ~np.isin(skin, self._loop).any(axis=1)
        return skin[(facing * orientation > 0) & within], np.concatenate([np.array(around), behind]).astype(np.int32)

    def _turn(self, expression: Expression) -> Array:
        yaw = soft_limit(expression.yaw, TURN_LINEAR, TURN_LIMIT)
        # A head pictured in three-quarter view has less way to go on that side.
        # Towards the front it must not show a cheek that the picture does not have.
        away = yaw * self._yaw > 0
        limit = max((FARTHEST_TURN if away else HIDDEN_CHEEK) - abs(self._yaw), math.radians(7))
        yaw = soft_limit(yaw, min(limit * 0.6, TURN_LINEAR), min(limit, TURN_LIMIT))
        pitch = soft_limit(expression.pitch, TURN_LINEAR, TURN_LIMIT)
        own = self.pose.angles
        # Angles add up as the camera sees them, so that a nod of a head in three-quarter view stays a nod.
        return np.asarray(self.pose.rotation.T @ rotation_from(own[0] + yaw, own[1] + pitch, own[2]), np.float32)

    def _seen(self, rotation: Array) -> Array:
        """A rotation about the camera's axes as one about the head's."""
        return np.asarray(self.pose.rotation.T @ rotation @ self.pose.rotation, np.float32)

    def _project(self, head: Array, turn: Array, lean: Array) -> Array:
        turned = (head - PIVOT) @ turn.T + PIVOT
        leaned = (turned - ROLL_PIVOT) @ lean.T + ROLL_PIVOT
        return self.pose.to_frame(leaned)

    def _irises(self, expression: Expression, places: Array) -> Array:
        """Centres of the irises: carried by the corners of the eye, moved by the gaze."""
        centres = []
        for eye, gaze in zip(EYES, each_eye(expression), strict=True):
            corners = [eye.upper[0], eye.upper[-1]]
            carried = places[corners].mean(0) - self.landmarks[corners, :2].mean(0)
            width = float(np.linalg.norm(self.landmarks[corners[1], :2] - self.landmarks[corners[0], :2]))
            height = float(np.linalg.norm(self.landmarks[eye.upper[4], :2] - self.landmarks[eye.lower[4], :2]))
            # An eyeball shows about as much white to either side as half its iris is wide, and less in a narrow eye
            # above and below.
            reach = np.array([0.34 * width, -min(0.30 * width, 0.75 * height)], np.float32)
            centres.append(self.landmarks[eye.iris, :2] + carried + np.sin(gaze) * reach * 1.6)
        return np.array(centres, np.float32)

    def _ring_weights(self) -> tuple[Array, Array]:
        """(rings,) how much each ring point follows the head as a whole, and the edge of the face."""
        k = np.repeat(RINGS, len(self._loop))
        below = np.tile(self._head[self._loop, 1], len(RINGS))
        # 0 above the mouth, 1 at the chin: shoulders stay where they are when a head turns.
        neck = np.clip((below - 0.75) / 0.45, 0, 1)
        rigid_until = _RIGID_UNTIL + neck * (_NECK_RIGID_UNTIL - _RIGID_UNTIL)
        still_from = _STILL_FROM + neck * (_NECK_STILL_FROM - _STILL_FROM)
        rigid = 1 - smoothstep((k - rigid_until) / (still_from - rigid_until))
        soft = 1 - smoothstep((k - 1) / 0.6)
        return rigid.astype(np.float32), soft.astype(np.float32)

    def _ring_depths(self) -> Array:
        """Ring points in the head's frame, ever farther back, as on a ball."""
        k = np.repeat(RINGS, len(self._loop))
        oval = np.tile(self._head[self._loop], (len(RINGS), 1))
        depth = oval[:, 2] + np.clip(k - 1, 0, 0.5) * 0.5
        image = np.concatenate([self._rings, np.zeros((len(k), 1), np.float32)], 1).astype(np.float32)
        # Undo the projection at the wanted depth.
        flat = (image - self.pose.translation)[:, :2] / self.pose.scale
        rotation = self.pose.rotation
        in_plane = flat - depth[:, None] * rotation[:2, 2]
        xy = in_plane @ np.linalg.inv(rotation[:2, :2]).T
        return np.concatenate([xy, depth[:, None]], 1).astype(np.float32)


def _smile(expression: Expression) -> float:
    """0 to 1: how surely the mouth smiles with its jaw up. A falling jaw takes the corners along."""
    smile, stretch = (
        (expression[f"{name}Left"] + expression[f"{name}Right"]) / 2 for name in ("mouthSmile", "mouthStretch")
    )
    return ease((smile - stretch) / _SURE_SMILE) * (1 - ease((expression["jawOpen"] - 0.1) / _LAUGHING))


def _flatten(depth: NDArray[np.floating]) -> Array:
    """Depth less steep where a face turns away to its silhouette: a picture has no skin to show from behind it."""
    return np.asarray(np.where(depth > 0.2, 0.2 + 0.45 * (depth - 0.2), depth), np.float32)


def _feature_scale(head: Array) -> Array:
    """(478, 3) how much larger or smaller than the average each feature is: a small mouth smiles small."""
    mean = canonical().shape
    scale = np.ones((len(head), 3), np.float32)

    def ratio(a: int, b: int) -> float:
        return float(np.clip(np.linalg.norm(head[a] - head[b]) / np.linalg.norm(mean[a] - mean[b]), 0.7, 1.5))

    lips = np.unique(np.concatenate([LIP_LOWER_INNER, LIP_LOWER_OUTER, LIP_UPPER_INNER, LIP_UPPER_OUTER]))
    away = np.linalg.norm(mean[:, None, :2] - mean[None, lips, :2], axis=2).min(1)
    lip = ratio(61, 291)
    # Skin beside wide lips goes along with them, or it would fold.
    scale += ((1 - smoothstep(away / _BESIDE_LIPS)) * max(lip - 1, 0))[:, None]
    scale[lips] = lip
    for eye in EYES:
        height = ratio(int(eye.upper[4]), int(eye.lower[4]))
        scale[eye.outline, 1] = height
        scale[eye.iris : eye.iris + 5] = 1
    return scale
