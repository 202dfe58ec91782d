"""Runs our web apps: the socket first, so that an app knows its own address; TLS wherever others can reach it."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from mien.errors import InputError, MienError
from mien.studio.certificate import load
from mien.studio.guard import origin

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

_GRACE: Final = 1
"""Seconds that open connections get when the server stops."""
_PING: Final = 10.0
"""Seconds between the questions whether a WebSocket's other end is still there, and for the answer."""
_OTHER_FILES: Final = 200
"""Files that are open besides connections."""
_HOW_TO_CERTIFY: Final = (
    "Give --certificate and --key. To try it out, with this computer's address in your network for 192.168.1.20: "
    "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mien -addext subjectAltName=IP:192.168.1.20 "
    "-keyout key.pem -out certificate.pem (browsers will warn of it). Or stay on 127.0.0.1 behind a reverse proxy that "
    "has a certificate, and give mien relay --public https://its.name."
)


class ListenError(MienError):
    """The server cannot listen there."""

    exit_code = 8


@dataclass(frozen=True)
class Listener:
    """A bound socket that nobody can connect to yet."""

    socket: socket.socket
    address: str
    """Numeric address it is bound to."""
    port: int
    tls: ssl.SSLContext | None
    names: tuple[str, ...]
    """Names and addresses that lead to it, the best first."""

    @property
    def origins(self) -> tuple[str, ...]:
        """scheme://host:port for every name, as `Guard` wants them."""
        return tuple(origin("https" if self.tls else "http", name, self.port) for name in self.names)

    @property
    def local(self) -> bool:
        """Whether only this computer reaches it."""
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def everywhere(self) -> bool:
        """Whether it is bound to every address of the computer (`Guard(by_address=...)`)."""
        return ipaddress.ip_address(self.address).is_unspecified


def listen(
    host: str = "127.0.0.1", port: int = 0, *, certificate: Path | None = None, key: Path | None = None
) -> Listener:
    """Bind a socket to `host` (a name or an address) and `port`, 0 for any free one.

    Off loopback a certificate is demanded. Raises ListenError and InputError (the certificate).
    """
    if not 0 <= port <= 65535:
        raise InputError(f"There is no port {port}. Choose from 1 to 65535, or 0 for any that is free.")
    if (certificate is None) != (key is None):
        raise InputError("--certificate and --key belong together: give both, or neither on 127.0.0.1.")
    family, address = _resolve(host, port)
    local, everywhere = ipaddress.ip_address(address).is_loopback, ipaddress.ip_address(address).is_unspecified
    if certificate is None or key is None:
        if not local:
            raise InputError(f"{host} can be reached from other computers, and that needs TLS. {_HOW_TO_CERTIFY}")
        tls, names = None, (host, address, "localhost")
    else:
        loaded = load(certificate, key)
        own = (socket.gethostname(),) if everywhere else (host, address)
        tls, names = loaded.context, (*loaded.names, *own)
    bound = _bind(family, address, port, host)
    return Listener(bound, address, bound.getsockname()[1], tls, tuple(dict.fromkeys(names)))


class Server:
    """Serves one app or several, each on its own listener, in a thread of its own.

    As a context manager it serves while the block runs; `run` serves until Ctrl-C. All apps share one event loop, so
    that what they share needs no locks.
    """

    def __init__(self) -> None:
        self._servers: list[tuple[uvicorn.Server, socket.socket]] = []
        self._connections = 0
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._trouble: BaseException | None = None

    def add(self, app: ASGIApp, listener: Listener, *, message: int = 1 << 16, connections: int = 1000) -> None:
        """`message`: most bytes of one WebSocket message; `connections`: most that may be open at once."""
        from mien.studio.uvicorn_server import configured

        self._connections += connections
        self._servers.append((configured(app, listener.tls, message, connections, _PING, _GRACE), listener.socket))

    def run(self, now_and_then: Callable[[], None] | None = None) -> None:
        """Serve until interrupted or stopped. The function is called twice a second, from this thread."""
        with self:
            while not self._ended.wait(0.5):  # in steps, or Ctrl-C is not heard on Windows
                if now_and_then is not None:
                    now_and_then()

    def start(self) -> None:
        """Serve from now on; returns when connections are answered. Does nothing if it serves already."""
        if self._thread is not None:
            return
        _allow_open_files(self._connections + _OTHER_FILES)
        self._thread = threading.Thread(target=self._serve, name="mien-server", daemon=True)
        self._thread.start()
        while not all(server.started for server, _ in self._servers) and not self._ended.wait(0.01):
            pass
        if self._trouble is not None:
            raise self._trouble

    def stop(self) -> None:
        """Close every connection and the sockets; returns when that is done, within about two seconds."""
        for server, _ in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(_GRACE + 5)

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self) -> None:
        async def all_of_them() -> None:
            await asyncio.gather(*(server.serve(sockets=[bound]) for server, bound in self._servers))

        try:
            asyncio.run(all_of_them())
        except BaseException as error:
            self._trouble = error
        finally:
            self._ended.set()


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
    except (OSError, UnicodeError) as error:
        raise ListenError(f"{host!r} is no address and no known name of this computer. Check --host.") from error
    return family, str(address[0])


def _bind(family: socket.AddressFamily, address: str, port: int, host: str) -> socket.socket:
    # The protocol said, or asyncio does not know it for TCP and leaves Nagle's algorithm on: 30 ms for every picture.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # else another program could take it over
    else:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            why = f"Port {port} is in use, by another mien perhaps. Choose another with --port, or 0 for any."
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = f"Port {port} may not be used by an ordinary user. Choose one above 1023 with --port."
        elif error.errno == errno.EADDRNOTAVAIL:
            why = f"{host} is not an address of this computer. Check --host."
        else:
            why = f"{host} port {port} cannot be listened on ({os.strerror(error.errno or 0)})."
        raise ListenError(why) from error
    return bound


def _allow_open_files(wanted: int) -> None:
    """As many connections as are let in want more open files than many systems give at first."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
