"""What is left of a live session that has ended: to look at, to keep, or to discard. It is in memory until then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from mien.emotion.report import report_html
from mien.studio.answers import RefusedError, explained, json_object
from mien.studio.headers import REPORT_POLICY
from mien.studio.sessions import asked_title

if TYPE_CHECKING:
    from mien.studio.live import Ended
    from mien.studio.lives import Lives
    from mien.studio.sessions import Session, SessionStore


def unkept_routes(lives: Lives, store: SessionStore) -> list[Route]:
    """`/api/live/{id}`: report.html, timeline.csv, keep, and DELETE."""

    def left_of(request: Request) -> Ended:
        ended = lives.ended(request.path_params["id"])
        if ended is None:
            raise RefusedError(404, "That session is no longer here: it was kept, discarded, or the studio restarted.")
        return ended

    async def report(request: Request) -> Response:
        timeline, title = left_of(request).run.timeline, asked_title(dict(request.query_params), otherwise="")
        text = await to_thread.run_sync(lambda: report_html(timeline, title=title))
        return HTMLResponse(text, headers={"content-security-policy": REPORT_POLICY})

    async def table(request: Request) -> Response:
        ended = left_of(request)
        text = await to_thread.run_sync(ended.run.timeline.csv)
        attached = f'attachment; filename="{ended.started:%Y-%m-%d-%H%M}-timeline.csv"'
        return Response(text, media_type="text/csv", headers={"content-disposition": attached})

    async def keep(request: Request) -> Response:
        ended, title = left_of(request), asked_title(await json_object(request), otherwise="")

        def kept() -> Session:
            session = store.keep(
                ended.run.timeline, started=ended.started, avatar=ended.avatar, title=title, recording=ended.recording
            )
            lives.forget(ended.id)
            return session

        return JSONResponse((await to_thread.run_sync(kept)).to_dict())

    async def discard(request: Request) -> Response:
        await to_thread.run_sync(lives.forget, request.path_params["id"])
        return Response(status_code=204)

    return [
        Route("/api/live/{id}/report.html", explained(report)),
        Route("/api/live/{id}/timeline.csv", explained(table)),
        Route("/api/live/{id}/keep", explained(keep), methods=["POST"]),
        Route("/api/live/{id}", explained(discard), methods=["DELETE"]),
    ]
