"""What a batch did, clip by clip, and how far one is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mien.batch.clips import PassedOver
from mien.pipeline import Progress

State = Literal["done", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is in a clip and its video, in numbers."""

    frames: int
    clip_seconds: float
    """Length of the clip."""
    coverage: float
    """Share of the frames in which a face was seen, 0 to 1."""
    people: int
    cards: int
    veiled: int


@dataclass(frozen=True, slots=True)
class Row:
    """One clip of a batch."""

    clip: Path
    output: Path
    state: State
    """"skipped": it was done and whole before."""
    files: tuple[Path, ...] = ()
    """Tables and reports beside the output."""
    seen: Seen | None = None
    """None where it failed."""
    seconds: float = 0.0
    """What the run took; 0 where there was none."""
    again: str = ""
    """Why a clip that had been done before was done again."""
    warnings: tuple[str, ...] = ()
    error: str | None = None
    exit_code: int = 0

    @property
    def fps(self) -> float:
        """Frames per second of work."""
        return self.seen.frames / self.seconds if self.seen and self.seconds else 0.0

    @property
    def speed(self) -> float:
        """Seconds of clip per second of work."""
        return self.seen.clip_seconds / self.seconds if self.seen and self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        seen = asdict(self.seen) if self.seen else dict.fromkeys(Seen.__dataclass_fields__)
        return {
            "clip": str(self.clip), "output": str(self.output), "state": self.state,
            "files": [str(file) for file in self.files],
            **seen, "seconds": round(self.seconds, 4), "fps": round(self.fps, 4), "speed": round(self.speed, 4),
            "again": self.again or None, "warnings": list(self.warnings), "error": self.error,
            "exit_code": self.exit_code,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch did."""

    rows: tuple[Row, ...]
    """In the order of the clips."""
    passed_over: tuple[PassedOver, ...]
    jobs: int
    """How many clips were worked on at a time."""
    seconds: float
    """What all of it took."""
    warnings: tuple[str, ...]
    """Those that concern every clip."""

    def count(self, state: State) -> int:
        """How many clips ended so."""
        return sum(row.state == state for row in self.rows)

    @property
    def exit_code(self) -> int:
        """That of the first clip that failed; 0 where none did."""
        return next((row.exit_code for row in self.rows if row.exit_code), 0)

    @property
    def frames(self) -> int:
        """Of the clips that were worked on now."""
        return sum(seen.frames for seen in self._worked)

    @property
    def clip_seconds(self) -> float:
        """Length of the clips that were worked on now."""
        return sum(seen.clip_seconds for seen in self._worked)

    @property
    def fps(self) -> float:
        """Frames per second of all jobs together."""
        return self.frames / self.seconds if self.seconds else 0.0

    @property
    def speed(self) -> float:
        """Seconds of clip per second of all jobs together."""
        return self.clip_seconds / self.seconds if self.seconds else 0.0

    @property
    def _worked(self) -> list[Seen]:
        return [row.seen for row in self.rows if row.state == "done" and row.seen]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "clips": [row.to_dict() for row in self.rows],
            "passed_over": [{"path": str(each.path), "why": each.why} for each in self.passed_over],
            "done": self.count("done"), "skipped": self.count("skipped"), "failed": self.count("failed"),
            "jobs": self.jobs, "frames": self.frames, "clip_seconds": round(self.clip_seconds, 4),
            "seconds": round(self.seconds, 4), "fps": round(self.fps, 4), "speed": round(self.speed, 4),
            "warnings": list(self.warnings), "exit_code": self.exit_code,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchProgress(Progress):
    """How far a batch is: `frames`, `seconds` and `time` are of all clips together."""

    clips: int
    rows: tuple[Row, ...]
    """Of the clips that are through, in the order in which they ended."""
    running: tuple[Path, ...]
    """Clips that are worked on now."""
    share: float
    """How much of the work is done, 0 to 1, as the sizes of the files say."""
    worked: float
    """The same without the clips that needed no work."""

    @property
    def seconds_left(self) -> float | None:
        """As the work so far lets expect; None where there was none yet."""
        return self.seconds * (1 - self.share) / self.worked if self.worked > 0 else None
