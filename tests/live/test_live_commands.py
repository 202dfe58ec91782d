"""One table of keys does everything there is to do to a live run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from conftest import UseEngine
from mien.live.commands import COMMANDS, STEP, Remote, wearables
from mien.live.run import LiveRun
from mien.media.newest import Newest
from mien.types import Frame
from patience import eventually
from scripted import Kept, OvalRenderer, ScriptedTracker, face, frames


class Rig:
    """A run that goes on, and the remote for it."""

    def __init__(self, first: str | Path) -> None:
        self._newest: Newest[Frame] = Newest()
        self.run = LiveRun(
            self._newest, avatar=first, sinks=[Kept()], emotions=False, tracker=ScriptedTracker(lambda n: [face()])
        )
        avatars, worn = wearables(first)
        self.remote = Remote(self.run, avatars, worn)
        self._thread = Thread(target=self.run.run)
        self._thread.start()

    def wears(self, name: str) -> bool:
        """Whether that is what it comes to wear."""
        supply = iter(frames(100_000))

        def worn() -> bool:
            self._newest.put(next(supply))
            return self.run.state.avatar == name and not self.run.state.preparing

        return eventually(worn)

    def close(self) -> None:
        self.run.stop()
        self._newest.close()
        self._thread.join()


@pytest.fixture
def rig(use_engine: UseEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    use_engine(lambda avatar: OvalRenderer())
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path))
    rig = Rig("maya")
    yield rig
    rig.close()


def test_no_key_has_two_meanings() -> None:
    keys = [key for command in COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys))
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)
    assert "0" not in keys  # elsewhere it passes the camera through


def test_digits_wear_the_avatars_in_their_order(rig: Rig) -> None:
    names = [avatar.name for avatar in rig.remote.avatars]
    assert names[:3] == ["finn", "kofi", "maya"]
    assert rig.remote.press("2") == "avatar"
    assert rig.wears("kofi")


def test_previous_and_next_go_round(rig: Rig) -> None:
    names = [avatar.name for avatar in rig.remote.avatars]
    rig.remote.press("d")
    assert rig.wears(names[3])
    for key in ("a", "left", "left"):
        assert rig.remote.press(key) == "previous"
    assert rig.wears(names[0])
    rig.remote.press("A")  # from the first to the last, with caps lock too
    assert rig.wears(names[-1])
    rig.remote.press("right")
    assert rig.wears(names[0])


def test_toggles_and_zoom(rig: Rig) -> None:
    for key in ("m", "p", "x", "i", "h"):
        rig.remote.press(key)
    state = rig.run.state
    assert state.mirrored
    assert state.paused
    assert not rig.remote.shows_fps
    assert rig.remote.shows_help
    for key in (" ", "r"):
        rig.remote.press(key)
    assert not rig.run.state.paused
    assert not rig.run.state.mirrored
    rig.remote.press("+")
    rig.remote.press("w")
    assert rig.run.state.zoom == pytest.approx(STEP**2)
    for _ in range(100):
        rig.remote.press("-")
    assert rig.run.state.zoom == 0.5


def test_quit_is_only_noted(rig: Rig) -> None:
    assert not rig.remote.quit.is_set()
    assert rig.remote.press("escape") == "quit"
    assert rig.remote.quit.is_set()


@pytest.mark.parametrize("key", ["0", "z", "", "F1", "ㅁ", "\x00", "previous"])
def test_other_keys_do_nothing(rig: Rig, key: str) -> None:
    before = rig.run.state
    assert rig.remote.press(key) is None
    assert rig.run.state == before


def test_a_digit_beyond_the_last_avatar_does_nothing(rig: Rig) -> None:
    remote = Remote(rig.run, rig.remote.avatars[:2], 0)
    assert remote.press("3") == "avatar"
    assert rig.run.state.preparing is None


def test_a_file_comes_after_all_that_have_names(tmp_path: Path) -> None:
    avatars, worn = wearables(tmp_path / "painting.png")
    assert worn == len(avatars) - 1
    assert avatars[worn].name == "painting"
    assert [avatar.name for avatar in avatars[:worn]] == [avatar.name for avatar in wearables("maya")[0]]
