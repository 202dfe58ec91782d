"""A head that was cut out, in the driver's light: ears covered, steady, nothing of the face where the matte is thin."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mien.scene.guard import GuardedRenderer
from mien.scene.paste import PasteScene, Watch, placement
from mien.types import Face, Frame, Picture
from scripted import FPS, SIZE, CutOutRenderer, EmptyRenderer, OvalRenderer, face, likeness, textured

CLEAN = 0.35
"""Likeness below which a face does not show, as in the tests that nothing gets out."""
EARS = ((127, 234, 93), (356, 454, 323))
"""Landmarks before each ear, temple to lobe."""


def shown(clip: list[Picture], people: list[Face], renderer: OvalRenderer) -> list[Picture]:
    """Both passes over a clip in which everybody keeps still."""
    frames = [Frame(picture, n, n / FPS, n) for n, picture in enumerate(clip)]
    watch = Watch(None, None)
    for frame in frames:
        watch(frame, people)
    scene = PasteScene(GuardedRenderer(renderer, engine="oval"), watch.plan(), size=SIZE)
    pictures = [scene.compose(frame, people) for frame in frames]
    assert all(picture is not None for picture in pictures)
    return [picture for picture in pictures if picture is not None]


@pytest.mark.parametrize("renderer", [CutOutRenderer(), EmptyRenderer(), EmptyRenderer(6)])
@pytest.mark.parametrize("roll", [-0.5, 0.0, 0.4])
def test_where_the_matte_is_thin_the_face_and_its_ears_are_covered_all_the_same(
    roll: float, renderer: OvalRenderer
) -> None:
    person = face(unit=44, roll=roll)
    room = textured(4)
    (picture,) = shown([room], [person], renderer)
    assert likeness(picture, room, region=placement.cover(person)) < CLEAN
    hidden = placement.fill(placement.cover(person), SIZE) == 255
    assert (picture == room).all(-1)[hidden].mean() < 0.02
    middle = person.landmarks[:468, :2].mean(0)
    for ear in EARS:
        at = person.landmarks[list(ear), :2]
        outward = np.sign(float((at.mean(0) - middle) @ [np.cos(roll), np.sin(roll)]))
        beside = at + outward * 0.15 * 44 * np.array([np.cos(roll), np.sin(roll)])
        x, y = np.rint(beside).astype(int).T
        assert hidden[y, x].all()


def test_nothing_of_the_portraits_background_is_seen_in_any_light() -> None:
    dark, bright = (np.full((*SIZE[::-1], 3), level, np.uint8) for level in (40, 200))
    for room in (dark, bright):
        (picture,) = shown([room], [face(unit=44)], CutOutRenderer())
        magenta = np.minimum(picture[..., 0], picture[..., 2]).astype(int) - picture[..., 1]
        assert magenta.max() < 40


def test_a_still_clip_stays_still() -> None:
    pictures = shown([textured(4)] * 6, [face(unit=44)], CutOutRenderer())
    assert all(np.array_equal(picture, pictures[0]) for picture in pictures)


def test_a_cameras_noise_does_not_make_the_head_or_its_surroundings_flicker() -> None:
    rng = np.random.default_rng(2)
    room = cv2.GaussianBlur(textured(4), (0, 0), 4)
    noisy = [np.clip(room + rng.normal(0, 6, room.shape), 0, 255).astype(np.uint8) for _ in range(8)]
    person = face(unit=44)
    pictures = np.stack(shown(noisy, [person], CutOutRenderer())).astype(np.float32)
    hidden = placement.fill(placement.cover(person), SIZE) == 255
    assert np.stack(noisy).astype(np.float32).std(0)[hidden].mean() > 4
    assert pictures.std(0)[hidden].mean() < 1


def test_the_light_leaves_what_the_renderer_returned_as_it_was() -> None:
    class Kept(CutOutRenderer):
        picture = CutOutRenderer()(replace(face().expression))

        def __call__(self, expression: object, *, time: float = 0.0) -> Picture:
            return self.picture

    before = Kept.picture.copy()
    shown([textured(4)] * 2, [face(unit=44)], Kept())
    assert np.array_equal(Kept.picture, before)
