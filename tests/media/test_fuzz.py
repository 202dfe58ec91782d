"""Damaged clips, by the hundred: every one ends in a result or in one clear line. MIEN_FUZZ=2000 tries more of them."""

from __future__ import annotations

import os
import struct
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import av
import pytest
from benchmarks import fuzz_clips
from benchmarks.small_clips import originals

from conftest import MakeClip, moving_picture
from mien.errors import InputError
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter

COUNT = int(os.environ.get("MIEN_FUZZ", "240"))


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_damaged_ends_in_a_result_or_in_an_input_error(seed: int) -> None:
    ended = list(fuzz_clips.outcomes(COUNT // 2, seed=seed))
    assert [end.number for end in ended] == list(range(COUNT // 2))
    assert [end for end in ended if end.outcome not in fuzz_clips.GOOD] == []
    assert min(Counter(end.outcome for end in ended)[outcome] for outcome in fuzz_clips.GOOD) > COUNT // 10
    for end in ended:
        if end.outcome == "InputError":
            assert end.name in end.said


def test_a_mutation_can_be_made_again() -> None:
    clips = originals()
    assert len(clips) == 21
    assert fuzz_clips.mutation(7, 1, clips) == fuzz_clips.mutation(7, 1, clips)
    assert len({fuzz_clips.mutation(number, 1, clips)[1] for number in range(50)}) > 45


@pytest.mark.skipif(sys.platform == "win32", reason="tells crashes by their signal")
def test_a_crash_and_a_hang_are_outcomes_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, threading, time\n"
        "import mien.media.reader as reader\n"
        "real, count = reader.VideoReader.__init__, 0\n"
        "def init(self, *given, **named):\n"
        "    global count\n"
        "    count += 1\n"
        "    if count == 2:\n"
        "        time.sleep(60) if os.path.exists(os.environ['HANG']) else os.abort()\n"
        "    real(self, *given, **named)\n"
        "reader.VideoReader.__init__ = init\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HANG", str(tmp_path / "hang"))
    numbers = iter(fuzz_clips.outcomes(4, seed=1))
    assert [next(numbers).outcome for _ in range(4)][1::2] == ["crash 6", "crash 6"]
    (tmp_path / "hang").touch()
    monkeypatch.setattr(fuzz_clips, "LIMIT", 3.0)
    assert [end.outcome for end in fuzz_clips.outcomes(2, seed=1)][1] == "hang"


def test_a_frame_rate_that_makes_no_sense_is_not_believed(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("clip.avi", codec="mpeg4", frames=12)
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 8 + 20  # scale and rate of the video stream
    data[at : at + 8] = struct.pack("<II", 1, 0x7FFFFFFF)
    path.write_bytes(data)
    with VideoReader(path) as clip, VideoWriter.like(clip, tmp_path / "out.mp4") as writer:
        assert clip.fps == 25
        for frame in clip:
            writer.write(frame.image, frame.pts)
    with VideoReader(tmp_path / "out.mp4") as out:
        assert len(list(out)) == 12


def test_a_jump_of_the_time_stamps_is_damage(make_clip: MakeClip) -> None:
    hours = make_clip("jump.mkv", pts=[0, 40, 80, 3_600_000], time_base=Fraction(1, 1000))
    with pytest.raises(InputError, match=r"damaged or cut off from 0\.08 s on"), VideoReader(hours) as clip:
        list(clip)


def test_a_jump_of_the_sound_costs_the_sound_alone(make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip("late.mkv", audio="aac", frames=50)
    with av.open(str(path)) as source, av.open(str(tmp_path / "jump.mkv"), "w") as out:
        copies = [out.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if not packet.size:
                continue
            if packet.stream.type == "audio" and packet.dts > 500:
                packet.pts = packet.dts = packet.dts + 10_000_000
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    with VideoReader(tmp_path / "jump.mkv") as clip, VideoWriter.like(clip, tmp_path / "out.mp4") as writer:
        for frame in clip:
            writer.write(frame.image, frame.pts)
    assert writer.audio_lost
    assert writer.audio_note.startswith("copied as it is (aac) up to 0.")
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert out.duration is not None
        assert out.duration / av.time_base == pytest.approx(2, abs=0.1)


def test_pictures_closer_than_the_files_unit_stay_in_order(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "out.mp4", size=(64, 64), time_base=Fraction(1, 1 << 31)) as writer:
        for index in range(5):
            writer.write(moving_picture(64, 64, index), index)
    with VideoReader(tmp_path / "out.mp4") as clip:
        assert [frame.pts for frame in clip] == sorted({frame.pts for frame in clip} | set(range(5)))[:5]
