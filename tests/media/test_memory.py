"""What lies in memory is read like a file: the same pictures, sound and sentences, and no disk is touched for it."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

import mien
import performers
from conftest import MakeClip, moving_picture
from mien.errors import InputError, OutputError
from mien.media.images import png, read_image
from mien.media.memory import MemoryFile
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter


def in_memory(path: Path) -> MemoryFile:
    """The file's bytes under its name; the file itself is gone."""
    file = MemoryFile(path.name, path.read_bytes())
    path.unlink()
    return file


CONTAINERS: list[tuple[str, dict[str, Any]]] = [
    ("clip.mp4", {"codec": "libx264", "audio": "aac"}),
    ("clip.mkv", {"codec": "ffv1", "pix_fmt": "bgr0", "audio": "flac"}),
    ("clip.webm", {"codec": "libvpx", "audio": "libopus", "time_base": Fraction(1, 1000)}),
    ("clip.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "audio": "pcm_s16le"}),
    ("clip.ts", {"codec": "libx264", "audio": "aac"}),
    ("clip.mpg", {"codec": "mpeg2video", "audio": "mp2"}),
    ("clip.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
    ("clip.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
    ("no ending", {"codec": "libx264", "container_format": "mp4"}),
]


@pytest.mark.parametrize(("name", "options"), CONTAINERS, ids=[name for name, _ in CONTAINERS])
def test_a_clip_in_memory_is_the_same_clip(make_clip: MakeClip, name: str, options: dict[str, Any]) -> None:
    path = make_clip("clip.mp4" if options.pop("container_format", None) else name, **options)
    with VideoReader(path) as clip:
        facts = (clip.size, clip.rate, clip.time_base, clip.start, clip.duration, clip.frame_count, clip.has_audio)
        frames = list(clip)
    with VideoReader(MemoryFile(name, in_memory(path).data)) as clip:
        assert facts == (
            clip.size, clip.rate, clip.time_base, clip.start, clip.duration, clip.frame_count, clip.has_audio
        )  # fmt: skip
        again = list(clip)
    assert [frame.pts for frame in again] == [frame.pts for frame in frames]
    for one, other in zip(again, frames, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_readers_of_one_clip_do_not_disturb_each_other(make_clip: MakeClip) -> None:
    file = in_memory(make_clip(frames=8))
    with VideoReader(file) as one, VideoReader(file) as other:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.image, b.image)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_out_of_memory_is_passed_on_as_from_a_file(make_clip: MakeClip, tmp_path: Path, codec: str) -> None:
    path = make_clip("talk.mkv", audio=codec, frames=50)
    copies = []
    for source in (path, MemoryFile("talk.mkv", path.read_bytes())):
        with VideoReader(source) as clip, VideoWriter.like(clip, tmp_path / "out.mp4") as writer:
            for frame in clip:
                writer.write(frame.image, frame.pts)
        with av.open(str(tmp_path / "out.mp4")) as out:
            copies.append([(packet.pts, bytes(packet)) for packet in out.demux(audio=0)])
    assert len(copies[0]) > 50
    assert copies[0] == copies[1]


def broken(make_clip: MakeClip) -> dict[str, bytes]:
    """Bytes that are no clip, under the names they come with."""
    whole = make_clip(frames=30).read_bytes()
    return {
        "notes.txt": b"The patient said that all was well.\n" * 20,
        "clip.mp4": b"",
        "noise.mp4": np.random.default_rng(3).bytes(5000),
        "half.mp4": whole[: whole.index(b"moov") - 4],
        "index.mp4": struct.pack(">I4sQ", 1, b"ftyp", 2**64 - 1) + b"isom" * 8,
        "song.mp3": b"ID3" + bytes(400),
        "none.mkv": b"\x1aE\xdf\xa3" + bytes(100),
    }


def test_what_is_no_clip_is_refused_in_the_words_used_for_a_file(make_clip: MakeClip, tmp_path: Path) -> None:
    for name, data in broken(make_clip).items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(InputError) as from_disk:
            VideoReader(path)
        with pytest.raises(InputError) as from_memory:
            VideoReader(MemoryFile(name, data))
        assert str(from_memory.value) == str(from_disk.value).replace(str(path), name)


def test_a_clip_that_breaks_in_the_middle_says_where(make_clip: MakeClip) -> None:
    data = in_memory(make_clip("clip.mkv", codec="ffv1", pix_fmt="bgr0", frames=100)).data
    with VideoReader(MemoryFile("clip.mkv", data[: len(data) // 2])) as clip:
        frames = iter(clip)
        for _ in range(20):
            next(frames)
        with pytest.raises(InputError, match=r"^clip\.mkv is damaged or cut off from \d"):
            list(frames)


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("kind", ["ffconcat", "m3u8"])
def test_a_playlist_in_memory_reaches_no_file(
    kind: str, absolute: bool, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = make_clip("secret.ts")
    inside = str(secret) if absolute else secret.name
    text = {
        "ffconcat": f"ffconcat version 1.0\nfile {inside}\n",
        "m3u8": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{inside}\n#EXT-X-ENDLIST\n",
    }[kind]
    with pytest.raises(InputError, match="cannot be read as video"):
        VideoReader(MemoryFile(f"clip.{kind}", text.encode()))


@pytest.mark.parametrize("name", ["a\0b.mp4", "\udce9.mp4", "x" * 5000 + ".mp4", "", "a.\u202emp4", "http://x/y.mp4"])
def test_any_name_will_do(name: str, make_clip: MakeClip) -> None:
    with VideoReader(MemoryFile(name, in_memory(make_clip()).data)) as clip:
        assert len(list(clip)) == 12


def test_a_picture_in_memory_is_the_same_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(moving_picture(96, 64, 3)).save(tmp_path / "a.jpg", exif=exif)
    data = (tmp_path / "a.jpg").read_bytes()
    picture = read_image(MemoryFile("a.jpg", data))
    np.testing.assert_array_equal(picture, read_image(tmp_path / "a.jpg"))
    with pytest.raises(InputError, match=r"^a\.jpg is damaged or cut off"):
        read_image(MemoryFile("a.jpg", data[: len(data) // 2]))
    with pytest.raises(InputError, match=r"^a\.jpg is not a picture"):
        read_image(MemoryFile("a.jpg", b"text"))
    with pytest.raises(InputError, match=r"^a\.jpg is empty"):
        read_image(MemoryFile("a.jpg", b""))


def test_a_picture_that_claims_too_much_is_refused_from_its_header(tmp_path: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(InputError, match=r"^bomb\.png claims .* pixels; the limit is 64 million"):
        read_image(MemoryFile("bomb.png", (tmp_path / "bomb.png").read_bytes()))


def test_a_png_carries_nothing_but_the_picture() -> None:
    picture = np.dstack([moving_picture(33, 20, 1), np.arange(660, dtype=np.uint8).reshape(20, 33)])
    data = png(picture)
    np.testing.assert_array_equal(read_image(MemoryFile("a.png", data)), picture)
    kinds, at = [], 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        kinds.append(kind)
        at += 12 + size
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


def test_neither_a_log_nor_a_traceback_shows_the_bytes() -> None:
    file = MemoryFile("jane-doe.mp4", b"secret" * 100)
    assert "secret" not in repr(file)
    assert "jane" not in repr(file)
    assert str(file) == "jane-doe.mp4"
    with pytest.raises(ValueError, match="only be read"):
        file.open("wb")


def test_the_whole_job_runs_from_memory(tmp_path: Path) -> None:
    performers.needs_face_model()
    path = performers.clip(tmp_path / "visit.mp4", performers.swaying(12), audio="aac")
    mien.anonymize(path, output=tmp_path / "a.mp4", size=64, csv=True)
    done = mien.anonymize(in_memory(path), output=tmp_path / "b.mp4", size=64, csv=True)
    assert done.to_dict()["input"] == "visit.mp4"
    assert done.audio == "copied as it is (aac)"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.expression.csv", "a.mp4", "b.expression.csv", "b.mp4"]
    assert (tmp_path / "a.expression.csv").read_text() == (tmp_path / "b.expression.csv").read_text()
    with VideoReader(tmp_path / "a.mp4") as one, VideoReader(tmp_path / "b.mp4") as other:
        for a, b in zip(one, other, strict=True):  # the same pictures, as alike as x264 makes them
            assert np.abs(a.image.astype(int) - b.image).mean() < 1


def test_what_lies_in_memory_has_no_place_beside_it(
    make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    performers.needs_face_model()
    file = in_memory(make_clip())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=r"clip\.mp4 lies in memory"):
        mien.anonymize(file)
    with pytest.raises(OutputError, match=r"clip\.mp4 lies in memory"):
        mien.read(file, csv=True)
    assert mien.read(file).frames == 12
    assert not list(tmp_path.iterdir())
