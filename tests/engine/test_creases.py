"""Folds of the skin on a flat drawing: it has no shading of its own, so what is darker there was folded."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.test_mesh import SIZE, drawing, landmarks
from mien.avatar.expressions import expression
from mien.engine.mesh.renderer import MeshRenderer
from mien.face.pose import canonical
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression, Picture

SKIN_COLOUR = (220, 180, 150)
SEEN = 6
"""Grey levels that people notice on plain skin."""


def made(picture: Picture | None = None) -> MeshRenderer:
    points = landmarks()
    return MeshRenderer(
        drawing(points) if picture is None else picture, points, np.zeros(len(COEFFICIENTS), np.float32)
    )


@pytest.fixture(scope="module")
def renderer() -> MeshRenderer:
    return made()


def darker(renderer: MeshRenderer, *, at: tuple[float, float], reach: float, **coefficients: float) -> float:
    """Grey levels by which the darkest skin around a place of the average face is darker than at rest."""
    x, y = landmarks()[:, :2][np.linalg.norm(canonical().shape[:468, :2] - at, axis=1).argmin()]
    r = round(reach * SIZE * 0.28)
    window = np.s_[round(y) - r : round(y) + r, round(x) - r : round(x) + r, :3]
    moved = renderer(expression(coefficients))[window].astype(float).mean(-1)
    return float(np.mean(SKIN_COLOUR) - moved.min())


def sides(name: str, amount: float = 1.0) -> dict[str, float]:
    return {f"{name}Left": amount, f"{name}Right": amount}


@pytest.mark.parametrize(
    ("coefficients", "at"),
    [
        (sides("browDown"), (0.06, -0.22)),
        ({"browInnerUp": 1.0}, (0.0, -0.44)),
        (sides("browOuterUp"), (0.36, -0.44)),
        (sides("noseSneer"), (0.07, 0.12)),
        (sides("cheekSquint"), (0.37, 0.2)),
        (sides("mouthUpperUp"), (0.35, 0.57)),
        (sides("mouthFrown"), (0.34, 0.92)),
        (sides("mouthDimple"), (0.37, 0.78)),
        ({"mouthShrugLower": 1.0}, (0.0, 0.99)),
        ({"cheekPuff": 1.0}, (0.33, 0.7)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_skin_folds_where_people_see_it(
    renderer: MeshRenderer, coefficients: dict[str, float], at: tuple[float, float]
) -> None:
    assert darker(renderer, at=at, reach=0.05, **coefficients) > SEEN


def test_a_face_at_rest_has_no_folds(renderer: MeshRenderer) -> None:
    for at in ((0.06, -0.22), (0.0, -0.44), (0.35, 0.57)):
        assert darker(renderer, at=at, reach=0.05) < 1


def test_a_sneer_of_one_side_leaves_the_other_smooth(renderer: MeshRenderer) -> None:
    assert darker(renderer, at=(0.07, 0.12), reach=0.04, noseSneerLeft=1.0) > SEEN
    assert darker(renderer, at=(-0.07, 0.12), reach=0.02, noseSneerLeft=1.0) < 1


def test_what_the_tracker_cannot_read_is_told_from_what_it_can(renderer: MeshRenderer) -> None:
    """It never reports a sneer: brows down and the upper lip raised wrinkle the nose, either alone does not."""
    nose = {"at": (0.07, 0.12), "reach": 0.04}
    both = darker(renderer, **nose, **sides("browDown"), **sides("mouthUpperUp"))  # type: ignore[arg-type]
    brows = darker(renderer, **nose, **sides("browDown"))  # type: ignore[arg-type]
    lip = darker(renderer, **nose, **sides("mouthUpperUp"))  # type: ignore[arg-type]
    assert both > SEEN
    assert max(brows, lip) < SEEN / 2


def test_a_fold_keeps_the_hue_of_skin(renderer: MeshRenderer) -> None:
    picture = renderer(expression(sides("mouthUpperUp", 0.6))).astype(float)
    x, y = landmarks()[426, :2]
    window = picture[round(y) - 4 : round(y) + 4, round(x) - 4 : round(x) + 4, :3].reshape(-1, 3)
    red, green, blue = (window[window.sum(1).argmin()] / SKIN_COLOUR).tolist()
    assert blue <= green + 0.02 <= red + 0.04, "shadows of skin are warm"


def test_a_hat_does_not_wrinkle() -> None:
    picture = drawing(landmarks())
    brim = round(float(landmarks()[151, 1])) + 4
    picture[:brim][picture[:brim, :, 0] == SKIN_COLOUR[0]] = (60, 90, 200, 255)
    hatted = made(picture)
    top = np.s_[brim - 12 : brim - 4, SIZE // 2 - 8 : SIZE // 2 + 8, :3]
    raised = hatted(expression({"browInnerUp": 1.0}))[top].astype(int)
    assert np.abs(raised - [60, 90, 200]).max() <= 3


def test_folds_move_with_the_head(renderer: MeshRenderer) -> None:
    def middle(yaw: float) -> float:
        picture = renderer(expression(sides("browDown"), yaw=yaw)).astype(float).mean(-1)
        y = round(float(landmarks()[9, 1]))
        x = round(float(landmarks()[9, 0]))
        shade = np.clip(np.mean(SKIN_COLOUR) - picture[y - 2 : y + 12, x - 30 : x + 30], 0, 25).sum(0)
        return float((shade * np.arange(len(shade))).sum() / shade.sum())

    assert middle(-0.3) > middle(0) + 2 > middle(0.3) + 4


@pytest.mark.parametrize("name", [n for n in COEFFICIENT if not n.startswith(("eyeLook", "_"))])
def test_every_movement_is_seen(renderer: MeshRenderer, name: str) -> None:
    rest: Array = renderer(Expression.neutral()).astype(np.float32)
    moved = renderer(expression({name: 1.0})).astype(np.float32)
    assert int((np.abs(moved - rest).max(-1) > SEEN).sum()) > 20


def test_a_small_picture_is_folded_too() -> None:
    picture = cv2.resize(drawing(landmarks()), (48, 48), interpolation=cv2.INTER_AREA)
    small = MeshRenderer(np.asarray(picture, np.uint8), landmarks() * (48 / SIZE), np.zeros(52, np.float32))
    assert np.abs(small(expression(sides("browDown"))).astype(int) - small(Expression.neutral())).max() > SEEN
