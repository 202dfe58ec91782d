"""Routes served over a real socket, without the guard that stands before them in a studio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from mien.studio.serving import Server, listen
from patience import LONG
from visits import Answer, ask


class Client(httpx.Client):
    """A browser's part of HTTP, and paths sent as they are written."""

    def raw(self, path: str, method: str = "GET") -> Answer:
        """The answer to a path in which a client library would tidy dots and slashes up."""
        return ask(self.base_url.port or 0, path, method=method)


@contextmanager
def hosted(routes: Sequence[BaseRoute]) -> Iterator[Client]:
    """A client of an app of these routes while the block runs."""
    listener, server = listen(), Server()
    server.add(Starlette(routes=list(routes)), listener)
    server.start()
    try:
        with Client(base_url=f"http://127.0.0.1:{listener.port}", timeout=2 * LONG) as client:
            yield client
    finally:
        server.stop()


HOSTILE = (
    "..", "../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt",
    "....//secret.txt", "%252e%252e%252fsecret.txt", "/etc/passwd", "%2fetc%2fpasswd", "secret.txt%00.png", ".", "%00",
    "~root", "C:%5csecret.txt", "file:%2f%2f%2fetc%2fpasswd", "%f0%28%8c%28", "x" * 3000, ".working-", "%c0%ae%c0%ae/",
)  # fmt: skip
"""Names that try to be more than a name, as written in a path."""
