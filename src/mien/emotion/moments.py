"""Picks the moments of a session that are worth a look: where a face changed most, and where it was out of sight."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from mien.emotion import signal
from mien.emotion.dynamics import Dynamics, Movement
from mien.emotion.signal import Signal
from mien.emotion.timeline import Track
from mien.types import EMOTIONS

ADJECTIVES: Final = ("angry", "disgusted", "fearful", "happy", "sad", "surprised", "neutral")
"""`EMOTIONS` as a face looks."""

MOST: Final = 10
_MOST_ALIKE: Final = 3
"""Of one kind: ten smiles would hide what else happened."""
_SHIFT_WINDOW: Final = 1.5
"""Seconds before and after that are compared to find a change of emotion."""
_SHIFT: Final = 0.35
"""Share of the probability that must move to another class."""
_NAMES: Final = {
    "brow_lowering": ("Brows drawn down", 0.8),
    "lip_corner_depression": ("Lip corners pulled down", 0.9),
    "smile": ("Smile", 1.0),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. Seconds from the start of the clip."""

    time: float
    title: str
    detail: str
    weight: float
    """How much it stands out, 0 to about 1; only for choosing."""


def find(track: Track, dynamics: Dynamics, *, most: int = MOST) -> list[Moment]:
    """The most telling moments, in order of time, never two on top of each other."""
    found = [
        *_movements(dynamics),
        *_shifts(track),
        *_closures(dynamics),
        *_absences(track.time),
        *_liveliest(dynamics),
    ]
    apart = max(1.0, 0.04 * (track.time[-1] - track.time[0])) if len(track.time) else 1.0
    chosen: list[Moment] = []
    for moment in sorted(found, key=lambda m: -m.weight):
        alike = sum(other.title == moment.title for other in chosen)
        free = all(abs(moment.time - other.time) >= apart for other in chosen)
        if free and alike < _MOST_ALIKE and len(chosen) < most:
            chosen.append(moment)
    return sorted(chosen, key=lambda m: m.time)


def _movements(dynamics: Dynamics) -> list[Moment]:
    found = []
    for name, (title, weight) in _NAMES.items():
        movement: Movement = getattr(dynamics, name)
        for e in movement.episodes:
            length = f"{'at least ' if e.cut else ''}{e.duration:.1f} s"
            detail = f"{length}, strongest at {clock(e.apex)}: {e.peak:.2f} above this session's rest (0 to 1)"
            found.append(Moment(e.onset, title, detail, weight * e.peak * min(1.0, 0.5 + e.duration / 4)))
    return found


def _shifts(track: Track) -> list[Moment]:
    """Local maxima of the change between the seconds before and after, e.g. from sad to happy."""
    found: list[Moment] = []
    for part in signal.segments(track.time):
        time, emotions = track.time[part], track.emotions[part].astype(np.float64)
        if time[-1] - time[0] < 2 * _SHIFT_WINDOW or not np.isfinite(emotions).all():
            continue
        before, after = _means(time, emotions, -_SHIFT_WINDOW), _means(time, emotions, _SHIFT_WINDOW)
        moved = np.abs(after - before).sum(1) / 2
        moved[(time < time[0] + _SHIFT_WINDOW / 2) | (time > time[-1] - _SHIFT_WINDOW / 2)] = 0
        while moved.max() >= _SHIFT:
            at = int(moved.argmax())
            lost, won = before[at].argmax(), after[at].argmax()
            if lost != won:
                detail = (
                    f"{EMOTIONS[lost]} {100 * before[at, lost]:.0f} → {100 * after[at, lost]:.0f} %, "
                    f"{EMOTIONS[won]} {100 * before[at, won]:.0f} → {100 * after[at, won]:.0f} %"
                )
                title = f"Looks {ADJECTIVES[won]} rather than {ADJECTIVES[lost]}"
                found.append(Moment(float(time[at]), title, detail, 0.3 + 0.7 * float(moved[at])))
            moved[np.abs(time - time[at]) < _SHIFT_WINDOW] = 0
    return found


def _means(time: Signal, values: Signal, window: float) -> Signal:
    """(N, D) means over the window seconds after each sample (before it, where negative)."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    low = np.searchsorted(time, time + min(window, 0.0))
    high = np.searchsorted(time, time + max(window, 0.0), side="right")
    return np.asarray((sums[high] - sums[low]) / (high - low)[:, None])


def _closures(dynamics: Dynamics) -> list[Moment]:
    return [
        Moment(e.onset, "Eyes closed or cast down", f"{e.duration:.1f} s", min(0.9, 0.2 + e.duration / 6))
        for e in dynamics.closures
    ]


def _absences(time: Signal) -> list[Moment]:
    parts = signal.segments(time)
    gaps = [(time[a.stop - 1], time[b.start]) for a, b in pairwise(parts)]
    return [
        Moment(float(start), "Face out of sight", f"for {end - start:.1f} s", min(1.0, 0.3 + (end - start) / 10))
        for start, end in gaps
        if end - start >= 1.0
    ]


def _liveliest(dynamics: Dynamics) -> list[Moment]:
    curve = dynamics.expressivity_curve
    if dynamics.expressivity.value is None or np.isfinite(curve).sum() < 10:
        return []
    found = []
    for at, title in (
        (int(np.nanargmax(curve)), "Most movement in the face"),
        (int(np.nanargmin(curve)), "Stillest face"),
    ):
        ratio = float(curve[at])
        if not 0.6 < ratio < 1.6:
            detail = f"{ratio:.1f} times as much movement as usual in this session"
            found.append(Moment(float(dynamics.expressivity_time[at]), title, detail, 0.45))
    return found


def clock(seconds: float, *, tenths: bool = False) -> str:
    """A time code: 1:23, or 1:02:03 from an hour on; 1:23.4 with tenths."""
    tenth = int(seconds * 10 + 1e-6)
    whole = tenth // 10
    hours, minutes = divmod(whole // 60, 60)
    code = f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
    return f"{code}.{tenth % 10}" if tenths else code
