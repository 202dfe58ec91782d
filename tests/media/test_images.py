"""Pictures: every kind becomes upright RGBA, bombs are refused from their header, what we write is marked."""

from __future__ import annotations

import struct
import time
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from mien.errors import InputError, OutputError
from mien.media.images import read_image, write_image
from mien.media.memory import MemoryFile


@pytest.fixture
def corner() -> np.ndarray:
    """(40, 60, 3) red at the top left, blue elsewhere: shows every turn and mirroring."""
    picture = np.full((40, 60, 3), (20, 40, 200), np.uint8)
    picture[:20, :20] = (220, 30, 30)
    return picture


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "gif"])
def test_reads_the_usual_formats(tmp_path: Path, corner: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(corner).save(path, quality=95)
    seen = read_image(path)
    assert (seen.shape, seen.dtype) == ((40, 60, 4), np.uint8)
    assert np.abs(seen[5, 5, :3].astype(int) - corner[5, 5]).max() < 12
    assert np.abs(seen[30, 50, :3].astype(int) - corner[30, 50]).max() < 12
    assert (seen[..., 3] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, corner: np.ndarray, orientation: int) -> None:
    """The camera stores the picture so that turning it as EXIF says gives `corner` back."""
    stored = {
        1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: np.rot90(p, 2), 4: lambda p: p[::-1],
        5: lambda p: p.transpose(1, 0, 2), 6: lambda p: np.rot90(p, 1),
        7: lambda p: np.rot90(p, 2).transpose(1, 0, 2), 8: lambda p: np.rot90(p, -1),
    }[orientation](corner)  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "phone.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    assert (read_image(path)[..., :3] == corner).all()


def test_alpha_grey_palette_and_one_pixel(tmp_path: Path) -> None:
    rgba = np.dstack([np.full((8, 8, 3), 90, np.uint8), np.arange(64, dtype=np.uint8).reshape(8, 8)])
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    assert (read_image(tmp_path / "alpha.png") == rgba).all()

    Image.fromarray(np.full((8, 8), 77, np.uint8)).save(tmp_path / "grey.png")
    assert (read_image(tmp_path / "grey.png") == (77, 77, 77, 255)).all()

    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert (read_image(tmp_path / "palette.png") == (10, 200, 30, 255)).all()

    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "one.png")
    assert (read_image(tmp_path / "one.png") == (1, 2, 3, 255)).all()


def test_sixteen_bit_grey_keeps_its_tones(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 256).round().astype(np.uint16)[None].repeat(4, axis=0)
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(deep).save(tmp_path / name)
        assert (read_image(tmp_path / name)[0, :, 0] == np.arange(256)).all()


def test_cmyk_and_wide_gamut_are_brought_to_srgb(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    red = read_image(tmp_path / "print.jpg")[4, 4]
    assert red[0] > 200
    assert red[1:3].max() < 60

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    Image.new("RGBA", (4, 4), (10, 200, 30, 120)).save(tmp_path / "tagged.png", icc_profile=lab.tobytes())
    assert np.abs(read_image(tmp_path / "tagged.png").astype(int) - (10, 200, 30, 120)).max() <= 2
    Image.new("RGB", (4, 4), (10, 200, 30)).save(tmp_path / "broken.png", icc_profile=b"not a profile")
    assert (read_image(tmp_path / "broken.png") == (10, 200, 30, 255)).all()


def _bomb_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _bomb_jpeg(side: int) -> bytes:
    out = BytesIO()
    Image.new("RGB", (16, 16)).save(out, "JPEG")
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.png", _bomb_png(30000, 30000)), ("b.jpg", _bomb_jpeg(30000)), ("c.png", _bomb_png(9000, 9000))],
)
def test_bombs_are_refused_at_once(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    began = time.process_time()
    with pytest.raises(InputError, match="pixels; the limit is 64 million"):
        read_image(path)
    assert time.process_time() - began < 2


def test_what_is_no_picture_gets_one_clear_line(tmp_path: Path, corner: np.ndarray) -> None:
    with pytest.raises(InputError, match="no file"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(InputError, match="is a folder"):
        read_image(tmp_path)
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(InputError, match="not a picture that can be read"):
        read_image(tmp_path / "text.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match="is empty"):
        read_image(tmp_path / "empty.png")
    (tmp_path / "page.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")  # would start Ghostscript
    with pytest.raises(InputError, match="not a picture"):
        read_image(tmp_path / "page.png")
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    for name in ("cut.png", "cut.jpg", "cut.webp"):
        Image.fromarray(noise).save(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="damaged or cut off"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_what_we_write_is_marked_and_reads_back(tmp_path: Path, corner: np.ndarray, suffix: str) -> None:
    rgba = np.dstack([corner, np.full((40, 60), 255, np.uint8)])
    path = tmp_path / f"out.{suffix}"
    write_image(path, rgba)
    assert b"Synthetic picture" in path.read_bytes()
    assert np.abs(read_image(path)[30, 50].astype(int) - rgba[30, 50]).max() < 12
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_writing_refuses_clearly(tmp_path: Path, corner: np.ndarray) -> None:
    with pytest.raises(OutputError, match=r"\.png"):
        write_image(tmp_path / "out.xyz", corner)
    with pytest.raises(OutputError, match="does not exist"):
        write_image(tmp_path / "nowhere" / "out.png", corner)


def test_a_damaged_picture_is_said_to_be_so_by_us_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """libtiff writes to the terminal by itself."""
    file = BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)
    Image.fromarray(noise).save(file, "TIFF", compression="tiff_lzw")
    data = bytearray(file.getvalue())
    for damage in range(20):
        data[60 + 7 * damage : 64 + 7 * damage] = b"\xff\x00\xff\x01"
        with suppress(InputError):
            read_image(MemoryFile("x.tif", bytes(data)))
    assert capfd.readouterr().err == ""
