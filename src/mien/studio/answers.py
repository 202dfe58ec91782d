"""How the studio's routes answer: JSON, one sentence for what went wrong, files of which a part can be asked for."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from mien.errors import MienError, ModelError, OutputError
from mien.studio.headers import REPORT_POLICY

Endpoint = Callable[[Request], Awaitable[Response]]

_TYPES: Final = {".mp4": "video/mp4", ".csv": "text/csv", ".html": "text/html", ".json": "application/json"}
_LARGEST_JSON: Final = 16 * 1024


class RefusedError(Exception):
    """A request that is not granted: the HTTP status and a sentence for whoever asked."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def explained(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose refusals and errors of ours become JSON: {"error": sentence}."""

    @functools.wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except RefusedError as refused:
            return JSONResponse({"error": str(refused)}, refused.status)
        except MienError as error:
            status = 503 if isinstance(error, ModelError) else 500 if isinstance(error, OutputError) else 422
            return JSONResponse({"error": str(error)}, status)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it

    return answered


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object that a request brings. Raises RefusedError for anything else."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_JSON:
            raise RefusedError(413, "That is more than a request here can say.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RefusedError(400, "A JSON object is expected.")
    return value


def file_answer(path: Path, *, name: str, attached: bool) -> Response:
    """A file, or the part of it that was asked for, to be saved under `name`; shown rather than saved unless
    `attached`. A report comes under a policy that keeps it to itself."""
    return FileResponse(
        path, media_type=_TYPES[path.suffix], filename=name,
        headers={"content-security-policy": REPORT_POLICY} if path.suffix == ".html" else None,
        content_disposition_type="attachment" if attached else "inline",
    )  # fmt: skip
