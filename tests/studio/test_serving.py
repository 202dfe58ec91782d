"""The server: its address known beforehand, closed to the network without TLS, patient with nobody, quick to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed, InvalidMessage
from websockets.sync.client import connect

from mien.errors import InputError
from mien.studio import serving as serving_module
from mien.studio import uvicorn_server
from mien.studio.guard import Guard
from mien.studio.serving import Listener, ListenError, Server, listen
from patience import LONG, eventually, wait_for
from visits import HOST, ask, certificate, visitor


async def _home(request: Request) -> Response:
    return PlainTextResponse("here")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


def app(listener: Listener, text: str = "here") -> ASGIApp:
    async def home(request: Request) -> Response:
        return PlainTextResponse(text)

    routes = [Route("/", home), WebSocketRoute("/relay", _echo)]
    return Guard(Starlette(routes=routes), origins=listener.origins, by_address=listener.everywhere)


@contextmanager
def serving(**options: int) -> Iterator[int]:
    listener = listen()
    server = Server()
    server.add(app(listener), listener, **options)
    with server:
        yield listener.port


def test_a_free_port_is_known_before_anything_is_served() -> None:
    listener = listen(port=0)
    assert listener.port > 0
    assert listener.origins == (f"http://{HOST}:{listener.port}", f"http://localhost:{listener.port}")
    with pytest.raises(ConnectionRefusedError):
        ask(listener.port)
    listener.socket.close()


def test_two_apps_share_a_server_and_nothing_else() -> None:
    one, other = listen(), listen()
    server = Server()
    server.add(app(one, "one"), one)
    server.add(app(other, "other"), other)
    with server:
        assert ask(one.port).body == b"one"
        assert ask(other.port).body == b"other"
        assert ask(one.port, host=f"{HOST}:{other.port}").status == 421
    for listener in (one, other):
        with pytest.raises(ConnectionRefusedError):
            ask(listener.port)


def test_a_server_stops_at_once_with_sockets_open() -> None:
    with ExitStack() as stack:
        with serving() as port:
            wires = [stack.enter_context(visitor(port)) for _ in range(5)]
            for one in wires:
                one.say(hello=1)
                assert one.hear() == {"hello": 1}
        assert all(one.hear() is None for one in wires)
    wait_for(lambda: "mien-server" not in [thread.name for thread in threading.enumerate()])


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"Port {port} is in use"):
            listen(port=port)


@pytest.mark.parametrize(
    ("host", "says"), [("no.such.name.invalid", "no known name"), ("127.0.0.1 ", "no known"), ("a" * 300, "no known")]
)  # fmt: skip
def test_an_unknown_host_is_an_error(host: str, says: str) -> None:
    with pytest.raises(ListenError, match=says):
        listen(host)


@pytest.mark.parametrize("port", [-1, 65536, 10**9])
def test_an_impossible_port_is_an_error(port: int) -> None:
    with pytest.raises(InputError, match="no port"):
        listen(port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", ""])
def test_beyond_this_computer_tls_is_demanded(host: str) -> None:
    with pytest.raises((InputError, ListenError), match=r"needs TLS|no known name") as raised:
        listen(host)
    if host:
        assert "openssl req" in str(raised.value)
        assert "--public" in str(raised.value)


def test_an_address_of_another_computer_is_an_error(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    with pytest.raises(ListenError, match="not an address of this computer"):
        listen("192.0.2.7", certificate=made, key=key)


def test_a_whole_network_is_served_with_tls_under_the_address_reached(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    listener = listen("0.0.0.0", certificate=made, key=key)
    assert listener.everywhere
    server = Server()
    server.add(app(listener), listener)
    trust = ssl.create_default_context(cafile=str(made))
    port = listener.port
    with server:
        answer = ask(port, tls=trust)
        assert answer.body == b"here"
        assert answer.headers["strict-transport-security"] == "max-age=86400"
        assert f"wss://{HOST}:{port}" in answer.headers["content-security-policy"]
        for foreign in ("evil.example", f"evil.example:{port}", f"127.0.0.2:{port}", f"0.0.0.0:{port}", HOST):
            assert ask(port, host=foreign, tls=trust).status == 421
        assert ask(port, "/", f"Origin: https://{HOST}:{port}", tls=trust).status == 200
        assert ask(port, "/", f"Origin: http://{HOST}:{port}", tls=trust).status == 403
        assert ask(port, "/", f"Origin: https://127.0.0.2:{port}", tls=trust).status == 403
        assert ask(port).status == 0  # no HTTP without TLS
        with connect(f"wss://{HOST}:{port}/relay", ssl=trust, origin=f"https://{HOST}:{port}") as wire:
            wire.send("hello")
            assert wire.recv() == "hello"


def test_wrong_certificates_are_named(tmp_path: Path) -> None:
    one, one_key = certificate(tmp_path, "one")
    _, other_key = certificate(tmp_path, "other")
    _, locked = certificate(tmp_path, "locked", password="secret")
    text = tmp_path / "text.pem"
    text.write_text("this is no certificate")
    wrong = [
        (one, other_key, "is not the key of"), (text, one_key, "PEM form"), (one, text, "PEM form"),
        (one, locked, "password"),
        (one_key, one, "PEM form"), (tmp_path / "none.pem", one_key, "There is no file"),
        (tmp_path, one_key, "is a folder"),
        (one, None, "belong together"), (None, one_key, "belong together"),
    ]  # fmt: skip
    for made, key, says in wrong:
        with pytest.raises(InputError, match=says):
            listen(certificate=made, key=key)


def test_the_names_in_a_certificate_lead_to_the_server(tmp_path: Path) -> None:
    made, key = certificate(tmp_path, names="DNS:Consult.Example.org,DNS:*.example.org,IP:192.0.2.7,IP:2001:db8::1")
    listener = listen("0.0.0.0", 0, certificate=made, key=key)
    port = listener.port
    assert listener.origins[:3] == (
        f"https://consult.example.org:{port}", f"https://192.0.2.7:{port}", f"https://[2001:db8::1]:{port}",
    )  # fmt: skip
    assert "*" not in str(listener.names)
    listener.socket.close()


def test_a_certificate_that_no_browser_would_accept_is_an_error(tmp_path: Path) -> None:
    made, key = certificate(tmp_path, purpose="clientAuth")
    with pytest.raises(InputError, match=r"Browsers will not accept .*purpose"):
        listen(certificate=made, key=key)


def test_half_a_request_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that say nothing, or drip a header now and then, are let go; others are served meanwhile."""
    monkeypatch.setattr(uvicorn_server, "_HEADERS_WITHIN", 0.4)
    with serving() as port, ExitStack() as stack:
        silent, dripping = (stack.enter_context(socket.create_connection((HOST, port))) for _ in range(2))
        dripping.sendall(b"GET / HTTP/1.1\r\n")
        until = time.monotonic() + LONG
        dripping.settimeout(0.1)
        ended = False
        while not ended and time.monotonic() < until:
            try:
                dripping.sendall(b"X-More: 1\r\n")
                ended = dripping.recv(1) == b""
            except TimeoutError:
                assert eventually(lambda: ask(port).body == b"here")  # we may be too late ourselves
            except OSError:
                ended = True
        assert ended
        silent.settimeout(LONG)
        assert _gone(silent)


def test_a_second_request_on_a_connection_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_server, "_HEADERS_WITHIN", 1.5)
    with serving() as port, socket.create_connection((HOST, port), timeout=LONG) as wire:
        request = f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\n"
        wire.sendall(f"{request}\r\n".encode())
        while not (block := wire.recv(65536)).endswith(b"here"):
            assert block
        wire.sendall(request.encode())
        assert _gone(wire)


def test_an_open_websocket_is_not_taken_for_half_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uvicorn_server, "_HEADERS_WITHIN", 1.0)
    with serving() as port, visitor(port) as one:
        time.sleep(1.5)
        one.say(still="here")
        assert one.hear() == {"still": "here"}


def _gone(wire: socket.socket) -> bool:
    try:
        return wire.recv(1) == b""
    except ConnectionResetError:
        return True


def test_headers_without_end_are_refused() -> None:
    with serving() as port:
        assert ask(port, "/", f"X-Long: {'x' * 2_000_000}").status in (0, 400)
        assert ask(port).body == b"here"


def test_connections_are_limited_and_come_free_again() -> None:
    with serving(connections=10) as port:
        with ExitStack() as stack:
            for _ in range(10):
                stack.enter_context(visitor(port))
            with pytest.raises((InvalidMessage, ConnectionClosed, OSError)), visitor(port):  # as it is noticed
                pytest.fail("one too many was let in")
        assert eventually(lambda: ask(port).body == b"here")


UNFINISHED = f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n".encode()


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n", UNFINISHED], ids=["nothing", "half", "a body owed"])
def test_a_crowd_that_asks_for_nothing_shuts_nobody_out(said: bytes) -> None:
    with serving(connections=40) as port, ExitStack() as stack:
        guest = stack.enter_context(visitor(port))
        for number in range(200):
            wire = stack.enter_context(socket.create_connection((HOST, port), timeout=LONG))
            wire.sendall(said)
            if number % 20 == 19:
                assert ask(port).body == b"here"
        guest.say(still="here")
        assert guest.hear() == {"still": "here"}


def test_the_crowd_of_one_address_costs_no_other_its_place() -> None:
    with serving(connections=40) as port, ExitStack() as stack:
        slow = stack.enter_context(socket.create_connection((HOST, port), timeout=LONG))
        slow.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for _ in range(200):
                crowd = stack.enter_context(socket.socket())
                crowd.bind(("127.0.0.2", 0))
                crowd.connect((HOST, port))
        except OSError:
            pytest.skip("needs a second address of this computer, 127.0.0.2")
        assert ask(port).body == b"here"  # all of the crowd has come
        slow.sendall(f"Host: {HOST}:{port}\r\n\r\n".encode())
        assert slow.recv(12) == b"HTTP/1.1 200"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_files_do_not_run_out_before_connections_do() -> None:
    script = """
import resource
from mien.studio.serving import Server, listen
resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
server = Server()
for _ in range(2):
    server.add(None, listen(), connections=300)
with server:
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=LONG)
    assert int(run.stdout) > 600, run.stderr


def test_a_message_over_the_limit_ends_the_socket() -> None:
    with serving(message=1000) as port, visitor(port) as one:
        one.say(text="x" * 900)
        assert len(one.hear()["text"]) == 900
        one.say(text="x" * 1100)
        assert one.hear() is None


def test_somebody_who_stops_reading_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent piles up on the way to them, and no question whether they are there gets through."""
    monkeypatch.setattr(serving_module, "_PING", 0.3)

    async def flood(websocket: WebSocket) -> None:
        await websocket.accept()
        ended.clear()
        try:
            while True:
                await websocket.send_text("x" * 65536)
        finally:
            ended.set()

    ended = threading.Event()
    listener = listen()
    server = Server()
    guarded = Guard(Starlette(routes=[WebSocketRoute("/relay", flood)]), origins=listener.origins)
    server.add(guarded, listener)
    with server, socket.create_connection((HOST, listener.port), timeout=LONG) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.sendall(
            f"GET /relay HTTP/1.1\r\nHost: {HOST}:{listener.port}\r\nOrigin: {listener.origins[0]}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert wire.recv(12) == b"HTTP/1.1 101"
        assert ended.wait(LONG)


RELAY = [sys.executable, "-c", "from mien.cli import main; main()", "relay", "--port", "0", "--json"]


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program and its port."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as program:
        try:
            assert program.stdout is not None
            yield program, int(json.loads(program.stdout.readline())["origin"].rpartition(":")[2])
        finally:
            program.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_started_to_outlive_its_terminal_it_does() -> None:
    with started(["nohup", *RELAY], dict(os.environ)) as (relay, port):
        relay.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert ask(port, "/").status == 200
        relay.terminate()
        assert relay.wait(LONG) == 143


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("debug", ["", "1"])
def test_ctrl_c_and_kill_end_it_quickly_and_nothing_was_said_of_visitors(how: int, code: int, debug: str) -> None:
    room = "r" * 43
    environment = {**os.environ, "MIEN_DEBUG": debug}
    with started(RELAY, environment) as (relay, port), visitor(port) as patient:
        patient.say(do="open", room=room, key="k" * 43)
        assert patient.hear()["is"] == "open"
        ask(port, f"/?room={room}")
        ask(port, "/", host="evil.example")
        assert ask(port, "not a path").status == 400
        relay.send_signal(how)
        out, errors = relay.communicate(timeout=LONG)  # with the patient still there
    assert relay.returncode == code
    assert out == ""
    assert errors == ("ended; nothing is kept\n" if how == signal.SIGINT else "")


def test_what_is_sent_leaves_at_once() -> None:
    """Nagle's algorithm would hold the end of every picture back until the browser's next word."""
    listener, delayed = listen(), []

    async def visited() -> None:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            delayed.append(not writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(accept, sock=listener.socket):
            reader, writer = await asyncio.open_connection(HOST, listener.port)
            await reader.read()
            writer.close()

    asyncio.run(visited())
    assert delayed == [False]
