"""Which clips a batch consists of, and what each of them becomes. Files are looked at from outside: none is decoded."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from mien.api import ANONYMOUS, anonymous_name
from mien.errors import InputError, MienError, OutputError
from mien.media.atomic import final_name
from mien.media.readable import check_readable
from mien.media.synthetic import is_ours

SUFFIXES: Final = (
    ".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".wmv", ".asf", ".flv", ".mpg", ".mpeg",
    ".mpe", ".m2v", ".ts", ".m2ts", ".mts", ".mod", ".tod", ".vob", ".ogv", ".mxf", ".nut", ".dv", ".rm", ".rmvb",
    ".wtv", ".y4m", ".mjpg", ".mjpeg", ".h264", ".264", ".hevc", ".h265", ".265", ".av1", ".obu", ".ivf",
)  # fmt: skip
"""Names of files in a folder that are taken for clips. A file that is given by itself needs no such name."""
Why = Literal["hidden", "link", "made by mien", "not a file", "not a video by its name"]


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip and the video to make of it."""

    path: Path
    target: Path
    size: int
    """Bytes: how much work it is, as well as that is known before it is opened."""
    trouble: MienError | None = None
    """Why it cannot be worked on, where that is known already."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something in a folder that is not worked on."""

    path: Path
    why: Why


def is_single(clips: Sequence[Path | str]) -> bool:
    """Whether these are one clip alone, for which no batch is needed."""
    return len(clips) == 1 and not os.path.isdir(clips[0])  # noqa: PTH112  Path.is_dir raises where one may not look


def find_clips(
    given: Sequence[Path | str], output: Path | None, extra: Sequence[str] = ()
) -> tuple[list[Clip], list[PassedOver]]:
    """The clips among files and in folders, each once and in the order given, those of a folder by name.

    Folders are read with all that is in them, but for `output`; links in them are not followed. `extra`: how the names
    of tables and reports beside a video end. Raises InputError where there is no clip at all, OutputError where two
    clips would become one file or a clip would be replaced.
    """
    clips: list[Clip] = []
    passed_over: list[PassedOver] = []
    for each in given:
        if str(each) == "":
            raise InputError("An empty name is no clip. Give files or folders; '.' is the folder that you are in.")
        path = Path(each)
        if not os.path.isdir(path):  # noqa: PTH112
            clips.append(_clip(path, _beside(path, path.parent if output is None else output)))
            continue
        if path.resolve() == Path(path.resolve().anchor):
            raise InputError(f"{path} is a whole disk. Give a folder in it.")
        for found in _walk(path, output):
            if isinstance(found, PassedOver):
                passed_over.append(found)
            else:
                folder = found.path.parent if output is None else output / found.path.parent.relative_to(path)
                clips.append(Clip(found.path, _beside(found.path, folder), found.size, found.trouble))
    clips = _once(clips)
    if not clips:
        raise InputError(_nothing(given, passed_over))
    _check_targets(clips, extra)
    return clips, passed_over


def _clip(path: Path, target: Path) -> Clip:
    try:
        check_readable(path, what="video")
        return Clip(path, target, path.stat().st_size)
    except InputError as error:
        return Clip(path, target, 0, error)
    except OSError:  # gone in between
        return Clip(path, target, 0, InputError(f"There is no file {path} any more."))


def _walk(folder: Path, output: Path | None) -> Iterator[Clip | PassedOver]:
    """What is in a folder, by name, and in the folders in it. A folder that may not be read is a clip with trouble."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        why = InputError(f"The folder {folder} cannot be read ({error.strerror or error}). Change its permissions.")
        yield Clip(folder, folder, 0, why)
        return
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            yield PassedOver(path, "hidden")
        elif entry.is_symlink():
            yield PassedOver(path, "link")
        elif entry.is_dir():
            if output is None or not _same(path, output):
                yield from _walk(path, output)
        elif not entry.is_file():
            yield PassedOver(path, "not a file")
        elif path.suffix.lower() not in SUFFIXES:
            yield PassedOver(path, "not a video by its name")
        elif path.stem.endswith(ANONYMOUS) or is_ours(path):
            yield PassedOver(path, "made by mien")
        else:
            yield _clip(path, path)


def _beside(clip: Path, folder: Path) -> Path:
    """The video made of a clip, in that folder."""
    return folder / anonymous_name(clip.name)


def _once(clips: list[Clip]) -> list[Clip]:
    """The same without clips that were given before, under any spelling."""
    first: dict[str, Clip] = {}
    for clip in clips:
        first.setdefault(str(clip.path) if clip.trouble else os.path.realpath(clip.path), clip)
    return list(first.values())


def _check_targets(clips: list[Clip], extra: Sequence[str]) -> None:
    clips = [clip for clip in clips if not clip.trouble]
    taken: dict[str, Clip] = {}
    read = {_spelled(clip.path): clip for clip in clips}
    files = {number for clip in clips if (number := _number(clip.path))}
    for clip in clips:
        other = taken.setdefault(_spelled(clip.target), clip)
        if other is not clip:
            raise OutputError(
                f"{other.path} and {clip.path} would both become {clip.target}. Rename one of them, give the folder "
                "above both of them, or run twice with another -o. Nothing was done."
            )
        targets = [clip.target, *(clip.target.with_name(clip.target.stem + end) for end in extra)]
        for target in targets:
            if _spelled(target) in read or _number(target) in files:
                raise OutputError(
                    f"{target} is one of the clips: writing the result of {clip.path} there would destroy it. Leave "
                    "it out, or give another folder with -o. Nothing was done."
                )


def _spelled(path: Path) -> str:
    """The same for names that some file systems take for one."""
    return unicodedata.normalize("NFC", str(final_name(path))).casefold()


def _number(path: Path) -> tuple[int, int] | None:
    """How the system tells a file from others under any name; None where there is none."""
    with suppress(OSError):
        info = path.stat()
        return info.st_dev, info.st_ino
    return None


def _same(path: Path, other: Path) -> bool:
    with suppress(OSError):
        return path.samefile(other)
    return False


def _nothing(given: Sequence[Path | str], passed_over: list[PassedOver]) -> str:
    where = ", ".join(str(each) for each in given[:3]) + ("…" if len(given) > 3 else "")
    return (
        f"There is no clip in {where}{described(passed_over, ' (passed over: {})')}. Give a folder with videos in it."
    )


def described(passed_over: Sequence[PassedOver], form: str) -> str:
    """How many were passed over for which reason, put into `form`; empty where there was none."""
    kinds: dict[str, int] = {}
    for each in passed_over:
        kinds[each.why] = kinds.get(each.why, 0) + 1
    return form.format(", ".join(f"{number} {why}" for why, number in sorted(kinds.items()))) if kinds else ""
