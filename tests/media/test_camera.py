"""A camera gives its newest frame, survives being unplugged, and says what to do when it is not to be had."""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import pytest

from conftest import MakeClip, moving_picture
from mien.errors import InputError
from mien.media import camera as cameras
from mien.media import devices
from mien.media.camera import Camera, ClipCamera, LiveSource, open_camera
from mien.types import Frame
from patience import wait_for
from webcams import Webcam


@pytest.fixture
def clip(make_clip: MakeClip) -> Path:
    return make_clip("camera.avi", codec="mjpeg", pix_fmt="yuvj420p", frames=20)


def take(source: LiveSource, count: int) -> list[Frame]:
    with source:
        return list(itertools.islice(source, count))


class TestCamera:
    def test_gives_rgb_frames_at_its_own_size_and_rate(self, clip: Path) -> None:
        camera = Camera("7", connect=Webcam(clip))
        assert (camera.size, camera.fps) == ((96, 64), 30)
        frames = take(camera, 5)
        assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
        expected = moving_picture(96, 64, 0)[-20:]  # below the square that wanders
        assert np.abs(frames[0].image[-20:].astype(int) - expected).mean() < 6
        assert np.abs(frames[0].image[-20:].astype(int) - expected[..., ::-1]).mean() > 10  # not BGR

    def test_stamps_frames_with_when_they_were_taken(self, clip: Path) -> None:
        camera = Camera("7", connect=Webcam(clip))
        ages = []
        for frame in itertools.islice(camera, 8):
            ages.append(camera.now() - frame.time)
            assert frame.pts * frame.time_base == pytest.approx(frame.time, abs=1e-5)
        camera.close()
        assert 0 <= min(ages) < 0.2

    def test_a_slow_consumer_gets_the_newest_frame_and_no_backlog(self, clip: Path) -> None:
        webcam = Webcam(clip, fps=100)
        camera = Camera("7", connect=webcam)
        numbers = []
        for frame in camera:
            numbers.append(frame.index)
            given = webcam.given
            wait_for(lambda given=given: webcam.given >= given + 10)  # type: ignore[misc]
            if len(numbers) == 6:
                camera.close()
        assert min(np.diff(numbers)) >= 8

    def test_closing_ends_the_iteration_and_lets_go_of_the_camera(self, clip: Path) -> None:
        webcam = Webcam(clip)
        camera = Camera("7", connect=webcam)
        for seen, _ in enumerate(camera, start=1):
            if seen == 2:
                Thread(target=camera.close).start()
        wait_for(lambda: webcam.open == 0)

    def test_one_that_was_never_used_is_let_go_of_too(self, clip: Path) -> None:
        webcam = Webcam(clip)
        with Camera("7", connect=webcam):
            assert webcam.open == 1
        assert webcam.open == 0

    def test_unplugged_it_rests_falls_silent_and_comes_back(self, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cameras, "REST", 0.3)
        monkeypatch.setattr(cameras, "RETRY", 0.2)
        webcam = Webcam(clip)
        camera = Camera("7", connect=webcam)
        frames: list[Frame] = []

        def watch() -> None:
            frames.extend(camera)

        watching = Thread(target=watch, daemon=True)
        watching.start()
        wait_for(lambda: len(frames) > 5)
        assert not camera.lost
        began = time.perf_counter()
        webcam.plugged = False
        wait_for(lambda: webcam.attempts >= 4)  # the first was at the start
        assert webcam.attempts <= 2 + (time.perf_counter() - began) / 0.2
        assert camera.lost
        assert webcam.open == 0
        gone = len(frames)
        webcam.plugged = True
        wait_for(lambda: len(frames) > gone + 5)
        assert not camera.lost
        camera.close()
        watching.join()
        kinds = [(empty, len(list(some))) for empty, some in itertools.groupby(np.ptp(f.image) == 0 for f in frames)]
        assert [empty for empty, _ in kinds] == [False, True, False]  # nothing of what it saw once it is gone
        assert kinds[1][1] <= 0.3 * 30 + 3
        assert all(np.ptp(frame.image) > 100 for frame in frames[-5:])
        times = [frame.time for frame in frames]
        assert times == sorted(times)

    def test_one_spoilt_picture_is_no_loss(self, clip: Path) -> None:
        webcam = Webcam(clip)
        camera = Camera("7", connect=webcam)
        frames = iter(camera)
        next(frames)
        webcam.spoilt = 1
        assert all(np.ptp(frame.image) > 100 for frame in itertools.islice(frames, 6))
        assert webcam.attempts == 1
        camera.close()

    def test_one_that_opens_and_gives_nothing_is_let_go_of(self, clip: Path) -> None:
        webcam = Webcam(clip)

        def silent(device: devices.Device) -> devices.Capture | None:
            capture = webcam(device)
            webcam.plugged = False
            return capture

        with pytest.raises(InputError):
            Camera("7", connect=silent)
        assert webcam.open == 0


class TestClip:
    def test_plays_in_real_time_by_its_own_time_stamps(self, make_clip: MakeClip) -> None:
        stamps = [0, 40, 80, 300, 340, 600]
        path = make_clip("clip.mp4", pts=stamps, time_base=Fraction(1, 1000))
        camera = ClipCamera(path)
        began = time.perf_counter()
        arrived = [(frame.time, time.perf_counter() - began) for frame in camera]
        shown = [round(1000 * at) for at, _ in arrived]
        assert shown == sorted(set(shown) & set(stamps))  # what this thread is too late for is dropped
        assert shown[-1] == stamps[-1]
        late = [real - at for at, real in arrived]
        assert -0.002 <= min(late) < 0.25

    def test_frames_are_dropped_when_the_consumer_is_late(self, make_clip: MakeClip) -> None:
        camera = ClipCamera(make_clip(frames=25))
        seen, ages = [], []
        for frame in camera:
            ages.append(camera.now() - frame.time)
            seen.append(frame.index)
            time.sleep(0.2)
        assert min(ages) < 0.2
        assert statistics.median(np.diff(seen)) >= 4

    def test_a_loop_goes_on_with_rising_times(self, make_clip: MakeClip) -> None:
        frames = take(ClipCamera(make_clip(frames=5), loop=True), 12)
        assert len(frames) == 12
        gaps = np.diff([frame.time for frame in frames])
        assert gaps.min() > 0.03
        assert gaps.max() < 0.3

    def test_a_damaged_one_gives_its_frames_and_then_the_error(self, make_clip: MakeClip) -> None:
        path = make_clip("cut.mkv", frames=230, rate=100, size=(320, 240))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        seen = []
        with pytest.raises(InputError, match="damaged or cut off"):
            seen.extend(ClipCamera(path))
        assert seen

    def test_closing_midway_lets_go_of_the_file(self, make_clip: MakeClip) -> None:
        path = make_clip(frames=50)
        frames = take(ClipCamera(path), 2)
        assert len(frames) == 2
        path.unlink()


class TestChoosing:
    @pytest.fixture
    def linux(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """The system's folder of cameras: a webcam with a file for metadata, another, and a virtual one."""
        folder, hardware = tmp_path / "class", tmp_path / "devices"
        folder.mkdir()
        for number, name, index, place in (
            (0, "Integrated Camera: HD", 0, "usb"), (1, "Integrated Camera: HD", 1, "usb"),
            (2, "USB2.0 Camera", 0, "usb"), (10, "mien", 0, "virtual"),
        ):  # fmt: skip
            node = hardware / place / f"video{number}"
            node.mkdir(parents=True)
            (node / "name").write_text(name + "\n")
            (node / "index").write_text(f"{index}\n")
            (folder / node.name).symlink_to(node)
        monkeypatch.setattr(devices, "_LINUX", folder)
        monkeypatch.setattr(sys, "platform", "linux")
        return folder

    def test_cameras_are_listed_with_their_names(self, linux: Path) -> None:
        assert [str(device) for device in devices.listed()] == [
            "0 (Integrated Camera: HD)", "2 (USB2.0 Camera)", "10 (mien, virtual)",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("wanted", "number"),
        [("0", 0), ("/dev/video2", 2), ("USB2.0 Camera", 2), ("integrated", 0), ("usb2.0", 2), ("5", 5)],
    )
    def test_found_by_number_name_or_file(self, linux: Path, wanted: str, number: int) -> None:
        found = devices.find(wanted)
        assert (found.number, found.path) == (number, f"/dev/video{number}")

    @pytest.mark.parametrize(("wanted", "why"), [("Logitech", "No camera is"), ("camera", "Several cameras are")])
    def test_a_wrong_name_shows_what_there_is(self, linux: Path, wanted: str, why: str) -> None:
        with pytest.raises(InputError, match=rf"{why} called '{wanted}'.*0 \(Integrated Camera: HD\), 2 \(USB2.0"):
            open_camera(wanted)

    def test_one_that_came_back_at_another_number_is_found_by_its_name(self, linux: Path) -> None:
        camera = devices.find("2")
        assert devices.find_again(camera) == camera
        (linux / "video2").rename(linux / "video5")
        assert devices.find_again(camera).path == "/dev/video5"
        (linux / "video5").unlink()
        assert devices.find_again(camera) == camera

    def test_a_missing_one_lists_the_others(self, linux: Path) -> None:
        with pytest.raises(InputError, match=r"no camera 77 \(/dev/video77\)\. Cameras here: 0 \(Integrated"):
            open_camera("77")

    @pytest.mark.parametrize(
        ("system", "advice"), [("darwin", "Privacy & Security › Camera"), ("win32", "lets desktop apps")]
    )
    def test_elsewhere_the_advice_is_the_system_s(
        self, system: str, advice: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(devices, "_LINUX", Path("/nowhere"))
        refused = devices.refusal(devices.find("1"))
        assert advice in refused
        assert "built-in" in refused
        with pytest.raises(InputError, match="by number"):
            devices.find("FaceTime")

    def test_forbidden_and_busy_ones_are_told_apart(self, linux: Path, tmp_path: Path) -> None:
        file = tmp_path / "video0"
        file.touch()
        device = devices.Device(0, "Integrated", str(file))
        assert "gives no picture: it is most likely in use" in devices.refusal(device)

    def test_a_file_is_a_clip_and_a_wrong_one_says_so(self, make_clip: MakeClip) -> None:
        with open_camera(str(make_clip())) as camera:
            assert isinstance(camera, ClipCamera)
        for wrong in ("absent.mp4", "/nowhere/at/all"):
            with pytest.raises(InputError, match="no clip"):
                open_camera(wrong)

    def test_opening_a_camera_that_is_not_there_prints_nothing(self, capfd: pytest.CaptureFixture[str]) -> None:
        device = devices.Device(99, "nothing", "/dev/video99" if sys.platform == "linux" else "")
        assert devices.connect(device) is None
        assert capfd.readouterr() == ("", "")

    def test_a_camera_too_slow_when_large_is_asked_for_less(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[int, float]] = []

        class Old:
            """Ten frames a second at 1280×720, thirty below."""

            def isOpened(self) -> bool:  # noqa: N802
                return True

            def set(self, prop: int, value: float) -> bool:
                asked.append((prop, value))
                return True

            def get(self, prop: int) -> float:
                widths = [value for what, value in asked if what == cv2.CAP_PROP_FRAME_WIDTH]
                return 10.0 if widths[-1] > 640 else 30.0

            def read(self) -> tuple[bool, None]:
                return False, None

            def release(self) -> None:
                pass

        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: Old())
        assert devices.connect(devices.Device(0, "old")) is not None
        assert [value for what, value in asked if what == cv2.CAP_PROP_FRAME_WIDTH] == [1280, 640]
        assert asked[0] == (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        assert asked[-1] == (cv2.CAP_PROP_BUFFERSIZE, 1)
