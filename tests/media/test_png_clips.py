"""Clips whose pictures are PNG with a colour profile: reading them ended the process, so they are read in another."""

from __future__ import annotations

import struct
import subprocess
import sys
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from conftest import MakeClip, moving_picture

READ = """
import sys
from mien.media.reader import VideoReader

for _ in range(30):
    with VideoReader(sys.argv[1]) as clip:
        frames = list(clip)
print(len(frames), *clip.size, clip.rotation)
"""


def png(index: int, orientation: int = 1) -> bytes:
    """A picture as phones and drawing programs save it: with sRGB's profile, and EXIF."""
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(moving_picture(96, 64, index)).save(
        file, "PNG", icc_profile=profile, **({"exif": exif} if orientation > 1 else {})
    )
    return file.getvalue()


def clip_of_png(folder: Path, name: str) -> Path:
    path = folder / name
    if name.endswith(".mp4"):
        path.write_bytes(png(0, orientation=6 if "turned" in name else 1))
    elif name.endswith(".apng"):
        pictures = [Image.open(BytesIO(png(index))) for index in range(4)]
        pictures[0].save(
            path, "PNG", save_all=True, append_images=pictures[1:], duration=40,
            icc_profile=pictures[0].info["icc_profile"],
        )  # fmt: skip
    else:
        with av.open(str(path), "w") as out:
            stream = out.add_stream("png", rate=25)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "rgb24"
            for index in range(4):
                packet = av.Packet(png(index))
                packet.stream, packet.time_base = stream, Fraction(1, 25)
                packet.pts = packet.dts = index
                packet.is_keyframe = True
                out.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "seen"),
    [("photo.mp4", "1 96 64 0"), ("turned.mp4", "1 64 96 90"), ("clip.mov", "4 96 64 0"),
     ("clip.apng", "4 96 64 0")],
)  # fmt: skip
def test_png_with_a_profile_is_read_like_any_other_clip(name: str, seen: str, tmp_path: Path) -> None:
    path = clip_of_png(tmp_path, name)
    ran = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, seen), ran.stderr


@pytest.mark.parametrize(("matrix", "mirrored"), [((1, 0, 0, 1), False), ((-1, 0, 0, 1), True)])
def test_a_mirroring_beside_a_profile_is_still_seen(
    matrix: tuple[int, ...], mirrored: bool, tmp_path: Path, make_clip: MakeClip
) -> None:
    path = clip_of_png(tmp_path, "clip.mov")
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    a, b, c, d = (value << 16 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    save = READ + "import numpy; numpy.save(sys.argv[2], frames[0].image)"
    ran = subprocess.run([sys.executable, "-c", save, str(path), str(tmp_path / "seen.npy")], check=False)
    assert ran.returncode == 0
    expected = moving_picture(96, 64, 0)
    np.testing.assert_array_equal(np.load(tmp_path / "seen.npy"), expected[:, ::-1] if mirrored else expected)
