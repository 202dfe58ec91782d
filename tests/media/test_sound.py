"""Sound that cannot be passed on: the pictures come through all the same, and what became of the sound is said."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import mien
import performers
from conftest import MakeClip, encode_clip
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter


def passed_on(source: Path) -> VideoWriter:
    """Rewrite a clip beside itself; its writer."""
    with VideoReader(source) as clip, VideoWriter.like(clip, source.with_name("out.mp4")) as writer:
        for frame in clip:
            writer.write(frame.image, frame.pts)
    return writer


def streams(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        assert all(packet.size for packet in container.demux() if packet.dts is not None)
        return [stream.type for stream in container.streams]


def called(path: Path, tag: bytes, *, track: int = 0) -> Path:
    """The clip, whose audio track of that number says that its packets are of another codec."""
    data = path.read_bytes()
    at = 0
    for _ in range(track + 1):
        at = data.index(b"mp4a", data.index(b"stsd", data.index(b"soun", at)))
    description = data.index(b"esds", at)
    data = data[:at] + tag + data[at + 4 : description] + b"free" + data[description + 4 :]
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("tag", ["mhm1", "mha1", "ac-4", "iamf", "zzzz", "dtse", "samr"])
def test_sound_of_an_unknown_codec_is_left_out(tag: str, make_clip: MakeClip, tmp_path: Path) -> None:
    writer = passed_on(called(make_clip(audio="aac", frames=25), tag.encode()))
    assert writer.audio_note.startswith("left out, because it cannot be read here")
    assert writer.audio_lost
    assert streams(tmp_path / "out.mp4") == ["video"]


def test_the_next_track_is_taken_where_the_first_cannot_be_read(tmp_path: Path) -> None:
    """Broadcasters put MPEG-H first and AAC for everybody else second."""
    path = two_tracks(tmp_path / "two.mp4")
    whole = passed_on(path)
    assert (whole.audio_note, whole.audio_lost) == ("copied as it is (aac)", False)
    writer = passed_on(called(path, b"mhm1"))
    assert (writer.audio_note, writer.audio_lost) == ("copied as it is (aac)", False)
    assert streams(tmp_path / "out.mp4") == ["video", "audio"]


def two_tracks(path: Path) -> Path:
    one = encode_clip(path.with_name("one.mp4"), audio="aac", frames=25)
    with av.open(str(one)) as source, av.open(str(path), "w") as out:
        copies = [out.add_stream_from_template(source.streams[index]) for index in (0, 1, 1)]
        for packet in source.demux():
            if packet.dts is None:
                continue
            data, video = bytes(packet), packet.stream.type == "video"
            for stream in copies[:1] if video else copies[1:]:
                copy = av.Packet(data)
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, stream
                out.mux(copy)
    return path


@pytest.mark.parametrize("damaged", ["some", "all"])
def test_damaged_packets_of_sound_are_silent_and_said(damaged: str, make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("talk.mkv", audio="vorbis", audio_options={"strict": "-2"}, frames=50)
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(audio=0) if packet.size]
    data = path.read_bytes()
    for packet in packets[20:30] if damaged == "some" else packets:
        data = data.replace(packet, b"\xff" * len(packet))
    path.write_bytes(data)
    writer = passed_on(path)
    assert writer.audio_lost
    if damaged == "some":
        assert writer.audio_note == "converted from vorbis to aac; damaged parts are left out"
        assert streams(tmp_path / "out.mp4") == ["video", "audio"]
        with av.open(str(tmp_path / "out.mp4")) as out:  # what comes after is where it was
            sound = out.streams.audio[0]
            assert float(sound.duration * sound.time_base) == pytest.approx(2, abs=0.1)
    else:
        assert writer.audio_note == "left out, because it cannot be read here (vorbis)"
        assert streams(tmp_path / "out.mp4") == ["video"]


def test_a_run_says_what_became_of_the_sound(tmp_path: Path) -> None:
    performers.needs_face_model()
    clip = called(performers.clip(tmp_path / "visit.mp4", performers.swaying(6), audio="aac"), b"mhm1")
    done = mien.anonymize(clip, output=tmp_path / "out.mp4", size=64)
    assert done.audio == "left out, because it cannot be read here (unknown codec)"
    assert f"The sound of {clip} was {done.audio}." in done.warnings
