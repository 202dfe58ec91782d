"""The faces there are to wear: listed, drawn small, judged, and the user's own added and removed."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mien.avatar import library
from mien.errors import AvatarError, MienError, OutputError
from mien.media.memory import MemoryFile
from mien.studio.answers import RefusedError, explained
from mien.studio.intake import Intake, file_name

if TYPE_CHECKING:
    from mien.study.suitability import Suitability
    from mien.types import Picture

LARGEST: Final = 20 << 20
"""Bytes of a picture that is sent."""
THUMBNAIL: Final = 256
"""Pixels a side."""
MOST: Final = 200
"""Avatars that a user can have of their own."""
_LONGEST_SIDE: Final = 3072
"""Pixels to which larger pictures are scaled down: engines get 2048 at most, and judging takes 40 bytes for each."""
_LONGEST_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class Listed:
    """An avatar that can be chosen by name."""

    name: str
    title: str
    """For people; a picture's is its name."""
    kind: str
    """"picture" or "puppet"."""
    own: bool
    """Whether it is the user's own, to be removed as they like."""
    path: Path = field(repr=False)
    trouble: str = ""
    """Why it cannot be worn; empty where it can."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `trouble` only where there is some."""
        plain = {"name": self.name, "title": self.title, "kind": self.kind, "own": self.own}
        return plain | {"trouble": self.trouble} if self.trouble else plain


def known() -> dict[str, Listed]:
    """Every avatar by name, built-in ones first and before a user's of the same name. Where one cannot be worn, its
    name stands for its title, and `trouble` says why."""
    found = [(name, path, False) for name, path in library.built_in().items()]
    found += [(name, path, True) for name, path in library.users().items()]
    table: dict[str, Listed] = {}
    for name, path, own in found:
        if name not in table and _can_be_sent(name):
            title, trouble = _checked(name, path, _changed(path)) if own else (library.read_title(path)[0], "")
            table[name] = Listed(name, title, library.kind(path), own, path, trouble)
    return table


class Gallery:
    """Thumbnails, judgements, and changes to the user's own avatars. Methods block: call them outside of the event
    loop."""

    def __init__(self) -> None:
        self._thumbnails: dict[tuple[Path, int], bytes] = {}
        self._lock = Lock()

    def thumbnail(self, name: str) -> bytes:
        """The neutral face as a square PNG, what is not avatar transparent. Raises MienError where it cannot be drawn,
        RefusedError for an unknown name."""
        avatar = _looked_up(name)
        key = avatar.path, _changed(avatar.path)
        if key not in self._thumbnails:
            drawn = _draw(avatar)
            while len(self._thumbnails) > 2 * MOST:
                del self._thumbnails[next(iter(self._thumbnails))]
            self._thumbnails[key] = drawn
        return self._thumbnails[key]

    def check(self, file: MemoryFile) -> Suitability:
        """How well a picture will move. Raises InputError for what is no picture, AvatarError without a face."""
        from mien.study import suitability

        return suitability.check(_read(file), name=file.name)

    def add(self, file: MemoryFile) -> Listed:
        """Keep the part of a picture around its face among the user's avatars, and nothing else that was in the file.
        Raises InputError, AvatarError, OutputError."""
        from mien.media.atomic import atomic_path
        from mien.media.images import png

        data = png(_face_part(file))
        with self._lock:
            if len(library.users()) >= MOST:
                raise AvatarError(f"You have {MOST} avatars of your own already. Remove some first.")
            name = unused_name(Path(file.name).stem, known())
            folder = library.user_folder()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{folder} cannot be made ({error.strerror or error}). Set MIEN_AVATARS to a folder of your own."
                ) from error
            with atomic_path(folder / f"{name}.png") as part:
                os.chmod(part, 0o600)  # noqa: PTH101  a face is nobody else's business
                part.write_bytes(data)
            return known()[name]

    def remove(self, name: str) -> None:
        """Remove one of the user's own. Raises RefusedError for others, OutputError where it cannot be."""
        with self._lock:
            avatar = _looked_up(name)
            if not avatar.own:
                raise RefusedError(403, f"{avatar.title} comes with mien and stays.")
            try:
                if avatar.path.is_dir() and not avatar.path.is_symlink():
                    shutil.rmtree(avatar.path)
                else:
                    avatar.path.unlink()
            except OSError as error:
                raise OutputError(f"{avatar.path} cannot be removed ({error.strerror or error}).") from error


def unused_name(wanted: str, taken: Collection[str]) -> str:
    """A name for a file and for people: letters of any script, digits and dashes, like none of `taken` even where a
    system does not tell capitals apart."""
    text = unicodedata.normalize("NFC", wanted)
    text = "".join(c if unicodedata.category(c)[0] in "LMN" else "-" for c in text)
    base = re.sub("-+", "-", text)[:_LONGEST_NAME].strip("-") or "picture"
    if unicodedata.category(base[0])[0] == "M" or base.casefold() in library.DEVICES:
        base = f"my-{base}"
    others = {unicodedata.normalize("NFC", name).casefold() for name in taken}
    name, number = base, 1
    while name.casefold() in others:
        number += 1
        name = f"{base}-{number}"
    return name


def _looked_up(name: str) -> Listed:
    """The avatar of that name, in the table and nowhere else."""
    avatar = known().get(name)
    if avatar is None:
        raise RefusedError(404, "There is no such avatar. It may have been removed.")
    return avatar


@lru_cache(maxsize=2 * MOST)
def _checked(name: str, path: Path, changed: int) -> tuple[str, str]:
    """Title and trouble of an own avatar; looked at again only when its files have `changed`."""
    try:
        title = library.checked_title(path)
        return (title if library.kind(path) == "puppet" else name), ""
    except MienError as error:
        return name, str(error)


def _can_be_sent(name: str) -> bool:
    """Whether a file's name is text: Linux takes any bytes."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _changed(path: Path) -> int:
    """When an avatar's files were last written, in nanoseconds; 0 for what cannot be looked at."""
    try:
        files = [path, *path.iterdir()] if path.is_dir() else [path]
        return max(file.lstat().st_mtime_ns for file in files)
    except OSError:  # gone, or a folder that may not be looked into
        return 0


def _draw(avatar: Listed) -> bytes:
    """The neutral face as PNG. Raises MienError."""
    import numpy as np

    from mien.engine import registry
    from mien.media.images import png
    from mien.scene.guard import GuardedRenderer

    engine = registry.for_avatar(avatar.kind)
    renderer = engine.prepare(library.load(avatar.path, name=avatar.name), size=THUMBNAIL)
    picture = GuardedRenderer(renderer, engine=engine.name).neutral
    height, width = picture.shape[:2]
    square = np.zeros((THUMBNAIL, THUMBNAIL, 4), np.uint8)
    y, x = (THUMBNAIL - height) // 2, (THUMBNAIL - width) // 2
    square[y : y + height, x : x + width] = picture
    return png(square)


def _read(file: MemoryFile) -> Picture:
    """(H, W, 4) uint8 RGBA of a size that can be worked on. Raises InputError."""
    import cv2
    import numpy as np

    from mien.media.images import read_image

    picture = read_image(file)
    scale = _LONGEST_SIDE / max(picture.shape[:2])
    if scale < 1:
        picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return picture


def _face_part(file: MemoryFile) -> Picture:
    """What engines see of a picture; all of it where the part alone would not be taken for a face. Raises InputError,
    AvatarError."""
    from mien.avatar.crop import portrait

    picture = _read(file)
    part = portrait(picture, name=file.name)
    try:
        portrait(part, name=file.name)
    except AvatarError:
        return picture
    return part


def routes(gallery: Gallery | None = None) -> list[Route]:
    """`/api/avatars`: the list, thumbnails, check, add, remove."""
    here = gallery or Gallery()
    one_drawn, one_judged = CapacityLimiter(1), CapacityLimiter(1)  # a live session needs the processor too
    intake = Intake(
        largest=LARGEST, room=4 * LARGEST,
        too_large=f"A picture may have up to {LARGEST >> 20} MB, and this one has more. Save it smaller or as JPEG.",
        no_room="Other pictures are still being looked at. Try again in a moment.",
    )  # fmt: skip

    async def listing(request: Request) -> Response:
        table = await to_thread.run_sync(known)
        return JSONResponse([avatar.to_dict() for avatar in table.values()])

    async def thumbnail(request: Request) -> Response:
        data = await to_thread.run_sync(here.thumbnail, request.path_params["name"], limiter=one_drawn)
        return Response(data, media_type="image/png")

    async def check(request: Request) -> Response:
        data = await intake.take(request)
        try:
            file = MemoryFile(file_name(request, "picture"), data)
            return JSONResponse((await to_thread.run_sync(here.check, file, limiter=one_judged)).to_dict())
        finally:
            intake.drop(data)

    async def add(request: Request) -> Response:
        data = await intake.take(request)
        try:
            file = MemoryFile(file_name(request, "picture"), data)
            return JSONResponse((await to_thread.run_sync(here.add, file, limiter=one_judged)).to_dict(), 201)
        finally:
            intake.drop(data)

    async def remove(request: Request) -> Response:
        await to_thread.run_sync(here.remove, request.path_params["name"])
        return Response(status_code=204)

    return [
        Route("/api/avatars", explained(listing), methods=["GET"]),
        Route("/api/avatars", explained(add), methods=["POST"]),
        Route("/api/avatars/check", explained(check), methods=["POST"]),
        Route("/api/avatars/{name}/thumbnail", explained(thumbnail), methods=["GET"]),
        Route("/api/avatars/{name}", explained(remove), methods=["DELETE"]),
    ]
