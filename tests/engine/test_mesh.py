"""The mesh engine: geometry on drawings it is told the landmarks of, and a real face where a model is there."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien import models
from mien.avatar.expressions import EMOTION_PRESETS, VISEMES, expression
from mien.engine import registry
from mien.engine.mesh.curves import soft_limit
from mien.engine.mesh.geometry import RINGS, Head
from mien.engine.mesh.raster import rasterize
from mien.engine.mesh.renderer import MeshRenderer
from mien.engine.mesh.topology import EYES, LIP_LOWER_INNER, LIP_UPPER_INNER, LIPS, MOUTH, OVAL, SKIN, triangles
from mien.errors import AvatarError
from mien.face.pose import Pose, canonical, rotation_from
from mien.types import COEFFICIENTS, LANDMARK_COUNT, Array, Avatar, Expression, Picture

SIZE = 256
IRIS = np.array([40, 90, 200])
BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


def landmarks(yaw: float = 0.0) -> Array:
    """(478, 3) of the average face in the middle of the picture, its mouth and eyes as at rest."""
    pose = Pose(rotation_from(yaw, 0, 0), SIZE * 0.28, np.array([SIZE / 2, SIZE * 0.42, 0], np.float32))
    return pose.to_frame(canonical().shape)


def drawing(points: Array) -> Picture:
    """(H, W, 4) a flat drawing of that face: skin, eyes with blue irises, lips, before a checked background."""
    y, x = np.mgrid[:SIZE, :SIZE]
    board = np.where(((x // 16 + y // 16) % 2)[..., None], [150, 160, 150], [110, 120, 110]).astype(np.uint8)
    picture = np.dstack([board, np.full((SIZE, SIZE), 255, np.uint8)])

    def fill(indices: np.ndarray, colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(picture, [np.round(points[indices, :2]).astype(np.int32)], (*colour, 255), cv2.LINE_AA)

    fill(OVAL, (220, 180, 150))
    for eye in EYES:
        fill(eye.outline, (245, 245, 240))
        mask = np.zeros((SIZE, SIZE), np.uint8)
        cv2.fillPoly(mask, [np.round(points[eye.outline, :2]).astype(np.int32)], 255)
        disc = np.zeros_like(mask)
        radius = round(float(np.linalg.norm(points[eye.iris + 1, :2] - points[eye.iris, :2])))
        cv2.circle(disc, tuple(np.round(points[eye.iris, :2]).astype(int).tolist()), radius, 255, -1)
        picture[(mask > 0) & (disc > 0), :3] = IRIS
    fill(np.concatenate([MOUTH]), (150, 50, 60))
    return picture


@pytest.fixture(scope="module")
def renderer() -> MeshRenderer:
    points = landmarks()
    return MeshRenderer(drawing(points), points, np.zeros(len(COEFFICIENTS), np.float32))


def blue(picture: Picture) -> np.ndarray:
    """Pixels of an iris."""
    return (picture[..., 2].astype(int) - picture[..., 0]) > 60


def test_at_rest_the_picture_is_itself(renderer: MeshRenderer) -> None:
    rendered = renderer(Expression.neutral()).astype(int)
    original = drawing(landmarks()).astype(int)
    assert np.abs(rendered - original)[:40].max() == 0, "the background above the head"
    assert np.abs(rendered - original).mean() < 0.5


def test_the_same_expression_gives_the_same_picture(renderer: MeshRenderer) -> None:
    smile = expression(EMOTION_PRESETS["happy"], yaw=0.2)
    first = renderer(smile)
    renderer(expression(BLINK))
    assert np.array_equal(first, renderer(smile))


def test_a_blink_covers_the_whole_iris(renderer: MeshRenderer) -> None:
    assert blue(renderer(Expression.neutral())).sum() > 40
    assert blue(renderer(expression(BLINK))).sum() == 0


def test_a_thick_dark_edge_is_not_smeared_over_a_closed_eye() -> None:
    points = landmarks()
    picture = drawing(points)
    for eye in EYES:
        line = np.round(points[eye.upper, :2] - [0, 2]).astype(np.int32)
        cv2.polylines(picture, [line], False, (25, 18, 15, 255), 5, cv2.LINE_AA)
    made = MeshRenderer(picture, points, np.zeros(len(COEFFICIENTS), np.float32))

    def dark(pose: Expression) -> int:
        return int((made(pose)[:140, 50:206, :3].max(-1) < 70).sum())

    assert dark(expression(BLINK)) < 0.35 * dark(Expression.neutral())


def test_a_closed_lid_does_not_take_its_colour_from_shadow_and_brow() -> None:
    points = landmarks()
    picture = drawing(points)
    for eye in EYES:
        # A painted shadow around the eye and a black brow right above it.
        outline = points[eye.outline, :2]
        ring = np.round((outline - outline.mean(0)) * [1.25, 1.9] + outline.mean(0)).astype(np.int32)
        cv2.polylines(picture, [ring], True, (90, 60, 50, 255), 4, cv2.LINE_AA)
        brow = np.round(points[eye.brow, :2]).astype(np.int32)
        cv2.fillConvexPoly(picture, cv2.convexHull(brow), (15, 10, 10, 255))
    shut = MeshRenderer(picture, points, np.zeros(len(COEFFICIENTS), np.float32))(expression(BLINK))
    for eye in EYES:
        upper, lower = points[eye.upper[2:-2], :2].mean(0), points[eye.lower[2:-2], :2].mean(0)
        x, y = np.round(upper + 0.35 * (lower - upper)).astype(int)
        lid = np.median(shut[y - 2 : y + 2, x - 6 : x + 7, :3].reshape(-1, 3), axis=0)
        assert lid.mean() > 0.6 * np.mean([220, 180, 150])


def test_a_smile_that_shows_teeth_has_its_corners_up_and_a_grimace_has_not() -> None:
    head = Head(landmarks(), np.zeros(len(COEFFICIENTS), np.float32))
    bared = {"mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0, "mouthLowerDownLeft": 0.5, "mouthLowerDownRight": 0.5}

    def low(**more: float) -> float:
        """How far corners and sides of the upper lip lie below its middle, as a share of the opening."""
        skin = head.move(expression({**bared, **more})).skin
        upper = skin[13, 1]
        return float((skin[[61, 291], 1].mean() + skin[[80, 310], 1].mean() - 2 * upper) / (skin[14, 1] - upper))

    assert low(mouthSmileLeft=0.9, mouthSmileRight=0.9) < 0.12
    assert low(mouthStretchLeft=0.9, mouthStretchRight=0.9) > 0.2


@settings(deadline=None)
@given(st.floats(-0.7, 0.7), st.floats(-0.6, 0.6))
def test_no_feature_leaves_the_face_on_its_far_side(yaw: float, pull: float) -> None:
    points = landmarks(yaw)
    head = Head(points, np.zeros(len(COEFFICIENTS), np.float32))
    offsets = np.zeros((LANDMARK_COUNT, 3), np.float32)
    # The whole mouth is drawn to one side, by more than half the distance between the eyes.
    offsets[np.unique(np.concatenate([LIP_LOWER_INNER, LIP_UPPER_INNER])), 0] = pull
    still = Expression.neutral()
    torn = Expression(offsets, still.coefficients, 0.0, 0.0, 0.0, still.gaze)
    skin = np.ascontiguousarray(head.move(torn).skin, np.float32)
    edge = cv2.convexHull(np.ascontiguousarray(points[:SKIN, :2]))
    for x, y in skin[MOUTH]:
        assert cv2.pointPolygonTest(edge, (float(x), float(y)), True) > -1.0


def test_errors_of_depth_hardly_stretch_the_far_cheek() -> None:
    points = landmarks(-0.35)
    rough = points.copy()
    rough[:, 2] += np.random.default_rng(1).normal(0, 6, LANDMARK_COUNT)
    moved = Head(rough, np.zeros(len(COEFFICIENTS), np.float32)).move(expression({}, yaw=0.4)).skin - rough[:SKIN, :2]
    corners = triangles()
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    far = edges[rough[edges[:, 0], 0] < np.percentile(rough[:SKIN, 0], 15)]
    length = np.linalg.norm(rough[far[:, 0], :2] - rough[far[:, 1], :2], axis=1)
    stretch = np.linalg.norm(moved[far[:, 0]] - moved[far[:, 1]], axis=1) / np.maximum(length, 1)
    assert np.percentile(stretch, 50) < 0.36
    assert np.percentile(stretch, 90) < 1.1


def test_an_upper_lid_follows_a_lowered_gaze() -> None:
    head = Head(landmarks(), np.zeros(len(COEFFICIENTS), np.float32))
    still, down = head.move(Expression.neutral()), head.move(expression({}, gaze=(0.0, -0.4)))
    for eye in EYES:
        opening = still.skin[eye.lower[4], 1] - still.skin[eye.upper[4], 1]
        assert down.skin[eye.upper[4], 1] > still.skin[eye.upper[4], 1] + 0.15 * opening


def test_a_wink_shuts_the_persons_own_left_eye(renderer: MeshRenderer) -> None:
    seen = blue(renderer(expression({"eyeBlinkLeft": 1.0})))
    assert seen[:, : SIZE // 2].sum() > 15
    assert seen[:, SIZE // 2 :].sum() == 0


def test_gaze_moves_the_irises_the_way_it_says(renderer: MeshRenderer) -> None:
    def centre(**gaze: float) -> np.ndarray:
        looked = Expression.neutral()
        aim = np.array([gaze.get("x", 0.0), gaze.get("y", 0.0)], np.float32)
        looked = Expression(looked.offsets, looked.coefficients, 0.0, 0.0, 0.0, aim)
        return np.argwhere(blue(renderer(looked)))[:, ::-1].mean(0)

    assert centre(x=0.35)[0] > centre()[0] + 1.5
    assert centre(x=-0.35)[0] < centre()[0] - 1.5
    assert centre(y=0.3)[1] < centre()[1]


def test_nothing_stays_behind_of_an_iris_that_is_larger_than_landmarks_say() -> None:
    points = landmarks() * 4
    picture = np.full((4 * SIZE, 4 * SIZE, 4), (220, 180, 150, 255), np.uint8)
    for eye in EYES:
        opening, disc = np.zeros((2, 4 * SIZE, 4 * SIZE), np.uint8)
        cv2.fillPoly(opening, [np.round(points[eye.outline, :2]).astype(np.int32)], 255)
        picture[opening > 0, :3] = (245, 245, 240)
        radius = round(1.3 * float(np.linalg.norm(points[eye.iris + 1, :2] - points[eye.iris, :2])))
        cv2.circle(disc, tuple(np.round(points[eye.iris, :2]).astype(int).tolist()), radius, 255, -1)
        picture[(opening > 0) & (disc > 0), :3] = IRIS
    cartoon = MeshRenderer(picture, points, np.zeros(len(COEFFICIENTS), np.float32))
    aside = cartoon(expression({}, gaze=(0.5, 0.0)))
    for eye in EYES:
        x, y = np.round(points[eye.outline, :2].mean(0)).astype(int)
        half = round(float(np.ptp(points[eye.outline, 0])) / 2)
        seen = np.flatnonzero(blue(aside[y - 2 : y + 3, x - half : x + half]).any(0))
        assert np.ptp(seen) + 1 == len(seen), "one iris, in one piece"
        assert np.ptp(seen) < 2.4 * radius, "and no wider than it is"


def test_lips_drawn_together_open_to_a_ring_and_never_to_a_slit() -> None:
    points = landmarks()
    head = Head(points, np.zeros(len(COEFFICIENTS), np.float32))
    lips = np.concatenate([LIPS, MOUTH])
    oh = expression({"jawOpen": 1.0})
    narrow = oh.offsets.copy()
    narrow[lips, 0] -= 0.75 * canonical().shape[lips, 0]
    pursed = head.move(replace(oh, offsets=narrow)).skin
    upper, lower = pursed[LIP_UPPER_INNER], pursed[LIP_LOWER_INNER]
    gap = np.linalg.norm(lower - upper, axis=1)
    width = float(np.linalg.norm(upper[-1] - upper[0]))
    assert 0.3 * width < gap.max() < 1.5 * width


def test_an_open_mouth_is_dark_inside_and_lips_that_hardly_part_show_no_teeth(renderer: MeshRenderer) -> None:
    x, y = np.round(renderer.face[2]).astype(int)
    column = slice(x - 4, x + 5)
    wide = renderer(expression({"jawOpen": 1.0}))[y - 4 : y + 40, column, :3]
    assert wide.mean(-1).min() < 45
    barely = renderer(expression({"jawOpen": 0.06}))[y - 8 : y + 12, column, :3].astype(int)
    skin_or_lip = barely[..., 0] - barely[..., 2]
    assert not ((barely.mean(-1) > 170) & (skin_or_lip < 25)).any(), "no white band"


def test_a_turn_moves_the_nose_more_than_the_temples_and_leaves_what_is_far_alone() -> None:
    head = Head(landmarks(), np.zeros(len(COEFFICIENTS), np.float32))
    still, turned = head.move(Expression.neutral()), head.move(expression({}, yaw=0.35))
    shift = turned.skin[:, 0] - still.skin[:, 0]
    assert shift[1] > 1.3 * abs(shift[[234, 454]]).max() > 0
    outermost = slice(-len(still.rings) // len(RINGS), None)
    assert np.abs(turned.rings[outermost] - still.rings[outermost]).max() < 0.01


@given(st.floats(-3, 3), st.floats(0.1, 0.5), st.floats(0.01, 0.5))
def test_turns_saturate_softly(angle: float, linear: float, room: float) -> None:
    limited = soft_limit(angle, linear, linear + room)
    assert abs(limited) <= linear + room + 1e-9
    assert limited * angle >= 0
    assert abs(limited) <= abs(angle) + 1e-9
    assert abs(angle) > linear or limited == angle


unit = st.floats(0, 1, width=32)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(unit, min_size=len(COEFFICIENTS), max_size=len(COEFFICIENTS)),
    st.tuples(*[st.floats(-1.5, 1.5, width=32)] * 3),
    st.tuples(*[st.floats(-0.75, 0.75, width=32)] * 2),
    st.integers(0, 2**31),
)
def test_whatever_a_face_does_the_picture_stays_whole(
    values: list[float], turn: tuple[float, float, float], gaze: tuple[float, float], seed: int
) -> None:
    points = landmarks()
    head = Head(points, np.zeros(len(COEFFICIENTS), np.float32))
    coefficients = np.array(values, np.float32)
    noise = np.random.default_rng(seed).normal(0, 0.05, (LANDMARK_COUNT, 3))
    offsets = (np.tensordot(coefficients, canonical().basis, 1) + noise).astype(np.float32)
    wild = Expression(offsets, coefficients, *turn, np.array(gaze, np.float32))
    motion = head.move(wild)
    for array in (motion.skin, motion.rings, motion.depth, motion.irises):
        assert np.isfinite(array).all()
    picture = MeshRenderer(drawing(points), points, np.zeros(len(COEFFICIENTS), np.float32))(wild)
    assert picture.shape == (SIZE, SIZE, 4)
    assert picture[..., 3].min() == 255


@given(st.lists(unit, min_size=len(COEFFICIENTS), max_size=len(COEFFICIENTS)))
def test_lips_and_lids_never_cross(values: list[float]) -> None:
    coefficients = np.array(values, np.float32)
    offsets = np.tensordot(coefficients, canonical().basis, 1).astype(np.float32)
    head = Head(landmarks(), np.zeros(len(COEFFICIENTS), np.float32))
    skin = head.move(Expression(offsets, coefficients, 0.0, 0.0, 0.0, np.zeros(2, np.float32))).skin
    assert (skin[LIP_LOWER_INNER, 1] - skin[LIP_UPPER_INNER, 1]).min() > -0.6
    for eye in EYES:
        assert (skin[eye.lower[1:-1], 1] - skin[eye.upper[1:-1], 1]).min() > -0.6


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_the_raster_interpolates_what_the_corners_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(2, 30, (3, 2)).astype(np.float32)
    linear = rng.normal(0, 1, (2, 2)).astype(np.float32)
    target = np.full((32, 32, 2), np.nan, np.float32)
    rasterize(target, corners, corners @ linear, np.array([[0, 1, 2]], np.int32), np.zeros(3, np.float32), scale=1.0)
    y, x = np.nonzero(np.isfinite(target[..., 0]))
    inside = [cv2.pointPolygonTest(corners[:, None], (float(a), float(b)), True) for a, b in zip(x, y, strict=True)]
    assert all(distance > -0.2 for distance in inside)
    expected = np.stack([x, y], 1).astype(np.float32) @ linear
    assert np.allclose(target[y, x], expected, atol=0.3)


def test_the_nearer_triangle_hides_the_farther_one() -> None:
    square = np.array([[0, 0], [31, 0], [0, 31], [0, 0], [31, 0], [0, 31]], np.float32)
    values = np.repeat(np.array([[1, 1], [2, 2]], np.float32), 3, axis=0)
    both = np.array([[3, 4, 5], [0, 1, 2]], np.int32)
    target = np.zeros((32, 32, 2), np.float32)
    rasterize(target, square, values, both, np.repeat(np.array([5, 1], np.float32), 3), scale=1.0)
    assert target[4, 4, 0] == 2


def test_the_triangles_cover_the_face_once() -> None:
    shape = canonical().shape[:SKIN, :2].copy()
    found = triangles()
    assert set(found.ravel()) == set(range(SKIN))
    a, b, c = (shape[found[:, i]] for i in range(3))
    area = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum() / 2
    hull = cv2.contourArea(np.ascontiguousarray(shape[OVAL], np.float32))
    assert area == pytest.approx(hull, rel=0.05)


def test_a_puppet_is_no_picture() -> None:
    engine = registry.get("mesh")
    with pytest.raises(AvatarError, match="needs a picture"):
        engine.prepare(Avatar("tik", path=None, kind="puppet"))  # type: ignore[arg-type]


# With a landmark model and a photograph in the public domain.

needs_model = pytest.mark.skipif(
    not (models.available("face-landmarker") or models.available("face-mesh-lite")),
    reason="no face model on this machine (mien models pull)",
)


@pytest.fixture(scope="module")
def astronaut() -> Avatar:
    data = pytest.importorskip("skimage.data")
    photo = data.astronaut()[:300, 60:360]
    return Avatar("astronaut", None, "picture", np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)]))  # type: ignore[arg-type]


@needs_model
def test_a_real_face_does_what_it_is_told(astronaut: Avatar) -> None:
    from mien.face.parts import open_finder

    alive = registry.get("mesh").prepare(astronaut, size=384)
    find = open_finder()

    def seen(coefficients: dict[str, float], name: str) -> float:
        face = find(np.ascontiguousarray(alive(expression(coefficients))[..., :3]))[0]
        return float(face.coefficients[COEFFICIENTS.index(name)])

    assert seen(BLINK, "eyeBlinkLeft") > seen({}, "eyeBlinkLeft") + 0.3
    assert seen({"jawOpen": 0.8}, "jawOpen") > seen({}, "jawOpen") + 0.3
    smile = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    assert seen(smile, "mouthSmileLeft") > seen({}, "mouthSmileLeft") + 0.2
    for viseme in VISEMES.values():
        assert len(find(np.ascontiguousarray(alive(expression(viseme, yaw=0.3))[..., :3]))) == 1


@needs_model
def test_what_was_learned_on_a_picture_serves_again(astronaut: Avatar, monkeypatch: pytest.MonkeyPatch) -> None:
    first = registry.get("mesh").prepare(astronaut, size=256)
    monkeypatch.setattr(MeshRenderer, "learn", lambda *_: pytest.fail("it was learned twice"))
    again = registry.get("mesh").prepare(astronaut, size=256)
    smile = expression(EMOTION_PRESETS["happy"], yaw=0.2)
    assert np.array_equal(first(smile), again(smile))


@needs_model
def test_a_picture_without_a_face_is_refused_with_advice() -> None:
    grey = np.full((200, 200, 4), 128, np.uint8)
    with pytest.raises(AvatarError, match="No face was found in wall"):
        registry.get("mesh").prepare(Avatar("wall", None, "picture", grey))  # type: ignore[arg-type]
