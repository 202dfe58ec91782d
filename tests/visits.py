"""Visitors of our web apps over real sockets: exact bytes where a client library would be too polite."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from patience import LONG

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int,
    path: str = "/",
    *headers: str,
    method: str = "GET",
    host: str | None = None,
    body: bytes = b"",
    tls: ssl.SSLContext | None = None,
    address: str = HOST,
) -> Answer:
    """One request, headers as lines, `host` as it is; the body is sent unannounced (a header must say how long)."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host if host is not None else f'{HOST}:{port}'}", *headers]
    request = "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body
    plain = socket.create_connection((address, port), timeout=LONG)
    with tls.wrap_socket(plain, server_hostname=address) if tls else plain as wire:
        with suppress(ConnectionResetError, BrokenPipeError):  # refused before all of it was sent
            wire.sendall(request)
        return _answer(wire)


def _answer(wire: socket.socket) -> Answer:
    received = b""
    try:
        while block := wire.recv(65536):
            received += block
    except ConnectionResetError:
        pass
    if not received:
        return Answer(0, {}, b"")
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


def upgrade(port: int, path: str, *headers: str, host: str | None = None) -> int:
    """The status with which a WebSocket handshake is answered: 101 if it is let in."""
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host if host is not None else f'{HOST}:{port}'}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers,
    ]  # fmt: skip
    with socket.create_connection((HOST, port), timeout=LONG) as wire:
        wire.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        return int(wire.recv(4096).split()[1])


class Visitor:
    """A browser at the relay."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire

    def say(self, **message: Any) -> None:
        self.wire.send(json.dumps(message))

    def hear(self, within: float = LONG) -> Any:
        """The next message; None when the other side has closed."""
        try:
            return json.loads(self.wire.recv(timeout=within))
        except ConnectionClosed:
            return None

    def hears_nothing(self, within: float = 0.2) -> bool:
        try:
            self.wire.recv(timeout=within)
        except TimeoutError:
            return True
        return False


@contextmanager
def visitor(port: int, *, origin: str | None = None, path: str = "/relay", **headers: str) -> Iterator[Visitor]:
    with connect(
        f"ws://{HOST}:{port}{path}", origin=origin or f"http://{HOST}:{port}", additional_headers=headers,
        open_timeout=LONG, close_timeout=1, max_size=1 << 20, compression=None,
    ) as wire:  # fmt: skip
        yield Visitor(wire)


def certificate(
    folder: Path, name: str = "one", *, password: str = "", names: str = f"IP:{HOST}", purpose: str = "serverAuth"
) -> tuple[Path, Path]:
    """A fresh certificate for `names` and its key, by openssl; skips where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    made, key = folder / f"{name}.pem", folder / f"{name}-key.pem"
    lock = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *lock, "-days", "2",
         "-subj", f"/CN={HOST}", "-addext", f"subjectAltName={names}", "-addext", f"extendedKeyUsage={purpose}",
         "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key
