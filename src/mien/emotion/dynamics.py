"""What clinicians use: how much, how often and how fast a face moves, against the same session's own resting level.

Numbers from one face over time, never a label. Every measure states its unit and its definition, and says "too little
data" where what was seen is too short for it. Which measures, and why: Girard, Cohn, Mahoor, Mavadati, Hammal and
Rosenwald, "Nonverbal social withdrawal in depression: Evidence from manual and automatic analyses", Image and Vision
Computing 32 (2014): with severity, smiling (AU12) goes down, dimpling (AU14) up, head amplitude and velocity down.
AU numbers are those of the Facial Action Coding System; the values are ARKit coefficients, 0 at rest and 1 in full.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mien.emotion import signal
from mien.emotion.signal import Episode, Signal
from mien.emotion.timeline import Track
from mien.types import COEFFICIENT, COEFFICIENTS

REST: Final = 0.2
"""The session's own resting level of a movement: the value it stays below for this share of the time."""

ACTION_UNITS: Final = {
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "brow_lowering": ("browDownLeft", "browDownRight"),
    "lip_corner_depression": ("mouthFrownLeft", "mouthFrownRight"),
    "dimpling": ("mouthDimpleLeft", "mouthDimpleRight"),
}
"""AU12, AU4, AU15 and AU14 as the mean of two ARKit coefficients."""

_EPISODE = {"enter": 0.15, "leave": 0.08, "shortest": 0.25, "join": 0.25}
"""Heights over rest and seconds; posed and spontaneous smiles alike last longer than a quarter of a second."""

LONGEST_BLINK: Final = 0.5
"""Seconds; eyes shut for longer are a closure, not a blink."""
SHORTEST_BLINK: Final = 0.06
"""Seconds; a single frame at 30 fps is more likely a slip of the tracker."""
FLUTTER: Final = 0.1
"""Seconds; lids that open for less than this between two closings blink once."""
SLOWEST_FOR_BLINKS: Final = 0.07
"""Seconds between frames; with longer steps a blink (0.1 to 0.4 s) falls between them."""
AVERTED: Final = 15.0
"""Degrees of eyes and head together from where the person looks most of the session."""
_HEAD_LAG: Final = 0.2
_EXPRESSION_LAG: Final = 0.2
EXPRESSIVITY_WINDOW: Final = 5.0

_EXPRESSIVE: Final = [
    i for i, name in enumerate(COEFFICIENTS) if name != "_neutral" and not name.startswith(("eyeBlink", "eyeLook"))
]
"""Coefficients that count as expression: blinks and gaze have measures of their own."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number, or the reason why there is none."""

    value: float | None
    unit: str
    reason: str = ""
    """Why `value` is None, e.g. "too little data: 3.1 s seen, 15 s needed"."""
    thirds: tuple[float | None, ...] = ()
    """The same over the first, middle and last third of the session, None where too little was seen; empty where that
    means nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """One action unit over the session."""

    time: Signal
    value: Signal
    """(N,) the coefficient as measured, 0 to 1."""
    rest: float
    """The session's own resting level, 0 to 1; NaN without data."""
    intensity: Measure
    """Mean height over rest, gaps left out, 0 to 1."""
    share: Measure
    """Share of the time in an episode, percent."""
    rate: Measure
    """Episodes that began, per minute."""
    duration: Measure
    """Median length of the episodes seen whole, seconds."""
    episodes: list[Episode]


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """Everything measured on one face."""

    observed: float
    """Seconds in which the face was seen."""
    smile: Movement
    """AU12, lip corner puller."""
    brow_lowering: Movement
    """AU4."""
    lip_corner_depression: Movement
    """AU15."""
    dimpling: Movement
    """AU14."""
    blinks: list[Episode]
    blink_rate: Measure
    """Blinks of both eyes per minute."""
    blink_duration: Measure
    """Median time between the half-closed points of a blink, seconds."""
    closures: list[Episode]
    """Eyes shut for longer than a blink."""
    gaze_aversion: Measure
    """Share of the time, eyes open, that eyes and head together point more than 15° away from their usual direction in
    this session, percent. Where the other person's picture was is not known: the usual direction stands for it."""
    head_amplitude: Measure
    """Root mean square of the head's angle (yaw and pitch) from its middle position in this session, degrees."""
    head_velocity: Measure
    """Mean angular speed of yaw and pitch, over steps of a fifth of a second, degrees per second."""
    head_time: Signal
    head_speed: Signal
    """(N,) degrees per second."""
    expressivity: Measure
    """Mean movement of all expressive coefficients together, per second."""
    expressivity_time: Signal
    expressivity_curve: Signal
    """Means over five seconds, in units of the session's own median: 1 is as lively as usual. NaN where unseen."""

    def to_dict(self) -> dict[str, Any]:
        """Measures and episodes as plain numbers, without the curves."""
        plain: dict[str, Any] = {"observed_s": round(self.observed, 3)}
        for name in ACTION_UNITS:
            movement: Movement = getattr(self, name)
            plain[name] = {
                "rest": _rounded(movement.rest),
                **{key: _plain(getattr(movement, key)) for key in ("intensity", "share", "rate", "duration")},
                "episodes": _listed(movement.episodes),
            }
        for name in (
            "blink_rate", "blink_duration", "gaze_aversion", "head_amplitude", "head_velocity", "expressivity",
        ):  # fmt: skip
            plain[name] = _plain(getattr(self, name))
        plain["blinks"] = _listed(self.blinks)
        plain["closures"] = _listed(self.closures)
        return plain


def analyse(track: Track) -> Dynamics:
    """All measures of one face. A short or empty track is no error: a measure then says why it has no number."""
    time = track.time.astype(np.float64)
    blinks, closures, blink_rate, blink_duration, open_eyes = _eyes(track)
    head_time, head_speed, amplitude, velocity = _head(track)
    liveliness, curve_time, curve = _expressivity(track)
    return Dynamics(
        observed=signal.observed(time),
        **{name: _movement(track, coefficients) for name, coefficients in ACTION_UNITS.items()},
        blinks=blinks, closures=closures, blink_rate=blink_rate, blink_duration=blink_duration,
        gaze_aversion=_gaze_aversion(track, open_eyes),
        head_amplitude=amplitude, head_velocity=velocity, head_time=head_time, head_speed=head_speed,
        expressivity=liveliness, expressivity_time=curve_time, expressivity_curve=curve,
    )  # fmt: skip


def _average(time: Signal, value: Signal, weight: Signal, unit: str, *, needed: float, power: int = 1) -> Measure:
    """Mean of a signal (its root mean square for `power` 2), of the whole session and of its thirds. `needed` seconds
    must have been seen, a third of that in each third."""

    def over(part: Signal) -> float:
        return float(signal.mean(value**power, part) ** (1 / power))

    return _by_thirds(time, weight, over, unit, needed=needed)


def _count(time: Signal, events: list[Episode], weight: Signal, *, needed: float) -> Measure:
    """Events that began, per minute seen."""
    onsets = np.array([e.onset for e in events])

    def over(part: Signal) -> float:
        inside = time[part > 0]
        inside_count = np.count_nonzero((onsets >= inside[0]) & (onsets <= inside[-1])) if len(inside) else 0
        return 60.0 * int(inside_count) / max(float(part.sum()), 1e-9)

    return _by_thirds(time, weight, over, "per minute", needed=needed)


def _by_thirds(time: Signal, weight: Signal, over: Callable[[Signal], float], unit: str, *, needed: float) -> Measure:
    seen = float(weight.sum())
    if seen < needed:
        return Measure(None, unit, f"too little data: {seen:.1f} s seen, {needed:.0f} s needed")
    edges = np.linspace(time[0], time[-1], 4)
    which = np.clip(np.searchsorted(edges, time, side="right") - 1, 0, 2)
    parts = [np.where(which == i, weight, 0.0) for i in range(3)]
    return Measure(over(weight), unit, "", tuple(over(p) if p.sum() >= needed / 3 else None for p in parts))


def _movement(track: Track, coefficients: Iterable[str]) -> Movement:
    time = track.time
    value = track.coefficients[:, [COEFFICIENT[name] for name in coefficients]].mean(1).astype(np.float64)
    weight = signal.weights(time)
    rest = signal.quantile(value, weight, REST)
    above = np.maximum(value - rest, 0.0)
    episodes = signal.episodes(time, above, **_EPISODE) if weight.any() else []
    active = np.zeros(len(time))
    for e in episodes:
        active[(time >= e.onset) & (time <= e.offset)] = 1
    whole = [e.duration for e in episodes if not e.cut]
    duration = (
        Measure(float(np.median(whole)), "s") if whole else Measure(None, "s", "no episode was seen from start to end")
    )
    return Movement(
        time, value, rest,
        intensity=_average(time, above, weight, "0 to 1", needed=5),
        share=_average(time, 100 * active, weight, "%", needed=5),
        rate=_count(time, episodes, weight, needed=15),
        duration=duration,
        episodes=episodes,
    )  # fmt: skip


def _eyes(track: Track) -> tuple[list[Episode], list[Episode], Measure, Measure, Signal]:
    """Blinks, longer closures, blink rate, blink duration, and (N,) 1 where the eyes are open.

    The lesser of both eyes, so that a wink is no blink; over a resting level that may drift, because looking down
    lowers the lids as well.
    """
    time = track.time
    lids = track.coefficients[:, [COEFFICIENT["eyeBlinkLeft"], COEFFICIENT["eyeBlinkRight"]]].min(1).astype(np.float64)
    weight = signal.weights(time)
    step = float(np.median(np.diff(time))) if len(time) > 1 else np.inf
    if step > SLOWEST_FOR_BLINKS:
        reason = "too little data: blinks need at least 15 frames a second"
        none = Measure(None, "per minute", reason), Measure(None, "s", reason)
        return [], [], *none, np.ones(len(time))
    above = lids - signal.slow_floor(time, lids)
    strongest = float(np.quantile(above, 0.99))
    enter = float(np.clip(0.5 * strongest, 0.2, 0.35))
    shut = signal.episodes(time, above, enter=enter, leave=enter / 2, shortest=SHORTEST_BLINK, join=FLUTTER)
    blinks = [e for e in shut if e.duration <= LONGEST_BLINK]
    closures = [e for e in shut if e.duration > LONGEST_BLINK]
    whole = [e.duration for e in blinks if not e.cut]
    rate = _count(time, blinks, weight, needed=15)
    duration = Measure(float(np.median(whole)), "s") if whole else Measure(None, "s", "no blink was seen")
    return blinks, closures, rate, duration, (above < enter / 2).astype(np.float64)


def _gaze_aversion(track: Track, open_eyes: Signal) -> Measure:
    direction = track.pose[:, :2].astype(np.float64) + track.gaze
    weight = signal.weights(track.time) * open_eyes
    usual = [signal.quantile(direction[:, i], weight, 0.5) for i in range(2)]
    away = np.hypot(*(direction - usual).T) > AVERTED
    return _average(track.time, 100.0 * away, weight, "%", needed=10)


def _head(track: Track) -> tuple[Signal, Signal, Measure, Measure]:
    """Times, speed in degrees per second, amplitude and velocity (after Girard et al. 2014: yaw and pitch)."""
    time, angles = track.time, track.pose[:, :2].astype(np.float64)
    weight = signal.weights(time)
    middle = [signal.quantile(angles[:, i], weight, 0.5) for i in range(2)]
    amplitude = _average(time, np.hypot(*(angles - middle).T), weight, "°", needed=5, power=2)
    rates = np.linalg.norm(signal.speed(time, angles, lag=_HEAD_LAG), axis=1)
    known = np.isfinite(rates)
    velocity = _average(time, np.where(known, rates, 0), np.where(known, weight, 0), "°/s", needed=5)
    return time, rates, amplitude, velocity


def _expressivity(track: Track) -> tuple[Measure, Signal, Signal]:
    time = track.time
    moving = np.abs(signal.speed(time, track.coefficients[:, _EXPRESSIVE].astype(np.float64), lag=_EXPRESSION_LAG)).sum(
        1
    )
    weight = np.where(np.isfinite(moving), signal.weights(time), 0.0)
    centres, curve = signal.windowed(time, moving, window=EXPRESSIVITY_WINDOW, step=1.0)
    usual = float(np.nanmedian(curve)) if np.isfinite(curve).any() else float("nan")
    relative = curve / usual if usual > 0 else np.full_like(curve, np.nan)
    return _average(time, np.nan_to_num(moving), weight, "per second", needed=10), centres, relative


def _plain(measure: Measure) -> dict[str, Any]:
    plain: dict[str, Any] = {"value": None if measure.value is None else _rounded(measure.value), "unit": measure.unit}
    if measure.reason:
        plain["reason"] = measure.reason
    if measure.thirds:
        plain["thirds"] = [None if v is None else _rounded(v) for v in measure.thirds]
    return plain


def _listed(episodes: list[Episode]) -> list[dict[str, Any]]:
    return [
        {
            "onset_s": round(e.onset, 3), "apex_s": round(e.apex, 3), "offset_s": round(e.offset, 3),
            "duration_s": round(e.duration, 3), "peak": round(e.peak, 4), "cut": e.cut,
        }
        for e in episodes
    ]  # fmt: skip


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
