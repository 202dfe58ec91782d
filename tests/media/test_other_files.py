"""A clip is one file: whatever else it names is never opened. A pipe in the place of that other file shows whether it
was."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import av
import pytest

from conftest import MakeClip
from mien.errors import InputError
from mien.media.memory import MemoryFile
from mien.media.reader import VideoReader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="watches with a named pipe")

HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
DASH = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S" profiles=
"urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="0"
bandwidth="1000" width="96" height="64" codecs="avc1.42c00d"><BaseURL>{}</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{}\nm=video 5004 RTP/AVP 96\n"
LISTS = {
    "list.ffconcat": "ffconcat version 1.0\nfile {}\n", "concat.mp4": "ffconcat version 1.0\nfile {}\n",
    "list.m3u8": HLS, "hls.mp4": HLS, "list.mpd": DASH, "dash.mp4": DASH, "call.sdp": SDP,
    "sub.idx": "# VobSub index file, v7 (do not modify this line!)\nsize: 96x64\nid: en, index: 0\n", "film.svg":
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64"><image href="{}" width="96" height="64"/></svg>',
}  # fmt: skip


class Pipe:
    """A named pipe, and whether anybody opened it to read."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path, self.opened, self._over = path, False, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.002):
            with suppress(OSError):  # ENXIO: nobody reads
                os.close(os.open(self.path, os.O_WRONLY | os.O_NONBLOCK))
                self.opened = True

    def close(self) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def pipe(path: Path) -> Iterator[Pipe]:
    watched = Pipe(path)
    try:
        yield watched
    finally:
        watched.close()


def test_the_pipe_shows_who_reads(tmp_path: Path) -> None:
    with pipe(tmp_path / "secret.ts") as secret:
        assert not secret.opened
        (tmp_path / "list.m3u8").write_text(HLS.format("secret.ts"))
        with pytest.raises(av.FFmpegError):
            av.open(str(tmp_path / "list.m3u8"))
        secret._over.wait(0.1)
        assert secret.opened


@pytest.mark.parametrize("in_memory", [False, True], ids=["on disk", "in memory"])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_other_files_is_refused_and_none_is_opened(
    name: str, in_memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / ("sub.sub" if name == "sub.idx" else "secret.ts")
    for given in (other.name, str(other), f"file:{other}"):
        text = LISTS[name].format(given)
        (tmp_path / name).write_text(text)
        with pipe(other) as secret:
            source = MemoryFile(name, text.encode()) if in_memory else tmp_path / name
            with pytest.raises(InputError, match=r"cannot be read as video: it is text.*opens only the file"):
                VideoReader(source)
            assert not secret.opened
        other.unlink()


def test_a_name_that_is_a_pattern_names_one_file(make_clip: MakeClip, tmp_path: Path) -> None:
    with pipe(tmp_path / "img001.png") as secret:
        with VideoReader(make_clip().rename(tmp_path / "img%03d.png")) as clip:
            assert len(list(clip)) == 12
        assert not secret.opened


FORMATS: dict[str, dict[str, Any]] = {
    "clip.flv": {"audio": "aac"}, "clip.ogg": {"codec": "libvpx"}, "clip.nut": {"codec": "mpeg4", "audio": "mp2"},
    "clip.dv": {"codec": "dvvideo", "size": (720, 576)}, "clip.y4m": {"codec": "rawvideo"}, "clip.264": {},
    "clip.ivf": {"codec": "libvpx"}, "clip.mxf": {"codec": "mpeg2video", "size": (720, 576)}, "clip.m4v": {},
    "clip.3gp": {"codec": "h263", "size": (176, 144)}, "clip.m2ts": {"audio": "aac"}, "clip.rm": {"codec": "rv10"},
    "clip.vob": {"codec": "mpeg2video", "audio": "mp2"}, "clip.wtv": {"codec": "mpeg2video"},
    "clip.m1v": {"codec": "mpeg1video"}, "clip.mjpeg": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
}  # fmt: skip
"""Rarer ones; the usual ones are in the reader's own tests."""


@pytest.mark.parametrize("name", FORMATS)
def test_formats_of_one_file_are_read_whatever_their_name(name: str, make_clip: MakeClip, tmp_path: Path) -> None:
    path = make_clip(name, **FORMATS[name])
    for called in (name, "clip.mp4"):
        path = path.rename(tmp_path / called)
        with VideoReader(path) as clip:
            assert len(list(clip)) == 12


@pytest.mark.parametrize("enabled", [False, True])
def test_a_quicktime_track_in_another_file_is_not_fetched(enabled: bool, make_clip: MakeClip, tmp_path: Path) -> None:
    data = make_clip("whole.mov", frames=3).read_bytes()
    movie = tmp_path / "alias.mov"
    movie.write_bytes(in_alias(data, at=tmp_path / "elsewhere.mov"))
    with pipe(tmp_path / "elsewhere.mov") as secret:
        if enabled:  # the alias is a good one: asked to, FFmpeg does follow it
            options = "{'enable_drefs': '1', 'use_absolute_path': '1'}"
            code = f"import av, sys; list(av.open(sys.argv[1], container_options={options}).decode(video=0))"
            subprocess.run([sys.executable, "-c", code, str(movie)], capture_output=True, check=False)
        else:
            with pytest.raises(InputError, match="no pictures that can be read"):
                VideoReader(movie)
        assert secret.opened == enabled


def in_alias(data: bytes, *, at: Path) -> bytes:
    """The movie, whose tracks say that their pictures lie in another file."""
    path = str(at).encode() + bytes(len(str(at)) % 2)
    name = at.name.encode()
    record = bytes(10) + b"\x02hd" + bytes(25) + bytes(12) + bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    record += struct.pack(">hh", -1, -1) + bytes(16) + struct.pack(">HH", 2, len(path)) + path
    record += struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    reference = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry

    def rewritten(boxes: bytes) -> bytes:
        out = b""
        while boxes:
            size, kind = struct.unpack(">I4s", boxes[:8])
            body, boxes = boxes[8:size], boxes[size:]
            if kind == b"dref":
                out += reference
                continue
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
                body = rewritten(body)
            out += struct.pack(">I4s", 8 + len(body), kind) + body
        return out

    return rewritten(data)
