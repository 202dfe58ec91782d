"""Who may use the studio: a token in the link, a cookie afterwards, codes that open once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers

CODE_LIFETIME: Final = 120.0
"""Seconds in which the browser started by the program itself must have come."""


class Token:
    """The key of one running studio, gone with its process.

    The link printed in the terminal holds `value`, which opens as often as it is used. A browser started by the
    program gets a `launch_code`, which opens once, so that what lies in its history or its file is worth nothing.
    """

    def __init__(self, port: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.value: Final = secrets.token_urlsafe(32)
        self.cookie: Final = f"mien_{port}"
        """Cookies are shared by all ports of a host; with one name, two studios would shut each other out."""
        self._pass: Final = secrets.token_urlsafe(32)
        self._codes: dict[str, float] = {}
        self._clock = clock

    def launch_code(self) -> str:
        """A code for `/open?token=…` that works once, within two minutes."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = self._clock() + CODE_LIFETIME
        return code

    def opens(self, given: str) -> bool:
        """Whether `given` is the token or an unused launch code, which is used up by this."""
        found = _same(given, self.value)
        for code, until in list(self._codes.items()):
            if _same(given, code):
                found = found or self._clock() < until
                del self._codes[code]
        return found

    def admits(self, headers: Headers) -> bool:
        """Whether a request brings the cookie, or the token as `Authorization: Bearer`."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), self.value):
            return True
        # Another program on this host can set a cookie of that name with a longer path, so all of them are tried.
        pairs = [part.strip().partition("=") for line in headers.getlist("cookie") for part in line.split(";")]
        return any(_same(value, self._pass) for name, _, value in pairs if name == self.cookie)

    def cookie_header(self, *, tls: bool) -> str:
        """The value of the Set-Cookie that lets a browser in."""
        return f"{self.cookie}={self._pass}; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if tls else "")


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
