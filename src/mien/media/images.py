"""Pictures in and out: RGBA whatever the file holds, upright, and never decoded before its claimed size is checked."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from mien.errors import InputError, OutputError
from mien.media.atomic import atomic_path
from mien.media.memory import MemoryFile, Source
from mien.media.plain_file import open_plain
from mien.media.quiet import quiet_stderr
from mien.media.readable import check_readable
from mien.media.synthetic import PICTURE_NOTE
from mien.types import Picture

FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
"""What is opened at all: Pillow's other plug-ins are out of a stranger's reach (one of them starts Ghostscript)."""
MAX_PIXELS: Final = 64_000_000
"""Pictures that claim more are refused from their header: 5 KB of JPEG can claim 30000×30000 and cost gigabytes."""
MAX_BYTES: Final = 640 << 20
"""Of a picture's file: 64 million pixels of four channels of 16 bits, not compressed, and some room."""
_QUICK: Final = 4
"""Of PNG's levels from 0 to 9: half the time of Pillow's own choice, a few per cent larger."""
_SUFFIXES: Final = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def read_image(source: Source | str, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture as (H, W, 4) uint8 RGBA in sRGB, not premultiplied, EXIF orientation applied.

    Grey, palette, CMYK and 16-bit pictures are converted; of an animation, the first picture. Raises InputError.
    """
    source = Path(source) if isinstance(source, str) else source
    with _opened(source, max_pixels) as image, quiet_stderr() if image.format == "TIFF" else nullcontext():
        return _rgba(image)


def check_image(source: Source) -> None:
    """Raises InputError unless this can be read and begins as a picture does. Its pixels are not looked at."""
    with _opened(source, MAX_PIXELS):
        pass


def whole_file(path: Path) -> MemoryFile:
    """A picture's file as it is, in memory. Raises InputError for what is no ordinary file, or too large for a
    picture."""
    with _file(path) as file:
        return MemoryFile(path.name, file.read(MAX_BYTES))


def write_image(path: Path | str, picture: Picture) -> None:
    """Write (H, W, 3 or 4) uint8 RGB(A) as PNG, JPEG or WebP by the name's ending, whole or not at all.

    The file carries no metadata but a line that marks it as synthetic. JPEG has no alpha: it is laid on white.
    Raises OutputError.
    """
    kind = _SUFFIXES.get(Path(path).suffix.lower())
    if kind is None:
        raise OutputError(f"{path}: pictures are written as {', '.join(_SUFFIXES)}. Choose one of these endings.")
    image = Image.fromarray(picture)
    with atomic_path(path) as part:
        if kind == "PNG":
            note = PngImagePlugin.PngInfo()
            note.add_text("Description", PICTURE_NOTE)
            image.save(part, kind, pnginfo=note)
        elif kind == "JPEG":
            if image.mode == "RGBA":
                flat = Image.new("RGB", image.size, "white")
                flat.paste(image, mask=image.getchannel("A"))
                image = flat
            image.save(part, kind, quality=92, comment=PICTURE_NOTE)
        else:
            exif = Image.Exif()
            exif[0x010E] = PICTURE_NOTE  # ImageDescription
            image.save(part, kind, quality=92, exif=exif)


def png(picture: Picture) -> bytes:
    """(H, W, 3 or 4) uint8 RGB(A) as a PNG file without a word beside the picture."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", compress_level=_QUICK)
    return file.getvalue()


@contextmanager
def _opened(source: Source, max_pixels: int) -> Iterator[Image.Image]:
    """A picture whose header has been read. Raises InputError for whatever goes wrong with it, in the block too."""
    with _file(source) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
                image = Image.open(file, formats=FORMATS)
            with image:
                width, height = image.size
                if width * height > max_pixels:
                    raise _too_large(source, f"{width}×{height}", max_pixels)
                yield image
        except Image.DecompressionBombError as error:
            raise _too_large(source, "an enormous number of", max_pixels) from error
        except UnidentifiedImageError as error:
            raise InputError(
                f"{source} is not a picture that can be read here ({', '.join(FORMATS)}). Save it as PNG or JPEG first."
            ) from error
        except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises on damaged files
            raise InputError(f"{source} is damaged or cut off ({error}). Copy or save it again.") from error


def _file(source: Source) -> BinaryIO:
    """The source opened for reading. Raises InputError where it is missing, unreadable or no ordinary file."""
    check_readable(source, what="picture")
    if isinstance(source, MemoryFile):
        return source.open("rb")
    try:
        return open_plain(source, limit=MAX_BYTES)
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror or error}). Give another picture.") from error


def _rgba(image: Image.Image) -> Picture:
    profile = image.info.get("icc_profile")
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":  # 16- or 32-bit grey; Pillow's own conversion would clip it
        deep = np.asarray(image, dtype=np.float64)
        if image.mode != "F":
            deep = deep / 257
        image = Image.fromarray(np.clip(np.rint(deep), 0, 255).astype(np.uint8))
        profile = None
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        image = _to_srgb(image, profile)
    return np.array(image.convert("RGBA"))


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Colours of a wide-gamut phone or a printer's CMYK as a screen shows them; unchanged if the profile is broken."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha is not None else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _too_large(source: Source, claim: str, limit: int) -> InputError:
    return InputError(
        f"{source} claims {claim} pixels; the limit is {limit // 1_000_000} million. Scale it down first."
    )
