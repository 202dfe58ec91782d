"""Whole clips of 64×48 pixels in every common container, made on the spot: what `fuzz_clips` damages."""

from __future__ import annotations

from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import av
import numpy as np
from PIL import Image, ImageCms

_KINDS: Final[dict[str, dict[str, Any]]] = {
    "plain.mp4": {"video": "libx264", "audio": "aac"},
    "quick.mp4": {"video": "libx264", "audio": "aac", "options": {"movflags": "faststart"}},
    "pieces.mp4": {"video": "libx264", "audio": "aac", "options": {"movflags": "frag_keyframe+empty_moov"}},
    "phone.mov": {"video": "mpeg4", "audio": "pcm_s16le"},
    "photo.mov": {"video": "mjpeg", "audio": "alac", "format": "yuvj420p"},
    "call.webm": {"video": "libvpx", "audio": "libopus"},
    "screen.mkv": {"video": "libx264", "audio": "flac"},
    "raw.mkv": {"video": "ffv1", "audio": "mp2", "format": "bgr0"},
    "old.avi": {"video": "mjpeg", "audio": "pcm_s16le", "format": "yuvj420p"},
    "older.avi": {"video": "mpeg4", "audio": "libmp3lame"},
    "tv.ts": {"video": "libx264", "audio": "aac"},
    "dvd.mpg": {"video": "mpeg2video", "audio": "mp2"},
    "loop.gif": {"video": "gif", "format": "rgb8"},
    "web.flv": {"video": "libx264", "audio": "aac"},
    "web.ogg": {"video": "libvpx", "audio": "libopus"},
    "any.nut": {"video": "mpeg4", "audio": "mp2"},
    "media.wtv": {"video": "mpeg2video", "audio": "mp2"},
    "real.rm": {"video": "rv10"},
    "bare.h264": {"video": "libx264"},
    "bare.ivf": {"video": "libvpx"},
}  # fmt: skip


def originals() -> dict[str, bytes]:
    """Whole clips of 64×48 pixels, by name; those that this FFmpeg can write."""
    made = {name: _clip(name, **kind) for name, kind in _KINDS.items()}
    file = BytesIO()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    still, *more = (Image.fromarray(_picture(index)) for index in range(3))
    still.save(file, "PNG", save_all=True, append_images=more, duration=40, icc_profile=profile)
    return made | {"pictures.apng": file.getvalue()}


def _clip(
    name: str, *, video: str, audio: str | None = None, format: str = "yuv420p",  # noqa: A002
    options: dict[str, str] | None = None, frames: int = 8,
) -> bytes:  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w", options=options or {}) as out:
            pictures = out.add_stream(video, rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = 64, 48, format
            sound = out.add_stream(audio, rate=48000) if audio else None
            for index in range(frames):
                frame = av.VideoFrame.from_ndarray(_picture(index), "rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                out.mux(pictures.encode(frame.reformat(format=format)))
            out.mux(pictures.encode(None))
            if sound is not None:
                for first in range(0, 48000 * frames // 25, 960):
                    wave = np.sin(np.arange(first, first + 960) / 17) * 8000
                    tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                    tone.sample_rate, tone.pts, tone.time_base = 48000, first, Fraction(1, 48000)
                    out.mux(sound.encode(tone))
                out.mux(sound.encode(None))
        return path.read_bytes()


def _picture(index: int) -> np.ndarray:
    y, x = np.mgrid[0:48, 0:64]
    return np.stack([x * 4, y * 5, (x + y + 9 * index) % 256], axis=-1).astype(np.uint8)
