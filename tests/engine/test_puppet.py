"""The puppet engine, by what its pictures show."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mien.avatar
from mien.avatar.expressions import EMOTION_PRESETS, VISEMES, expression
from mien.avatar.rig import read_rig
from mien.engine.base import Engine
from mien.engine.puppet import PuppetEngine
from mien.engine.puppet.flesh import Flesh
from mien.engine.puppet.renderer import PuppetRenderer
from mien.engine.registry import get
from mien.errors import AvatarError, EngineError
from mien.types import COEFFICIENTS, EMOTIONS, Avatar, Expression, Picture

BUILTIN = Path(mien.avatar.__file__).parent / "builtin"
NAMES = sorted(path.parent.name for path in BUILTIN.glob("*/rig.toml"))
PEOPLE = ["finn", "kofi", "maya", "mei", "otto", "rosa"]
BLINK = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}


def fresh(name: str, size: int = 256) -> PuppetRenderer:
    made = PuppetEngine().prepare(Avatar(name, BUILTIN / name, "puppet"), size=size)
    assert isinstance(made, PuppetRenderer)
    return made


@cache
def renderer(name: str, size: int = 256) -> PuppetRenderer:
    return fresh(name, size)


@cache
def flesh(name: str) -> Flesh:
    rig = read_rig(BUILTIN / name)
    return Flesh(rig, [*rig.drawing.shapes, *rig.drawing.clips.values()])


def posed(name: str, shape: str, pose: Expression, time: float = 0.0) -> np.ndarray:
    """The points of one named path, in units of the drawing."""
    body = flesh(name)
    limb = next(limb for limb in body.limbs if limb.shape.id == shape)
    return body.posed(pose, time)[limb.start + 1 : limb.stop]


def patch(name: str, picture: Picture, spot: int, half: float = 0.09) -> Picture:
    """The square around one of `Renderer.face`'s spots."""
    x, y = renderer(name, picture.shape[0]).face[spot]
    r = round(half * picture.shape[0])
    return picture[round(y) - r : round(y) + r, round(x) - r : round(x) + r, :3]


def changed(a: Picture, b: Picture) -> float:
    return float(np.abs(a.astype(int) - b).mean())


def test_at_least_eight_avatars_and_they_say_who_they_are() -> None:
    assert len(NAMES) >= 8
    titles = {read_rig(BUILTIN / name).title for name in NAMES}
    assert len(titles) == len(NAMES)
    assert all(read_rig(BUILTIN / name).licence == "Apache-2.0" for name in NAMES)


def test_follows_the_engine_protocol() -> None:
    engine = get("puppet")
    assert isinstance(engine, Engine)
    assert (engine.name, engine.needs, engine.takes) == ("puppet", "expression", ("puppet",))


@pytest.mark.parametrize("name", NAMES)
def test_draws_an_opaque_picture_with_the_face_inside(name: str) -> None:
    draw = renderer(name)
    picture = draw(Expression.neutral())
    assert picture.shape == (256, 256, 4)
    assert picture.dtype == np.uint8
    assert (picture[..., 3] == 255).all()
    assert draw.size == (256, 256)
    assert draw.face.shape == (3, 2)
    assert draw.face[0, 0] < draw.face[2, 0] < draw.face[1, 0]
    assert draw.face[2, 1] > draw.face[:2, 1].max()
    low, high = draw.outline.min(axis=0), draw.outline.max(axis=0)
    assert (low < draw.face.min(axis=0)).all()
    assert (high > draw.face.max(axis=0)).all()
    assert np.unique(picture[..., :3].reshape(-1, 3), axis=0).shape[0] > 500


@pytest.mark.parametrize("name", NAMES)
def test_without_backdrop_the_same_avatar_before_nothing(name: str) -> None:
    whole, alone = renderer(name), renderer(name).without_backdrop()
    pose = expression(EMOTION_PRESETS["happy"], yaw=0.2)
    picture, figure = whole(pose), alone(pose)
    assert np.array_equal(whole.face, alone.face)
    assert np.array_equal(whole.outline, alone.outline)
    solid, nothing = figure[..., 3] == 255, figure[..., 3] == 0
    assert nothing[:8, :8].all()
    assert nothing.mean() > 0.15
    assert np.abs(picture[solid].astype(int) - figure[solid]).max() <= 2
    assert figure[tuple(np.rint(whole.face.mean(0)).astype(int)[::-1])][3] == 255


@pytest.mark.parametrize("name", NAMES)
def test_same_expression_same_picture_whatever_came_before(name: str) -> None:
    pose = expression(EMOTION_PRESETS["happy"], yaw=0.2)
    first = fresh(name)(pose, time=1.5)
    used = fresh(name)
    used(expression(EMOTION_PRESETS["surprise"], roll=0.4, yaw=-0.5, gaze=(0.3, 0.2)))
    used(expression(BLINK))
    assert np.array_equal(used(pose, time=1.5), first)


def test_renderers_in_different_threads_do_not_disturb_each_other() -> None:
    names = ("maya", "otto", "miso")
    pose, other = expression(EMOTION_PRESETS["happy"]), expression(EMOTION_PRESETS["sad"], yaw=0.3)
    expected = {name: fresh(name, 128)(pose) for name in names}

    def same_throughout(name: str) -> bool:
        draw = fresh(name, 128)
        return all(np.array_equal(draw(pose), expected[name]) for _ in range(20) if draw(other) is not None)

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(same_throughout, names))


def test_pictures_already_returned_stay_as_they_are() -> None:
    draw = renderer("maya")
    first = draw(Expression.neutral())
    kept = first.copy()
    draw(expression({"jawOpen": 1.0}))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("name", NAMES)
def test_every_emotion_and_viseme_looks_different(name: str) -> None:
    draw = renderer(name)
    pictures = [draw(expression(EMOTION_PRESETS[emotion])) for emotion in EMOTIONS]
    pictures += [draw(expression(VISEMES[sound])) for sound in ("A", "O", "M")]
    for i, picture in enumerate(pictures):
        assert all(np.abs(picture.astype(int) - other).max() > 40 for other in pictures[:i])


@pytest.mark.parametrize("name", NAMES)
def test_a_blink_hides_the_iris_and_a_wink_only_one(name: str) -> None:
    """The iris is found by its colours, those at the centre of the open eye."""
    draw = renderer(name, 512)
    rest, blink, wink = (draw(expression(pose)) for pose in ({}, BLINK, {"eyeBlinkLeft": 1.0}))

    def iris_pixels(picture: Picture, spot: int) -> int:
        colours = patch(name, rest, spot, 0.012).reshape(-1, 3).astype(int)
        around = patch(name, picture, spot, 0.02).reshape(-1, 3).astype(int)
        return int((np.abs(around[:, None] - colours[None]).max(axis=2).min(axis=1) < 10).sum())

    right, left = iris_pixels(rest, 0), iris_pixels(rest, 1)
    assert min(right, left) > 100
    assert iris_pixels(blink, 0) < 0.25 * right
    assert iris_pixels(blink, 1) < 0.25 * left
    assert iris_pixels(wink, 0) == right
    assert iris_pixels(wink, 1) < 0.25 * left


@pytest.mark.parametrize("name", NAMES)
def test_closed_lids_meet_in_one_curve(name: str) -> None:
    box = posed(name, "eye-left-opening", Expression.neutral())
    tall = np.ptp(box[:, 1])
    opening = posed(name, "eye-left-opening", expression(BLINK))
    x = opening[:, 0]
    for left in np.linspace(x.min() + 2, x.max() - 6, 6):
        near = opening[(x >= left) & (x <= left + 4)]
        if len(near) > 1:
            assert np.ptp(near[:, 1]) < 0.3 * tall


@pytest.mark.parametrize("name", NAMES)
def test_gaze_moves_both_irises_the_way_it_points(name: str) -> None:
    rest = posed(name, "iris-left-disc", Expression.neutral())
    right = posed(name, "iris-left-disc", expression({}, gaze=(0.4, 0.0)))
    up = posed(name, "iris-right-disc", expression({}, gaze=(0.0, 0.3)))
    assert (right[:, 0] > rest[:, 0] + 2).all()
    assert (up[:, 1] < posed(name, "iris-right-disc", Expression.neutral())[:, 1] - 2).all()
    beyond = posed(name, "iris-left-disc", expression({}, gaze=(1.4, 0.0))).mean(axis=0)
    opening = posed(name, "eye-left-opening", Expression.neutral())
    assert opening[:, 0].min() < beyond[0] < opening[:, 0].max()


@pytest.mark.parametrize("name", NAMES)
def test_converging_eyes_look_at_the_nose(name: str) -> None:
    crossed = expression({"eyeLookInLeft": 0.9, "eyeLookInRight": 0.9})
    for side, towards_nose in (("right", 1), ("left", -1)):
        disc = f"iris-{side}-disc"
        moved = posed(name, disc, crossed)[:, 0].mean() - posed(name, disc, Expression.neutral())[:, 0].mean()
        assert moved * towards_nose > 2


_INVISIBLE = {"_neutral", "mouthClose"}
"""`mouthClose` shuts what `jawOpen` opens; alone it does nothing."""
_NO_LIPS = {"tik": {"mouthRollLower", "mouthRollUpper"}}


@pytest.mark.parametrize("name", NAMES)
def test_every_coefficient_alone_is_seen(name: str) -> None:
    still = renderer(name)(Expression.neutral()).astype(int)
    for coefficient in set(COEFFICIENTS) - _INVISIBLE - _NO_LIPS.get(name, set()):
        moved = renderer(name)(expression({coefficient: 1.0}))
        changed = (np.abs(moved - still).max(-1) > 12).mean()
        assert changed > 0.0004, coefficient


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("emotion", ["angry", "disgust", "fear", "sad"])
@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_no_negative_emotion_smiles(name: str, emotion: str, strength: float) -> None:
    pose = expression({n: v * strength for n, v in EMOTION_PRESETS[emotion].items()})
    assert _corners(name, pose) > _corners(name, Expression.neutral()) + 0.02
    assert _corners(name, expression({"mouthSmileLeft": 0.5, "mouthSmileRight": 0.5})) < -0.08


def _corners(name: str, pose: Expression) -> float:
    """How far the corners of the drawn mouth hang below the middle of its opening, in widths of the mouth."""
    mouth = flesh(name).rig.mouth
    assert mouth is not None
    x, y = posed(name, mouth.opening, pose).T
    corners = y[[int(x.argmin()), int(x.argmax())]].mean()
    middle = y[np.abs(x - x.mean()) < 0.2 * np.ptp(x)]
    return float((corners - (middle.min() + middle.max()) / 2) / np.ptp(x))


@pytest.mark.parametrize("name", NAMES)
def test_the_jaw_opens_the_mouth_between_the_lips(name: str) -> None:
    def gap(pose: Expression) -> float:
        return float(np.ptp(posed(name, "mouth-opening", pose)[:, 1]))

    assert gap(expression({"jawOpen": 1.0})) > gap(expression({"jawOpen": 0.4})) > gap(Expression.neutral()) + 5
    assert gap(expression({"jawOpen": 0.6, "mouthClose": 0.6})) < gap(expression({"jawOpen": 0.3}))
    draw = renderer(name)
    assert changed(patch(name, draw(Expression.neutral()), 2), patch(name, draw(expression({"jawOpen": 1.0})), 2)) > 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("left", "right"),
    [("mouthSmileLeft", "mouthSmileRight"), ("browOuterUpLeft", "browOuterUpRight"), ("eyeBlinkLeft", "eyeBlinkRight")],
)
def test_left_is_the_avatars_own_left(name: str, left: str, right: str) -> None:
    """The avatar's left is on the right of the picture."""
    draw = renderer(name)
    rest = draw(Expression.neutral())[..., :3].astype(int)
    middle = round(float(draw.face[:, 0].mean()))
    moved_left = np.abs(draw(expression({left: 1.0}))[..., :3] - rest)
    moved_right = np.abs(draw(expression({right: 1.0}))[..., :3] - rest)
    assert moved_left[:, middle:].sum() > 2 * moved_left[:, :middle].sum()
    assert moved_right[:, :middle].sum() > 2 * moved_right[:, middle:].sum()


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_moves_near_features_further_and_saturates(name: str) -> None:
    def shift(shape: str, yaw: float) -> float:
        return float(
            (posed(name, shape, expression({}, yaw=yaw)) - posed(name, shape, Expression.neutral()))[:, 0].mean()
        )

    turned = 0.4
    features, outline = shift("mouth-seam", turned), shift("face-skin", turned)
    assert features > outline > 0
    assert features > 8
    assert shift("mouth-seam", -turned) < -8
    assert shift("mouth-seam", 3.0) < 2 * features
    up = posed(name, "mouth-seam", expression({}, pitch=0.3)) - posed(name, "mouth-seam", Expression.neutral())
    assert up[:, 1].mean() < -3


@pytest.mark.parametrize("name", NAMES)
def test_leaning_is_clockwise_about_the_neck(name: str) -> None:
    lean = expression({}, roll=0.3)
    eyes = [posed(name, f"eye-{side}-opening", lean).mean(axis=0) for side in ("right", "left")]
    slope = math.atan2(eyes[1][1] - eyes[0][1], eyes[1][0] - eyes[0][0])
    assert 0.2 < slope < 0.32
    assert eyes[0][0] > posed(name, "eye-right-opening", Expression.neutral())[:, 0].mean()


def test_breathing_is_gentle_and_off_at_time_zero() -> None:
    draw = renderer("maya")
    rest = draw(Expression.neutral())
    assert np.array_equal(rest, draw(Expression.neutral(), time=0.0))
    breath = draw(Expression.neutral(), time=1.05)
    assert 0 < changed(rest, breath) < 4


@pytest.mark.parametrize("size", [64, 101, 333, 1024])
def test_sizes(size: int) -> None:
    picture = PuppetEngine().prepare(Avatar("tik", BUILTIN / "tik", "puppet"), size=size)(Expression.neutral())
    assert picture.shape == (size, size, 4)
    assert picture.std() > 20


def test_refuses_what_it_cannot_draw(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot be drawn"):
        PuppetEngine().prepare(Avatar("maya", BUILTIN / "maya", "puppet"), size=100_000)
    with pytest.raises(AvatarError, match="--engine mesh"):
        PuppetEngine().prepare(Avatar("photo", tmp_path / "photo.png", "picture"))
    with pytest.raises(AvatarError, match=r"rig\.toml"):
        PuppetEngine().prepare(Avatar("empty", tmp_path, "puppet"))


values = st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0])
poses = st.builds(
    lambda c, yaw, pitch, roll, gaze: expression(c, yaw=yaw, pitch=pitch, roll=roll, gaze=gaze),
    st.dictionaries(st.sampled_from(COEFFICIENTS[1:]), values, max_size=51),
    *[st.floats(-4, 4)] * 3,
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), pose=poses)
def test_any_expression_gives_a_sound_picture(name: str, pose: Expression) -> None:
    body = flesh(name)
    points = body.posed(pose, 0.0)
    assert np.isfinite(points).all()
    low, size = np.array(body.rig.drawing.origin), body.rig.drawing.width
    assert (np.abs(points - low - size / 2) < 1.6 * size).all()
    picture = renderer(name, 64)(pose)
    assert (picture[..., 3] == 255).all()


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(NAMES), pose=poses)
def test_the_inside_of_the_mouth_stays_between_the_lips(name: str, pose: Expression) -> None:
    """Before the head turns, no point of the opening's upper edge is below its lower edge, and lips frame it."""
    still = Expression(pose.offsets, pose.coefficients, 0.0, 0.0, 0.0, np.zeros(2, np.float32))
    opening = posed(name, "mouth-opening", still)
    half = len(opening) // 2
    upper, lower = opening[1:half], opening[half + 1 :][::-1][1:]
    assert (lower[: len(upper), 1] - upper[: len(lower), 1] > -1.0).all()
    body = flesh(name)
    lips = [limb for limb in body.limbs if limb.layer.part in {"lip-upper", "lip-lower"}]
    framed = np.vstack([posed(name, limb.shape.id, still) for limb in lips if limb.shape.id])
    slack = 2.0
    assert opening[:, 0].min() > framed[:, 0].min() - slack
    assert opening[:, 0].max() < framed[:, 0].max() + slack
    assert opening[:, 1].min() > framed[:, 1].min() - slack
    assert opening[:, 1].max() < framed[:, 1].max() + slack


def test_what_is_not_a_number_counts_as_rest() -> None:
    draw = renderer("mei")
    broken = expression({})
    wild = Expression(
        broken.offsets, np.full(52, np.nan, np.float32), math.nan, math.inf, 0.0, np.array([np.nan, np.inf], np.float32)
    )
    picture = draw(wild)
    assert picture.shape == (256, 256, 4)
    assert changed(picture, draw(Expression.neutral())) < 5


def test_expression_reads_gaze_from_the_eyes_own_coefficients() -> None:
    away = expression({"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0})
    assert away.gaze[0] == pytest.approx(0.6)
    assert expression({"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0}).gaze[1] > 0
    with pytest.raises(KeyError):
        expression({"eyeBlink": 1.0})


def test_presets_cover_the_emotions_with_known_names() -> None:
    assert set(EMOTION_PRESETS) == set(EMOTIONS)
    for shape in (*EMOTION_PRESETS.values(), *VISEMES.values()):
        assert set(shape) <= set(COEFFICIENTS)
        assert all(0 < value <= 1 for value in shape.values())
