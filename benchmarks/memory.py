"""How much memory a run takes at most, on a short clip and on a long one."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from benchmarks.material import PUPPET, Material
from benchmarks.table import Table

SHORT, LONG = 10, 600
"""Seconds."""
MORE = 60
"""MB that the long clip may take more."""
_JOB = """
import sys
import mien
clip, out, avatar = sys.argv[1:]
done = mien.anonymize(clip, avatar=avatar, output=out, size=128)
print(done.frames, peak())
"""
_PEAK = """
def peak():
    try:  # resource's figure begins with what the parent process had
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        import resource, sys
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1024)
"""


def memory(material: Material, *, every_frame: bool) -> Table:
    """Peak memory of `anonymize` in a process of its own."""
    pace = "at its own pace" if every_frame else "at a third of its pace, to save time"
    table = Table(
        "Memory",
        ("clip", "frames", "puppet, MB", "mesh, MB"),
        note=f"Peak resident memory. {material.square.stem} played again and again {pace}. Target: {MORE} MB more.",
    )
    with TemporaryDirectory() as folder:
        peaks: list[list[float]] = []
        for seconds in (SHORT, LONG):
            clip = Path(folder) / f"{seconds}.mp4"
            repeat(material.square, clip, seconds=seconds, slower=1 if every_frame else 3)
            runs = [_run(clip, Path(folder) / "out.mp4", avatar) for avatar in (PUPPET, str(material.picture))]
            peaks.append([peak for _, peak in runs])
            table.add(f"{seconds} s", runs[0][0], *(f"{peak:.0f}" for peak in peaks[-1]))
        table.add("difference", "", *(f"{long - short:+.0f}" for short, long in zip(*peaks, strict=True)))
    return table


def repeat(clip: Path, path: Path, *, seconds: float, slower: int = 1) -> None:
    """A clip's pictures over and over for so long, copied without decoding, without sound."""
    with av.open(str(path), "w") as target:
        stream, start, last = None, 0, -1
        while stream is None or start * stream.time_base < seconds:
            with av.open(str(clip)) as source:
                pictures = source.streams.video[0]
                if stream is None:
                    stream = target.add_stream_from_template(pictures)
                    stream.time_base = pictures.time_base
                step = round(1 / (Fraction(pictures.average_rate or 25) * Fraction(pictures.time_base or 1))) * slower
                for packet in source.demux(pictures):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = start + packet.pts * slower, start + packet.dts * slower
                    packet.duration, packet.stream = step, stream
                    if packet.pts * stream.time_base >= seconds:
                        continue
                    if packet.dts <= last:
                        packet.dts = last + 1
                    last = packet.dts
                    target.mux(packet)
                start += (pictures.frames or 1) * step


def _run(clip: Path, out: Path, avatar: str) -> tuple[int, float]:
    """Frames, and the peak in MB, of one run."""
    command = [sys.executable, "-c", _PEAK + _JOB, str(clip), str(out), avatar]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(answer[0]), float(answer[1])
