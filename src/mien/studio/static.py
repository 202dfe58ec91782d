"""The files of our pages: a closed list made at the start, so that no path that anybody sends is ever looked up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

PAGES: Final = Path(__file__).with_name("pages")
_KINDS: Final = {
    ".css": "text/css", ".ico": "image/x-icon", ".js": "text/javascript", ".json": "application/json",
    ".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp", ".woff2": "font/woff2",
}  # fmt: skip
"""What is given out under /static/, by suffix. No HTML: a page has a route of its own, in the app it belongs to."""


def static_routes(folder: Path = PAGES) -> list[BaseRoute]:
    """GET /static/… for the files that are in `folder` now."""
    files = listed(folder)

    async def static(request: Request) -> Response:
        file = files.get(request.path_params["path"])
        if file is None:
            raise HTTPException(404)
        return Response(await run_in_threadpool(file.read_bytes), media_type=_KINDS[file.suffix])

    return [Route("/static/{path:path}", static, methods=["GET"])]


def page(name: str, folder: Path = PAGES) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of an HTML page."""

    async def endpoint(request: Request) -> Response:
        return Response(await run_in_threadpool((folder / name).read_bytes), media_type="text/html")

    return endpoint


def listed(folder: Path) -> dict[str, Path]:
    """Path under `folder`, with slashes, to file. Nothing that a link takes elsewhere, nothing hidden."""
    root = folder.resolve()
    found = [path for path in root.rglob("*") if path.suffix in _KINDS and path.is_file()]
    inside = [path for path in found if path.resolve() == path]
    return {
        path.relative_to(root).as_posix(): path
        for path in inside
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
    }
