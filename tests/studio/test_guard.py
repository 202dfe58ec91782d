"""Nobody but our own pages, in a browser that was let in, gets anything out of a studio."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from mien.studio import guard
from mien.studio.guard import Guard, origin
from mien.studio.serving import Server, listen
from mien.studio.static import listed, static_routes
from mien.studio.token import Token
from patience import LONG
from visits import HOST, Answer, ask, upgrade

SECRET = "what only the studio's own page may see"
REPORT_CSP = "default-src 'none'; sandbox allow-scripts"


async def _home(request: Request) -> Response:
    return PlainTextResponse(SECRET, headers={"Access-Control-Allow-Origin": "*", "Server": "boast"})


async def _report(request: Request) -> Response:
    return PlainTextResponse(SECRET, headers={"Content-Security-Policy": REPORT_CSP, "X-Frame-Options": "ALLOWALL"})


async def _take(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _late(request: Request) -> Response:
    """Begins its answer before it has the body."""

    async def echo() -> Iterator[bytes]:
        async for chunk in request.stream():
            yield chunk

    return StreamingResponse(echo())


async def _fail(request: Request) -> Response:
    raise RuntimeError(SECRET)


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


@dataclass(frozen=True)
class Studio:
    port: int
    token: Token

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def bearer(self) -> str:
        return f"Authorization: Bearer {self.token.value}"

    def ask(self, path: str = "/", *headers: str, **options: object) -> Answer:
        """As a script that knows the token."""
        return ask(self.port, path, self.bearer, *headers, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages as they might lie on a disk, with things beside and among them that are nobody's business."""
    folder = tmp_path_factory.mktemp("studio")
    (folder / "secret.js").write_text(SECRET)
    pages = folder / "pages"
    (pages / "texts" / "en").mkdir(parents=True)
    (pages / "page.js").write_text("export {};")
    (pages / "texts" / "en" / "ui.json").write_text("{}")
    for hidden in (".env.js", "page.py", "index.html", "notes"):
        (pages / hidden).write_text(SECRET)
    (pages / "link.js").symlink_to(folder / "secret.js")
    (pages / "linked").symlink_to(folder)
    return pages


@pytest.fixture(scope="module")
def studio(files: Path) -> Iterator[Studio]:
    listener = listen()
    token = Token(listener.port)
    routes = [
        Route("/", _home), Route("/report", _report), Route("/fail", _fail), *static_routes(files),
        Route("/take", _take, methods=["POST"]), Route("/take/more", _take, methods=["POST"]),
        Route("/late", _late, methods=["POST"]), WebSocketRoute("/live", _echo),
    ]  # fmt: skip
    app = Guard(
        Starlette(routes=routes),
        origins=listener.origins,
        token=token,
        bodies={"/take": 1 << 20, "/take/more": 3 << 20},
    )
    server = Server()
    server.add(app, listener)
    with server:
        yield Studio(listener.port, token)


BAD_HOSTS = [
    "evil.example", "evil.example:{p}", "{h}", "{h}:1", "{h}:0{p}", "{h}:{p}0", "{h}.:{p}", "{h}:{p}.", "LOCALHOST:{p}",
    "Localhost:{p}", "localhost.:{p}", "localhost", "{h}:{p}@evil.example", "evil.example@{h}:{p}", "127.1:{p}",
    "0.0.0.0:{p}", "[::1]:{p}", "[::ffff:127.0.0.1]:{p}", "2130706433:{p}", "0x7f.1:{p}", "{h}:{p},evil.example",
    "{h}:{p}/", "http://{h}:{p}", "localhost.evil.example:{p}", "", "{h}:{p}\r\nHost: evil.example",
]  # fmt: skip
BAD_ORIGINS = [
    "null", "http://evil.example", "http://evil.example:{p}", "https://{h}:{p}", "http://{h}", "http://{h}:1",
    "http://{h}:{p}/", "http://{h}:{p}.evil.example", "http://evil.example#http://{h}:{p}", "HTTP://{h}:{p}",
    "http://localhost:1", "ws://{h}:{p}", "", "file://", "chrome-extension://abcdef", "http://{h}:{p} http://evil.example",
    "http://{h}:{p}\r\nOrigin: http://evil.example",
]  # fmt: skip


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_foreign_host_is_refused(studio: Studio, host: str) -> None:
    host = host.format(h=HOST, p=studio.port)
    answer = studio.ask(host=host)
    assert answer.status in (400, 421)
    assert SECRET.encode() not in answer.body
    assert upgrade(studio.port, "/live", studio.bearer, f"Origin: {studio.origin}", host=host) in (400, 403)


@pytest.mark.parametrize("name", ["host", "origin"])
def test_two_hosts_or_origins_are_refused_even_if_both_are_ours(name: str) -> None:
    """The server refuses some of this itself; the guard does not rely on it."""
    sent: list[Message] = []

    async def visit() -> None:
        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            sent.append(message)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            pytest.fail("let in")

        values = {"host": b"127.0.0.1:8765", "origin": b"http://127.0.0.1:8765"}
        headers = [*((key.encode(), value) for key, value in values.items()), (name.encode(), values[name])]
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "scheme": "http",
            "query_string": b"",
            "headers": headers,
        }
        await Guard(app, origins=["http://127.0.0.1:8765"])(scope, receive, send)

    asyncio.run(visit())
    assert sent[0]["status"] in (403, 421)


@pytest.mark.parametrize("host", ["{h}:{p}", "localhost:{p}"])
def test_our_own_hosts_are_served(studio: Studio, host: str) -> None:
    assert studio.ask(host=host.format(h=HOST, p=studio.port)).status == 200


@pytest.mark.parametrize("foreign", BAD_ORIGINS)
def test_a_foreign_origin_is_refused(studio: Studio, foreign: str) -> None:
    header = "Origin: " + foreign.format(h=HOST, p=studio.port)
    for method, path in (("GET", "/"), ("POST", "/take")):
        answer = studio.ask(path, header, "Content-Length: 0", method=method)
        assert answer.status in (400, 403)
        assert SECRET.encode() not in answer.body
    assert upgrade(studio.port, "/live", studio.bearer, header) in (400, 403)


def test_only_reading_goes_without_an_origin(studio: Studio) -> None:
    assert studio.ask("/").status == 200
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert studio.ask("/take", "Content-Length: 0", method=method).status == 403
    assert studio.ask("/take", "Content-Length: 0", f"Origin: {studio.origin}", method="POST").status == 200
    assert upgrade(studio.port, "/live", studio.bearer) == 403
    assert upgrade(studio.port, "/live", studio.bearer, f"Origin: {studio.origin}") == 101


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_not_answered(studio: Studio, method: str) -> None:
    answer = studio.ask("/", f"Origin: {studio.origin}", "Access-Control-Request-Method: POST", method=method)
    assert answer.status == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


FOREIGN_SITES = ["cross-site", "same-site", "", "same-origin, cross-site", "SAME-ORIGIN"]
NAVIGATION = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


@pytest.mark.parametrize("site", FOREIGN_SITES)
def test_fetch_metadata_of_other_sites_is_refused(studio: Studio, site: str) -> None:
    foreign = f"Sec-Fetch-Site: {site}"
    assert studio.ask("/", foreign, *NAVIGATION).status == 403
    assert studio.ask("/open/?token=x", foreign, *NAVIGATION).status == 403
    assert upgrade(studio.port, "/live", studio.bearer, f"Origin: {studio.origin}", foreign) == 403


@pytest.mark.parametrize("site", FOREIGN_SITES)
def test_from_another_site_only_a_window_opens_and_only_with_the_token(studio: Studio, site: str) -> None:
    """The file that the browser is started with is such a site."""
    foreign, link = f"Sec-Fetch-Site: {site}", f"/open?token={studio.token.value}"
    opened = ask(studio.port, link, foreign, *NAVIGATION)
    assert (opened.status, opened.headers["refresh"]) == (200, "0;url=/")  # it brings no cookie if it is redirected
    assert opened.headers["set-cookie"].startswith(f"mien_{studio.port}=")
    for mode, dest in (("navigate", "iframe"), ("no-cors", "image"), ("cors", "empty"), ("navigate", "object")):
        refused = ask(studio.port, link, foreign, f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Dest: {dest}")
        assert refused.status == 403
        assert "set-cookie" not in refused.headers
    for other in ("/open", "/open?token=wrong", f"/open?token={studio.token.value}x"):
        assert ask(studio.port, other, foreign, *NAVIGATION).status == 403
    assert ask(studio.port, link, foreign, *NAVIGATION, "Origin: null").status == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_fetch_metadata_of_our_own_pages_is_served(studio: Studio, site: str) -> None:
    assert studio.ask("/", f"Sec-Fetch-Site: {site}").status == 200


@pytest.mark.parametrize(
    "key",
    [
        "", "Cookie: mien_{p}=", "Cookie: mien_{p}=wrong", "Cookie: mien_1={t}", "Cookie: mien_{p}={t}",
        "Authorization: Bearer", "Authorization: Bearer wrong", "Authorization: Basic {t}", "Authorization: {t}",
        "Authorization: Bearer {t}x", "Authorization: Bearer \xe9\xff", "X-Token: {t}",
    ],
)  # fmt: skip
def test_nothing_is_served_without_the_token(studio: Studio, key: str) -> None:
    header = key.format(p=studio.port, t=studio.token.value) or "Accept: */*"
    for path in ("/", "/report", "/static/page.js", "/nowhere", f"/?token={studio.token.value}", "//", "/open/"):
        answer = ask(studio.port, path, header)
        assert answer.status == 403, path
        assert SECRET.encode() not in answer.body
    assert upgrade(studio.port, "/live", header, f"Origin: {studio.origin}") == 403


def test_the_link_lets_a_browser_in_as_often_as_it_is_used(studio: Studio) -> None:
    for _ in range(2):
        with httpx.Client(base_url=studio.origin, follow_redirects=False) as browser:
            opened = browser.get("/open", params={"token": studio.token.value})
            assert (opened.status_code, opened.headers["location"]) == (303, "/")
            cookie = opened.headers["set-cookie"]
            assert cookie.startswith(f"mien_{studio.port}=")
            assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
            assert studio.token.value not in cookie
            assert browser.get("/").text == SECRET


def test_a_launch_code_opens_once(studio: Studio) -> None:
    code = studio.token.launch_code()
    assert ask(studio.port, f"/open?token={code}", method="HEAD").status == 403  # a preview uses nothing up
    assert ask(studio.port, f"/open?token={code}").status == 303
    assert ask(studio.port, f"/open?token={code}").status == 403
    assert ask(studio.port, "/", f"Authorization: Bearer {studio.token.launch_code()}").status == 403


def test_a_launch_code_is_forgotten_after_two_minutes() -> None:
    now = [0.0]
    token = Token(8765, clock=lambda: now[0])
    early, late = token.launch_code(), token.launch_code()
    now[0] = 119.0
    assert token.opens(early)
    now[0] = 121.0
    assert not token.opens(late)
    assert token.opens(token.value)


@pytest.mark.parametrize(
    "query", ["", "token=", "token=wrong", "token=%00", "t={t}", "token={t}&token={t}", "token={t}x"]
)
def test_a_wrong_link_does_not_open(studio: Studio, query: str) -> None:
    answer = ask(studio.port, f"/open?{query.format(t=studio.token.value)}")
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_another_program_cannot_lock_the_browser_out_with_a_cookie_of_our_name(studio: Studio) -> None:
    cookie = studio.token.cookie_header(tls=False).partition(";")[0]
    assert ask(studio.port, "/", f"Cookie: mien_{studio.port}=garbage; {cookie}").status == 200
    assert ask(studio.port, "/", f"Cookie: a=b;{cookie};;=;x").status == 200


def test_a_cookie_of_another_studio_opens_nothing(studio: Studio) -> None:
    other = Token(studio.port).cookie_header(tls=False).partition(";")[0]
    assert ask(studio.port, "/", f"Cookie: {other}").status == 403


@given(st.text(max_size=40))
def test_nothing_guessed_opens(text: str) -> None:
    token = Token(1)
    assert not token.opens(text)
    raw = text.encode("utf-8", "surrogatepass")
    assert not token.admits(Headers(raw=[(b"cookie", b"mien_1=" + raw), (b"authorization", b"Bearer " + raw)]))


def test_a_person_without_the_link_reads_what_to_do(studio: Studio) -> None:
    answer = ask(studio.port, "/", "Accept: text/html,*/*")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "the link that mien printed" in answer.body.decode()
    assert "링크" in answer.body.decode()
    assert "link" in ask(studio.port, "/api").json["error"]


EXPECTED = {
    "cache-control": "no-store", "cross-origin-opener-policy": "same-origin", "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin", "x-content-type-options": "nosniff", "x-frame-options": "DENY",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/report", "/nowhere", "/fail", "/open", "/static/page.js", "/static/none"])
@pytest.mark.parametrize("known", [True, False])
def test_every_response_carries_the_security_headers(studio: Studio, path: str, known: bool) -> None:
    answer = studio.ask(path) if known else ask(studio.port, path)
    assert EXPECTED.items() <= answer.headers.items()
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert "geolocation=()" in answer.headers["permissions-policy"]
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert SECRET.encode() not in answer.body or path in ("/", "/report")


def test_the_policy_of_pages_names_our_own_sockets_and_forbids_the_rest(studio: Studio) -> None:
    policy = dict(part.split(" ", 1) for part in studio.ask("/").headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' ws://{HOST}:{studio.port} ws://localhost:{studio.port}"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)


def test_a_route_may_give_its_own_policy_and_nothing_else(studio: Studio) -> None:
    headers = studio.ask("/report").headers
    assert headers["content-security-policy"] == REPORT_CSP
    assert headers["x-frame-options"] == "DENY"


def test_an_error_inside_says_nothing_of_the_inside(studio: Studio) -> None:
    answer = studio.ask("/fail")
    assert answer.status == 500
    assert SECRET.encode() not in answer.body


def chunks(count: int, size: int) -> bytes:
    return (f"{size:x}\r\n".encode() + bytes(size) + b"\r\n") * count + b"0\r\n\r\n"


CHUNKED = "Transfer-Encoding: chunked"


def test_bodies_are_taken_up_to_the_cap_of_their_route(studio: Studio) -> None:
    ours = f"Origin: {studio.origin}"
    exact = studio.ask("/take", ours, f"Content-Length: {1 << 20}", method="POST", body=bytes(1 << 20))
    assert (exact.status, exact.body) == (200, b"1048576")
    assert studio.ask("/take/more", ours, CHUNKED, method="POST", body=chunks(40, 65536)).body == b"2621440"
    assert studio.ask("/take/more", ours, CHUNKED, method="POST", body=chunks(50, 65536)).status == 413


@pytest.mark.parametrize("length", ["1048577", "99999999999999999999"])
def test_a_body_announced_too_large_is_refused_unread(
    studio: Studio, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "_LINGER", 0.1)
    answer = studio.ask("/take", f"Origin: {studio.origin}", f"Content-Length: {length}", method="POST")
    assert answer.status == 413


def test_a_body_without_a_length_is_counted(studio: Studio) -> None:
    answer = studio.ask("/take", f"Origin: {studio.origin}", CHUNKED, method="POST", body=chunks(128, 65536))
    assert answer.status == 413
    assert "more than" in answer.json["error"]
    assert EXPECTED.items() <= answer.headers.items()


def test_an_answer_already_begun_is_cut_off(studio: Studio) -> None:
    answer = studio.ask("/late", f"Origin: {studio.origin}", CHUNKED, method="POST", body=chunks(40, 65536))
    assert len(answer.body) <= 1.1 * (1 << 20)


def test_a_body_that_stops_coming_is_given_up(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_PAUSE", 0.2)
    monkeypatch.setattr(guard, "_LINGER", 0.2)
    answer = studio.ask("/take", f"Origin: {studio.origin}", "Content-Length: 100", method="POST", body=b"only this")
    assert answer.status == 408


@pytest.mark.parametrize(
    "path",
    [
        "../secret.js", "%2e%2e/secret.js", "%2e%2e%2fsecret.js", "..%2fsecret.js", "texts/../../secret.js",
        "..\\secret.js",
        "..%5csecret.js", "%252e%252e/secret.js", "/etc/hostname", "%2fetc/hostname", "link.js", "linked/secret.js",
        ".env.js", "page.py", "index.html", "notes", "page.js/", "page.js%00", "page.js%00.css", "PAGE.JS", "./page.js",
        "texts", "texts/", "", "page.js::$DATA", "C:/secret.js", "//page.js", "page.js?/../x.html#",
        "texts//en/ui.json",
    ],
)  # fmt: skip
def test_only_listed_files_are_given_out(studio: Studio, path: str) -> None:
    answer = studio.ask(f"/static/{path}")
    if path.startswith("page.js?"):
        assert answer.body == b"export {};"
    else:
        assert answer.status in (400, 404)
        assert SECRET.encode() not in answer.body


def test_listed_files_are_given_out_as_what_they_are(studio: Studio, files: Path) -> None:
    assert studio.ask("/static/page.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert studio.ask("/static/texts/en/ui.json").json == {}
    assert sorted(listed(files)) == ["page.js", "texts/en/ui.json"]


def test_head_is_answered_without_a_body(studio: Studio) -> None:
    answer = studio.ask("/", method="HEAD")
    assert (answer.status, answer.body) == (200, b"")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_garbage_gets_an_error_or_nothing(studio: Studio, garbage: bytes, begun: bool) -> None:
    received = b""
    with socket.create_connection((HOST, studio.port), timeout=LONG) as wire, suppress(ConnectionError):
        wire.sendall((b"GET / HTTP/1.1\r\nHost: " if begun else b"") + garbage + b"\r\n\r\n")
        wire.shutdown(socket.SHUT_WR)
        while block := wire.recv(65536):
            received += block
    assert re.match(rb"HTTP/1\.1 4\d\d |$", received)
    assert SECRET.encode() not in received


@pytest.mark.parametrize(
    ("arguments", "spelled"),
    [
        (("http", "127.0.0.1", 80), "http://127.0.0.1"), (("https", "Consult.Example.ORG", 443), "https://consult.example.org"),
        (("http", "::1", 8765), "http://[::1]:8765"), (("https", "10.0.0.5", 80), "https://10.0.0.5:80"),
    ],
)  # fmt: skip
def test_origins_are_spelled_as_browsers_spell_them(arguments: tuple[str, str, int], spelled: str) -> None:
    assert origin(*arguments) == spelled
