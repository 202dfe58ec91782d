"""Reading clips: exact stamps, upright pictures, true colours, one clear sentence for all that is not a clip."""

from __future__ import annotations

import errno
import io
import os
import socket
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from conftest import MakeClip, moving_picture
from mien.errors import InputError
from mien.media.reader import VideoReader

CONTAINERS = [
    ("clip.mp4", {"codec": "libx264", "audio": "aac"}),
    ("clip.mkv", {"codec": "ffv1", "pix_fmt": "bgr0", "audio": "flac"}),
    ("clip.webm", {"codec": "libvpx", "audio": "libopus", "time_base": Fraction(1, 1000)}),
    ("clip.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "audio": "pcm_s16le"}),
    ("clip.mov", {"codec": "qtrle", "pix_fmt": "argb"}),
    ("clip.ts", {"codec": "libx264", "audio": "aac"}),
    ("clip.mpg", {"codec": "mpeg2video", "audio": "mp2", "size": (96, 64)}),
    ("clip.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    ("grey.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
    ("ten-bit.mkv", {"codec": "ffv1", "pix_fmt": "yuv420p10le"}),
]


@pytest.mark.parametrize(("name", "options"), CONTAINERS, ids=[name for name, _ in CONTAINERS])
def test_reads_every_frame_of_any_container(make_clip: MakeClip, name: str, options: dict[str, object]) -> None:
    with VideoReader(make_clip(name, frames=12, **options)) as clip:
        assert clip.size == (96, 64)
        assert clip.has_audio == ("audio" in options)
        frames = list(clip)
    assert [frame.index for frame in frames] == list(range(12))
    times = [frame.time for frame in frames]
    assert times[0] == 0
    assert times == pytest.approx([i / 25 for i in range(12)], abs=0.011)  # a GIF counts in hundredths
    for index in (0, 11):
        expected = moving_picture(96, 64, index).astype(float)
        if name == "grey.mkv":
            expected = np.repeat((expected @ [0.299, 0.587, 0.114])[..., None], 3, axis=2)
        assert np.abs(frames[index].image - expected).mean() < 12
        assert frames[index].image.dtype == np.uint8


def test_variable_frame_rate_keeps_every_stamp(make_clip: MakeClip) -> None:
    stamps = [0, 10, 90, 170, 171, 400, 401, 500, 900, 1000, 1001, 2000]
    with VideoReader(make_clip("phone.mkv", pts=stamps, time_base=Fraction(1, 1000))) as clip:
        frames = list(clip)
    assert [frame.pts for frame in frames] == stamps
    assert {frame.time_base for frame in frames} == {Fraction(1, 1000)}
    assert [frame.time for frame in frames] == pytest.approx([stamp / 1000 for stamp in stamps])


def test_time_counts_from_the_clips_own_start(make_clip: MakeClip) -> None:
    late = make_clip("late.mkv", pts=[5000 + 40 * i for i in range(10)], time_base=Fraction(1, 1000), audio="aac")
    with VideoReader(late) as clip:
        frames = list(clip)
    assert clip.start == 5
    assert frames[0].pts == 5000
    assert frames[0].time == 0
    assert frames[-1].time == pytest.approx(0.36)


@pytest.mark.parametrize(
    ("matrix", "turns", "mirrored", "degrees"),
    [
        ((1, 0, 0, 1), 0, False, 0),
        ((0, 1, -1, 0), -1, False, 90),  # a phone held upright
        ((-1, 0, 0, -1), 2, False, 180),
        ((0, -1, 1, 0), 1, False, 270),
        ((-1, 0, 0, 1), 0, True, 0),  # some front cameras
    ],
)
def test_rotation_and_mirroring_are_applied(
    make_clip: MakeClip, matrix: tuple[int, ...], turns: int, mirrored: bool, degrees: int
) -> None:
    with VideoReader(make_clip(display_matrix=matrix, frames=3)) as clip:
        frame = next(iter(clip)).image
    upright = np.rot90(moving_picture(96, 64, 0), turns)
    upright = upright[:, ::-1] if mirrored else upright
    assert clip.size == (upright.shape[1], upright.shape[0])
    assert clip.rotation == degrees
    assert frame.shape == upright.shape
    assert np.abs(frame.astype(float) - upright).mean() < 6


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_pictures_that_carry_exif_are_read_and_turned(tmp_path: Path, orientation: int, turns: int) -> None:
    """Motion JPEG from a camera: FFmpeg hands EXIF on as side data of a kind that PyAV has no name for."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a picture of its own"
    Image.fromarray(moving_picture(96, 64, 0)).save(tmp_path / "one.jpg", exif=exif, quality=95)
    (tmp_path / "clip.mjpeg").write_bytes((tmp_path / "one.jpg").read_bytes() * 4)
    with VideoReader(tmp_path / "clip.mjpeg") as clip:
        frames = list(clip)
    assert len(frames) == 4
    assert np.abs(frames[0].image.astype(float) - np.rot90(moving_picture(96, 64, 0), turns)).mean() < 6


def test_odd_sizes_and_non_square_pixels(make_clip: MakeClip) -> None:
    with VideoReader(make_clip("odd.mkv", codec="ffv1", pix_fmt="bgr0", size=(97, 65))) as clip:
        assert next(iter(clip)).image.shape == (65, 97, 3)
    with VideoReader(make_clip("dv.mp4", size=(72, 58), aspect=Fraction(16, 15))) as clip:
        assert clip.size == (77, 58)
        assert next(iter(clip)).image.shape == (58, 77, 3)


@pytest.mark.parametrize("matrix", [1, 6], ids=["bt709", "bt601"])
def test_colours_follow_the_clips_own_matrix(make_clip: MakeClip, matrix: int) -> None:
    colours = [(200, 40, 40), (40, 180, 60), (50, 60, 210), (128, 128, 128)]
    picture = np.concatenate([np.full((64, 32, 3), colour, np.uint8) for colour in colours], axis=1)
    clip_path = make_clip("colour.mp4", pictures=[picture] * 3, options={"crf": "4"}, colorspace=matrix)
    with VideoReader(clip_path) as clip:
        seen = next(iter(clip)).image
    for i, colour in enumerate(colours):
        assert np.abs(seen[32, 32 * i + 16].astype(int) - colour).max() <= 4


def test_size_changing_midway_is_scaled_to_the_first(tmp_path: Path, make_clip: MakeClip) -> None:
    """As browsers record calls: the resolution follows the connection."""
    small, large = (make_clip(f"{w}.ts", size=(w, w // 2), frames=5, audio=None) for w in (96, 192))
    joined = tmp_path / "call.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with VideoReader(joined) as clip:
        frames = list(clip)
    assert len(frames) == 10
    assert {frame.image.shape for frame in frames} == {(48, 96, 3)}
    assert all(a.pts < b.pts for a, b in pairwise(frames))


def test_one_frame_and_its_facts(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(frames=1, rate=30)) as clip:
        assert (clip.frame_count, clip.fps, clip.has_audio) == (1, 30, False)
        assert clip.duration == pytest.approx(1 / 30, abs=0.01)
        assert len(list(clip)) == 1


def test_a_colon_in_the_name_is_no_protocol(make_clip: MakeClip) -> None:
    with VideoReader(make_clip("12:30 visit.mp4", frames=2)) as clip:
        assert len(list(clip)) == 2


def _refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught, VideoReader(path) as clip:
        list(clip)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


def test_refuses_what_is_no_clip(tmp_path: Path, make_clip: MakeClip) -> None:
    assert "no file" in _refusal(tmp_path / "missing.mp4")
    assert "folder" in _refusal(tmp_path)
    (tmp_path / "empty.mp4").touch()
    assert "empty" in _refusal(tmp_path / "empty.mp4")
    (tmp_path / "text.mp4").write_text("This was never a film.\n" * 50)
    assert "cannot be read as video" in _refusal(tmp_path / "text.mp4")
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(5000))
    assert "cannot be read as video" in _refusal(tmp_path / "noise.mp4")


def test_refuses_sound_without_pictures(tmp_path: Path) -> None:
    song = tmp_path / "song.m4a"
    with av.open(str(song), "w") as out:
        stream = out.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.int16), format="s16", layout="mono")
        frame.sample_rate = 48000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert "only sound" in _refusal(song)


def test_refuses_a_clip_of_zero_frames(tmp_path: Path, make_clip: MakeClip) -> None:
    hollow = tmp_path / "hollow.mp4"
    with av.open(str(hollow), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        out.start_encoding()
    assert "holds no video" in _refusal(hollow)

    data = bytearray(make_clip("whole.mp4").read_bytes())
    start = data.index(b"mdat") + 4
    data[start : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - start)
    blank = tmp_path / "blank.mp4"
    blank.write_bytes(data)
    assert "no pictures" in _refusal(blank)


def test_refuses_absurd_sizes_before_decoding(make_clip: MakeClip) -> None:
    path = make_clip(size=(320, 64))
    with pytest.raises(InputError, match=r"claims 320×64 pixels; the limit is 256"):
        VideoReader(path, max_side=256)


@pytest.mark.parametrize("aspect", [Fraction(60), Fraction(1, 100)])
def test_the_limit_is_for_the_size_with_square_pixels(make_clip: MakeClip, aspect: Fraction) -> None:
    path = make_clip("flat.mp4", size=(320, 64), aspect=aspect, frames=2)
    if aspect > 1:
        with pytest.raises(InputError, match=r"claims 19200×64 pixels; the limit is 8192"):
            VideoReader(path)
        return
    with VideoReader(path) as clip:
        assert {frame.image.shape for frame in clip} == {(64, 3, 3)}


def test_a_picture_later_on_that_is_too_large_is_not_decoded(tmp_path: Path, make_clip: MakeClip) -> None:
    small, large = (make_clip(f"{w}.ts", size=(w, w // 2), frames=5, audio=None) for w in (96, 384))
    joined = tmp_path / "call.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    with pytest.raises(InputError, match="damaged or cut off from"), VideoReader(joined, max_side=128) as clip:
        list(clip)


def test_a_picture_that_claims_too_much_is_refused_under_any_name(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    bomb = (tmp_path / "bomb.png").rename(tmp_path / "bomb.mp4")
    with pytest.raises(InputError, match=r"bomb\.mp4 (claims 20000×20000 pixels|has no pictures)"):
        VideoReader(bomb)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clip.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://{host}/a.ts\n#EXT-X-ENDLIST\n"),
        ("clip.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://{host}/a.ts\n#EXT-X-ENDLIST\n"),
        ("clip.ffconcat", "ffconcat version 1.0\nfile http://{host}/a.ts\n"),
    ],
)
def test_a_playlist_in_disguise_reaches_nobody(tmp_path: Path, name: str, content: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        playlist = tmp_path / name
        playlist.write_text(content.format(host=f"127.0.0.1:{listener.getsockname()[1]}"))
        assert "cannot be read" in _refusal(playlist)
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_clip_cut_off_gives_its_frames_then_says_so(tmp_path: Path, make_clip: MakeClip, name: str) -> None:
    whole = make_clip("whole" + name, frames=100, options={"g": "10"}, container={"movflags": "faststart"})
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    seen = []
    with pytest.raises(InputError, match=r"damaged or cut off from [12]\.\d\d s on"), VideoReader(cut) as clip:
        seen.extend(frame.index for frame in clip)
    assert 30 < len(seen) < 90


def test_a_clip_whose_end_was_never_written(tmp_path: Path, make_clip: MakeClip) -> None:
    whole = make_clip("whole.mp4", frames=100)  # MP4 keeps its index at the end
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    assert "its end is missing" in _refusal(cut)


def test_damage_in_the_middle_is_an_error_at_that_place(tmp_path: Path, make_clip: MakeClip) -> None:
    data = bytearray(make_clip("whole.mp4", frames=100, size=(320, 240), options={"crf": "5"}).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = np.random.default_rng(2).bytes(4000)
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(data)
    assert "damaged" in _refusal(bad)


@pytest.mark.parametrize("good", [0, 1000, 30_000])
def test_a_disk_that_fails_while_a_clip_is_read_is_one_clear_line(
    good: int, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("clip.mkv", frames=100, size=(320, 240), codec="ffv1", pix_fmt="bgr0")

    class Failing(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            if self.tell() >= good:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size) or b""

    with monkeypatch.context() as patch:
        patch.setattr("mien.media.container.io.FileIO", Failing)
        assert "clip.mkv" in _refusal(path)


@pytest.mark.parametrize("said", ["00:00:nan", "00:00:inf", "1e9:00:00", "99999999999999:00:00", "-1:-1:-1", "::"])
def test_a_length_that_makes_no_sense_is_not_believed(said: str, make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", frames=12, codec="ffv1", pix_fmt="bgr0")
    data = path.read_bytes()
    assert data.count(b"00:00:00.480000000") == 1
    path.write_bytes(data.replace(b"00:00:00.480000000", said.encode().ljust(18)))
    with VideoReader(path) as clip:
        assert clip.duration is not None
        assert 0.4 < clip.duration < 0.5
        assert clip.frame_count == 12
        assert len(list(clip)) == 12


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_refuses_a_file_that_may_not_be_read(make_clip: MakeClip) -> None:
    path = make_clip()
    path.chmod(0)
    if os.geteuid() != 0:
        assert "permission" in _refusal(path)
        return
    # root may read anything: ask as nobody
    for folder in path.parents[:3]:
        folder.chmod(0o755)
    code = f"""
import os
from mien.media.reader import VideoReader
os.setgid(65534)
os.setuid(65534)
VideoReader({str(path)!r})
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "InputError" in result.stderr
    assert "permission" in result.stderr
