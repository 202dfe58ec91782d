"""`anonymize_many`: many clips with one call, each in a process of its own, those that are done skipped.

It raises MienError for what concerns all clips, mostly before anything is done. What is wrong with one clip is in its
row.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from mien.batch.outcome import Batch
from mien.errors import InputError, OutputError
from mien.options import AnonymizingMany, takes

JOBS: Final = range(1, 257)


@takes(AnonymizingMany)
def anonymize_many(
    clips: Annotated[
        Sequence[str | Path], "The video. Or several, or folders: all videos in them and in the folders in them."
    ],
    options: AnonymizingMany,
) -> Batch:
    """Give everybody in a clip, or in many clips, another face and keep what their own expresses."""
    from mien import api
    from mien.avatar import library
    from mien.batch.clips import find_clips
    from mien.batch.machine import usual_jobs
    from mien.batch.work import Work

    check_jobs(options.jobs)
    api.check_values(options)
    output = None if options.output is None else _as_folder(Path(options.output))
    avatar = library.find(options.avatar)
    api.find_engine(options.engine, avatar)
    found, passed_over = find_clips(clips, output, api.side_file_ends(options))
    if output is not None:
        _make(output)
    work = Work(found, options, avatar, jobs=options.jobs or usual_jobs())
    work.run()
    return work.batch(passed_over)


def check_jobs(jobs: int | None) -> None:
    """Raises InputError unless so many clips can be worked on at a time."""
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs not in JOBS):
        raise InputError(f"{jobs} jobs are not possible. Choose from {JOBS[0]} to {JOBS[-1]}, or leave it out.")


def _as_folder(output: Path) -> Path:
    """The same. Raises OutputError where it is, or is meant to be, a file."""
    from mien.api import VIDEO

    if output.is_dir():
        return output
    if os.path.lexists(output):
        raise OutputError(f"{output} is a file, and several clips need a folder. Give another name with -o.")
    if output.suffix.lower() in VIDEO:
        raise OutputError(f"{output} is a video's name, and several clips need a folder. Give a folder with -o.")
    return output


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made ({error.strerror or error}). Give another one with -o."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"Nothing can be written in {folder}: you have no permission. Give another folder with -o.")
