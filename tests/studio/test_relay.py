"""The relay over real sockets: it introduces two people, passes on what they sealed, and gives nothing else away."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from mien.errors import InputError
from mien.studio import hosting, serving, uvicorn_server
from mien.studio import relay as relay_module
from mien.studio.guard import Guard
from mien.studio.ice import Ice
from mien.studio.relay import LARGEST, MESSAGE, client_address, relay_app, signalling_endpoint
from mien.studio.rooms import Limits, Rooms
from mien.studio.serving import Server, listen
from mien.studio.token import Token
from patience import LONG, eventually
from visits import HOST, ask, upgrade, visitor

KEY = "k" * 43
HERE, GONE = {"is": "peer", "here": True}, {"is": "peer", "here": False}


def room(number: int = 0) -> str:
    """A room's name, as the patient's browser makes it of a code."""
    digest = hashlib.sha256(f"mien room {number}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class Relay:
    port: int
    rooms: Rooms

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"


@contextmanager
def relaying(
    limits: Limits | None = None, *, origins: tuple[str, ...] = (), connections: int = 1000, **options: Any
) -> Iterator[Relay]:
    listener = listen()
    rooms = Rooms(limits)
    server = Server()
    app = relay_app(rooms, origins=[*listener.origins, *origins], **options)
    server.add(app, listener, message=MESSAGE, connections=connections)
    with server:
        yield Relay(listener.port, rooms)


GENEROUS = Limits(opens=(10**6, 1.0), joins=(10**6, 1.0), rooms_per_address=10**6, connections_per_address=10**6)


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with relaying(GENEROUS) as running:
        yield running


def test_a_consultation_is_arranged(relay: Relay) -> None:
    name = room(1)
    with visitor(relay.port, origin="http://127.0.0.1:8765") as patient, visitor(relay.port) as clinician:
        patient.say(do="open", room=name, key=KEY)
        assert patient.hear() == {"is": "open", "ice": [], "policy": "all", "expires": 3600}
        clinician.say(do="join", room=name)
        assert clinician.hear() == {"is": "joined", "ice": [], "policy": "all"}
        assert patient.hear() == clinician.hear() == HERE
        clinician.say(do="signal", data="sealed-hello_")
        assert patient.hear() == {"is": "signal", "data": "sealed-hello_"}
        patient.say(do="signal", data="x" * LARGEST)
        assert len(clinician.hear()["data"]) == LARGEST
        patient.say(do="close")
        assert clinician.hear() == GONE
        assert clinician.hear() is None
        assert patient.hear() == GONE
        assert patient.hear() is None
    with visitor(relay.port) as late:
        late.say(do="join", room=name)
        assert late.hear() == {"is": "refused", "why": "unknown"}
        assert late.hear() is None


def test_a_drop_is_told_and_healed(relay: Relay) -> None:
    name = room(2)
    with visitor(relay.port) as clinician:
        with visitor(relay.port) as patient:
            patient.say(do="open", room=name, key=KEY)
            patient.hear()
            clinician.say(do="join", room=name)
            assert [clinician.hear()["is"], clinician.hear()] == ["joined", HERE]
        assert clinician.hear() == GONE
        with visitor(relay.port) as patient:
            patient.say(do="open", room=name, key=KEY)
            assert [patient.hear()["is"], patient.hear(), clinician.hear()] == ["open", HERE, HERE]


def test_a_third_person_stays_outside(relay: Relay) -> None:
    name = room(3)
    with ExitStack() as stack:
        patient, clinician, third, thief = (stack.enter_context(visitor(relay.port)) for _ in range(4))
        patient.say(do="open", room=name, key=KEY)
        patient.hear()
        clinician.say(do="join", room=name)
        clinician.hear()
        third.say(do="join", room=name)
        assert third.hear() == {"is": "refused", "why": "full"}
        assert third.hear() is None
        thief.say(do="open", room=name, key="z" * 43)
        assert thief.hear() == {"is": "refused", "why": "full"}
        assert [patient.hear(), clinician.hear()] == [HERE, HERE]
        assert patient.hears_nothing()
        clinician.say(do="signal", data="still-private")
        assert patient.hear()["data"] == "still-private"


BAD = [
    "", "null", "[]", "17", '"open"', "{}", "{", "[" * 5000, '{"do":"open"}', '{"do":"dance"}', '{"do":["open"]}',
    '{"do":null}',     json.dumps({"do": "open", "room": "r" * 43}),
    json.dumps({"do": "open", "room": "r" * 42, "key": KEY}),
    json.dumps({"do": "open", "room": "r" * 43, "key": 7}),
    json.dumps({"do": "open", "room": "../" + "r" * 40, "key": KEY}),
    json.dumps({"do": "open", "room": "r" * 43 + "\n", "key": KEY}), json.dumps({"do": "join", "room": "\ud800" * 43}),
    json.dumps({"do": "join", "room": ["r" * 43]}), json.dumps({"do": "signal", "data": "early"}), '{"do":"close"}',
    '{"do":"join","room":' + "9" * 5000 + "}", '{"do":"signal","data":"<script>"}', '{"do":NaN}',
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_nonsense_is_refused(relay: Relay, text: str) -> None:
    with visitor(relay.port) as somebody:
        somebody.wire.send(text)
        assert somebody.hear() == {"is": "refused", "why": "bad"}
        assert somebody.hear() is None


def test_binary_is_refused(relay: Relay) -> None:
    with visitor(relay.port) as somebody:
        somebody.wire.send(b'{"do":"close"}')
        assert somebody.hear() == {"is": "refused", "why": "bad"}


@pytest.mark.parametrize("data", ["", "x" * (LARGEST + 1), "a b", "ü", 7, None, {"a": 1}])
def test_a_signal_is_one_sealed_text_of_limited_length(relay: Relay, data: Any) -> None:
    name = room(4)
    with visitor(relay.port) as patient, visitor(relay.port) as clinician:
        patient.say(do="open", room=name, key=KEY)
        patient.hear()
        clinician.say(do="join", room=name)
        assert [clinician.hear()["is"], clinician.hear(), patient.hear()] == ["joined", HERE, HERE]
        clinician.say(do="signal", data=data)
        assert clinician.hear() == {"is": "refused", "why": "bad"}
        assert patient.hear() == GONE
        patient.say(do="close")


def test_a_message_larger_than_any_ends_the_connection(relay: Relay) -> None:
    with visitor(relay.port) as somebody:
        somebody.say(do="signal", data="x" * (1 << 20))
        assert somebody.hear() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
ALMOST = st.fixed_dictionaries(
    {"do": st.sampled_from(["open", "join", "signal", "close"]) | JSON},
    optional={"room": st.just("g" * 43) | JSON, "key": st.just(KEY) | JSON, "data": st.just("sealed") | JSON},
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.binary(max_size=200) | st.text(max_size=200) | JSON.map(json.dumps) | ALMOST.map(json.dumps), max_size=5
    )
)
def test_garbage_harms_nobody(relay: Relay, messages: list[str | bytes]) -> None:
    """Whatever is sent, the answers are the protocol's, and a consultation elsewhere goes on."""
    with visitor(relay.port) as somebody:
        for message in messages:
            try:
                if isinstance(message, str):
                    message = message.encode("utf-8", "replace").decode()
                somebody.wire.send(message)
            except ConnectionClosed:
                break
        somebody.wire.close()
    assert eventually(lambda: relay.rooms._where == {})
    with visitor(relay.port) as patient:
        patient.say(do="open", room=room(5), key=KEY)
        assert patient.hear()["is"] == "open"
        patient.say(do="close")
        assert patient.hear() == GONE


def test_who_says_nothing_is_let_go(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    with visitor(relay.port) as patient, ExitStack() as stack:
        patient.say(do="open", room=room(6), key=KEY)
        patient.hear()
        monkeypatch.setattr(relay_module, "_FIRST", 0.2)
        silent = stack.enter_context(visitor(relay.port))
        assert silent.hear() == {"is": "refused", "why": "bad"}
        assert silent.hear() is None
        assert patient.hears_nothing(0.4)
        patient.say(do="close")


def test_a_room_ends_by_itself() -> None:
    with relaying(Limits(unjoined=0.5)) as short, visitor(short.port) as patient:
        patient.say(do="open", room=room(), key=KEY)
        assert patient.hear()["is"] == "open"
        assert patient.hear() == {"is": "refused", "why": "expired"}
        assert patient.hear() is None
        assert len(short.rooms) == 0


def test_a_room_whose_patient_vanished_ends_by_itself() -> None:
    with relaying(Limits(grace=0.3)) as short, visitor(short.port) as clinician:
        with visitor(short.port) as patient:
            patient.say(do="open", room=room(), key=KEY)
            patient.hear()
            clinician.say(do="join", room=room())
            assert [clinician.hear()["is"], clinician.hear()] == ["joined", HERE]
        assert clinician.hear() == GONE
        assert clinician.hear() == {"is": "refused", "why": "expired"}


def test_a_flood_of_messages_is_stopped() -> None:
    with relaying(Limits(messages=(20, 0.001))) as calm, visitor(calm.port) as patient, visitor(calm.port) as flooder:
        patient.say(do="open", room=room(), key=KEY)
        patient.hear()
        flooder.say(do="join", room=room())
        assert [flooder.hear()["is"], flooder.hear(), patient.hear()] == ["joined", HERE, HERE]
        with suppress(ConnectionClosed):  # the relay may have had enough before all are sent
            for _ in range(30):
                flooder.say(do="signal", data="flood")
        assert flooder.hear() == {"is": "refused", "why": "busy"}
        assert flooder.hear() is None
        heard = [patient.hear() for _ in range(20)]
        assert heard[-1] == GONE
        assert sum(message["is"] == "signal" for message in heard) == 19


@pytest.mark.parametrize("what", ["open", "join"])
def test_a_flood_of_attempts_is_stopped(what: str) -> None:
    answers = []
    with relaying(Limits(opens=(5, 0.01), joins=(5, 0.01))) as calm:
        for number in range(8):
            with visitor(calm.port) as guesser:
                guesser.say(do=what, room=room(number), key=KEY)
                answers.append(guesser.hear())
    assert [answer.get("why") for answer in answers[5:]] == ["busy"] * 3
    assert "busy" not in [answer.get("why") for answer in answers[:5]]


def test_connections_from_one_address_are_limited_and_come_free() -> None:
    with relaying(Limits(connections_per_address=3)) as calm:
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(visitor(calm.port))
            assert upgrade(calm.port, "/relay", f"Origin: {calm.origin}") == 403
        assert eventually(lambda: upgrade(calm.port, "/relay", f"Origin: {calm.origin}") == 101)


def test_somebody_who_reads_too_slowly_is_cut_off_and_the_other_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_server, "_FAREWELL", 0.2)
    with (
        relaying(Limits(messages=(10**6, 1.0)), connections=2) as running,
        visitor(running.port) as patient,
        ExitStack() as stack,
    ):
        patient.say(do="open", room=room(), key=KEY)
        patient.hear()
        slow = stack.enter_context(socket.create_connection((HOST, running.port)))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(
            f"GET /relay HTTP/1.1\r\nHost: {HOST}:{running.port}\r\nOrigin: {running.origin}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert slow.recv(12) == b"HTTP/1.1 101"
        join = json.dumps({"do": "join", "room": room()}).encode()
        slow.sendall(bytes([0x81, 0x80 | len(join), 0, 0, 0, 0]) + join)
        assert patient.hear() == HERE

        def overfed() -> bool:
            patient.say(do="signal", data="x" * 40000)
            return not patient.hears_nothing(0.001)

        assert eventually(overfed)
        # The place comes free although the other end never reads the goodbye.
        assert eventually(lambda: ask(running.port).status == 200)
        with visitor(running.port) as clinician:
            clinician.say(do="join", room=room())
            assert clinician.hear()["is"] == "joined"


def test_a_thousand_rooms_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tenth is joined, and what is said there arrives there and nowhere else. No room more is opened."""
    count = 1000
    monkeypatch.setattr(uvicorn_server, "_HEADERS_WITHIN", LONG)  # all of them knock at the same moment
    monkeypatch.setattr(relay_module, "_FIRST", LONG)
    monkeypatch.setattr(serving, "_PING", LONG)
    serving._allow_open_files(3 * count)

    async def opened(stack: AsyncExitStack, port: int, message: dict[str, str]) -> ClientConnection:
        url, own = f"ws://{HOST}:{port}/relay", Origin(f"http://{HOST}:{port}")
        wire = await stack.enter_async_context(connect_async(url, origin=own, compression=None, open_timeout=LONG))
        await wire.send(json.dumps(message))
        return wire

    async def consultations(port: int) -> None:
        async with AsyncExitStack() as stack:
            openings = [{"do": "open", "room": room(number), "key": KEY} for number in range(count)]
            patients = await asyncio.gather(*(opened(stack, port, opening) for opening in openings))
            assert {json.loads(await patient.recv())["is"] for patient in patients} == {"open"}
            one_more = await opened(stack, port, {"do": "open", "room": room(count), "key": KEY})
            assert json.loads(await one_more.recv()) == {"is": "refused", "why": "busy"}
            joinings = [{"do": "join", "room": room(number)} for number in range(0, count, 10)]
            clinicians = await asyncio.gather(*(opened(stack, port, joining) for joining in joinings))
            for number, clinician in enumerate(clinicians):
                assert json.loads(await clinician.recv())["is"] == "joined"
                await clinician.send(json.dumps({"do": "signal", "data": f"for-{number}"}))
            for number, patient in enumerate(patients[::10]):
                assert json.loads(await patient.recv()) == HERE
                assert json.loads(await patient.recv()) == {"is": "signal", "data": f"for-{number}"}
            for patient in patients:
                await patient.close()

    with relaying(GENEROUS, connections=2 * count) as running:
        asyncio.run(consultations(running.port))


def test_nothing_of_the_studio_is_reached_through_the_relay(relay: Relay) -> None:
    """Both run in one server and share the rooms."""
    listener = listen()
    token = Token(listener.port)
    rooms = Rooms()
    routes = [WebSocketRoute(path, signalling_endpoint(rooms)) for path in ("/live", "/relay")]
    studio = Guard(Starlette(routes=routes), origins=listener.origins, token=token)
    other = listen()
    server = Server()
    server.add(studio, listener)
    server.add(relay_app(rooms, origins=other.origins), other)
    bearer = f"Authorization: Bearer {token.value}"
    with server:
        for path in (
            "/clips",
            "/sessions",
            "/api/state",
            "/live",
            "/open",
            f"/open?token={token.value}",
            "/static/index.html",
        ):
            assert ask(other.port, path, bearer).status == 404
        assert upgrade(other.port, "/live", bearer, f"Origin: {other.origins[0]}") == 403
        assert ask(other.port, "/", host=f"{HOST}:{listener.port}").status == 421
        assert upgrade(listener.port, "/relay", f"Origin: {listener.origins[0]}") == 403
        headers = {"Authorization": f"Bearer {token.value}"}
        with visitor(listener.port, **headers) as patient, visitor(other.port) as clinician:
            patient.say(do="open", room=room(), key=KEY)
            patient.hear()
            clinician.say(do="join", room=room())
            assert [clinician.hear()["is"], clinician.hear(), patient.hear()] == ["joined", HERE, HERE]


@pytest.mark.parametrize(
    ("foreign", "let_in"),
    [
        ("http://127.0.0.1:8765", True), ("http://localhost:1", True), ("http://127.0.0.1", True), ("null", False),
        ("http://evil.example", False), ("https://127.0.0.1:8765", False), ("http://127.0.0.1:8765/", False),
        ("http://127.0.0.1.evil.example:8765", False), ("http://localhost:8765.evil.example", False),
        ("http://127.0.0.2:8765", False), ("http://localhost:0", False), ("http://localhost:123456", False),
        ("http://a@localhost:8765", False), ("", False),
    ],
)  # fmt: skip
def test_a_studio_on_the_visitors_computer_may_open_rooms_and_nothing_else(
    relay: Relay, foreign: str, let_in: bool
) -> None:
    header = f"Origin: {foreign}"
    assert upgrade(relay.port, "/relay", header) == (101 if let_in else 403)
    assert upgrade(relay.port, "/relay", header, "Sec-Fetch-Site: cross-site") == (101 if let_in else 403)
    assert ask(relay.port, "/", header).status == 403


def test_a_link_in_a_mail_opens_the_page_and_nothing_else(relay: Relay) -> None:
    link = ("Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")
    assert ask(relay.port, "/", *link).status == 200
    assert ask(relay.port, "/static/consultation/join-page.js", *link).status == 403
    for dest in ("iframe", "embed", "object"):
        assert ask(relay.port, "/", *link[:2], f"Sec-Fetch-Dest: {dest}").status == 403
    assert ask(relay.port, "/", link[0], "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty").status == 403


def test_the_relay_says_what_it_is_and_takes_no_bodies(relay: Relay) -> None:
    assert b"nothing is kept" in ask(relay.port).body
    headers = (f"Origin: {relay.origin}", "Content-Length: 1")
    assert ask(relay.port, "/", *headers, method="POST", body=b"x").status == 413


def test_turn_credentials_run_out(relay: Relay) -> None:
    ice = Ice(stun="stun:stun.example.org", turn="turn:turn.example.org:3478", secret="north", relay_only=True)
    with relaying(ice=ice) as running, visitor(running.port) as patient:
        patient.say(do="open", room=room(), key=KEY)
        told = patient.hear()
        assert told["policy"] == "relay"
        stun, turn = told["ice"]
        assert stun == {"urls": "stun:stun.example.org"}
        until = int(turn["username"].partition(":")[0])
        assert 4 * 3600 < until - time.time() < 6 * 3600
        expected = hmac.new(b"north", turn["username"].encode(), hashlib.sha1).digest()
        assert base64.b64decode(turn["credential"]) == expected
        assert "north" not in json.dumps(told)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"relay_only": True}, "TURN server, which hides"), ({"stun": "stun.example.org"}, "no STUN server"),
        ({"turn": "http://turn.example.org"}, "no TURN server"), ({"turn": "turn:t.example.org"}, "credentials"),
        ({"turn": "turn:t.example.org", "user": "u"}, "credentials"),
        ({"user": "u", "password": "p"}, "no TURN server"),
        ({"turn": "turn:t", "secret": "s", "user": "u"}, "leave out"), ({"stun": "stun:a b"}, "no STUN server"),
    ],
)  # fmt: skip
def test_ice_that_does_not_fit_together_is_an_error(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Ice(**options)


@pytest.mark.parametrize(
    ("direct", "forwarded", "behind_proxy", "counted"),
    [
        ("203.0.113.5", [], False, "203.0.113.5"), ("203.0.113.5", ["198.51.100.1"], False, "203.0.113.5"),
        ("127.0.0.1", ["198.51.100.1"], True, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, 198.51.100.1"], True, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.1"], True, "198.51.100.1"),
        ("127.0.0.1", ["1.1.1.1, nonsense"], True, "127.0.0.1"),
        ("127.0.0.1", [], True, "127.0.0.1"), ("::ffff:203.0.113.5", [], False, "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", [], False, "2001:db8:1:2::/64"), ("", [], False, ""),
    ],
)  # fmt: skip
def test_visitors_are_told_apart(direct: str, forwarded: list[str], behind_proxy: bool, counted: str) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "websocket", "client": (direct, 5) if direct else None, "headers": headers}
    assert client_address(scope, behind_proxy=behind_proxy) == counted


@pytest.mark.parametrize(("behind_proxy", "answers"), [(True, [None, None, "busy"]), (False, [None, "busy", "busy"])])
def test_limits_are_for_each_address_that_a_proxy_or_nobody_vouches_for(
    behind_proxy: bool, answers: list[str | None]
) -> None:
    with relaying(Limits(opens=(1, 0.001)), behind_proxy=behind_proxy) as running:
        whys = []
        for number, address in enumerate(["198.51.100.1", "198.51.100.2", "198.51.100.1"]):
            with visitor(running.port, **{"X-Forwarded-For": f"6.6.6.6, {address}"}) as patient:
                patient.say(do="open", room=room(number), key=KEY)
                whys.append(patient.hear().get("why"))
    assert whys == answers


def test_a_relay_is_reached_under_its_public_name() -> None:
    with relaying(origins=("https://consult.example.org",)) as running:
        for host in ("consult.example.org", f"{HOST}:{running.port}"):  # as a proxy may leave it, or make it
            assert upgrade(running.port, "/relay", "Origin: https://consult.example.org", host=host) == 101
        assert ask(running.port, host="consult.example.org:8787").status == 421
        assert upgrade(running.port, "/relay", "Origin: http://consult.example.org") == 403
        assert "wss://consult.example.org" in ask(running.port).headers["content-security-policy"]


@pytest.mark.parametrize(
    ("given_", "origin"),
    [
        ("https://consult.example.org", "https://consult.example.org"), ("https://Consult.Example.org/", "https://consult.example.org"),
        ("https://consult.example.org:443", "https://consult.example.org"), ("https://c.example:8443", "https://c.example:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
    ],
)  # fmt: skip
def test_public_names_are_spelled_as_browsers_do(given_: str, origin: str) -> None:
    assert hosting.public_origin(given_) == origin


@pytest.mark.parametrize(
    "name",
    ["consult.example.org", "http://consult.example.org", "https://", "https://x/join", "https://u@x.org", "https://x.org.",
     "https://x.org?a", "https://x.org#b", "https://x:99999", "https://x y", "ftp://x.org", "", "https://ex'ample", "https://*.x"],
)  # fmt: skip
def test_what_is_no_public_name_is_an_error(name: str) -> None:
    with pytest.raises(InputError, match="no public address"):
        hosting.relay(public=name, port=0)
