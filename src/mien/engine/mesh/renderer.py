"""Puts a moved avatar together: warp the picture, then eyes and mouth."""

from __future__ import annotations

import copy

import cv2
import numpy as np

from mien.engine.base import OnShare
from mien.engine.mesh import aim, response
from mien.engine.mesh.aim import Aim
from mien.engine.mesh.blend import box_around
from mien.engine.mesh.creases import Creases
from mien.engine.mesh.eyes import Eye
from mien.engine.mesh.geometry import Head
from mien.engine.mesh.lids import Lid
from mien.engine.mesh.mirror import Mirror, Tracker
from mien.engine.mesh.mouth import Mouth
from mien.engine.mesh.raster import rasterize
from mien.engine.mesh.response import Response
from mien.engine.mesh.topology import EYES, OVAL, SKIN
from mien.types import Array, Expression, Picture

_SMOOTH = 1.0
"""Standard deviation in pixels of the map inside the face over which it is averaged."""
_FACE_MAP = 256
"""The warp inside the face is found on a map about this wide, around it on one half as fine, and then enlarged."""


class MeshRenderer:
    """A picture made ready to move; see `mien.engine.base.Renderer` and `HasBackdrop`."""

    def __init__(self, picture: Picture, landmarks: Array, coefficients: Array) -> None:
        """picture (H, W, 4) uint8 RGBA; landmarks (478, 3) in its pixels and coefficients (52,) as measured on it."""
        self._picture = np.ascontiguousarray(picture)
        self._beyond = cv2.BORDER_REFLECT_101
        height, width = picture.shape[:2]
        self.size = (width, height)
        rgb = np.ascontiguousarray(picture[..., :3])
        self._head = Head(landmarks, coefficients)
        self._eyes = [Eye(rgb, landmarks, eye, i) for i, eye in enumerate(EYES)]
        self._lids = [Lid(rgb, landmarks, eye, landmarks[eye.brow, :2]) for eye in EYES]
        self._mouth = Mouth(rgb, landmarks)
        self._creases = Creases(rgb, landmarks)
        self._scale = min(1.0, _FACE_MAP / max(width, height))
        self._still = [_identity(self.size, scale) for scale in (self._scale / 2, self._scale, 1.0)]
        self._face_triangles, self._all_triangles = self._head.triangles()
        still = self._head.move(Expression.neutral())
        self._response, self._aim = Response.straight(), Aim.straight()
        self.outline = still.skin[OVAL]
        self.face = np.array([still.skin[e.outline].mean(0) for e in EYES] + [still.skin[[13, 14]].mean(0)], np.float32)

    def learn(self, tracker: Tracker, on_progress: OnShare | None = None) -> None:
        """Find out, with a tracker's eyes, how far this picture must be moved for an expression to show."""
        self._response, self._aim = Response.straight(), Aim.straight()
        mirror = Mirror(self, tracker, looks=response.LOOKS + aim.LOOKS, on_progress=on_progress)
        self.learned = response.learn(mirror, self._head.scale), aim.learn(mirror)

    @property
    def learned(self) -> tuple[Response, Aim]:
        """What `learn` found out. May be set to what was learned on an equal picture before."""
        return self._response, self._aim

    @learned.setter
    def learned(self, learned: tuple[Response, Aim]) -> None:
        self._response, self._aim = learned

    def without_backdrop(self) -> MeshRenderer:
        """The same head cut out, before nothing. Raises ModelError where the network that finds people is missing."""
        from mien.engine.mesh.matte import cut_out
        from mien.face.parts import open_people

        alone = copy.copy(self)
        alone._picture = cut_out(self._picture, self._head.landmarks, open_people())
        alone._beyond = cv2.BORDER_REPLICATE  # the edge is transparent, and its mirror image holds hair again
        return alone

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        """Render (H, W, 4) uint8 RGBA."""
        creased = self._creases(self._picture, expression)
        expression = self._aim(self._response(expression))
        motion = self._head.move(expression)
        places = np.concatenate([motion.skin, motion.rings])
        coordinates = self._warp(self._head.source(motion), places, motion.depth)
        # OpenCV's own stubs do not know that the second map may be missing.
        bent = cv2.remap(creased, coordinates, np.empty(0), cv2.INTER_LINEAR, borderMode=self._beyond)
        picture = np.asarray(bent, np.uint8)
        for index, (lid, eye) in enumerate(zip(self._lids, self._eyes, strict=True)):
            lid.draw(picture, motion, index)
            eye.draw(picture, motion)
        self._mouth.draw(picture, motion, expression)
        return picture

    def _warp(self, source: Array, places: Array, depth: Array) -> Array:
        """(H, W, 2) float32: for each pixel of the output, the pixel of the avatar's picture it shows."""
        coarse, fine, full = self._still
        around = coarse.copy()
        rasterize(around, places, source, self._all_triangles, depth, scale=self._scale / 2)
        # Shifts are enlarged, not places: where nothing moves a pixel shows exactly itself, up to the very edge.
        around -= coarse
        face = _enlarged(around, fine)
        rasterize(face, places[:SKIN], source[:SKIN], self._face_triangles, depth[:SKIN], scale=self._scale)
        face -= fine
        return _enlarged(self._smooth(face, places), full)

    def _smooth(self, face: Array, places: Array) -> Array:
        """The map without the steps that triangles leave along an edge of the face. Lids part colours that must not
        mix, and stay as they are."""
        smooth = np.asarray(cv2.GaussianBlur(face, (0, 0), _SMOOTH), np.float32)
        for eye in EYES:
            points = np.concatenate([places[eye.outline], places[eye.crease], places[eye.bag]]) * self._scale
            x0, y0, x1, y1 = box_around(points, (face.shape[1], face.shape[0]), 1)
            smooth[y0:y1, x0:x1] = face[y0:y1, x0:x1]
        return smooth


def _enlarged(shifts: Array, still: Array) -> Array:
    """The map as fine as `still` that is shifted from it."""
    shifted = np.asarray(cv2.resize(shifts, still.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    shifted += still
    return shifted


def _identity(size: tuple[int, int], scale: float) -> Array:
    """(h, w, 2) map at `scale` on which every pixel shows itself."""
    width, height = round(size[0] * scale), round(size[1] * scale)
    x = (np.arange(width, dtype=np.float32) + 0.5) * (size[0] / width) - 0.5
    y = (np.arange(height, dtype=np.float32) + 0.5) * (size[1] / height) - 0.5
    return np.stack(np.meshgrid(x, y), -1)
