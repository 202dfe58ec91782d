"""The virtual camera shows the newest picture at once, and the card whenever there is none."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from mien.errors import OutputError
from mien.media import virtual_camera as module
from mien.media.virtual_camera import VirtualCamera, even
from mien.scene.card import card
from mien.types import Picture
from patience import LONG, wait_for
from webcams import KeptCamera, keep_camera

SIZE = (64, 48)


@pytest.fixture
def kept_camera(monkeypatch: pytest.MonkeyPatch) -> type[KeptCamera]:
    return keep_camera(monkeypatch)


def plain(value: int, size: tuple[int, int] = SIZE) -> Picture:
    return np.full((size[1], size[0], 3), value, np.uint8)


def is_card(picture: Picture) -> bool:
    return np.array_equal(picture, card(SIZE))


def values(kept: type[KeptCamera]) -> list[int]:
    """Of the plain pictures sent, each once."""
    shown = [int(picture[0, 0, 0]) for picture in kept.sent if not is_card(picture)]
    return [value for n, value in enumerate(shown) if n == 0 or value != shown[n - 1]]


def test_the_card_comes_first_and_last(kept_camera: type[KeptCamera]) -> None:
    with VirtualCamera(SIZE, 30) as camera:
        assert len(kept_camera.sent) >= 1
        assert all(map(is_card, kept_camera.sent))
        camera.write(plain(9))
        wait_for(lambda: not all(map(is_card, kept_camera.sent)))
    assert is_card(kept_camera.sent[-1])
    assert kept_camera.closed == 1
    camera.write(plain(9))
    time.sleep(0.05)
    assert is_card(kept_camera.sent[-1])


def test_a_picture_is_passed_on_at_once_and_exactly(kept_camera: type[KeptCamera]) -> None:
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    with VirtualCamera(SIZE, 1) as camera:  # slower than what comes: it sets no pace
        began = time.perf_counter()
        for picture in pictures:
            camera.write(picture)
            wait_for(lambda picture=picture: np.array_equal(kept_camera.sent[-1], picture))  # type: ignore[misc]
        assert time.perf_counter() - began < 10  # at its pace, 20 s


def test_a_slow_driver_gets_the_newest_and_never_holds_up_the_source(
    kept_camera: type[KeptCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = kept_camera.send

    def slow(self: KeptCamera, frame: Picture) -> None:
        time.sleep(0.1)
        take(self, frame)

    monkeypatch.setattr(kept_camera, "send", slow)
    with VirtualCamera(SIZE, 30) as camera:
        began = time.perf_counter()
        for value in range(60):
            camera.write(plain(value))
        assert time.perf_counter() - began < 4  # held up by the driver, 6 s
        wait_for(lambda: values(kept_camera)[-1:] == [59])
    assert len(values(kept_camera)) < 40


def test_a_source_that_falls_silent_is_followed_by_the_card(
    kept_camera: type[KeptCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.4)
    with VirtualCamera(SIZE, 30) as camera:
        camera.write(plain(7))
        wait_for(lambda: not is_card(kept_camera.sent[-1]))
        wait_for(lambda: is_card(kept_camera.sent[-1]))
        assert sum(not is_card(picture) for picture in kept_camera.sent) >= 2  # the device is never left without one
        camera.write(plain(8))
        wait_for(lambda: values(kept_camera) == [7, 8])


def test_odd_sizes_become_even(kept_camera: type[KeptCamera]) -> None:
    assert even((321, 241)) == (320, 240)
    with VirtualCamera((65, 49), 30) as camera:
        assert camera.size == SIZE
        camera.write(plain(3))
        with pytest.raises(ValueError, match="picture of"):
            camera.write(plain(3, (65, 49)))


def test_a_driver_that_fails_is_told_of_once_and_tried_again(
    kept_camera: type[KeptCamera], caplog: pytest.LogCaptureFixture
) -> None:
    with VirtualCamera(SIZE, 30) as camera:
        kept_camera.broken = True
        camera.write(plain(1))
        wait_for(lambda: camera.trouble is not None)
        assert "driver" in str(camera.trouble)
        camera.write(plain(2))
        kept_camera.broken = False
        wait_for(lambda: camera.trouble is None)
        wait_for(lambda: values(kept_camera)[-1:] == [2])
    assert sum("took no picture" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize(
    ("system", "advice"),
    [
        ("linux", "v4l2loopback-dkms.*modprobe v4l2loopback exclusive_caps=1 card_label=mien"),
        ("darwin", "OBS Studio.*Start Virtual Camera"),
        ("win32", "OBS Studio"),
    ],
)
def test_without_a_device_it_says_what_to_install(
    kept_camera: type[KeptCamera], system: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(
        OutputError, match=f"'other' cannot be used.*there is no other.*{advice}.*--no-virtual"
    ) as raised:
        VirtualCamera(SIZE, 30, device="other")
    assert "\n" not in str(raised.value)


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyvirtualcam", None)
    with pytest.raises(OutputError, match=r"pip install 'mien\[live\]'"):
        VirtualCamera(SIZE, 30)


def test_what_to_choose_is_the_name_that_programs_list(
    kept_camera: type[KeptCamera], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_NAMES", tmp_path)
    with VirtualCamera(SIZE, 30, device="kept") as camera:
        assert camera.name == camera.device == "kept"
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "name").write_text("mien\n")
    with VirtualCamera(SIZE, 30) as camera:
        assert (camera.name, camera.device) == ("mien", "kept")


def test_closing_does_not_wait_for_a_driver_that_hangs(
    kept_camera: type[KeptCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_HANGS", 0.2)
    reached, goes_on = Event(), Event()
    camera = VirtualCamera(SIZE, 30)
    monkeypatch.setattr(kept_camera, "send", lambda *_: (reached.set(), goes_on.wait(LONG)))
    camera.write(plain(1))
    assert reached.wait(LONG)
    camera.close()
    assert camera._thread.is_alive()  # it still hangs
    goes_on.set()
