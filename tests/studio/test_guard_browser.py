"""The guard as a real browser meets it: what it says of itself is what the guard expects, for friend and foe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from browsers import chromium
from mien.studio import launch
from mien.studio.guard import Guard
from mien.studio.relay import relay_app
from mien.studio.rooms import Rooms
from mien.studio.serving import Server, listen
from mien.studio.static import static_routes
from mien.studio.token import Token

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ASK = """async ([url, options]) => {
  try { const answer = await fetch(url, options); return answer.status || answer.type; } catch { return "failed"; }
}"""
SPEAK = """(url) => new Promise((done) => {
  const wire = new WebSocket(url);
  wire.onopen = () => { wire.send("hello"); };
  wire.onmessage = (event) => { done(event.data); wire.close(); };
  wire.onclose = () => done("closed");
})"""


@dataclass
class World:
    """A studio, the relay beside it, and a page that means no good, each on a port of one computer."""

    studio: str
    relay: str
    evil: str
    token: Token
    seen: list[str] = field(default_factory=list)
    """What got past the guard of the studio."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    pages = tmp_path_factory.mktemp("pages")
    Path(pages / "page.js").write_text('document.title = "running";')
    studio, relay, evil = listen(), listen(), listen()
    own, other, foreign = (listener.origins[0] for listener in (studio, relay, evil))
    all_of_it = World(own, other, foreign, Token(studio.port))

    async def home(request: Request) -> Response:
        all_of_it.seen.append("home")
        return HTMLResponse('<!doctype html><title>still</title><script src="/static/page.js"></script><p id="p">mien')

    async def note(request: Request) -> Response:
        all_of_it.seen.append("note")
        return JSONResponse({})

    async def echo(websocket: WebSocket) -> None:
        all_of_it.seen.append("socket")
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)

    routes = [
        Route("/", home), Route("/note", note, methods=["GET", "POST", "DELETE"]), WebSocketRoute("/live", echo),
        *static_routes(pages),
    ]  # fmt: skip

    async def lure(request: Request) -> Response:
        return HTMLResponse(f'<!doctype html><a id="a" href="{own}/">win</a><a id="b" href="{other}/">relay</a>')

    server = Server()
    connect = [other.replace("http", "ws")]
    server.add(Guard(Starlette(routes=routes), origins=studio.origins, token=all_of_it.token, connect=connect), studio)
    server.add(relay_app(Rooms(), origins=relay.origins), relay)
    server.add(Starlette(routes=[Route("/", lure)]), evil)
    with server:
        yield all_of_it


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A page of the studio in a browser that was let in by the launch link."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{world.studio}/open?token={world.token.launch_code()}")
        world.seen.clear()
        yield page


def test_the_launch_link_leads_to_a_page_that_works(world: World, page: Page) -> None:
    assert page.url == f"{world.studio}/"
    assert page.title() == "running"
    assert page.evaluate(ASK, ["/note", {}]) == 200
    assert page.evaluate(ASK, ["/note", {"method": "POST", "body": "x"}]) == 200
    assert page.evaluate(ASK, ["/note", {"method": "DELETE"}]) == 200
    assert page.evaluate(SPEAK, world.studio.replace("http", "ws") + "/live") == "hello"
    assert page.reload().status == 200


def test_the_page_reaches_the_rooms_of_a_relay_on_another_port_and_nothing_else_there(world: World, page: Page) -> None:
    wire = world.relay.replace("http", "ws")
    assert '"refused"' in page.evaluate(SPEAK, f"{wire}/relay")  # hello is not in its protocol
    assert page.evaluate(ASK, [f"{world.relay}/", {"mode": "no-cors"}]) == "failed"
    assert page.evaluate(ASK, [f"{world.evil}/", {"mode": "no-cors"}]) == "failed"


def test_the_page_runs_nothing_that_is_not_ours(world: World, page: Page) -> None:
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.smuggled = true";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.smuggled = true'>");
      document.body.insertAdjacentHTML("beforeend", "<p id=q style='color: red'>");
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("() => window.smuggled") is None
    assert page.evaluate("() => getComputedStyle(document.getElementById('q')).color") != "rgb(255, 0, 0)"


def test_another_page_gets_nothing_past_the_guard(world: World, page: Page) -> None:
    """The same site as far as cookies go: they are sent along from another port, and must not be enough."""
    foe = page.context.new_page()
    foe.goto(world.evil)
    world.seen.clear()
    for options in (
        {}, {"credentials": "include"}, {"mode": "no-cors", "credentials": "include"},
        {"mode": "no-cors", "credentials": "include", "method": "POST", "body": "x"},
        {"credentials": "include", "method": "DELETE"},
    ):  # fmt: skip
        assert foe.evaluate(ASK, [f"{world.studio}/note", options]) in ("failed", "opaque")
    assert foe.evaluate(SPEAK, world.studio.replace("http", "ws") + "/live") == "closed"
    foe.evaluate("""(url) => new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.onload = done;
      frame.src = url;
      document.body.append(frame);
    })""", f"{world.studio}/")  # fmt: skip
    foe.evaluate("""(url) => {
      for (const kind of ["script", "img"]) {
        document.body.append(Object.assign(document.createElement(kind), {src: url}));
      }
    }""", f"{world.studio}/note")  # fmt: skip
    foe.wait_for_timeout(200)
    with foe.expect_navigation():
        foe.click("#a")
    assert "Another page led here" in foe.content()
    assert world.seen == []


def test_the_file_that_the_browser_is_started_with_leads_in(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[str] = []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("webbrowser.open", lambda url: files.append(url) or True)
    assert launch.open_browser(f"{world.studio}/open?token={world.token.launch_code()}")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(files[0])
        page.wait_for_url(f"{world.studio}/")
        page.wait_for_function("() => document.title === 'running'")
        assert page.evaluate(ASK, ["/note", {"method": "POST", "body": "x"}]) == 200
    with browser.new_context() as context:  # the code is used up
        page = context.new_page()
        page.goto(files[0])
        page.wait_for_url(f"{world.studio}/open*")
        assert "the link that mien printed" in page.inner_text("body")


def test_a_link_elsewhere_leads_into_the_relay(world: World, page: Page) -> None:
    page.goto(world.evil)
    with page.expect_navigation():
        page.click("#b")
    assert "mien relay" in page.content()


def test_a_browser_that_was_not_let_in_reads_what_to_do(world: World, browser: Browser) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        answer = page.goto(world.studio)
        assert answer is not None
        assert answer.status == 403
        assert "the link that mien printed" in page.inner_text("body")
        assert page.evaluate("() => getComputedStyle(document.body).maxWidth") != "none"  # the style is let through
