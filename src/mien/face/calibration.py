"""What this person's face is like at rest, so that an expression can be told as offsets from it."""

from __future__ import annotations

from collections import deque

import numpy as np

from mien.face.pose import Pose, canonical, rotation_from
from mien.types import COEFFICIENT, COEFFICIENTS, LANDMARK_COUNT, Array, Expression

_WINDOW = 60.0
"""Seconds of the past that the resting values are taken from."""
_SAMPLE_EVERY = 0.1
_MEMORY = 20.0
"""Seconds over which the resting shape is averaged once it has settled."""
_PRIOR = 2.0
"""Seconds' worth of 'looking straight into the camera' assumed before anything is seen."""

_REST_LIMIT = {
    "brow": 0.5, "eyeSquint": 0.6, "eyeLook": 0.35, "eyeBlink": 0.25, "eyeWide": 0.3, "mouthPress": 0.3,
    "mouthPucker": 0.15, "mouthShrug": 0.2, "mouthRoll": 0.2,
}  # fmt: skip
"""How much of a coefficient may be the person's own anatomy. Brows and lids differ between people; a smile that lasts
through the whole clip is still a smile and must not be calibrated away, so the rest of the mouth gets `_REST_DEFAULT`."""
_REST_DEFAULT = 0.08
_FULL = {"eyeBlink": 0.62}
"""Values that mean the full movement where the network does not reach 1: lids touch at about this much."""


def _per_coefficient(table: dict[str, float], default: float) -> Array:
    values = [next((v for prefix, v in table.items() if name.startswith(prefix)), default) for name in COEFFICIENTS]
    return np.array(values, np.float32)


class Neutral:
    """Running estimate of one person's resting face; `calibrate` replaces the estimate by what was just seen.

    Nothing here is ever written or handed to an engine: it is the person's own shape.
    """

    def __init__(self) -> None:
        self._limit = _per_coefficient(_REST_LIMIT, _REST_DEFAULT)
        self._full = _per_coefficient(_FULL, 1.0)
        self._samples: deque[tuple[float, Array]] = deque()
        self._rest: Array | None = None
        self._shape: Array | None = None
        self._seconds = 0.0
        self._last = float("-inf")
        self._recent: deque[tuple[float, Array, Array]] = deque()
        self._fixed = False

    def calibrate(self, *, seconds: float = 0.7) -> bool:
        """Take the last `seconds` as this person's neutral, until `release`. False where nothing was seen yet."""
        recent = [r for r in self._recent if r[0] > self._last - seconds]
        if not recent:
            return False
        self._rest = np.median([values for _, values, _ in recent], axis=0).astype(np.float32)
        self._shape = np.median([head for _, _, head in recent], axis=0).astype(np.float32)
        self._fixed = True
        return True

    def release(self) -> None:
        """Go back to the running estimate."""
        self._fixed = False

    def __call__(self, landmarks: Array, pose: Pose, coefficients: Array, gaze: Array, time: float) -> Expression:
        """Update with one frame of the person and return their expression in it.

        landmarks (478, 3) in pixels, coefficients (52,) as measured, gaze (2,) radians, time in seconds.
        """
        yaw, pitch, roll = pose.angles
        mean = canonical()
        head = pose.to_head(landmarks) - np.tensordot(np.array([yaw, pitch], np.float32), mean.turn_bias, 1)
        values = np.concatenate([coefficients, [yaw, pitch, roll], gaze]).astype(np.float32)
        self._observe(head, values, time)
        assert self._rest is not None and self._shape is not None  # noqa: S101
        rest = self._rest[: len(COEFFICIENTS)]
        relative = (coefficients - rest) / np.maximum(self._full - rest, 0.2)
        rest_turn = rotation_from(*(float(a) for a in self._rest[len(COEFFICIENTS) : -2]))
        turn = Pose(rest_turn.T @ pose.rotation, 1.0, np.zeros(3, np.float32)).angles
        return Expression(
            (head - (self._shape if self._fixed else _mouth_shut(self._shape))).astype(np.float32),
            np.clip(relative, 0, 1).astype(np.float32),
            *turn,
            (gaze - self._rest[-2:]).astype(np.float32),
        )

    def _observe(self, head: Array, values: Array, time: float) -> None:
        step = min(max(time - self._last, 0.0), 0.2) if np.isfinite(self._last) else 0.0
        self._last = time
        self._recent.append((time, values, head))
        while self._recent[0][0] < time - 2:
            self._recent.popleft()
        if self._fixed:
            return
        if not self._samples or time - self._samples[-1][0] >= _SAMPLE_EVERY or self._rest is None:
            self._samples.append((time, values))
            while self._samples[0][0] < time - _WINDOW:
                self._samples.popleft()
            self._rest = self._resting()
        count = len(COEFFICIENTS)
        moved = values[:count] - self._rest[:count]
        estimate = head - np.tensordot(moved, canonical().basis, 1)
        if self._shape is None:
            self._shape = estimate
            self._seconds = 0.2
        else:
            # Calm, frontal frames say most about the face at rest.
            calm = float(np.exp(-2 * np.square(moved).sum() - 8 * np.square(values[count : count + 2]).sum()))
            self._seconds = min(self._seconds + step * calm, _MEMORY)
            self._shape = self._shape + np.float32(step * calm / self._seconds) * (estimate - self._shape)

    def _resting(self) -> Array:
        """(57,) resting coefficients, head angles and gaze. Muscles at rest are at their least: the lower quartile of the
        past, within what anatomy explains; head and gaze go either way from rest: medians."""
        seen = np.array([values for _, values in self._samples])
        count = len(COEFFICIENTS)
        rest = np.empty(seen.shape[1], np.float32)
        rest[:count] = np.minimum(np.percentile(seen[:, :count], 25, axis=0), self._limit)
        prior = np.zeros((round(_PRIOR / _SAMPLE_EVERY), seen.shape[1] - count), np.float32)
        rest[count:] = np.median(np.concatenate([prior, seen[:, count:]]), axis=0)
        return rest


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
    return shape - np.float32(max(gap, 0.0) / per_jaw) * jaw


_EYES = {"right": (33, 133, slice(468, 473)), "left": (362, 263, slice(473, 478))}
"""The corner on the left of the picture, the one on the right, and the iris points, centre first."""
_IRIS_RADIUS_TO_EYE_RADIUS = 12.0 / 5.85
"""The iris is 11.7 mm across in nearly everybody; the eyeball turns about a centre 12 mm behind the cornea."""


def gaze_of(head: Array, coefficients: Array) -> Array:
    """(2,) float32 radians from (478, 3) landmarks in the head's frame: x > 0 to the right of the picture, y > 0 up.

    The iris's place between the corners gives the horizontal angle. Lids hide the iris from above and below and follow
    it, so the vertical angle is the network's own reading, which knows the lids.
    """
    assert len(head) == LANDMARK_COUNT  # noqa: S101
    horizontal = []
    for first, second, iris in _EYES.values():
        points = head[iris, :2]
        radius = float(np.linalg.norm(points[1:] - points[0], axis=1).mean())
        offset = float(points[0, 0] - (head[first, 0] + head[second, 0]) / 2)
        reach = offset / max(radius * _IRIS_RADIUS_TO_EYE_RADIUS, 1e-4)
        horizontal.append(float(np.arcsin(np.clip(reach, -0.8, 0.8))))
    up = sum(coefficients[COEFFICIENT[f"eyeLookUp{side}"]] for side in ("Left", "Right")) / 2
    down = sum(coefficients[COEFFICIENT[f"eyeLookDown{side}"]] for side in ("Left", "Right")) / 2
    blink = sum(coefficients[COEFFICIENT[f"eyeBlink{side}"]] for side in ("Left", "Right")) / 2
    # A closing lid looks like a downward glance to the network.
    down *= 1 - min(1.0, max(0.0, (blink - 0.25) / 0.3))
    return np.array([np.mean(horizontal), (up - down) * np.radians(30)], np.float32)
