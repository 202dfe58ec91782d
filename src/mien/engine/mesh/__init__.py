"""Any picture with a findable face comes alive: its landmarks are moved, and the picture is bent to follow."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import cv2
import numpy as np

from mien.engine.base import OnShare
from mien.engine.mesh.aim import Aim
from mien.engine.mesh.mirror import Reading
from mien.engine.mesh.renderer import MeshRenderer
from mien.engine.mesh.response import Response
from mien.errors import AvatarError
from mien.types import Avatar, Picture

_REMEMBERED: Final = 16
_learned: dict[bytes, tuple[Response, Aim]] = {}
"""What was learned on the last pictures, by their digests: live, people change faces back and forth. In memory only:
a file would tell which picture somebody wore."""


def forget() -> None:
    """Drop what was learned on pictures. Benchmarks measure first times."""
    _learned.clear()


class MeshEngine:
    """Landmark-driven warping of one picture, with eyes and the inside of the mouth drawn anew. No weights of its own
    beyond the face landmarks that every part of mien uses."""

    name = "mesh"
    summary = "Any portrait, painting or drawing with a findable face; live on a CPU"
    needs: Literal["expression"] = "expression"
    takes = ("picture",)

    def prepare(self, avatar: Avatar, *, size: int = 512, on_progress: OnShare | None = None) -> MeshRenderer:
        """Find the avatar's face, take it apart, and learn how far it must be moved. Raises AvatarError where there is
        no face."""
        from mien.face.frontal import read_coefficients
        from mien.face.landmarks import Region
        from mien.face.parts import open_finder, open_mesh
        from mien.face.pose import head_pose

        if avatar.picture is None:
            raise AvatarError(f"The engine mesh needs a picture, and {avatar.name} is a {avatar.kind}.")
        height, width = avatar.picture.shape[:2]
        scale = size / max(height, width)
        shape = (max(2, round(width * scale)), max(2, round(height * scale)))
        resized = cv2.resize(avatar.picture, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        picture = np.asarray(resized, np.uint8)
        rgb = np.ascontiguousarray(picture[..., :3])
        found = open_finder()(rgb)
        if not found:
            raise AvatarError(
                f"No face was found in {avatar.name}. A face that looks towards the viewer, fills a third of the "
                "picture and shows both eyes works best; `mien avatars check` says more."
            )
        face, mesh = found[0], open_mesh()
        renderer = MeshRenderer(picture, face.landmarks, face.coefficients)
        neutral = Region.around_landmarks(face.landmarks)

        def read(drawn: Picture) -> Reading | None:
            seen, presence = mesh.landmarks(drawn, neutral)
            return Reading(seen, read_coefficients(mesh, seen, head_pose(seen))) if presence > 0.5 else None

        key = hashlib.sha256(picture.tobytes() + f"{picture.shape} {mesh.name}".encode()).digest()
        if (known := _learned.get(key)) is not None:
            renderer.learned = known
        else:
            renderer.learn(read, on_progress)
            _learned[key] = renderer.learned
            while len(_learned) > _REMEMBERED:
                _learned.pop(next(iter(_learned)), None)
        return renderer
