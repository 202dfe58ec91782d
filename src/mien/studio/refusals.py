"""What a visitor who is turned away gets to see: a small page for a person, one sentence of JSON for a program."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import dataclass
from typing import Final

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:14vh auto;"
    "padding:0 1.2rem}:lang(ko){word-break:keep-all}h1{font-size:1.4rem}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further."""

    status: int
    why: str
    korean: str = ""
    """The same, where a patient may read it."""

    def answer(self, *, page: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of the response."""
        if not page:
            return [(b"content-type", b"application/json")], json.dumps({"error": self.why}).encode()
        korean = f'<p lang="ko">{html.escape(self.korean)}</p>' if self.korean else ""
        text = (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>mien</title><style>{_STYLE}</style><h1>mien</h1><p>{html.escape(self.why)}</p>{korean}</html>"
        )
        policy = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy.encode())]
        return headers, text.encode()


FOREIGN_HOST: Final = Refusal(421, "This server is not reached under that name. Use the link that mien printed.")
FOREIGN_PAGE: Final = Refusal(
    403,
    "Another page led here, and only mien's own pages may. Use the link that mien printed in its window "
    "(the terminal).",
)
NO_METHOD: Final = Refusal(405, "That method is not answered here.")
NO_TOKEN: Final = Refusal(
    403,
    "This page opens with the link that mien printed in its window (the terminal). Go there and click the link, or "
    "copy it whole.",
    "이 페이지는 mien 창(터미널)에 표시된 링크로만 열립니다. 그 링크를 누르거나 전체를 복사해서 여세요.",
)
TOO_LARGE: Final = Refusal(413, "That is more than can be taken here.")
TOO_SLOW: Final = Refusal(408, "The rest of the request did not come.")
BROKEN: Final = Refusal(500, "Something went wrong inside mien. Try again, or start it anew.")
