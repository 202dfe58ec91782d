"""The head cut out of a portrait: no background left at its edge, hair and ears with it, shoulders left behind."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import performers
from mien.avatar import library
from mien.engine import registry
from mien.engine.mesh.matte import PeopleFinder, cut_out, foreground, guided
from mien.engine.mesh.topology import OVAL
from mien.face.pose import Pose, canonical, rotation_from
from mien.types import Array, Avatar, Expression, Picture

SIZE = 320
LOUD = (255, 0, 255)
SKIN, HAIR, SHIRT = (215, 170, 140), (60, 40, 30), (40, 80, 150)
MIDDLE = np.array([SIZE / 2, SIZE * 0.42])
UNIT = SIZE * 0.17


def landmarks(roll: float = 0.0) -> Array:
    """(478, 3) of the average face in the picture."""
    return Pose(rotation_from(0, 0, roll), UNIT, np.array([*MIDDLE, 0], np.float32)).to_frame(canonical().shape)


def drawn(points: Array) -> tuple[Picture, Array, Array]:
    """A drawn portrait, (H, W, 4), before a loud background; (H, W) how much of each pixel is its head; and the person,
    shoulders and all. The drawing leans as the landmarks do."""
    scale = 4
    large = (points[:, :2] + 0.5) * scale - 0.5
    oval = large[OVAL]
    middle, half = oval.mean(0), (oval.max(0) - oval.min(0)) / 2
    head = np.zeros((SIZE * scale, SIZE * scale), np.uint8)
    centre = tuple(np.rint(middle + np.array([0, -0.15 * half[1]])).astype(int).tolist())
    cv2.ellipse(head, centre, tuple(np.rint(half * [1.25, 1.3]).astype(int).tolist()), 0, 180, 360, 255, -1)
    rng = np.random.default_rng(3)
    for turn in np.linspace(np.pi, 2 * np.pi, 60):  # strands that stand out
        way = np.array([np.cos(turn), np.sin(turn)]) * half * [1.25, 1.3]
        end = np.array(centre) + way * (1 + 0.08 * rng.random())
        cv2.line(head, centre, tuple(np.rint(end).astype(int).tolist()), 255, 2 * scale)
    art = np.full((*head.shape, 3), LOUD, np.uint8)
    body = np.zeros_like(head)
    low = tuple(np.rint(middle + np.array([0, 2.1 * half[1]])).astype(int).tolist())
    cv2.ellipse(body, low, tuple(np.rint(half * [2.0, 0.9]).astype(int).tolist()), 0, 0, 360, 255, -1)
    art[body > 0] = SHIRT
    art[head > 0] = HAIR
    face = np.zeros_like(head)
    cv2.fillPoly(face, [np.rint(oval).astype(np.int32)], 255)
    for side in (-1, 1):
        ear = tuple(np.rint(middle + np.array([side * half[0] * 1.05, 0])).astype(int).tolist())
        cv2.ellipse(face, ear, tuple(np.rint(half * [0.18, 0.25]).astype(int).tolist()), 0, 0, 360, 255, -1)
    art[face > 0] = SKIN
    small = (SIZE, SIZE)
    whole = np.maximum(head, face)
    person = cv2.resize(np.maximum(whole, body), small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    alpha = cv2.resize(whole, small, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    rgb = cv2.resize(art, small, interpolation=cv2.INTER_AREA)
    return np.dstack([rgb, np.full(small, 255, np.uint8)]), alpha, person


def finder(person: Array) -> PeopleFinder:
    """Sees the person as coarsely as a network does, its edges a few pixels off."""

    def find(image: Picture, size: tuple[int, int]) -> Array:
        moved = cv2.warpAffine(person, np.array([[1, 0, 1.5], [0, 1, -1]], np.float32), (SIZE, SIZE))
        rough = cv2.GaussianBlur(cv2.resize(moved, (64, 64), interpolation=cv2.INTER_AREA), (0, 0), 0.7)
        return np.asarray(cv2.resize(rough, size), np.float32)

    return find


def nobody(image: Picture, size: tuple[int, int]) -> Array:
    return np.zeros(size[::-1], np.float32)


def laid_on(cut: Picture, colour: tuple[int, int, int]) -> Array:
    alpha = cut[..., 3:].astype(np.float32) / 255
    return np.asarray(cut[..., :3] * alpha + np.array(colour, np.float32) * (1 - alpha), np.float32)


def loud(picture: Array) -> Array:
    """(H, W) how much of the background's magenta a pixel has: nothing in the drawing has any."""
    return np.asarray((np.minimum(picture[..., 0], picture[..., 2]) - picture[..., 1]) / 255, np.float32)


@pytest.mark.parametrize("roll", [0.0, 0.3])
def test_no_background_is_left_around_the_head(roll: float) -> None:
    points = landmarks(roll)
    picture, _, person = drawn(points)
    shown = laid_on(cut_out(picture, points, finder(person)), (0, 0, 0))
    assert loud(laid_on(picture, (0, 0, 0))).max() > 0.99
    assert loud(shown).max() < 0.3
    assert (loud(shown) > 0.15).mean() < 0.002


def test_hair_and_ears_are_part_of_the_head_and_shoulders_are_not() -> None:
    points = landmarks()
    picture, truth, person = drawn(points)
    alpha = cut_out(picture, points, finder(person))[..., 3] / 255
    oval = points[OVAL, :2]
    middle, half = oval.mean(0), (oval.max(0) - oval.min(0)) / 2
    for side in (-1, 1):
        x, y = np.rint(middle + np.array([side * half[0] * 1.12, 0])).astype(int)
        assert alpha[y - 3 : y + 4, x - 2 : x + 3].min() > 0.8
    solid = cv2.erode(truth, np.ones((7, 7), np.uint8)) > 0.99
    assert (alpha[solid] > 0.9).mean() > 0.98
    x, y = np.rint(middle + np.array([half[0] * 1.6, half[1] * 1.9])).astype(int)
    assert (picture[y, x, :3] == SHIRT).all()
    assert alpha[y, x] == 0
    assert alpha[-3:].max() == 0


def test_the_edge_is_soft_and_the_same_every_time() -> None:
    points = landmarks()
    picture, truth, person = drawn(points)
    first, second = (cut_out(picture, points, finder(person)) for _ in range(2))
    assert np.array_equal(first, second)
    alpha = first[..., 3]
    assert ((alpha > 20) & (alpha < 235)).sum() > 300
    steps = np.abs(np.diff(alpha.astype(int), axis=1))
    assert np.percentile(steps[steps > 0], 90) < 128
    chin = round(float(points[152, 1]))
    assert np.abs(alpha[:chin] / 255 - truth[:chin]).mean() < 0.015


def test_where_the_network_sees_nobody_the_face_alone_is_left() -> None:
    points = landmarks()
    picture, _, _ = drawn(points)
    cut = cut_out(picture, points, nobody)
    face = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(face, [np.rint(points[OVAL, :2]).astype(np.int32)], 1)
    inside = cv2.erode(face, np.ones((13, 13), np.uint8)) > 0
    assert (cut[inside, 3] == 255).all()
    assert (cut[inside, :3] == picture[inside, :3]).all()
    assert cut[cv2.dilate(face, np.ones((15, 15), np.uint8)) == 0, 3].max() == 0


def test_what_was_transparent_stays_so() -> None:
    points = landmarks()
    picture, truth, person = drawn(points)
    picture[..., 3] = np.rint(255 * truth)
    alpha = cut_out(picture, points, finder(person))[..., 3]
    assert alpha[truth == 0].max() < 30


def test_a_guided_map_takes_on_the_edges_of_the_picture() -> None:
    image = np.zeros((80, 80, 3), np.float32)
    image[:, 40:] = (0.9, 0.2, 0.1)
    coarse = np.zeros((80, 80), np.float32)
    coarse[:, 44:] = 1
    refined = guided(image, cv2.GaussianBlur(coarse, (0, 0), 2), 10, 1e-3)
    assert refined[40, 38] < 0.2
    assert refined[40, 41] > 0.5
    assert refined[40, 70] > 0.95


def test_colours_at_the_edge_are_freed_of_the_background() -> None:
    alpha = np.clip((np.arange(200, dtype=np.float32) - 98) / 4, 0, 1)[None].repeat(60, 0)
    front, behind = np.array([0.2, 0.6, 0.3], np.float32), np.array([1, 0, 1], np.float32)
    image = alpha[..., None] * front + (1 - alpha[..., None]) * behind
    found = foreground(image, alpha)
    assert np.abs(found - front)[:, 99:].max() < 0.05


def test_a_real_portrait_before_another_background_keeps_none_of_it() -> None:
    performers.needs_paste_models()
    whole = performers.portrait(400)
    picture = np.dstack([whole, np.full(whole.shape[:2], 255, np.uint8)])
    avatar = Avatar("somebody", library.built_in()["maya"], "picture", picture, "Somebody")
    renderer = registry.get("mesh").prepare(avatar, size=256)
    alone = renderer.without_backdrop()  # type: ignore[attr-defined]
    rest = Expression.neutral()
    drawn_whole, drawn_alone = renderer(rest), alone(rest)
    face = np.zeros((256, 256), np.uint8)
    cv2.fillPoly(face, [np.rint(renderer.outline).astype(np.int32)], 1)
    inside = cv2.erode(face, np.ones((9, 9), np.uint8)) > 0
    assert (drawn_alone[inside, 3] == 255).all()
    assert np.abs(drawn_alone[inside, :3].astype(int) - drawn_whole[inside, :3]).max() <= 2
    assert (drawn_alone[:8, :, 3] == 0).all()
    assert 0.1 < (drawn_alone[..., 3] > 128).mean() < 0.5
    assert (drawn_whole[..., 3] == 255).all()
    turned = alone(replace(rest, yaw=0.3))
    assert (turned[..., 3] != drawn_alone[..., 3]).any()
