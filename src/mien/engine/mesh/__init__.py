"""Any picture with a findable face comes alive: its landmarks are moved, and the picture is bent to follow."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from mien.engine.mesh.renderer import MeshRenderer
from mien.errors import AvatarError
from mien.types import Array, Avatar, Picture


class MeshEngine:
    """Landmark-driven warping of one picture, with eyes and the inside of the mouth drawn anew. No weights of its own
    beyond the face landmarks that every part of mien uses."""

    name = "mesh"
    summary = "Any portrait, painting or drawing with a findable face; live on a CPU"
    needs: Literal["expression"] = "expression"
    takes = ("picture",)

    def prepare(self, avatar: Avatar, *, size: int = 512) -> MeshRenderer:
        """Find the avatar's face and take it apart. Raises AvatarError where there is none."""
        from mien import models
        from mien.face.detect import BlazeFace
        from mien.face.landmarks import FaceMesh, Region
        from mien.face.parts import read_task

        if avatar.picture is None:
            raise AvatarError(f"The engine mesh needs a picture, and {avatar.name} is a {avatar.kind}.")
        height, width = avatar.picture.shape[:2]
        scale = size / max(height, width)
        shape = (max(2, round(width * scale)), max(2, round(height * scale)))
        picture = cv2.resize(avatar.picture, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        rgb = np.ascontiguousarray(picture[..., :3])
        parts = read_task(models.path("face-landmarker"))
        found = BlazeFace(parts["face_detector.tflite"])(rgb)
        if not found:
            raise AvatarError(f"No face was found in {avatar.name}.")
        mesh = FaceMesh(parts["face_landmarks_detector.tflite"], parts["face_blendshapes.tflite"])
        region = Region.around_detection(found[0])
        for _ in range(3):
            landmarks, _ = mesh.landmarks(rgb, region)
            region = Region.around_landmarks(landmarks)
        renderer = MeshRenderer(np.asarray(picture, np.uint8), landmarks, mesh.coefficients(landmarks))
        neutral = Region.around_landmarks(landmarks)

        def measure(rendered: Picture) -> Array | None:
            seen, presence = mesh.landmarks(rendered, neutral)
            return mesh.coefficients(seen) if presence > 0.5 else None

        renderer.learn_response(measure)
        return renderer
