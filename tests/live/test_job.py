"""The whole way from a webcam to a virtual camera: the avatar gets there, and not a pixel of the camera."""

from __future__ import annotations

import csv
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import performers
from conftest import UseEngine, encode_clip
from mien.errors import AvatarError, InputError, ModelError, OutputError
from mien.face.parts import open_tracker
from mien.live.job import LiveOutcome, LiveShow, live
from mien.media import camera as cameras
from mien.media import virtual_camera
from mien.media.camera import Camera
from mien.pipeline import Tracker
from mien.scene.card import card
from mien.types import Face, Frame, Picture
from patience import LONG, wait_for
from scripted import FailingRenderer, OvalRenderer, likeness, textured
from webcams import KeptCamera, Webcam, keep_camera

LEAK = 0.6
"""Likeness above which something of one picture shows in another."""
SIDE = 320


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> type[KeptCamera]:
    return keep_camera(monkeypatch)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Picture]]:
    """A clip of somebody swaying, for a webcam, and its pictures: grainy, as no avatar is."""
    performers.needs_face_model()
    grain = textured(5, (SIDE, SIDE)).astype(np.float32) - 130
    swaying = performers.swaying(30, side=SIDE)
    pictures = [np.clip(picture + 0.5 * grain, 0, 255).astype(np.uint8) for picture in swaying]
    path = tmp_path_factory.mktemp("webcam") / "somebody.avi"
    options: dict[str, Any] = {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {"qscale": "2"}}
    return encode_clip(path, pictures=pictures, rate=30, **options), pictures


@dataclass
class Played:
    """A run that is over."""

    outcome: LiveOutcome
    sent: list[Picture]
    """What the virtual camera got, in order."""
    at: dict[str, int] = field(default_factory=dict)
    """How many pictures had been sent when something was done, by its name."""

    def shown(self, begin: str = "", end: str = "") -> list[str]:
        """ "card" or "avatar", for the pictures between two moments."""
        part = self.sent[self.at.get(begin, 0) : self.at.get(end, len(self.sent))]
        return ["card" if is_card(picture) else "avatar" for picture in part]

    def course(self) -> list[str]:
        """What followed what, from the first picture to the last."""
        return [shown for shown, _ in itertools.groupby(self.shown())]

    def avatars(self) -> list[Picture]:
        """All pictures that are not the card."""
        return [picture for picture in self.sent if not is_card(picture)]


def is_card(picture: Picture) -> bool:
    return np.array_equal(picture, card((SIDE, SIDE)))


def play(
    kept: type[KeptCamera], webcam: Webcam, *script: tuple[str, int, str, Callable[[LiveShow], object]], **options: Any
) -> Played:
    """Go live with a webcam. Each step of the script waits until so many cards or avatars, whichever it says, have been
    sent since the step before, notes the moment by its name, and does something (again and again while that returns
    False); the last ends the run."""
    at: dict[str, int] = {}
    steps = list(script)
    began = time.monotonic()
    since = 0

    def on_tick(show: LiveShow) -> None:
        nonlocal since
        assert time.monotonic() - began < LONG, f"waited in vain for {steps[0]}"
        what, count, name, do = steps[0] if steps else ("avatar", 1 << 30, "", end)
        come = sum(is_card(picture) == (what == "card") for picture in kept.sent[since:]) >= count
        if come and do(show) is not False:
            at[name] = since = len(kept.sent)
            del steps[0]

    outcome = live(camera=Camera("7", connect=webcam), preview=False, on_tick=on_tick, size=256, **options)
    assert not steps
    assert webcam.open == 0
    assert kept.closed == 1
    return Played(outcome, list(kept.sent), at)


def end(show: LiveShow) -> None:
    show.remote.press("q")


def leak(sent: list[Picture], camera: list[Picture]) -> float:
    """The most that any picture sent looks like any of the camera's, of which some are tried."""
    different = [p for n, p in enumerate(sent) if n == 0 or not np.array_equal(p, sent[n - 1])]
    some = different[:: max(1, len(different) // 6)]
    return max(likeness(picture, original) for picture in some for original in camera[::10])


@pytest.mark.privacy
class TestFailClosed:
    def test_somebody_is_seen_as_the_avatar_between_cards(
        self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]]
    ) -> None:
        played = play(kept, Webcam(seen[0]), ("avatar", 60, "end", end))
        assert leak(played.sent, seen[1]) < LEAK
        shade = [np.asarray(0.8 * picture + 0.2 * seen[1][0], np.uint8) for picture in played.sent[::6]]
        assert leak(shade, seen[1]) > 0.95  # the measure would tell
        assert played.course() == ["card", "avatar", "card"]
        avatars = played.avatars()
        moving = [np.abs(a.astype(int) - b).mean() > 0.02 for a, b in itertools.pairwise(avatars)]
        assert sum(moving) > 5  # a slow machine shows some pictures twice
        assert played.outcome.coverage > 0.9

    def test_nobody_is_the_avatar_at_rest(self, kept: type[KeptCamera], tmp_path: Path) -> None:
        performers.needs_face_model()
        pictures = [textured(n, (SIDE, SIDE)) for n in range(3)]
        clip = encode_clip(tmp_path / "nobody.avi", pictures=pictures, codec="mjpeg", pix_fmt="yuvj420p")
        played = play(kept, Webcam(clip), ("avatar", 15, "end", end))
        assert leak(played.sent, pictures * 4) < LEAK
        assert played.course() == ["card", "avatar", "card"]
        assert played.outcome.coverage == 0
        assert any("No face was ever seen" in warning for warning in played.outcome.warnings)

    def test_a_tracker_that_breaks_is_nobody_seen(
        self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]], caplog: pytest.LogCaptureFixture
    ) -> None:
        class Breaking:
            def __init__(self, tracker: Tracker) -> None:
                self._tracker, self._calls = tracker, 0

            def __call__(self, frame: Frame) -> list[Face]:
                self._calls += 1
                if self._calls > 8:
                    raise RuntimeError("out of memory")
                return self._tracker(frame)

        said: list[str] = []

        def look(show: LiveShow) -> bool:
            if show.status.trouble:
                said.append(show.status.trouble)
            return bool(said)

        played = play(
            kept, Webcam(seen[0]), ("avatar", 25, "look", look), ("avatar", 5, "end", end),
            tracker=Breaking(open_tracker()),
        )  # fmt: skip
        assert leak(played.sent, seen[1]) < LEAK
        assert played.course() == ["card", "avatar", "card"]
        assert 0 < played.outcome.coverage < 0.9
        assert "out of memory" in said[0]

    def test_an_engine_that_breaks_leaves_its_last_picture(
        self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]], use_engine: UseEngine
    ) -> None:
        calls: list[int] = []
        use_engine(lambda avatar: FailingRenderer(lambda call: calls.append(call) or call > 12))
        played = play(
            kept, Webcam(seen[0]), ("avatar", 30, "broken", lambda show: len(calls) > 16), ("avatar", 8, "end", end)
        )
        assert leak(played.sent, seen[1]) < LEAK
        assert played.course() == ["card", "avatar", "card"]
        *_, last = avatars = played.avatars()
        assert all(np.array_equal(picture, last) for picture in avatars[-5:])

    def test_an_unplugged_camera_is_the_avatar_at_rest_then_the_card_and_it_goes_on_by_itself(
        self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cameras, "REST", 0.4)
        monkeypatch.setattr(cameras, "RETRY", 0.2)
        monkeypatch.setattr(virtual_camera, "PATIENCE", 1.5)
        webcam = Webcam(seen[0])
        said: list[bool] = []

        def pull(show: LiveShow) -> None:
            webcam.plugged = False

        def put_back(show: LiveShow) -> None:
            said.append(show.status.unplugged)
            webcam.plugged = True

        played = play(
            kept, webcam, ("avatar", 10, "pulled", pull), ("card", 4, "back", put_back),
            ("avatar", 10, "end", lambda show: (said.append(show.status.unplugged), end(show))),
        )  # fmt: skip
        assert leak(played.sent, seen[1]) < LEAK
        away = played.shown("pulled", "back")
        assert away[0] == "avatar"
        assert away == sorted(away)  # the avatar, then the card, and not to and fro
        assert said == [True, False]

    def test_pause_is_the_card_and_nothing_else(self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]]) -> None:
        played = play(
            kept, Webcam(seen[0]), ("avatar", 10, "paused", lambda show: show.remote.press(" ")),
            ("card", 15, "on", lambda show: show.remote.press("p")), ("avatar", 10, "end", end),
        )  # fmt: skip
        assert played.course() == ["card", "avatar", "card", "avatar", "card"]
        paused = played.shown("paused", "on")
        assert paused == sorted(paused)  # what was on its way, then cards and nothing else
        assert leak(played.sent, seen[1]) < LEAK

    def test_the_card_is_there_while_the_avatar_is_not_ready_and_when_it_never_is(
        self, kept: type[KeptCamera], seen: tuple[Path, list[Picture]], use_engine: UseEngine
    ) -> None:
        def slow(avatar: object) -> OvalRenderer:
            wait_for(lambda: len(kept.sent) >= 3)
            raise RuntimeError("no such thing")

        use_engine(slow)
        with pytest.raises(Exception, match="no such thing"):
            live(camera=Camera("7", connect=Webcam(seen[0])), preview=False)
        assert len(kept.sent) >= 3
        assert all(np.array_equal(picture, card((SIDE, SIDE))) for picture in kept.sent)
        assert kept.closed == 1


@pytest.fixture
def quick(use_engine: UseEngine) -> dict[str, Any]:
    """Options of a run that needs no models and shows itself nowhere but on the virtual camera."""
    use_engine(lambda avatar: OvalRenderer())
    return {"preview": False, "tracker": lambda frame: []}


class TestRun:
    def test_the_avatar_has_the_camera_s_size_less_an_odd_pixel(
        self, kept: type[KeptCamera], quick: dict[str, Any], make_clip: Callable[..., Path]
    ) -> None:
        clip = make_clip("odd.avi", pictures=[textured(1, (161, 121))] * 10, codec="mjpeg", pix_fmt="yuvj444p")
        outcome = live(camera=str(clip), **quick)
        assert {picture.shape for picture in kept.sent} == {(120, 160, 3)}
        assert outcome.virtual == "kept"

    def test_a_clip_ends_at_its_end_and_is_told_of(self, quick: dict[str, Any], make_clip: Callable[..., Path]) -> None:
        outcome = live(camera=str(make_clip(frames=25)), **quick)
        assert 1 <= outcome.frames <= 25
        assert outcome.seconds > 0.9
        assert outcome.fps == pytest.approx(outcome.frames / outcome.seconds)
        assert 0 < outcome.delay_p50 <= outcome.delay_p95
        assert outcome.to_dict()["camera"] == "clip.mp4"
        assert "timeline" not in outcome.to_dict()

    def test_time_can_be_limited_and_a_clip_looped(self, quick: dict[str, Any], make_clip: Callable[..., Path]) -> None:
        outcome = live(camera=str(make_clip(frames=5)), loop=True, seconds=2.0, **quick)
        assert 2.0 <= outcome.seconds < LONG
        assert outcome.frames > 6  # more than the clip has

    def test_mirrored_from_the_first_picture(
        self, kept: type[KeptCamera], quick: dict[str, Any], make_clip: Callable[..., Path]
    ) -> None:
        clip = str(make_clip(frames=25, size=(128, 128)))
        shown = []
        for mirror in (False, True):
            kept.sent.clear()
            live(camera=clip, mirror=mirror, **quick)
            avatars = [picture for picture in kept.sent if not np.array_equal(picture, card((128, 128)))]
            assert all(np.array_equal(avatar, avatars[0]) for avatar in avatars)  # at rest, from the first on
            shown.append(avatars[0])
        assert np.array_equal(shown[1], shown[0][:, ::-1])
        assert not np.array_equal(shown[1], shown[0])

    def test_what_was_read_is_written_in_the_end(
        self, seen: tuple[Path, list[Picture]], tmp_path: Path, kept: type[KeptCamera]
    ) -> None:
        table, report = tmp_path / "table.csv", tmp_path / "report.html"
        played = play(kept, Webcam(seen[0]), ("avatar", 15, "end", end), csv=table, report=report, title="A visit")
        assert played.outcome.files == (table, report)
        with table.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == played.outcome.timeline.frames_with_face
        assert "A visit" in report.read_text(encoding="utf-8")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "table.csv"]

    def test_it_is_written_too_when_the_clip_breaks_off_and_when_the_watcher_does(
        self, quick: dict[str, Any], make_clip: Callable[..., Path], tmp_path: Path
    ) -> None:
        clip = make_clip("cut.mkv", frames=250, rate=100, size=(320, 240))
        clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
        with pytest.raises(InputError, match="damaged"):
            live(camera=str(clip), report=tmp_path / "a.html", **quick)
        assert (tmp_path / "a.html").is_file()

        def interrupted(show: LiveShow) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            live(camera=str(make_clip()), report=tmp_path / "b.html", on_tick=interrupted, **quick)
        assert (tmp_path / "b.html").is_file()


class TestInTheWay:
    """Everything that can be wrong is said before anybody is seen."""

    def test_no_virtual_camera_is_an_error_without_a_preview_and_a_note_with_one(
        self, monkeypatch: pytest.MonkeyPatch, quick: dict[str, Any], make_clip: Callable[..., Path]
    ) -> None:
        pytest.importorskip("starlette", reason="needs the extra 'live'")
        monkeypatch.setattr(virtual_camera, "_open", _refused)
        clip = str(make_clip())
        with pytest.raises(OutputError, match="There is none"):
            live(camera=clip, **quick)
        outcome = live(camera=clip, browser=False, **{**quick, "preview": True})
        assert outcome.virtual is None
        assert outcome.warnings[0].startswith("There is none. For now")
        with pytest.raises(OutputError):  # the very one that was asked for
            live(camera=clip, browser=False, device="/dev/video10", **{**quick, "preview": True})

    def test_wrong_options(self, quick: dict[str, Any], make_clip: Callable[..., Path], tmp_path: Path) -> None:
        clip = str(make_clip())
        for error, match, options in (
            (InputError, "A size of 10", {"size": 10}),
            (InputError, "no clip", {"camera": "absent.mp4"}),
            (AvatarError, "no avatar called 'nobody'", {"avatar": "nobody"}),
            (OutputError, "folder is missing", {"csv": tmp_path / "no" / "table.csv"}),
            (OutputError, "is the input itself", {"csv": clip}),
            (OutputError, "the table and the report", {"csv": tmp_path / "x", "report": tmp_path / "x"}),
            (InputError, "Nothing would come of this", {"virtual": False}),
        ):
            with pytest.raises(error, match=match):  # type: ignore[arg-type]
                live(**{"camera": clip, **quick, **options})

    def test_a_loop_is_for_clips(
        self, quick: dict[str, Any], seen: tuple[Path, list[Picture]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        webcam = Webcam(seen[0])
        monkeypatch.setattr("mien.live.job.open_camera", lambda wanted, loop: Camera(wanted, connect=webcam))
        with pytest.raises(InputError, match="--loop is for a clip"):
            live(camera="7", loop=True, **quick)
        assert webcam.open == 0

    def test_the_virtual_camera_is_no_camera_to_look_through(
        self, quick: dict[str, Any], seen: tuple[Path, list[Picture]], kept: type[KeptCamera]
    ) -> None:
        camera = Camera("7", connect=Webcam(seen[0]))
        kept.device = lambda self: camera.path  # type: ignore[method-assign]
        try:
            with pytest.raises(InputError, match="is the virtual camera itself"):
                live(camera=camera, **quick)
        finally:
            kept.device = lambda self: "kept"  # type: ignore[method-assign]
        assert kept.closed == 1

    def test_models_are_missed_before_the_camera_is_on(
        self, monkeypatch: pytest.MonkeyPatch, make_clip: Callable[..., Path], tmp_path: Path
    ) -> None:
        monkeypatch.setenv("MIEN_MODELS", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr("mien.live.job.open_camera", lambda *_, **__: pytest.fail("the camera was opened"))
        with pytest.raises(ModelError, match="models pull"):
            live(camera="0")


def _refused(*_: object) -> Any:
    raise OutputError("There is none.")
