"""What this person's face is like at rest, so that an expression can be told as offsets from it."""

from __future__ import annotations

from collections import deque

import numpy as np

from mien.face.frontal import frontal
from mien.face.mouth_shape import with_mouth_shape
from mien.face.pose import Pose, canonical, rotation_from
from mien.types import COEFFICIENT, COEFFICIENTS, Array, Expression

_COUNT = len(COEFFICIENTS)
_PAST = 60.0
"""Seconds after which what was seen counts for 1/e."""
_SAMPLE_EVERY = 0.1
_SETTLING = 0.6
"""How fast a resting value may change, per second: a quantile that tips over must not make the avatar jump."""
_MEMORY = 20.0
"""Seconds over which the resting shape is averaged once it has settled."""
_STRAIGHT = 8.0
"""Seconds' worth of 'looking straight into the camera' assumed before anything is seen."""

_REST_LIMIT = {
    "brow": 0.5, "eyeSquint": 0.6, "eyeLook": 0.35, "eyeBlink": 0.25, "eyeWide": 0.3, "mouthPress": 0.3,
    "mouthPucker": 0.15, "mouthShrug": 0.2, "mouthRoll": 0.2,
}  # fmt: skip
"""How much of a coefficient may be the person's own anatomy. Brows and lids differ between people; a smile that lasts
through the whole clip is still a smile and must not be calibrated away: the rest of the mouth gets `_REST_DEFAULT`."""
_REST_DEFAULT = 0.08
_REST_USUAL = {"brow": 0.15, "eyeSquint": 0.25, "eyeLook": 0.1, "eyeBlink": 0.05}
"""Where most people's coefficients rest, assumed until `_USUAL_SECONDS` were seen; everything else rests near 0."""
_USUAL_SECONDS = 2.0
_REST_SHARE = 0.25
"""Muscles at rest are at their least, so rest is the lower quartile of what a coefficient does: somebody who talks with
raised brows has raised brows. Head and gaze go either way from rest: medians."""
_POSE_LIMIT = np.radians([15.0, 15.0, 8.0, 10.0, 10.0]).astype(np.float32)
"""The same for yaw, pitch, roll and gaze: a camera off to the side is taken out, a hanging head stays one."""
_FULL = {"eyeBlink": 0.62, "eyeWide": 0.7, "mouthFrown": 0.3, "mouthStretch": 0.6}
"""Values that mean the full movement where the network does not reach 1: lids that touch read .6 to .9, corners of the
mouth drawn down as far as they go hardly more than .1."""


def _per_coefficient(table: dict[str, float], default: float) -> Array:
    values = [next((v for prefix, v in table.items() if name.startswith(prefix)), default) for name in COEFFICIENTS]
    return np.array(values, np.float32)


class RunningQuantile:
    """A quantile of each of many channels over the past, in constant time and memory: a fading histogram for each."""

    def __init__(self, low: Array, high: Array, *, share: Array, memory: float, bins: int = 100) -> None:
        """`low` and `high` (N,) bound each channel, `share` (N,) is .5 for its median; what is `memory` seconds old
        counts for 1/e."""
        self._share = share
        self._low, self._width, self._memory = low, (high - low) / bins, memory
        self._counts = np.zeros((len(low), bins), np.float32)
        self._rows = np.arange(len(low))

    def add(self, values: Array, seconds: float) -> None:
        """(N,) values that lasted for so many seconds."""
        self._counts *= np.float32(np.exp(-seconds / self._memory))
        bins = np.clip((values - self._low) / self._width, 0, self._counts.shape[1] - 1).astype(np.int64)
        self._counts[self._rows, bins] += np.float32(max(seconds, 1e-3))

    @property
    def value(self) -> Array:
        """(N,) quantiles, exact to a bin's width; `low` before anything was added."""
        below = np.cumsum(self._counts, axis=1)
        level = below[:, -1] * self._share
        bins = np.argmax(below >= level[:, None], axis=1)
        inside = self._counts[self._rows, bins]
        share = (level - (below[self._rows, bins] - inside)) / np.maximum(inside, 1e-9)
        return np.asarray(self._low + (bins + np.clip(share, 0, 1)) * self._width, np.float32)


class Neutral:
    """Running estimate of one person's resting face; `calibrate` replaces the estimate by what was just seen.

    Nothing here is ever written or handed to an engine: it is the person's own shape.
    """

    def __init__(self) -> None:
        self._limit = _per_coefficient(_REST_LIMIT, _REST_DEFAULT)
        self._full = _per_coefficient(_FULL, 1.0)
        reach = np.full(5, 1.2, np.float32)
        self._quantile = RunningQuantile(
            np.concatenate([np.zeros(_COUNT, np.float32), -reach]),
            np.concatenate([np.ones(_COUNT, np.float32), reach]),
            share=np.concatenate([np.full(_COUNT, _REST_SHARE), np.full(5, 0.5)]).astype(np.float32),
            memory=_PAST,
        )
        usual = np.concatenate([_per_coefficient(_REST_USUAL, 0.0), np.zeros(5, np.float32)])
        self._quantile.add(usual, _USUAL_SECONDS)
        self._rest: Array | None = None
        """(57,) resting coefficients, yaw, pitch, roll, gaze."""
        self._bare: Array | None = None
        """(478, 3) shape with everything that the coefficients explain taken off; `_shape` is how it looks at rest."""
        self._shape: Array | None = None
        self._calm_seconds = 0.0
        self._seen_seconds = 0.0
        self._last: float | None = None
        self._sampled = 0.0
        self._wanted: Array | None = None
        self._recent: deque[tuple[float, Array, Array]] = deque()
        self._fixed = False

    def calibrate(self, *, seconds: float = 0.7) -> bool:
        """Take the last `seconds` as this person's neutral, until `release`. False where nothing was seen yet."""
        recent = [r for r in self._recent if self._last is not None and r[0] > self._last - seconds]
        if not recent:
            return False
        self._rest = np.median([values for _, values, _ in recent], axis=0).astype(np.float32)
        self._shape = np.median([head for _, _, head in recent], axis=0).astype(np.float32)
        self._fixed = True
        return True

    def release(self) -> None:
        """Go back to the running estimate."""
        self._fixed = False

    def __call__(
        self,
        landmarks: Array,
        pose: Pose,
        coefficients: Array,
        gaze: Array,
        time: float,
        *,
        unseen: Array | None = None,
    ) -> Expression:
        """Update with one frame of the person and return their expression in it.

        landmarks (478, 3) in pixels, coefficients (52,) as measured, gaze (2,) radians, time in seconds. `unseen` (52,)
        is how much of the coefficients the landmarks do not show; they are moved by it.
        """
        yaw, pitch, roll = pose.angles
        head = frontal(landmarks, pose)
        if unseen is not None and unseen.any():
            head = (head + np.tensordot(unseen, canonical().basis, 1)).astype(np.float32)
        values = np.concatenate([coefficients, [yaw, pitch, roll], gaze]).astype(np.float32)
        rest, shape = self._observe(head, values, time)
        relative = (coefficients - rest[:_COUNT]) / np.maximum(self._full - rest[:_COUNT], 0.2)
        rest_turn = rotation_from(*(float(angle) for angle in rest[_COUNT:-2]))
        turn = Pose(rest_turn.T @ pose.rotation, 1.0, np.zeros(3, np.float32)).angles
        offsets = (head - shape).astype(np.float32)
        return Expression(
            offsets,
            with_mouth_shape(np.clip(relative, 0, 1).astype(np.float32), offsets),
            *turn,
            (gaze - rest[-2:]).astype(np.float32),
        )

    def _observe(self, head: Array, values: Array, time: float) -> tuple[Array, Array]:
        """Learn from one frame; the resting values and the resting shape."""
        step = min(max(time - self._last, 0.0), 0.2) if self._last is not None else 0.0
        self._last = time
        self._recent.append((time, values, head))
        while self._recent[0][0] < time - 2:
            self._recent.popleft()
        if not (self._fixed and self._rest is not None and self._shape is not None):
            self._rest = rest = self._resting(values, step)
            self._bare = bare = self._stripped(head, values - rest, values, step)
            self._shape = _mouth_shut(bare + np.tensordot(rest[:_COUNT], canonical().basis, 1))
        return self._rest, self._shape

    def _resting(self, values: Array, step: float) -> Array:
        """(57,) where the past puts rest, within what anatomy explains, approached without a jump."""
        self._seen_seconds += step
        self._sampled += step
        wanted = self._wanted
        if wanted is None or self._sampled >= _SAMPLE_EVERY:
            self._quantile.add(values, self._sampled)
            self._sampled = 0.0
            wanted = self._quantile.value
            wanted[:_COUNT] = np.minimum(wanted[:_COUNT], self._limit)
            trust = self._seen_seconds / (self._seen_seconds + _STRAIGHT)
            wanted[_COUNT:] = np.clip(wanted[_COUNT:] * np.float32(trust), -_POSE_LIMIT, _POSE_LIMIT)
            self._wanted = wanted
        reach = np.float32(_SETTLING * step)
        return wanted if self._rest is None else self._rest + np.clip(wanted - self._rest, -reach, reach)

    def _stripped(self, head: Array, moved: Array, values: Array, step: float) -> Array:
        """(478, 3) running mean of the shape without its expression. Calm, frontal frames say most about it."""
        bare = head - np.tensordot(values[:_COUNT], canonical().basis, 1)
        turned = values[_COUNT : _COUNT + 2]
        calm = float(np.exp(-2 * np.square(moved[:_COUNT]).sum() - 8 * np.square(turned).sum()))
        if self._bare is None:
            self._calm_seconds = 0.1 * calm
            return np.asarray(bare, np.float32)
        self._calm_seconds = min(self._calm_seconds + step * calm, _MEMORY)
        share = step * calm / max(self._calm_seconds, 1e-6)
        return np.asarray(self._bare + np.float32(share) * (bare - self._bare), np.float32)


_LIPS_APART = 0.022
"""Distance of the inner lips in inter-ocular units when a mouth is shut; the same for everybody."""
_UPPER_LIP, _LOWER_LIP = [81, 82, 13, 312, 311], [178, 87, 14, 317, 402]


def _mouth_shut(shape: Array) -> Array:
    """The resting shape with its jaw raised until the lips meet.

    Somebody who talks all the time is never seen at rest, and the basis, being an average, takes too little of the
    opening away: what remains would make the avatar mumble through closed lips.
    """
    jaw = canonical().basis[COEFFICIENT["jawOpen"]]
    gap = float((shape[_LOWER_LIP, 1] - shape[_UPPER_LIP, 1]).mean()) - _LIPS_APART
    per_jaw = float((jaw[_LOWER_LIP, 1] - jaw[_UPPER_LIP, 1]).mean())
    return np.asarray(shape - np.float32(max(gap, 0.0) / per_jaw) * jaw, np.float32)
