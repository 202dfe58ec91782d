"""What is left of a live session that has ended: to look at, to keep, or to discard. It is in memory until then."""

from __future__ import annotations

from json import JSONDecodeError
from typing import TYPE_CHECKING, Final

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from mien.emotion.report import report_html
from mien.errors import MienError
from mien.studio.headers import REPORT_POLICY

if TYPE_CHECKING:
    from mien.studio.live import Ended
    from mien.studio.lives import Lives
    from mien.studio.sessions import SessionStore

_LONGEST_TITLE: Final = 200


def unkept_routes(lives: Lives, store: SessionStore) -> list[Route]:
    """`/api/live/{id}`: report.html, timeline.csv, keep, and DELETE."""

    def ended_of(request: Request) -> Ended | None:
        return lives.ended(request.path_params["id"])

    async def report(request: Request) -> Response:
        if (ended := ended_of(request)) is None:
            return _gone()
        title = request.query_params.get("title", "")[:_LONGEST_TITLE]
        text = await to_thread.run_sync(lambda: report_html(ended.run.timeline, title=title))
        return HTMLResponse(text, headers={"content-security-policy": REPORT_POLICY})

    async def table(request: Request) -> Response:
        if (ended := ended_of(request)) is None:
            return _gone()
        text = await to_thread.run_sync(ended.run.timeline.csv)
        attached = f'attachment; filename="{ended.started:%Y-%m-%d-%H%M}-timeline.csv"'
        return Response(text, media_type="text/csv", headers={"content-disposition": attached})

    async def keep(request: Request) -> Response:
        if (ended := ended_of(request)) is None:
            return _gone()
        title = await _title(request)
        if title is None:
            return JSONResponse({"error": "A title is text of at most 200 characters."}, 400)

        def kept() -> dict[str, object]:
            session = store.keep(
                ended.run.timeline, started=ended.started, avatar=ended.avatar, title=title, recording=ended.recording
            )
            lives.forget(ended.id)
            return session.to_dict()

        try:
            return JSONResponse(await to_thread.run_sync(kept))
        except MienError as error:
            return JSONResponse({"error": str(error)}, 500)

    async def discard(request: Request) -> Response:
        await to_thread.run_sync(lives.forget, request.path_params["id"])
        return Response(status_code=204)

    return [
        Route("/api/live/{id}/report.html", report),
        Route("/api/live/{id}/timeline.csv", table),
        Route("/api/live/{id}/keep", keep, methods=["POST"]),
        Route("/api/live/{id}", discard, methods=["DELETE"]),
    ]


async def _title(request: Request) -> str | None:
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        return None
    title = body.get("title", "") if isinstance(body, dict) else None
    return title.strip() if isinstance(title, str) and len(title) <= _LONGEST_TITLE else None


def _gone() -> Response:
    return JSONResponse(
        {"error": "That session is no longer here: it was kept, discarded, or the studio restarted."}, 404
    )
