"""The benchmark of leaks: its measure where the answer is known, and whether its clips show what they say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from benchmarks.leaks import clips, events, people
from benchmarks.leaks.clips import KINDS, Clip, order
from benchmarks.leaks.controls import covered
from benchmarks.leaks.measure import exposure
from benchmarks.leaks.people import MOUTH, RIGHT_EYE, Person
from benchmarks.leaks.pool import pool  # noqa: F401  registers the recipes
from benchmarks.leaks.promises import PROMISES
from benchmarks.leaks.run import attack, write
from benchmarks.leaks.stage import Region, Stage

import mien
from mien.media.reader import VideoReader
from mien.scene.card import card
from mien.types import Picture
from scripted import face, textured

SIZE = (320, 240)
MAGENTA = (255, 0, 255)


def somebody(name: str = "somebody", *, seed: int = 5, plain: bool = False) -> Person:
    """A face of noise, as rich in detail as skin; or all magenta, on green, so that its pixels can be told."""
    drawn = face(at=(100.0, 85.0), unit=60.0)
    labels = people.labelled(drawn.landmarks, (200, 200))
    picture = textured(seed, (200, 200))
    if plain:
        picture = np.where(labels[..., None] > 0, MAGENTA, (0, 255, 0)).astype(np.uint8)
    matte = np.zeros((200, 200), np.uint8)
    cv2.ellipse(matte, (100, 110), (95, 108), 0, 0, 360, 255, -1)
    low, high = drawn.box[:2], drawn.box[2:]
    x, y = (low + high) / 2
    return Person(
        name, (picture,), (matte,), (labels,), (float(x), float(y)), *(float(v) for v in high - low), fps=25.0
    )


def shot_of(who: Person, *, at: tuple[float, float] = (160.0, 120.0), height: float = 110.0) -> tuple[Picture, Region]:
    stage = Stage(SIZE, 0.0)
    stage.place(who, at, height)
    shot = stage.finish()
    return shot.picture, shot.faces[0]


@pytest.mark.parametrize("height", [26.0, 60.0, 110.0, 230.0])
def test_an_uncovered_face_is_exposed(height: float) -> None:
    picture, region = shot_of(somebody(), height=height)
    noise = np.random.default_rng(1).normal(0, 2, picture.shape)
    found = exposure(picture, np.clip(picture + noise, 0, 255).astype(np.uint8), region)
    assert found.exposed
    assert found.share > 0.9
    assert set(found.features) == {"eye", "nose", "mouth"}


@pytest.mark.parametrize("height", [26.0, 60.0, 110.0, 230.0])
def test_a_card_or_another_face_in_the_same_place_is_no_exposure(height: float) -> None:
    picture, region = shot_of(somebody(), height=height)
    stranger = somebody("stranger", seed=77)
    for output in (card(SIZE), covered(picture, region, stranger)):
        found = exposure(picture, output, region)
        assert not found.exposed
        assert not found.sliver


def test_a_cover_that_leaves_a_part_out_exposes() -> None:
    picture, region = shot_of(somebody())
    stranger = somebody("stranger", seed=77)
    assert exposure(picture, covered(picture, region, stranger, leave=0.3), region).exposed


@pytest.mark.parametrize(("label", "name"), [(RIGHT_EYE, "eye"), (MOUTH, "mouth")])
def test_one_eye_or_a_mouth_is_enough(label: int, name: str) -> None:
    picture, region = shot_of(somebody())
    output = covered(picture, region, somebody("stranger", seed=77))
    h, w = region.labels.shape
    hole = cv2.dilate((region.labels == label).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    here = np.s_[region.y : region.y + h, region.x : region.x + w]
    output[here][hole] = picture[here][hole]
    assert name in exposure(picture, output, region).features


def test_an_avatar_that_opens_its_mouth_as_wide_is_no_exposure() -> None:
    picture, region = shot_of(somebody(), height=120.0)
    mask = cv2.erode((region.labels == MOUTH).astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
    dark = np.zeros(picture.shape[:2], np.float32)
    dark[region.y : region.y + mask.shape[0], region.x : region.x + mask.shape[1]] = mask
    dark = cv2.GaussianBlur(dark, (0, 0), 2.0)[..., None]
    avatar = shot_of(somebody(seed=9), height=120.0)[0]
    before, after = (np.asarray((0.6 * skin + 51) * (1 - 0.9 * dark), np.uint8) for skin in (picture, avatar))
    assert exposure(before, before, region).exposed
    assert not exposure(before, after, region).exposed


def test_a_face_under_a_veil_is_exposed_and_a_blurred_one_is_not() -> None:
    picture, region = shot_of(somebody())
    veiled = (picture * 0.5 + 70).astype(np.uint8)
    assert exposure(picture, veiled, region).exposed
    assert not exposure(picture, np.asarray(cv2.GaussianBlur(picture, (0, 0), 14), np.uint8), region).exposed


PLACES = {
    "upright": {},
    "turned": {"roll": 135.0},
    "mirrored and leaning": {"flip": True, "roll": -30.0},
    "narrow": {"squeeze": 0.5},
    "tiny": {"height": 24.0},
    "huge": {"height": 400.0},
    "cut by the left edge": {"at": (10.0, 120.0)},
    "cut by the corner": {"at": (310.0, 225.0)},
    "a rectangle": {"matte": "rectangle"},
    "an oval": {"matte": "oval", "roll": 180.0},
}


@pytest.mark.parametrize("how", PLACES.values(), ids=PLACES)
def test_the_truth_is_where_the_face_is(how: dict) -> None:
    stage = Stage(SIZE, 0.0)
    stage.picture[:] = (0, 90, 0)
    settings = {"at": (160.0, 120.0), "height": 90.0, **how}
    stage.place(somebody(plain=True), **settings)
    stage.board([(160, 0), (170, 0), (170, 240), (160, 240)], (0, 0, 0))
    shot = stage.finish()
    labelled = np.zeros(SIZE[::-1], bool)
    for region in shot.faces:
        h, w = region.labels.shape
        labelled[region.y : region.y + h, region.x : region.x + w] |= region.labels > 0
    colours = shot.picture.astype(int)
    magenta = (colours[..., 0] > 128) & (colours[..., 1] < 128) & (colours[..., 2] > 128)
    assert labelled.any()
    # The two may differ by a pixel along the outline.
    assert not (labelled & ~(cv2.dilate(magenta.astype(np.uint8), np.ones((5, 5))) > 0)).any()
    assert not (magenta & ~(cv2.dilate(labelled.astype(np.uint8), np.ones((5, 5))) > 0)).any()
    assert np.count_nonzero(labelled ^ magenta) < 0.15 * np.count_nonzero(labelled) + 12


def test_what_is_cut_away_or_hidden_is_not_called_visible() -> None:
    who = somebody()
    stage = Stage(SIZE, 0.0)
    stage.place(who, (0.0, 120.0), 100.0)
    (region,) = stage.finish().faces
    assert np.count_nonzero(region.labels) == pytest.approx(region.whole.sum() / 2, rel=0.1)
    stage.board([(0, 120), (320, 120), (320, 240), (0, 240)], (9, 9, 9))
    (region,) = stage.finish().faces
    assert 0.15 < np.count_nonzero(region.labels) / region.whole.sum() < 0.35
    stage.place(somebody("nearer"), (0.0, 120.0), 220.0)
    assert [face.who for face in stage.finish().faces] == ["nearer"]


def test_every_class_is_promised_or_says_why_not() -> None:
    assert set(PROMISES) == set(KINDS) | {"ordinary"}
    assert all(promise.held or promise.reason for promise in PROMISES.values())


@pytest.fixture
def played_by_noise(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """The names of three people made up here, who play in all clips."""
    made = {name: somebody(name, seed=number) for number, name in enumerate(("ann", "ben", "cleo"))}
    for module in (clips, events):
        monkeypatch.setattr(module, "person", made.__getitem__)
    monkeypatch.setattr(events, "everybody", lambda: tuple(made))
    return tuple(made)


def test_every_recipe_makes_frames_with_faces_and_rising_times(played_by_noise: tuple[str, ...]) -> None:
    for kind in KINDS:
        clip = order((kind,), people=1, names=played_by_noise, avatars=("maya",))[0]
        shots = list(islice(clip.shots(), 8))
        times = [shot.time for shot in shots]
        assert times == sorted(set(times)), clip.name
        assert {shot.picture.shape for shot in shots} == {(*clip.size[::-1], 3)}, clip.name
        assert any(shot.faces for shot in shots), clip.name


def test_a_clip_is_the_same_each_time(played_by_noise: tuple[str, ...]) -> None:
    clip = order(("noisy",), people=1, names=played_by_noise, avatars=("maya",))[0]
    first, second = (next(clip.shots()) for _ in range(2))
    assert np.array_equal(first.picture, second.picture)


def small(names: tuple[str, ...]) -> Clip:
    clip = order(("uneven frame rate",), people=1, names=names, avatars=("maya",))[0]
    return replace(clip, matte="oval")


def test_uneven_times_get_into_the_file(played_by_noise: tuple[str, ...], tmp_path: Path) -> None:
    clip = small(played_by_noise)
    truth = write(clip, tmp_path / "clip.mp4")
    with VideoReader(tmp_path / "clip.mp4") as reader:
        times = [frame.time for frame in reader]
    assert len(times) == len(truth)
    assert times == pytest.approx([shot.time for shot in clip.shots()], abs=0.001)


def test_a_product_that_covers_nothing_is_found_out(
    played_by_noise: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(clip: Path, *, output: Path, **_: object) -> object:
        shutil.copyfile(clip, output)
        return SimpleNamespace(cards=0)

    monkeypatch.setattr(mien, "anonymize", copied)
    outcome = attack(small(played_by_noise), frames=8, keep=tmp_path / "sheets")
    assert outcome.exposed == outcome.frames > 0
    assert outcome.worst > 0.9
    assert len(list((tmp_path / "sheets").glob("exposed*.png"))) == 1


def test_a_product_that_loses_frames_is_found_out(
    played_by_noise: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def shortened(clip: Path, *, output: Path, **_: object) -> object:
        write(small(played_by_noise), output, frames=3)
        return SimpleNamespace(cards=0)

    monkeypatch.setattr(mien, "anonymize", shortened)
    assert "came out" in attack(small(played_by_noise), frames=8).wrong


def test_a_product_that_shows_the_card_exposes_nobody(
    played_by_noise: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.media.writer import VideoWriter

    def carded(clip: Path, *, output: Path, **_: object) -> object:
        with VideoReader(clip) as reader, VideoWriter.like(reader, output, audio="drop") as writer:
            for frame in reader:
                writer.write(card(reader.size), frame.pts)
        return SimpleNamespace(cards=frame.index + 1)

    monkeypatch.setattr(mien, "anonymize", carded)
    outcome = attack(small(played_by_noise), frames=8)
    assert (outcome.exposed, outcome.slivers, outcome.cards) == (0, 0, outcome.frames)
