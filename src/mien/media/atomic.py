"""Files that appear whole or not at all, alone or together: written beside the target, renamed when complete."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from mien.errors import OutputError
from mien.media.memory import MemoryFile, Source

_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_REFUSED = {*_FULL, errno.EFBIG, errno.EROFS, errno.EISDIR}
"""What only writing can end with."""
_STEM: Final = 52
"""Letters of a file's name that its temporary name repeats: names have a limit."""


class Outputs:
    """Files that belong together. As a context manager: all of them appear under their names when the block ends well;
    after an error or Ctrl-C none does, and older files of these names are as they were.

    `atomic_path(..., outputs=...)` adds a file.
    """

    def __init__(self) -> None:
        self._ready: list[tuple[Path, Path]] = []
        """Complete files and the names they will have."""
        self._temporary: list[Path] = []

    def __enter__(self) -> Outputs:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if kind is None:
                self._appear()
        finally:
            for part in self._temporary:
                with suppress(OSError):
                    part.unlink(missing_ok=True)

    @contextmanager
    def _file(self, target: Path | str, *inputs: Source | str) -> Iterator[Path]:
        final = check_target(target, *inputs)
        if any(final == other for _, other in self._ready):
            raise OutputError(f"{target} would be written twice in one run. Give another name.")
        part = _beside(final)
        self._temporary.append(part)
        try:
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except OSError as error:
            raise _output_error(error, target) from error
        try:
            yield part
        except OSError as error:
            if error.errno in _REFUSED or error.filename == str(part):
                raise _output_error(error, target) from error
            raise
        self._ready.append((part, final))

    def _appear(self) -> None:
        replaced: list[tuple[Path, Path | None]] = []
        """Names that are taken, and where the older file lies meanwhile."""
        try:
            for number, (part, final) in enumerate(self._ready, start=1):
                last = number == len(self._ready)  # after it nothing can fail
                older = None if last else _set_aside(final)
                if older is not None:
                    replaced.append((final, older))
                part.replace(final)
                if older is None:
                    replaced.append((final, None))
        except BaseException as error:
            for name, older in reversed(replaced):
                with suppress(OSError):
                    _restore(name, older)
            if isinstance(error, OSError):
                raise _output_error(error, final) from error
            raise
        self._temporary += [older for _, older in replaced if older is not None]


@contextmanager
def atomic_path(target: Path | str, *inputs: Source | str, outputs: Outputs | None = None) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` when the block ends well, remove it otherwise. One
    of several `outputs` is renamed together with the others.

    The temporary name keeps the target's suffix, so that libraries which choose a format by name still can.
    Raises OutputError where nothing can be written there, where the disk is full, and where `target` is one of
    `inputs` under any name (link or symlink).
    """
    if outputs is None:
        with Outputs() as alone, alone._file(target, *inputs) as part:
            yield part
    else:
        with outputs._file(target, *inputs) as part:
            yield part


def check_target(target: Path | str, *inputs: Source | str) -> Path:
    """The name in its real folder of a file that may be written. Raises OutputError if it is a folder, a device, an
    input, or a link: what a link leads to would be replaced under a name that nobody has given."""
    final = final_name(target)
    try:
        final.exists()
    except OSError as error:  # a folder that may not be looked into, a name too long
        raise _output_error(error, target) from error
    if final.is_dir():
        raise OutputError(f"{target} is a folder. Give the name of a file in it.")
    if final.exists():
        if not final.is_file():
            raise OutputError(f"{target} is not an ordinary file, so it cannot be replaced. Give another name.")
        if any(_is(final, Path(source)) for source in inputs if not isinstance(source, MemoryFile)):
            raise OutputError(f"{target} is the input itself: writing there would destroy it. Give another name.")
    if final.is_symlink():
        raise OutputError(f"{target} is a link, and mien writes through none. Remove it or give another name.")
    return final


def final_name(target: Path | str) -> Path:
    """The same name in its real folder: links to folders are followed, one at the name itself is not. Raises
    OutputError where it can be no file's name."""
    target = Path(target)
    if target.name in ("", ".."):
        raise OutputError(f"{str(target)!r} is a folder. Give the name of a file in it.")
    try:
        return Path(os.path.realpath(target.parent)) / target.name
    except FileNotFoundError as error:  # of the working folder
        raise OutputError(
            f"{target} cannot be written: the folder you are in has been removed. Change to another one."
        ) from error


def _is(file: Path, source: Path) -> bool:
    """Whether they are one file under any name: a link, a symlink, other capitals where these do not count."""
    with suppress(OSError):  # no such source, or none that may be looked at
        return file.samefile(source)
    return False


def remove_unfinished(target: Path, pid: int) -> None:
    """Remove the temporary files that a process which crashed, or was killed, left for `target`; those of files that
    begin with the same name too, tables and reports."""
    start, mark = f".{target.stem[:_STEM]}", f".{pid:x}-"
    with suppress(OSError):
        for path in target.parent.iterdir():
            if path.name.startswith(start) and mark in path.name and ".part" in path.name:
                with suppress(OSError):
                    path.unlink()


def _beside(final: Path, kind: str = "part") -> Path:
    """A new temporary name in the same folder. It says which process it belongs to."""
    return final.with_name(f".{final.stem[:_STEM]}.{os.getpid():x}-{secrets.token_hex(4)}.{kind}{final.suffix}")


def _set_aside(final: Path) -> Path | None:
    """Give the older file of that name another one, under which it is kept; None where there is none."""
    if not final.is_file():
        return None
    older = _beside(final, "older")
    try:
        os.link(final, older)  # with two names, so that the first is never without a file
    except OSError:  # not every file system has links
        final.replace(older)
    return older


def _restore(final: Path, older: Path | None) -> None:
    """Undo what took the name `final`."""
    if older is None:
        final.unlink()
    else:
        older.replace(final)
        older.unlink(missing_ok=True)  # where both names are still one file, POSIX leaves them


def _output_error(error: OSError, target: Path | str) -> OutputError:
    folder = Path(target).absolute().parent
    if error.errno in _FULL:
        return OutputError(f"The disk is full: {target} could not be written. Free some space or write elsewhere.")
    if error.errno == errno.EFBIG:
        return OutputError(
            f"{target} could not be written: it is too large for this disk, or for a limit on files (ulimit -f). Write "
            "elsewhere, or raise the limit."
        )
    if isinstance(error, FileNotFoundError):
        if folder.is_dir():  # /proc is one
            return OutputError(f"{target} cannot be written: no files can be made in {folder}. Choose another folder.")
        return OutputError(f"The folder {folder} does not exist. Create it first or write elsewhere.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return OutputError(f"{target} cannot be written: no permission there. Choose a folder of your own.")
    return OutputError(f"{target} cannot be written: {error.strerror or error}. Choose another name or folder.")
