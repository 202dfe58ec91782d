"""Damaged clips by the thousand: `python -m benchmarks.fuzz_clips [--count 2000] [--seed 1] [--jobs 2]`.

Small clips of every common kind are made, mutated (bits, bytes, chunks, lengths) and read and written again as `mien
anonymize` and `mien read` do. Every mutation must end in a result or in an InputError, within a time limit. The work is
done in processes of their own, so that a crash or a hang is an outcome like any other and the run goes on.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.small_clips import originals
from mien import models
from mien.api import anonymize, read
from mien.errors import MienError
from mien.media.memory import MemoryFile
from mien.media.reader import VideoReader
from mien.media.writer import VideoWriter

GOOD: Final = ("done", "InputError")
"""How a mutation may end."""
LIMIT: Final = 60.0
"""Seconds that one clip may take; ordinary ones take some milliseconds."""
_MEMORY: Final = 6 << 30
"""Bytes of address space that a worker may take. What a clip of 64×48 pixels needs beyond that is a bomb."""
_NASTY: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, 1 << 63)
_LANDMARKS: Final = re.compile(
    rb"ftyp|moov|mvhd|trak|tkhd|edts|elst|mdia|mdhd|hdlr|minf|dinf|dref|stbl|stsd|avc1|mp4a|esds|stts|ctts|stsc|stsz|"
    rb"stco|stss|mdat|moof|traf|tfhd|trun|RIFF|LIST|avih|strh|strf|idx1|movi|\x1a\x45\xdf\xa3|\x18\x53\x80\x67|"
    rb"OggS|FLV|\x7fFSSE|\x16\x54\xae\x6b|\x1f\x43\xb6\x75|\x1c\x53\xbb\x6b|\x2a\xd7\xb1|\x00\x00\x01|GIF89a|\x21\xf9|IHDR|iCCP|acTL|fcTL"
)
"""Where headers lie."""


def mutation(number: int, seed: int, clips: dict[str, bytes]) -> tuple[str, bytes]:
    """A damaged clip and its name; the same for the same numbers."""
    rng = random.Random(f"{seed}/{number}")
    name = rng.choice(sorted(clips))
    data = bytearray(clips[name])
    other = clips[rng.choice(sorted(clips))]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        rng.choice(_MUTATIONS)(data, rng, other)
    if rng.random() < 0.1:
        name = Path(name).stem + Path(rng.choice(sorted(clips))).suffix
    return name, bytes(data)


def _place(data: bytearray, rng: random.Random) -> int:
    """A position, in headers more often than not."""
    if rng.random() < 0.7 and (marks := [mark.start() for mark in _LANDMARKS.finditer(data)]):
        return min(len(data) - 1, max(0, rng.choice(marks) + rng.randrange(-4, 48)))
    return rng.randrange(max(1, min(len(data), rng.choice((64, 1024, 1 << 30)))))


def _flip(data: bytearray, rng: random.Random, other: bytes) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        if data:
            data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random, other: bytes) -> None:
    if data:
        data[_place(data, rng)] = rng.randrange(256)


def _extreme(data: bytearray, rng: random.Random, other: bytes) -> None:
    if data:
        at, size = _place(data, rng), rng.choice((1, 2, 4, 4, 8))
        value = rng.choice([value for value in _NASTY if value < 1 << 8 * size])
        data[at : at + size] = value.to_bytes(size, rng.choice(("big", "little")))


def _noise(data: bytearray, rng: random.Random, other: bytes) -> None:
    at, size = _place(data, rng), rng.choice((4, 64, 1024))
    data[at : at + size] = rng.randbytes(min(size, len(data) - at))


def _cut(data: bytearray, rng: random.Random, other: bytes) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 4, 100, 1000))]


def _insert(data: bytearray, rng: random.Random, other: bytes) -> None:
    at = _place(data, rng)
    data[at:at] = rng.randbytes(rng.choice((1, 4, 100)))


def _swap(data: bytearray, rng: random.Random, other: bytes) -> None:
    size = rng.choice((4, 8, 64, 512))
    one, two = sorted((_place(data, rng), _place(data, rng)))
    if two - one >= size:
        first, second = data[one : one + size], data[two : two + size]
        data[two : two + size], data[one : one + size] = first, second


def _repeat(data: bytearray, rng: random.Random, other: bytes) -> None:
    at, size = _place(data, rng), rng.choice((8, 100, 2000))
    data[at:at] = data[at : at + size]


def _splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    data[_place(data, rng) :] = other[rng.randrange(len(other)) :]


_MUTATIONS: Final[Sequence[Callable[[bytearray, random.Random, bytes], None]]] = (
    _flip, _flip, _set, _set, _extreme, _extreme, _noise, _cut, _remove, _insert, _swap, _repeat, _splice,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ended:
    """How one mutation ended."""

    number: int
    name: str
    outcome: str
    """"done", the class of an error, "crash 11" or "hang"."""
    said: str
    seconds: float


def outcomes(count: int, *, seed: int, jobs: int = 1, first: int = 0) -> Iterator[Ended]:
    """Runs that many mutations, `jobs` of them at a time."""
    share = -(-count // jobs)
    parts = [range(start, min(start + share, first + count)) for start in range(first, first + count, share)]
    with ThreadPoolExecutor(jobs) as pool:
        for ended in pool.map(lambda numbers: list(_watched(numbers, seed)), parts):
            yield from ended


def _watched(numbers: range, seed: int) -> Iterator[Ended]:
    """The outcomes of one worker after another: each goes on behind the clip that ended the one before."""
    at = numbers.start
    while at < numbers.stop:
        command = [sys.executable, "-m", "benchmarks.fuzz_clips", "--work", f"{at}:{numbers.stop}", "--seed", str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdout is not None
            hung = threading.Event()

            def end(process: subprocess.Popen[str] = process, hung: threading.Event = hung) -> None:
                hung.set()
                process.kill()

            name, began = "", time.perf_counter()
            alarm = threading.Timer(2 * LIMIT, end)
            alarm.start()
            for line in process.stdout:
                alarm.cancel()
                kind, _, rest = line.rstrip("\n").partition("\t")
                if kind == "begin":
                    name, began = rest, time.perf_counter()
                    alarm = threading.Timer(LIMIT, end)
                    alarm.start()
                else:
                    yield Ended(at, name, kind, rest, time.perf_counter() - began)
                    at += 1
            alarm.cancel()
            process.wait()
            if at < numbers.stop:
                if not name:
                    raise RuntimeError(f"the worker does not start: {' '.join(command)}")
                outcome = "hang" if hung.is_set() else f"crash {-(process.returncode or 0)}"
                yield Ended(at, name, outcome, "", time.perf_counter() - began)
                at += 1


def _work(first: int, last: int, seed: int) -> None:
    """The worker: says what it begins and how it ended, line by line."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    clips = originals()
    with TemporaryDirectory() as folder:
        for number in range(first, last):
            name, data = mutation(number, seed, clips)
            print(f"begin\t{name}", flush=True)
            try:
                drive(number, name, data, Path(folder))
            except MienError as error:
                print(f"{type(error).__name__}\t{' '.join(str(error).split())}", flush=True)
            except BaseException as error:
                print(f"{type(error).__name__}\t{' '.join(repr(error).split())}", flush=True)
                if os.environ.get("MIEN_DEBUG"):
                    raise
            else:
                print("done\t", flush=True)
            left = [path.name for path in Path(folder).iterdir() if path.name.startswith(".")]
            assert not left, left


def drive(number: int, name: str, data: bytes, folder: Path) -> None:
    """What `mien anonymize` and `mien read` do with a clip: from disk and from memory in turns, most of them without
    looking for faces, which takes longer than all the rest."""
    path, out = folder / f"in-{name}", folder / "out.mp4"
    path.write_bytes(data)
    source = MemoryFile(name, data) if number % 2 else path
    try:
        if number % 10 == 3 and _sees():
            read(source, output=folder / "out", csv=True, summary=True, report=True)
        elif number % 10 == 6 and _sees():
            anonymize(source, output=out, size=64, report=True, csv=True)
        else:
            with VideoReader(source) as clip, VideoWriter.like(clip, out, preset="ultrafast") as writer:
                for frame in clip:
                    writer.write(frame.image, frame.pts)
    finally:
        path.unlink()


def _sees() -> bool:
    return models.available("face-landmarker") or models.available("face-mesh-lite")


def main() -> None:
    """Run and print the outcomes by class; exit code 1 where one is neither a result nor an InputError."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--first", type=int, default=0, help="number of the first mutation")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--work", help=argparse.SUPPRESS)
    options.add_argument("--keep", type=Path, help="folder for the clips that ended badly")
    given = options.parse_args()
    if given.work:
        first, last = map(int, given.work.split(":"))
        return _work(first, last, given.seed)
    began = time.perf_counter()
    ended = list(outcomes(given.count, seed=given.seed, jobs=given.jobs, first=given.first))
    for outcome, count in Counter(end.outcome for end in ended).most_common():
        print(f"{count:6} {outcome}")
    slowest = max(ended, key=lambda end: end.seconds)
    print(f"{len(ended)} mutations in {time.perf_counter() - began:.0f} s; the slowest took {slowest.seconds:.1f} s "
          f"({slowest.number}, {slowest.name})")  # fmt: skip
    bad = [end for end in ended if end.outcome not in GOOD]
    for end in bad:
        print(f"{end.number:6} {end.name:14} {end.outcome}: {end.said[:300]}")
        if given.keep:
            given.keep.mkdir(exist_ok=True)
            (given.keep / f"{end.number}-{end.name}").write_bytes(mutation(end.number, given.seed, originals())[1])
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
