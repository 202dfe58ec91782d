"""One place for one item: the newest is taken, older ones are dropped, closing ends it all."""

from __future__ import annotations

import threading

from mien.media.newest import Newest
from patience import LONG, wait_for


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
    wait_for(lambda: seen)
    newest.close()
    thread.join(LONG)
    assert not thread.is_alive()
    newest.put(2)
    assert list(newest) == []
    assert seen == [1]


def test_a_slow_taker_never_waits_behind_old_items() -> None:
    newest: Newest[int] = Newest()
    taken = []
    for first in range(0, 60, 6):
        for number in range(first, first + 6):  # while the last one taken is worked on
            newest.put(number)
        taken.append(next(iter(newest)))
    assert taken == list(range(5, 60, 6))
    assert newest.dropped == 50
