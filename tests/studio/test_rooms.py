"""Rooms hold two, end in time, and let nothing pass from one to another."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mien.studio.rooms import Limits, Rate, RefusedError, Rooms

HERE, GONE = {"is": "peer", "here": True}, {"is": "peer", "here": False}
EXPIRED = {"is": "refused", "why": "expired"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Somebody:
    """A peer who remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.ended = False

    def tell(self, message: Any) -> None:
        assert not self.ended
        self.told.append(message)

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rooms(clock: Clock) -> Rooms:
    return Rooms(clock=clock)


def opened(rooms: Rooms, room: str = "r", key: str = "k", address: str = "a") -> Somebody:
    patient = Somebody()
    rooms.open(patient, room, key, address)
    rooms.announce(patient)
    return patient


def joined(rooms: Rooms, room: str = "r", address: str = "b") -> Somebody:
    clinician = Somebody()
    rooms.join(clinician, room, address)
    rooms.announce(clinician)
    return clinician


def why_not(act: Any, *arguments: Any) -> str | None:
    """Why that is refused; None if it is not."""
    try:
        act(*arguments)
    except RefusedError as refusal:
        return refusal.why
    return None


def refused(why: str, act: Any, *arguments: Any) -> None:
    assert why_not(act, *arguments) == why


def test_two_meet_talk_and_part(rooms: Rooms) -> None:
    patient = opened(rooms)
    assert patient.told == []
    clinician = joined(rooms)
    assert patient.told == clinician.told == [HERE]
    rooms.forward(clinician, "hello")
    rooms.forward(patient, "welcome")
    assert patient.told[1:] == [{"is": "signal", "data": "hello"}]
    assert clinician.told[1:] == [{"is": "signal", "data": "welcome"}]
    rooms.close(patient)
    assert patient.ended
    assert clinician.ended
    assert clinician.told[-1] == GONE
    assert len(rooms) == 0
    refused("unknown", rooms.join, Somebody(), "r", "b")


def test_a_third_is_refused_until_the_second_has_left(rooms: Rooms) -> None:
    patient, clinician = opened(rooms), joined(rooms)
    refused("full", rooms.join, Somebody(), "r", "c")
    refused("full", rooms.open, Somebody(), "r", "other key", "c")
    rooms.leave(clinician)
    assert patient.told[-1] == GONE
    assert joined(rooms).told == [HERE]


def test_nobody_is_in_two_rooms(rooms: Rooms) -> None:
    patient = opened(rooms, "one")
    opened(rooms, "two")
    refused("bad", rooms.join, patient, "two", "a")
    refused("bad", rooms.open, patient, "three", "k", "a")
    refused("bad", rooms.join, patient, "one", "a")


def test_only_the_patient_ends_a_room_and_only_who_is_in_one_speaks(rooms: Rooms) -> None:
    opened(rooms)
    clinician, stranger = joined(rooms), Somebody()
    refused("bad", rooms.close, clinician)
    refused("bad", rooms.close, stranger)
    refused("bad", rooms.forward, stranger, "x")
    rooms.leave(stranger)
    assert len(rooms) == 1


def test_what_is_said_to_nobody_is_dropped(rooms: Rooms) -> None:
    patient = opened(rooms)
    rooms.forward(patient, "to whoever comes later")
    assert joined(rooms).told == [HERE]


def test_an_unjoined_room_ends_after_an_hour(rooms: Rooms, clock: Clock) -> None:
    patient = opened(rooms)
    clock.now += 3599
    rooms.sweep()
    assert not patient.ended
    clock.now += 1
    rooms.sweep()
    assert patient.ended
    assert patient.told == [EXPIRED]
    assert len(rooms) == 0


@pytest.mark.parametrize("swept", [True, False])
def test_an_expired_room_is_as_unknown_as_one_that_never_was(rooms: Rooms, clock: Clock, swept: bool) -> None:
    patient = opened(rooms)
    clock.now += 3600
    if swept:
        rooms.sweep()
    refused("unknown", rooms.join, Somebody(), "r", "b")
    refused("unknown", rooms.join, Somebody(), "never", "b")
    assert patient.ended


def test_a_joined_room_ends_after_four_hours_whatever_happens_in_it(rooms: Rooms, clock: Clock) -> None:
    patient, clinician = opened(rooms), joined(rooms)
    for _ in range(4 * 60 - 1):
        clock.now += 60
        rooms.forward(patient, "still here")
        rooms.sweep()
    assert not patient.ended
    clock.now += 60
    rooms.forward(patient, "too late")
    assert patient.ended
    assert clinician.ended
    assert patient.told[-1] == clinician.told[-1] == EXPIRED
    assert {"is": "signal", "data": "too late"} not in clinician.told


def test_the_patient_comes_back_within_a_minute_with_the_same_key(rooms: Rooms, clock: Clock) -> None:
    patient, clinician = opened(rooms), joined(rooms)
    rooms.leave(patient)
    assert clinician.told[-1] == GONE
    clock.now += 59
    refused("full", rooms.open, Somebody(), "r", "another key", "a")
    again = opened(rooms)
    assert again.told == [HERE]
    assert clinician.told[-1] == HERE
    rooms.forward(clinician, "go on")
    assert again.told[-1]["data"] == "go on"
    clock.now += 3600
    rooms.sweep()
    assert not again.ended


def test_the_patient_stays_away_longer_and_the_room_is_gone(rooms: Rooms, clock: Clock) -> None:
    patient, clinician = opened(rooms), joined(rooms)
    rooms.leave(patient)
    clock.now += 60
    rooms.sweep()
    assert clinician.told[-1] == EXPIRED
    assert clinician.ended
    refused("unknown", rooms.join, Somebody(), "r", "b")
    assert len(rooms) == 0


def test_a_connection_that_does_not_know_it_is_dead_makes_way(rooms: Rooms) -> None:
    stale, clinician = opened(rooms), joined(rooms)
    fresh = opened(rooms)
    assert stale.ended
    rooms.leave(stale)  # the server notices at last
    assert GONE not in clinician.told
    refused("bad", rooms.forward, stale, "from beyond")
    refused("full", rooms.join, Somebody(), "r", "c")
    rooms.forward(clinician, "to the living")
    assert fresh.told[-1]["data"] == "to the living"


def test_coming_back_makes_no_room_last_longer(rooms: Rooms, clock: Clock) -> None:
    joined_at = clock.now
    patient = opened(rooms)
    joined(rooms)
    while clock.now - joined_at < 4 * 3600 - 31:
        rooms.leave(patient)
        clock.now += 30
        patient = opened(rooms)
    assert rooms.open(Somebody(), "r", "k", "a") <= 31
    clock.now += 31
    rooms.sweep()
    assert len(rooms) == 0


def test_the_time_left_is_told(rooms: Rooms, clock: Clock) -> None:
    assert rooms.open(Somebody(), "r", "k", "a") == 3600
    clock.now += 600
    assert rooms.open(Somebody(), "r", "k", "a") == 3000
    joined(rooms)
    assert rooms.open(Somebody(), "r", "k", "a") == 4 * 3600 - 600


def test_rooms_are_limited_in_all_and_for_an_address(clock: Clock) -> None:
    rooms = Rooms(Limits(rooms=5, rooms_per_address=2), clock=clock)
    for number in range(5):
        opened(rooms, f"r{number}", address=f"a{number // 2}")
        if number == 1:
            refused("busy", rooms.open, Somebody(), "more", "k", "a0")
    refused("busy", rooms.open, Somebody(), "more", "k", "another address")
    opened(rooms, "r0", address="a0")  # coming back is not one more
    clock.now += 3600
    rooms.sweep()
    opened(rooms, "new", address="a0")
    assert len(rooms) == 1


@pytest.mark.parametrize("what", ["open", "join"])
def test_attempts_from_one_address_are_limited_and_forgiven(rooms: Rooms, clock: Clock, what: str) -> None:
    def attempt(number: int, address: str = "a") -> None:
        if what == "open":
            rooms.open(Somebody(), "r", "k" if number == 0 else "wrong", address)
        else:
            rooms.join(Somebody(), f"guess {number}", address)

    burst, rate = rooms.limits.joins
    whys = [why_not(attempt, number) for number in range(burst + 5)]
    assert "busy" not in whys[:burst]
    assert whys[burst:] == ["busy"] * 5
    assert why_not(attempt, 1, "another") != "busy"
    clock.now += 1 / rate
    assert why_not(attempt, 1) != "busy"
    assert why_not(attempt, 1) == "busy"


def test_addresses_are_forgotten(rooms: Rooms, clock: Clock) -> None:
    rooms.close(opened_by := opened(rooms))
    assert opened_by.ended
    assert not rooms.idle
    clock.now += 120
    rooms.sweep()
    assert rooms.idle


def test_only_so_many_addresses_are_remembered(clock: Clock) -> None:
    rate = Rate(2, 1.0, addresses=10, clock=clock)
    assert all(rate.take(str(number)) for number in range(10))
    assert not rate.take("one more")
    assert rate.take("3")
    assert len(rate) == 10
    clock.now += 1
    assert rate.take("one more")
    assert len(rate) <= 10


KEYS = st.sampled_from(["k1", "k2"])
NAMES = st.sampled_from(["r1", "r2", "r3"])
ADDRESSES = st.sampled_from(["a1", "a2"])


class Relay(RuleBasedStateMachine):
    """Any order of events, against a plain account of who is where."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.limits = Limits(rooms=2, opens=(10**6, 1.0), joins=(10**6, 1.0))
        self.rooms = Rooms(self.limits, clock=self.clock)
        self.people = [Somebody() for _ in range(6)]
        self.where: dict[Somebody, str] = {}
        self.patients: dict[str, Somebody | None] = {}
        self.keys: dict[str, str] = {}
        self.born: dict[str, float] = {}
        self.left: dict[str, float] = {}
        self.met: set[str] = set()

    def overdue(self, room: str) -> bool:
        life = self.limits.lifetime if room in self.met else self.limits.unjoined
        return self.clock.now >= min(self.born[room] + life, self.left[room] + self.limits.grace)

    def bury(self, room: str) -> None:
        for peer in [peer for peer, where in self.where.items() if where == room]:
            del self.where[peer]
        for account in (self.patients, self.keys, self.born, self.left):
            account.pop(room, None)  # type: ignore[attr-defined]
        self.met.discard(room)

    def expire(self) -> None:
        self.rooms.sweep()
        for room in [room for room in self.born if self.overdue(room)]:
            self.bury(room)
        for peer in self.people:
            if peer.ended:  # as the server does when the connection has closed
                self.rooms.leave(peer)
        self.people = [Somebody() if peer.ended else peer for peer in self.people]

    @rule(number=st.integers(0, 5), room=NAMES, key=KEYS, address=ADDRESSES)
    def open(self, number: int, room: str, key: str, address: str) -> None:
        peer = self.people[number]
        expected = None
        if peer in self.where:
            expected = "bad"
        elif room in self.keys:
            expected = None if self.keys[room] == key else "full"
        elif len(self.born) == self.limits.rooms:
            expected = "busy"
        assert why_not(self.rooms.open, peer, room, key, address) == expected
        if expected:
            return
        if room not in self.keys:
            self.keys[room], self.born[room] = key, self.clock.now
        old = self.patients.get(room)
        if old is not None:
            assert old.ended
            del self.where[old]
        self.patients[room], self.where[peer], self.left[room] = peer, room, math.inf
        self.rooms.announce(peer)
        self.expire()

    @rule(number=st.integers(0, 5), room=NAMES, address=ADDRESSES)
    def join(self, number: int, room: str, address: str) -> None:
        peer = self.people[number]
        expected = None
        if peer in self.where:
            expected = "bad"
        elif room not in self.born:
            expected = "unknown"
        elif any(where == room and other is not self.patients[room] for other, where in self.where.items()):
            expected = "full"
        assert why_not(self.rooms.join, peer, room, address) == expected
        if not expected:
            self.where[peer] = room
            self.met.add(room)
            self.rooms.announce(peer)

    @rule(number=st.integers(0, 5), words=st.text(max_size=3))
    def speak(self, number: int, words: str) -> None:
        peer = self.people[number]
        before = {id(other): len(other.told) for other in self.people}
        refusal = why_not(self.rooms.forward, peer, words)
        assert refusal == (None if peer in self.where else "bad")
        if refusal:
            return
        heard = [other for other in self.people if len(other.told) > before[id(other)]]
        companions = [p for p, where in self.where.items() if where == self.where[peer] and p is not peer]
        assert heard == companions
        assert all(other.told[-1] == {"is": "signal", "data": words} for other in heard)

    @rule(number=st.integers(0, 5))
    def leave(self, number: int) -> None:
        peer = self.people[number]
        self.rooms.leave(peer)
        room = self.where.pop(peer, None)
        if room is not None and self.patients[room] is peer:
            self.patients[room], self.left[room] = None, self.clock.now

    @rule(number=st.integers(0, 5))
    def close(self, number: int) -> None:
        peer = self.people[number]
        room = self.where.get(peer)
        refusal = why_not(self.rooms.close, peer)
        if room is None or self.patients[room] is not peer:
            assert refusal == "bad"
            return
        assert refusal is None
        self.bury(room)
        self.expire()

    @rule(seconds=st.sampled_from([1.0, 30.0, 59.0, 61.0, 1800.0, 3600.0, 7200.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds
        self.expire()

    @invariant()
    def two_at_most_and_only_living_rooms(self) -> None:
        assert len(self.rooms) == len(self.born) <= self.limits.rooms
        for room in self.born:
            assert sum(where == room for where in self.where.values()) <= 2

    @invariant()
    def whoever_was_ended_is_nowhere(self) -> None:
        assert not [peer for peer in self.where if peer.ended]


TestRelay = Relay.TestCase
TestRelay.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
