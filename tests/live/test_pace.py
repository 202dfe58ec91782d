"""When a machine counts as too slow."""

from __future__ import annotations

from mien.live.pace import Pace


def play(pace: Pace, seconds: float, busy: float, *, size: int = 512, start: float = 0.0) -> list[tuple[float, int]]:
    """Frames one after the other, each taking `busy` seconds: when it was said to go down, and to what."""
    said, now = [], start
    while now < start + seconds:
        now += max(busy, 1 / 30)
        if (smaller := pace(now, busy, size)) is not None:
            said.append((now - start, smaller))
            size = smaller
    return said


def test_a_fast_machine_is_left_alone() -> None:
    assert play(Pace(), 60, 0.03) == []


def test_a_slow_one_steps_down_after_a_while_and_again_if_that_does_not_help() -> None:
    said = play(Pace(), 20, 0.1)
    assert [size for _, size in said] == [384, 256]
    assert 3 <= said[0][0] < 4


def test_a_hiccup_is_no_reason() -> None:
    pace = Pace()
    assert play(pace, 10, 0.02) == []
    assert play(pace, 1.0, 0.2, start=10) == []
    assert play(pace, 10, 0.02, start=11) == []


def test_the_smallest_size_stays() -> None:
    assert play(Pace(), 20, 0.5, size=256) == []
