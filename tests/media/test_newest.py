"""One place for one item: the newest is taken, older ones are dropped, closing ends it all."""

from __future__ import annotations

import threading
import time

from mien.media.newest import Newest


def test_whoever_takes_gets_the_newest_and_the_rest_is_counted_as_dropped() -> None:
    newest: Newest[int] = Newest()
    for number in range(5):
        newest.put(number)
    taken = iter(newest)
    assert next(taken) == 4
    newest.put(5)
    assert next(taken) == 5
    assert newest.dropped == 4


def test_closing_frees_whoever_waits_and_drops_what_was_left() -> None:
    newest: Newest[int] = Newest()
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.extend(newest))
    thread.start()
    newest.put(1)
    deadline = time.monotonic() + 5
    while not seen and time.monotonic() < deadline:
        time.sleep(0.001)
    newest.close()
    thread.join(5)
    assert not thread.is_alive()
    newest.put(2)
    assert list(newest) == []
    assert seen == [1]


def test_a_slow_taker_never_waits_behind_old_items() -> None:
    newest: Newest[int] = Newest()

    def fill() -> None:
        for number in range(60):
            newest.put(number)
            time.sleep(0.002)
        time.sleep(0.05)
        newest.close()

    threading.Thread(target=fill).start()
    taken = []
    for number in newest:
        taken.append(number)
        time.sleep(0.02)
    assert taken == sorted(taken)
    assert taken[-1] == 59
    assert len(taken) < 30
