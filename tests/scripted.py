"""A scripted driver, tracker and engine, so that what depends on them can be tested without weights, and a measure of
how much of one picture shows in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import sleep

import cv2
import numpy as np

from mien.engine.base import OnShare, Renderer
from mien.face.pose import Pose, canonical, rotation_from
from mien.types import Array, Avatar, Expression, Face, Frame, Picture

FPS = 25
SIZE = (256, 192)
"""Width and height of scripted frames."""


def face(
    number: int = 0,
    *,
    at: tuple[float, float] = (128.0, 80.0),
    unit: float = 40.0,
    roll: float = 0.0,
    yaw: float = 0.0,
    expression: Expression | None = None,
) -> Face:
    """A tracked face: the average one, `unit` pixels between the outer eye corners, which lie around `at`."""
    pose = Pose(rotation_from(yaw, 0.0, roll), unit, np.array([*at, 0.0], np.float32))
    landmarks = pose.to_frame(canonical().shape)
    skin = landmarks[:468, :2]
    return Face(
        number, np.concatenate([skin.min(0), skin.max(0)]), landmarks, np.zeros(52, np.float32), yaw, 0.0, roll,
        np.zeros(2, np.float32), 0.99, expression or Expression.neutral(),
    )  # fmt: skip


def smile(amount: float) -> Expression:
    """A smile of that strength, 0 to 1, as coefficients and offsets."""
    from mien.avatar.performance import posed

    return posed("happy", strength=amount)


def frames(count: int, *, seed: int = 0, size: tuple[int, int] = SIZE, still: bool = True) -> Iterator[Frame]:
    """Frames full of texture: wherever a piece of one turns up, it is recognised. All the same, or each another (with
    less contrast, so that no cut is seen between them)."""
    for index in range(count):
        picture = textured(seed, size) if still else textured(seed + 1000 + index, size) // 3 + 80
        yield Frame(picture, index, index / FPS, index)


def textured(seed: int, size: tuple[int, int] = SIZE) -> Picture:
    """(H, W, 3) noise at several scales, as rich in detail as skin."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((size[1], size[0], 3), np.float32)
    for cell in (2, 5, 12):
        small = rng.normal(0, 28, (size[1] // cell + 1, size[0] // cell + 1, 3)).astype(np.float32)
        picture += cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(picture + 130, 0, 255), np.uint8)


class ScriptedTracker:
    """Answers with the faces that a script has for the frame's number."""

    def __init__(self, script: Callable[[int], Sequence[Face]]) -> None:
        self._script = script

    def __call__(self, frame: Frame) -> list[Face]:
        return list(self._script(frame.index))


class OvalRenderer:
    """A plain oval head whose mouth widens with a smile and which turns with yaw."""

    size = (128, 128)
    face: Array = np.array([[48, 56], [80, 56], [64, 88]], np.float32)
    outline: Array = np.array(
        [[64 + 36 * np.cos(t), 66 + 46 * np.sin(t)] for t in np.linspace(0, 2 * np.pi, 40, endpoint=False)], np.float32
    )

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        picture = np.full((128, 128, 4), (90, 120, 160, 255), np.uint8)
        cv2.fillPoly(picture, [self.outline.astype(np.int32)], (220, 180, 150, 255))
        shift = round(20 * expression.yaw)
        for x in (48, 80):
            cv2.circle(picture, (x + shift, 56), 5, (40, 30, 30, 255), -1)
        wide = 8 + round(12 * expression["mouthSmileLeft"])
        cv2.ellipse(picture, (64 + shift, 88), (wide, 4), 0, 0, 360, (170, 60, 60, 255), -1)
        return picture


class CutOutRenderer(OvalRenderer):
    """The same head before nothing: transparent around it, in a colour that must not be seen."""

    UNSEEN = (255, 0, 255)

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        picture = super().__call__(expression, time=time)
        head = np.zeros(picture.shape[:2], np.uint8)
        cv2.fillPoly(head, [self.outline.astype(np.int32)], 255)
        picture[head == 0] = (*self.UNSEEN, 0)
        return picture


class EmptyRenderer(OvalRenderer):
    """A head of which the matte has left nothing, or hardly anything: a small disc in the middle."""

    def __init__(self, radius: int = 0) -> None:
        self._radius = radius

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        picture = super().__call__(expression, time=time)
        left = np.zeros(picture.shape[:2], np.uint8)
        if self._radius:
            cv2.circle(left, (64, 66), self._radius, 255, -1)
        picture[..., 3] = left
        return picture


class OvalEngine:
    """An engine for tests, registered as a plug-in would be."""

    name = "oval"
    summary = "for tests"
    needs = "expression"
    takes = ("picture", "puppet")

    def prepare(self, avatar: Avatar, *, size: int = 512, on_progress: OnShare | None = None) -> Renderer:
        return OvalRenderer()


class FailingRenderer(OvalRenderer):
    """Raises, or returns rubbish, for the calls whose number `fails` says yes to; number 0 is the resting picture."""

    def __init__(self, fails: Callable[[int], bool], *, rubbish: object = None) -> None:
        self._fails, self._rubbish, self._calls = fails, rubbish, 0

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        number, self._calls = self._calls, self._calls + 1
        if self._fails(number):
            if self._rubbish is not None:
                return self._rubbish  # type: ignore[return-value]
            raise RuntimeError("the engine\nbroke")
        return super().__call__(expression, time=time)


class SlowRenderer(OvalRenderer):
    """Takes its time over every picture."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, expression: Expression, *, time: float = 0.0) -> Picture:
        sleep(self._seconds)
        return super().__call__(expression, time=time)


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.pts: list[int | None] = []

    def write(self, picture: Picture, pts: int | None = None) -> None:
        self.pictures.append(picture.copy())
        self.pts.append(pts)


def likeness(
    output: Picture, source: Picture, *, region: Array | None = None, block: int = 16, fine: float = 6.0,
    share: float = 0.9,
) -> float:  # fmt: skip
    """How much of `source` shows in `output` at the same place: a quantile (`share`) over blocks of the normalised
    correlation of their detail finer than `fine` pixels, -1 to 1. `region` (N, 2) limits it to blocks inside that
    polygon."""
    height, width = source.shape[:2]
    details = [_detail(picture, fine) for picture in (output, source)]
    inside = np.full((height, width), 255, np.uint8)
    if region is not None:
        inside[:] = 0
        cv2.fillPoly(inside, [np.rint(region).astype(np.int32)], 255)
    found = []
    for y in range(0, height - block + 1, block // 2):
        for x in range(0, width - block + 1, block // 2):
            if inside[y : y + block, x : x + block].min() == 255:
                a, b = (detail[y : y + block, x : x + block].ravel() for detail in details)
                size = float(np.linalg.norm(a) * np.linalg.norm(b))
                found.append(float(a @ b) / size if size > 1 else 0.0)
    assert found, "no block lies inside the region"
    return float(np.quantile(found, share))


def _detail(picture: Picture, fine: float) -> Array:
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), fine), np.float32)
