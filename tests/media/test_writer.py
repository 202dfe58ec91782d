"""Writing clips: exact stamps, the sound bit for bit, a mark, nothing of the source's own data, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from conftest import MakeClip, moving_picture
from mien.errors import InputError, OutputError
from mien.media.reader import VideoReader
from mien.media.writer import Audio, VideoWriter


def rewrite(source: Path, target: Path, audio: Audio = "keep") -> VideoWriter:
    with VideoReader(source) as clip, VideoWriter.like(clip, target, audio=audio) as writer:
        for frame in clip:
            writer.write(frame.image, frame.pts)
    return writer


def stamps(path: Path) -> list[Fraction]:
    with VideoReader(path) as clip:
        return [frame.pts * frame.time_base - clip.start for frame in clip]


def payloads(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("film.mp4", {"rate": 24}),
        ("vfr.mkv", {"pts": [0, 10, 90, 170, 171, 400, 401, 500, 900, 1000], "time_base": Fraction(1, 1000)}),
        ("ntsc.mp4", {"pts": [1001 * i for i in range(10)], "time_base": Fraction(1, 30000)}),
        ("late.mkv", {"pts": [5000 + 33 * i for i in range(10)], "time_base": Fraction(1, 1000), "audio": "aac"}),
        ("stream.ts", {"audio": "aac"}),
        ("old.avi", {"codec": "mpeg4", "rate": 15}),
        ("loop.gif", {"codec": "gif", "pix_fmt": "rgb8", "rate": 10}),
        ("one.mp4", {"frames": 1}),
    ],
)
def test_output_has_exactly_the_inputs_stamps(
    make_clip: MakeClip, tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    source = make_clip(name, **options)
    rewrite(source, tmp_path / "out.mp4")
    assert stamps(tmp_path / "out.mp4") == stamps(source)


def test_pictures_survive_and_stand_upright(make_clip: MakeClip, tmp_path: Path) -> None:
    rewrite(make_clip(display_matrix=(0, 1, -1, 0), frames=10), tmp_path / "out.mp4")
    with VideoReader(tmp_path / "out.mp4") as clip:
        assert (clip.rotation, clip.size) == (0, (64, 96))
        for frame in clip:
            expected = np.rot90(moving_picture(96, 64, frame.index), -1)
            assert np.abs(frame.image.astype(float) - expected).mean() < 6


def test_colours_come_back(tmp_path: Path) -> None:
    colours = [(200, 40, 40), (40, 180, 60), (50, 60, 210), (255, 255, 255), (0, 0, 0)]
    picture = np.concatenate([np.full((64, 32, 3), colour, np.uint8) for colour in colours], axis=1)
    with VideoWriter(tmp_path / "out.mp4", size=(160, 64)) as writer:
        for _ in range(3):
            writer.write(picture)
    with VideoReader(tmp_path / "out.mp4") as clip:
        seen = next(iter(clip)).image
    for i, colour in enumerate(colours):
        assert np.abs(seen[32, 32 * i + 16].astype(int) - colour).max() <= 6


def test_an_odd_size_is_extended_by_one_pixel_of_the_same_colour(tmp_path: Path) -> None:
    picture = moving_picture(97, 65, 0)
    with VideoWriter(tmp_path / "out.mp4", size=(97, 65)) as writer:
        writer.write(picture)
    with VideoReader(tmp_path / "out.mp4") as clip:
        seen = next(iter(clip)).image
    assert seen.shape == (66, 98, 3)
    assert np.abs(seen[:65, :97].astype(float) - picture).mean() < 6
    assert np.abs(seen[:, 97].astype(float) - seen[:, 96]).mean() < 6


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("aac.mp4", {"audio": "aac"}),
        ("mp3.mp4", {"audio": "libmp3lame"}),
        ("opus.mkv", {"audio": "libopus", "time_base": Fraction(1, 1000)}),
        ("flac.mkv", {"audio": "flac", "time_base": Fraction(1, 1000)}),
    ],
)
def test_sound_is_kept_bit_for_bit(make_clip: MakeClip, tmp_path: Path, name: str, options: dict[str, object]) -> None:
    source = make_clip(name, frames=50, **options)
    writer = rewrite(source, tmp_path / "out.mp4")
    assert writer.audio_note.startswith("copied")
    assert payloads(tmp_path / "out.mp4") == payloads(source)
    assert _tone_begins(tmp_path / "out.mp4") == pytest.approx(0, abs=0.03)


def test_sound_of_a_broadcast_loses_only_its_transport_headers(make_clip: MakeClip, tmp_path: Path) -> None:
    source = make_clip("tv.ts", frames=50, audio="aac")
    rewrite(source, tmp_path / "out.mp4")
    assert payloads(tmp_path / "out.mp4") == [packet[7:] for packet in payloads(source)]  # 7 bytes of ADTS


@pytest.mark.parametrize(("name", "codec"), [("pcm.mov", "pcm_s16le"), ("old.mpg", "mp2")])
def test_sound_that_mp4_cannot_hold_is_converted_and_said_so(
    make_clip: MakeClip, tmp_path: Path, name: str, codec: str
) -> None:
    video = {"codec": "mpeg2video"} if name.endswith("mpg") else {}
    source = make_clip(name, frames=50, audio=codec, **video)
    writer = rewrite(source, tmp_path / "out.mp4")
    assert writer.audio_note == f"converted from {codec} to aac"
    samples, rate = _samples(tmp_path / "out.mp4")
    spectrum = np.abs(np.fft.rfft(samples[rate // 2 : rate // 2 + rate]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)
    assert len(samples) / rate == pytest.approx(2, abs=0.1)


def test_sound_and_picture_stay_together_where_the_clip_starts_late(make_clip: MakeClip, tmp_path: Path) -> None:
    source = make_clip("late.mkv", pts=[9000 + 40 * i for i in range(50)], time_base=Fraction(1, 1000), audio="aac")
    rewrite(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert [float((s.start_time or 0) * s.time_base) for s in out.streams] == pytest.approx([0, 0], abs=0.03)


def test_sound_lies_beside_its_pictures_in_the_file(make_clip: MakeClip, tmp_path: Path) -> None:
    rewrite(make_clip(frames=250, audio="aac"), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        order = [(p.stream.type, float(p.dts * p.time_base)) for p in out.demux() if p.size]
    latest = {"audio": 0.0, "video": 0.0}
    for kind, time in order:
        latest[kind] = time
        assert abs(latest["audio"] - latest["video"]) < 1.5


def test_sound_can_be_dropped(make_clip: MakeClip, tmp_path: Path) -> None:
    writer = rewrite(make_clip(audio="aac"), tmp_path / "out.mp4", audio="drop")
    assert writer.audio_note == "dropped"
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert [stream.type for stream in out.streams] == ["video"]


def test_says_that_it_is_synthetic_and_carries_nothing_of_the_source(make_clip: MakeClip, tmp_path: Path) -> None:
    private = {"title": "Visit of Ada Brown", "location": "+48.2-016.3/", "artist": "Dr Who", "comment": "private note"}
    rewrite(make_clip(metadata=private, audio="aac"), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert "Synthetic video" in out.metadata["comment"]
        assert "mien" in out.metadata["comment"]
        assert len(out.streams) == 2
    content = (tmp_path / "out.mp4").read_bytes()
    for secret in private.values():
        assert secret.encode() not in content
    assert content.index(b"moov") < content.index(b"mdat")  # plays before it is all there


@pytest.mark.parametrize("blow", [RuntimeError("engine"), KeyboardInterrupt()])
def test_an_interrupted_run_leaves_nothing_and_spares_what_was_there(
    make_clip: MakeClip, tmp_path: Path, blow: BaseException
) -> None:
    source = make_clip(frames=40, audio="aac")
    before = source.read_bytes()
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "out.mp4").write_bytes(b"older result")
    with (  # noqa: PT012 - the block is what a user writes
        pytest.raises(type(blow)) as caught,
        VideoReader(source) as clip,
        VideoWriter.like(clip, folder / "out.mp4") as writer,
    ):
        for frame in clip:
            writer.write(frame.image, frame.pts)
            if frame.index == 20:
                raise blow
    assert caught.value is blow
    assert [path.name for path in folder.iterdir()] == ["out.mp4"]
    assert (folder / "out.mp4").read_bytes() == b"older result"
    assert source.read_bytes() == before


def test_nothing_is_there_under_its_name_before_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with VideoWriter(target, size=(64, 64)) as writer:
        writer.write(moving_picture(64, 64, 0))
        assert not target.exists()
        assert len(list(tmp_path.iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_clip_cut_off_is_an_error_and_leaves_nothing(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("whole.mp4", frames=100, audio="aac", container={"movflags": "faststart"})
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(InputError):
        rewrite(cut, folder / "out.mp4")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink"])
def test_never_replaces_its_input(make_clip: MakeClip, tmp_path: Path, link: str) -> None:
    source = make_clip()
    before = source.read_bytes()
    target = tmp_path / "other.mp4"
    if link == "same":
        target = tmp_path / "." / source.name
    elif link == "symlink":
        target.symlink_to(source)
    else:
        target.hardlink_to(source)
    with pytest.raises(OutputError, match="is the input itself"):
        rewrite(source, target, audio="drop")
    assert source.read_bytes() == before


def test_refuses_targets_that_cannot_be(make_clip: MakeClip, tmp_path: Path) -> None:
    source = make_clip()
    with pytest.raises(OutputError, match="does not exist"):
        rewrite(source, tmp_path / "nowhere" / "out.mp4")
    with pytest.raises(OutputError, match="is a folder"):
        rewrite(source, tmp_path)
    if os.name != "nt":
        with pytest.raises(OutputError, match="not an ordinary file"):
            rewrite(source, Path(os.devnull))
    with pytest.raises(OutputError, match="No picture"), VideoWriter(tmp_path / "none.mp4", size=(64, 64)):
        pass
    assert not (tmp_path / "none.mp4").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file size")
@pytest.mark.parametrize("limit", [200_000, 3_000], ids=["while writing", "on closing"])
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path, limit: int) -> None:
    """In a process of its own whose files may not grow: what a full disk does, through the same calls."""
    frames = 60 if limit > 100_000 else 1
    code = f"""
import resource, signal, numpy as np
from mien.media.writer import VideoWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
noise = np.random.default_rng(0)
with VideoWriter({str(tmp_path / "out.mp4")!r}, size=(320, 240)) as writer:
    for _ in range({frames}):
        writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "it is too large for this disk" in result.stderr
    assert not list(tmp_path.iterdir())


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shape"), VideoWriter(tmp_path / "a.mp4", size=(64, 64)) as writer:
        writer.write(moving_picture(32, 32, 0))
    with VideoWriter(tmp_path / "b.mp4", size=(64, 64)) as writer:
        writer.write(moving_picture(64, 64, 0), 5)
        with pytest.raises(ValueError, match="increase"):
            writer.write(moving_picture(64, 64, 1), 5)
    assert [path.name for path in tmp_path.iterdir()] == ["b.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat_however_long_the_clip(make_clip: MakeClip, tmp_path: Path) -> None:
    def peak(seconds: int) -> float:
        source = make_clip(f"{seconds}.mp4", frames=25 * seconds, size=(320, 240), audio="aac",
                           options={"preset": "ultrafast"})  # fmt: skip
        code = f"""
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter
with VideoReader({str(source)!r}) as clip:
    with VideoWriter.like(clip, {str(tmp_path / "o.mp4")!r}, preset="ultrafast") as out:
        for frame in clip:
            out.write(frame.image, frame.pts)
print(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return int(done.stdout) / 1024

    short, long = peak(5), peak(30)
    assert long - short < 25  # MB; the pictures of the difference alone are 144 MB


def _samples(path: Path) -> tuple[np.ndarray, int]:
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
        return np.concatenate([frame.to_ndarray().reshape(-1, frame.samples)[0] for frame in frames]), frames[0].rate


def _tone_begins(path: Path) -> float:
    """When the tone is first heard, in seconds on the player's clock."""
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            wave = np.abs(frame.to_ndarray().astype(float).reshape(-1, frame.samples)[0])
            full = 32768 if frame.to_ndarray().dtype.kind == "i" else 1
            if (loud := wave > 0.05 * full).any():
                return float(frame.time + np.argmax(loud) / frame.rate)
    raise AssertionError("no tone")
