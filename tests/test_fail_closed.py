"""The real face never gets out, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.avatar import library
from mien.engine import registry
from mien.engine.base import Renderer
from mien.errors import EngineError
from mien.pipeline import Pipeline
from mien.scene.avatar import AvatarScene, lay_on
from mien.scene.card import card
from mien.scene.guard import GuardedRenderer
from mien.scene.hold import EASE, STILL
from mien.scene.paste import PasteScene, Plan, Watch, placement
from mien.scene.paste.whereabouts import BRIEF_MEMORY
from mien.types import Expression, Face, Frame, Picture
from scripted import (
    FPS,
    CutOutRenderer,
    EmptyRenderer,
    FailingRenderer,
    Kept,
    OvalRenderer,
    ScriptedTracker,
    face,
    frames,
    likeness,
    smile,
    textured,
)

SIZE = (256, 192)
LEAK, CLEAN = 0.6, 0.35
"""Likeness above which a face shows and below which it does not; the first test shows that the measure tells them."""


def run(
    script: Callable[[int], Sequence[Face]], count: int, scene: AvatarScene | PasteScene, *, seed: int = 0,
    still: bool = True,
) -> list[Picture]:  # fmt: skip
    sink = Kept()
    Pipeline(frames(count, seed=seed, still=still), ScriptedTracker(script), scene=scene, sinks=[sink]).run()
    assert len(sink.pictures) == count
    return sink.pictures


def avatar_scene(renderer: Renderer | None = None, *, people: int = 1) -> AvatarScene:
    return AvatarScene(GuardedRenderer(renderer or OvalRenderer(), engine="oval"), people=people)


def planned(
    script: Callable[[int], Sequence[Face]], count: int, *, still: bool = True, most: int = 32,
    forget_after: float | None = None,
) -> Plan:  # fmt: skip
    """The first pass over a scripted clip; no witness but the tracker."""
    watch = Watch(None, None, most=most, forget_after=forget_after)
    Pipeline(frames(count, still=still), ScriptedTracker(script), scene=watch.stage).run()
    return watch.plan()


def paste_scene(plan: Plan, renderer: Renderer | None = None) -> PasteScene:
    return PasteScene(GuardedRenderer(renderer or OvalRenderer(), engine="oval"), plan, size=SIZE)


def cut_out_scene(plan: Plan) -> PasteScene:
    """With an avatar that has no background and keeps its own colours, as puppets do."""
    return PasteScene(GuardedRenderer(CutOutRenderer(), engine="oval"), plan, size=SIZE, fit_colours=False)


def matted_scene(plan: Plan) -> PasteScene:
    """With a picture's head, cut out, in the driver's light."""
    return PasteScene(GuardedRenderer(CutOutRenderer(), engine="oval"), plan, size=SIZE)


def empty_scene(plan: Plan) -> PasteScene:
    """With a picture of which the matte has left nothing."""
    return PasteScene(GuardedRenderer(EmptyRenderer(), engine="oval"), plan, size=SIZE)


def scrap_scene(plan: Plan) -> PasteScene:
    """With a picture of which the matte has left a scrap."""
    return PasteScene(GuardedRenderer(EmptyRenderer(6), engine="oval"), plan, size=SIZE)


def composed(frame: Frame, people: Sequence[Face], scene: Callable[[Plan], PasteScene] = paste_scene) -> Picture | None:
    """One frame, after a first pass over it."""
    return scene(planned(lambda n: people, 1)).compose(frame, people)


def pasted(
    script: Callable[[int], Sequence[Face]], count: int, scene: Callable[[Plan], PasteScene] = paste_scene, *,
    still: bool = False, most: int = 32, forget_after: float | None = None,
) -> list[Picture]:  # fmt: skip
    """Both passes over a scripted clip. Where it is not `still`, no texture lasts from one frame to the next, so that a
    face that is lost is lost."""
    plan = planned(script, count, still=still, most=most, forget_after=forget_after)
    return run(script, count, scene(plan), still=still)


SCENES = pytest.mark.parametrize("scene", [paste_scene, cut_out_scene, matted_scene, empty_scene, scrap_scene])


def is_card(picture: Picture) -> bool:
    return np.array_equal(picture, card(SIZE))


def test_the_measure_detects_a_leak() -> None:
    original = textured(0)
    assert likeness(original, original) > 0.99
    dimmed = np.asarray(original * 0.5 + 20, np.uint8)
    assert likeness(dimmed, original) > LEAK
    half = np.asarray(0.4 * original + 0.6 * textured(1), np.uint8)
    assert likeness(half, original) > 0.4
    assert likeness(textured(1), original) < CLEAN
    assert likeness(card(SIZE), original) < CLEAN


class TestAvatar:
    def test_pixels_of_the_driver_change_nothing(self) -> None:
        """Same expressions, other pixels: the same output to the last bit, through a real engine."""
        engine = registry.get("puppet")
        avatar = library.find(library.DEFAULT)

        def script(n: int) -> list[Face]:
            return [] if 8 <= n < 12 else [face(expression=replace(smile(n / 20), yaw=n / 40, roll=n / 60))]

        def pictures(seed: int) -> list[Picture]:
            renderer = GuardedRenderer(engine.prepare(avatar, size=128), engine="puppet")
            return run(script, 20, AvatarScene(renderer), seed=seed)

        first, second = pictures(1), pictures(2)
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        assert not np.array_equal(first[0], first[19])  # and the expressions do

    def test_a_lost_driver_leaves_the_avatar_still_and_then_at_rest(self) -> None:
        count = round((STILL + EASE) * FPS) + 15
        pictures = run(lambda n: [face(expression=smile(1.0))] if n < 10 else [], count, avatar_scene())
        smiling = lay_on(OvalRenderer()(smile(1.0)), (0, 0, 0))
        resting = lay_on(OvalRenderer()(Expression.neutral()), (0, 0, 0))
        still = 10 + int(STILL * FPS) - 1
        assert all(np.array_equal(picture, smiling) for picture in pictures[1:still])
        assert np.array_equal(pictures[-1], resting)
        between = [p for p in pictures[still:-1] if not (np.array_equal(p, smiling) or np.array_equal(p, resting))]
        assert len(between) >= 3  # it eases, it does not jump

    def test_a_clip_without_anybody_shows_the_avatar_at_rest(self) -> None:
        resting = lay_on(OvalRenderer()(Expression.neutral()), (0, 0, 0))
        assert all(np.array_equal(p, resting) for p in run(lambda n: [], 10, avatar_scene()))

    def test_an_engine_that_fails_leaves_the_last_picture_it_made(self) -> None:
        scene = avatar_scene(FailingRenderer(lambda call: call >= 6))
        pictures = run(lambda n: [face(expression=smile(n / 10))], 12, scene)
        assert all(np.array_equal(picture, pictures[4]) for picture in pictures[5:])
        (warning,) = scene.verdict()
        assert "oval" in warning
        assert "7 of 12" in warning
        assert "\n" not in warning

    @pytest.mark.parametrize("rubbish", [np.zeros((5, 5, 4), np.uint8), np.zeros((128, 128, 3), np.uint8), "picture"])
    def test_rubbish_from_an_engine_counts_as_failure(self, rubbish: object) -> None:
        scene = avatar_scene(FailingRenderer(lambda call: call == 3, rubbish=rubbish))
        pictures = run(lambda n: [face(expression=smile(n / 10))], 6, scene)
        assert np.array_equal(pictures[2], pictures[1])
        assert "1 of 6" in scene.verdict()[0]

    def test_an_engine_that_never_works_is_an_error_in_the_end(self) -> None:
        scene = avatar_scene(FailingRenderer(lambda call: call > 0))
        pictures = run(lambda n: [face()], 5, scene)
        assert all(np.array_equal(p, lay_on(OvalRenderer()(Expression.neutral()), (0, 0, 0))) for p in pictures)
        with pytest.raises(EngineError, match="failed at 5 of 5"):
            scene.verdict()
        with pytest.raises(EngineError, match="cannot draw"):
            avatar_scene(FailingRenderer(lambda call: True))

    def test_the_first_person_drives_and_hands_over_when_gone(self) -> None:
        def script(n: int) -> list[Face]:
            other = face(1, expression=smile(1.0))
            return [face(0), other] if n < 10 else [other]

        pictures = run(script, 60, avatar_scene())
        resting, smiling = (lay_on(OvalRenderer()(e), (0, 0, 0)) for e in (Expression.neutral(), smile(1.0)))
        assert all(np.array_equal(p, resting) for p in pictures[: 10 + int(STILL * FPS)])
        assert np.array_equal(pictures[-1], smiling)

    def test_people_side_by_side_keep_their_places(self) -> None:
        def script(n: int) -> list[Face]:
            return [face(0, expression=smile(1.0)), face(1)] if n % 2 else [face(1), face(0, expression=smile(1.0))]

        smiling, resting = (lay_on(OvalRenderer()(e), (0, 0, 0)) for e in (smile(1.0), Expression.neutral()))
        for picture in run(lambda n: script(1) if n == 0 else script(n), 8, avatar_scene(people=2))[6:]:
            assert picture.shape == (128, 256, 3)
            assert np.array_equal(picture[:, :128], smiling)
            assert np.array_equal(picture[:, 128:], resting)


class TestPaste:
    def test_every_face_is_covered_and_the_rest_of_the_picture_is_not(self) -> None:
        people = [face(0, at=(80, 80), unit=36), face(1, at=(190, 90), unit=30, roll=0.3)]
        original = textured(0)
        picture = pasted(lambda n: people, 3, still=True)[-1]
        for person in people:
            assert likeness(picture, original, region=placement.cover(person)) < CLEAN
            assert likeness(original, original, region=placement.cover(person)) > 0.99
        far = np.array([[0, 160], [60, 160], [60, 191], [0, 191]], np.float32)
        assert likeness(picture, original, region=far) > 0.99

    @pytest.mark.parametrize("roll", [-0.6, 0.0, 0.9])
    @pytest.mark.parametrize("yaw", [-0.5, 0.0, 0.5])
    @SCENES
    def test_not_one_hidden_pixel_counts(self, roll: float, yaw: float, scene: Callable[[Plan], PasteScene]) -> None:
        """Pixels of the face are shuffled among themselves (their mean colour stays), those of the ring around it
        replaced: under the cover nothing changes."""
        person = face(unit=44, roll=roll, yaw=yaw)
        frame = next(iter(frames(1)))
        hidden = placement.fill(placement.cover(person), SIZE) == 255
        skin = placement.fill(placement.skin(person), SIZE) == 255
        changed = frame.image.copy()
        pixels = changed[skin]
        changed[skin] = pixels[np.random.default_rng(5).permutation(len(pixels))]
        changed[hidden & ~skin] = textured(9)[hidden & ~skin]
        first = composed(frame, [person], scene)
        second = composed(replace(frame, image=changed), [person], scene)
        assert first is not None
        assert second is not None
        assert np.array_equal(first[hidden], second[hidden])
        assert not np.array_equal(first[hidden], frame.image[hidden])

    def test_a_cut_out_avatar_stands_in_the_room_and_not_before_its_own_backdrop(self) -> None:
        """Under the cover but beside the head, the room goes on; nothing shows the colour of what is transparent."""
        person = face(unit=40)
        room = Frame(np.full((*SIZE[::-1], 3), (120, 140, 90), np.uint8), 0, 0.0)
        picture = composed(room, [person], cut_out_scene)
        assert picture is not None
        affine = placement.similarity(CutOutRenderer.face, placement.anchors(person))
        head = placement.fill(placement.transform(affine, CutOutRenderer.outline), SIZE)
        beside = cv2.dilate(head, np.ones((5, 5), np.uint8)) == 0
        assert np.abs(picture[beside].astype(int) - (120, 140, 90)).max() <= 2
        assert (picture[..., 1] > 20).all()
        assert (picture[head == 255] != (120, 140, 90)).any(1).mean() > 0.9

    def test_the_cover_reaches_beyond_the_landmarks_on_every_side(self) -> None:
        for roll in (-1.0, 0.0, 0.7):
            person = face(at=(128, 90), unit=40, roll=roll)
            covered = placement.fill(placement.cover(person), SIZE)
            outward = person.landmarks[:468, :2] - person.landmarks[:468, :2].mean(0)
            points = np.rint(person.landmarks[:468, :2] + 0.06 * outward).astype(int)
            inside = (points >= 0).all(1) & (points < SIZE).all(1)
            assert (covered[points[inside, 1], points[inside, 0]] == 255).all()

    def test_a_quick_head_is_covered_on_the_way(self) -> None:
        before, now = face(at=(100, 80)), face(at=(112, 80))
        ahead = now.landmarks[:468, :2] + [10, 0]
        covered = placement.fill(placement.cover(now, before.landmarks), SIZE)
        points = np.rint(ahead).astype(int)
        assert (covered[points[:, 1], points[:, 0]] == 255).all()

    def test_the_avatar_leans_with_the_driver(self) -> None:
        def lean(roll: float) -> float:
            person = face(unit=48, roll=roll)
            affine = placement.similarity(OvalRenderer.face, placement.anchors(person))
            return float(np.arctan2(affine[1, 0], affine[0, 0]))

        assert lean(0.5) - lean(0.0) == pytest.approx(0.5, abs=0.02)

    def test_nobody_in_sight_is_a_card(self) -> None:
        scene = paste_scene(planned(lambda n: [], 10))
        assert all(is_card(picture) for picture in run(lambda n: [], 10, scene))
        assert scene.cards == 10

    def test_a_lost_face_is_a_card_for_good(self) -> None:
        pictures = pasted(lambda n: [face()] if n < 20 else [], 120)
        assert not any(is_card(picture) for picture in pictures[:20])
        assert all(is_card(picture) for picture in pictures[20:])

    def test_one_of_two_lost_is_a_card(self) -> None:
        other = face(1, at=(190, 90), unit=30)
        pictures = pasted(lambda n: [face()] if 20 <= n < 60 else [face(), other], 80)
        assert [is_card(picture) for picture in pictures] == [20 <= n < 60 for n in range(80)]

    def test_a_dropped_frame_is_a_card(self) -> None:
        pictures = pasted(lambda n: [] if n == 30 else [face()], 60)
        assert [n for n, picture in enumerate(pictures) if is_card(picture)] == [30]

    def test_people_let_go_when_the_user_says_so(self) -> None:
        other = face(1, at=(190, 90), unit=30)
        pictures = pasted(lambda n: [face(), other] if n < 20 else [face()], 100, forget_after=1.0)
        cards = [n for n, picture in enumerate(pictures) if is_card(picture)]
        assert cards[0] == 20
        assert 20 + FPS - 2 <= cards[-1] <= 20 + FPS + 2

    def test_a_newcomer_is_covered_before_the_tracker_notices_them(self) -> None:
        """The same texture lay there before: it was a face then, too."""
        other = face(1, at=(190, 90), unit=30)
        pictures = pasted(lambda n: [face()] if n < 60 else [face(), other], 80, still=True)
        original = textured(0)
        assert not any(is_card(picture) for picture in pictures)
        assert all(likeness(p, original, region=placement.cover(other)) < CLEAN for p in pictures)

    def test_a_face_that_the_tracker_loses_stays_covered_while_its_texture_is_there(self) -> None:
        other = face(1, at=(190, 90), unit=30)
        pictures = pasted(lambda n: [face()] if n >= 20 else [face(), other], 60, still=True)
        original = textured(0)
        assert all(likeness(p, original, region=placement.skin(other)) < CLEAN for p in pictures)

    def test_somebody_never_out_of_sight_is_the_same_person_under_another_number(self) -> None:
        def script(n: int) -> list[Face]:
            other = [face(1 if n < 25 else 2, at=(190, 90), unit=30)]
            return [face(), *([] if 25 <= n < 35 else other)]

        original = textured(0)
        pictures = pasted(script, 70, still=True)
        assert not any(is_card(picture) for picture in pictures)
        for picture in pictures:
            assert likeness(picture, original, region=placement.skin(face(1, at=(190, 90), unit=30))) < CLEAN

    def test_somebody_beside_a_lost_person_does_not_stand_for_them(self) -> None:
        """Two heads close together: one is lost, and the other one's place is not theirs."""
        other = face(1, at=(165, 84), unit=36)
        pictures = pasted(lambda n: [face()] if n >= 20 else [face(), other], 60)
        assert [is_card(picture) for picture in pictures] == [n >= 20 for n in range(60)]

    def test_somebody_far_away_does_not_stand_for_a_lost_person(self) -> None:
        """The tracker takes a look-alike at the other end of the room for whom it lost a moment ago."""

        def script(n: int) -> list[Face]:
            return [face(), face(1, at=(40, 60), unit=14)] if n < 20 else [face()] if n < 24 else [
                face(), face(1, at=(220, 150), unit=14)
            ]  # fmt: skip

        pictures = pasted(script, 60)
        assert [is_card(picture) for picture in pictures] == [n >= 20 for n in range(60)]

    def test_after_a_cut_as_many_people_as_before_are_the_same_people(self) -> None:
        """A jump closer, which makes the tracker count anew; and one to a shot that somebody is missing from."""
        closer = face(2, at=(128, 90), unit=60)
        two = [face(0), face(1, at=(200, 120), unit=30)]

        def planned_with_cut(after: Sequence[Face], before: Sequence[Face]) -> list[bool]:
            watch = Watch(None, None)
            for n in range(50):
                picture = textured(1) // 3 if n < 25 else 255 - textured(2) // 3
                watch(Frame(np.asarray(picture, np.uint8), n, n / FPS), before if n < 25 else after)
            plan = watch.plan()
            return [plan.at(n, n / FPS).card is not None for n in range(50)]

        assert not any(planned_with_cut([closer], [face(0)]))
        assert planned_with_cut([closer], two) == [n >= 25 for n in range(50)]

    def test_more_people_than_can_be_followed_are_a_card(self) -> None:
        crowd = [face(n, at=(40 + 60 * (n % 4), 40 + 70 * (n // 4)), unit=16) for n in range(8)]
        assert not any(is_card(picture) for picture in pasted(lambda n: crowd, 5))
        pictures = pasted(lambda n: crowd if n == 3 else crowd[:7], 5, most=8)
        assert is_card(pictures[3])

    def test_a_frame_that_the_first_pass_did_not_see_is_a_card(self) -> None:
        pictures = run(lambda n: [face()], 10, paste_scene(planned(lambda n: [face()], 6)))
        assert [is_card(picture) for picture in pictures] == [n >= 6 for n in range(10)]

    @pytest.mark.parametrize("rate", [2, 3, 5])
    def test_at_few_frames_a_second_somebody_seen_for_a_second_is_no_passer_by(self, rate: int) -> None:
        watch = Watch(None, None)
        other = face(1, at=(190, 90), unit=30)
        for n in range(10 * rate):
            frame = Frame(textured(n), n, n / rate)
            watch(frame, [face(), other] if rate <= n < 2 * rate else [face()])
        plan = watch.plan()
        assert all(plan.at(n, n / rate).card for n in range(2 * rate, 10 * rate))

    def test_somebody_found_again_under_another_number_was_covered_before(self) -> None:
        pictures = pasted(lambda n: [face(0)] if n < 30 else [] if n < 34 else [face(1)], 60)
        assert [is_card(picture) for picture in pictures] == [n >= 30 for n in range(60)]

    def test_a_brief_sighting_is_let_go(self) -> None:
        """A pattern taken for a face for an instant does not cost the rest of the clip."""
        ghost = face(1, at=(200, 140), unit=16)
        pictures = pasted(lambda n: [face(), ghost] if 50 <= n < 54 else [face()], 160)
        cards = [n for n, picture in enumerate(pictures) if is_card(picture)]
        assert cards[-1] / FPS == pytest.approx(53 / FPS + BRIEF_MEMORY, abs=0.1)

    def test_an_engine_that_fails_is_a_card(self) -> None:
        scene = paste_scene(planned(lambda n: [face()], 20), FailingRenderer(lambda call: 5 <= call < 8))
        pictures = run(lambda n: [face()], 20, scene)
        assert [n for n, picture in enumerate(pictures) if is_card(picture)] == [4, 5, 6]
        assert any("3 of 20" in warning for warning in scene.verdict())

    def test_an_engine_that_never_works_is_an_error(self) -> None:
        scene = paste_scene(planned(lambda n: [face()], 5), FailingRenderer(lambda call: call > 0))
        assert all(is_card(picture) for picture in run(lambda n: [face()], 5, scene))
        with pytest.raises(EngineError):
            scene.verdict()

    def test_a_face_too_small_to_be_sure_of_is_a_card(self) -> None:
        assert all(is_card(p) for p in pasted(lambda n: [face(), face(1, at=(20, 20), unit=4)], 5))

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
    def test_landmarks_that_make_no_sense_are_a_card(self, value: float) -> None:
        broken = face()
        broken.landmarks[100] = value
        pictures = pasted(lambda n: [broken] if n == 3 else [face()], 6, still=True)
        assert [is_card(picture) for picture in pictures] == [n == 3 for n in range(6)]
        original = textured(0)
        assert all(likeness(p, original, region=placement.cover(face())) < CLEAN for p in pictures)

    @settings(max_examples=60, deadline=None)
    @given(
        x=st.floats(0, 256),
        y=st.floats(0, 192),
        unit=st.floats(8, 120),
        roll=st.floats(-3, 3),
        yaw=st.floats(-1, 1),
    )
    def test_wherever_a_face_is_no_landmark_of_it_shows(
        self, x: float, y: float, unit: float, roll: float, yaw: float
    ) -> None:
        person = face(at=(x, y), unit=unit, roll=roll, yaw=yaw)
        frame = next(iter(frames(1)))
        picture = composed(frame, [person])
        covered = placement.fill(placement.cover(person), SIZE) == 255
        points = np.rint(person.landmarks[:468, :2]).astype(int)
        inside = points[((points >= 0) & (points < SIZE)).all(1)]
        assert covered[inside[:, 1], inside[:, 0]].all()
        if picture is not None and covered.any():
            assert (picture == frame.image).all(-1)[covered].mean() < 0.03

    @SCENES
    def test_two_faces_side_by_side_do_not_colour_each_other(self, scene: Callable[[Plan], PasteScene]) -> None:
        """The seam takes its colours from beside the cover, but never from under another one."""
        people = [face(0, at=(90, 80), unit=36), face(1, at=(170, 80), unit=38)]
        frame = next(iter(frames(1)))
        hidden = np.zeros(SIZE[::-1], bool)
        changed = frame.image.copy()
        for person in people:
            hidden |= placement.fill(placement.cover(person), SIZE) == 255
        for person in people:
            skin = placement.fill(placement.skin(person), SIZE) == 255
            pixels = changed[skin]
            changed[skin] = pixels[np.random.default_rng(5).permutation(len(pixels))]
        first = composed(frame, people, scene)
        second = composed(replace(frame, image=changed), people, scene)
        assert first is not None
        assert second is not None
        assert np.array_equal(first[hidden], second[hidden])

    @pytest.mark.parametrize("at", [(-5.0, 80.0), (128.0, -10.0), (250.0, 190.0), (128.0, 185.0)])
    @SCENES
    def test_a_face_half_out_of_the_picture_is_covered(
        self, at: tuple[float, float], scene: Callable[[Plan], PasteScene]
    ) -> None:
        person = face(at=at, unit=60)
        original = textured(0)
        picture = pasted(lambda n: [person], 2, scene, still=True)[-1]
        hidden = placement.fill(placement.cover(person), SIZE) == 255
        same = (picture == original).all(-1)
        assert same[hidden].mean() < 0.02

    def test_a_face_wholly_outside_the_picture_is_a_card(self) -> None:
        assert all(is_card(picture) for picture in pasted(lambda n: [face(at=(900, 900))], 3))


def test_the_card_shows_its_size_and_no_frame() -> None:
    for size in ((64, 48), (640, 360), (1080, 1920), (33, 401)):
        picture = card(size)
        assert picture.shape == (size[1], size[0], 3)
        assert picture.std() > 1


def test_frames_that_leave_a_scene_hold_no_original() -> None:
    tracked = [(frame, [face()]) for frame in frames(3)]
    for scene in (avatar_scene(), paste_scene(planned(lambda n: [face()], 3))):
        for shown, (original, _) in zip(list(scene(iter(tracked))), tracked, strict=True):
            assert isinstance(shown, Frame)
            assert not np.shares_memory(shown.image, original.image)
