"""Clips dropped on the studio's page: taken into memory, given another face, the results fetched."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mien.api import SIZES
from mien.engine import registry
from mien.media.memory import MemoryFile
from mien.studio.answers import RefusedError, explained, file_answer, json_object
from mien.studio.clip_jobs import LARGEST, ClipJobs, Wish
from mien.studio.gallery import known
from mien.studio.intake import file_name
from mien.types import Scene

__all__ = ["LARGEST", "ClipJobs", "routes"]


def routes(jobs: ClipJobs) -> list[Route]:
    """`/api/clips`: take in, list, run, look, cancel, remove, and what was made."""
    two_looked_at = CapacityLimiter(2)

    async def add(request: Request) -> Response:
        data = await jobs.intake.take(request)
        try:
            file = MemoryFile(file_name(request, "clip"), data)
            clip = await to_thread.run_sync(jobs.add, file, limiter=two_looked_at)
        except BaseException:
            jobs.intake.drop(data)
            raise
        facts = clip.facts
        return JSONResponse(
            {"id": clip.id, "name": clip.file.name, "seconds": facts.seconds, "width": facts.width,
             "height": facts.height, "fps": facts.fps, "audio": facts.audio}, 201,
        )  # fmt: skip

    async def listing(request: Request) -> Response:
        return JSONResponse([clip.to_dict() for clip in jobs.list()])

    async def state(request: Request) -> Response:
        return JSONResponse(jobs.get(request.path_params["id"]).to_dict())

    async def run(request: Request) -> Response:
        clip = jobs.get(request.path_params["id"])
        wish = await to_thread.run_sync(wished, await json_object(request))
        return JSONResponse(jobs.run(clip.id, wish).to_dict(), 202)

    async def cancel(request: Request) -> Response:
        return JSONResponse(jobs.cancel(request.path_params["id"]).to_dict())

    async def remove(request: Request) -> Response:
        await to_thread.run_sync(jobs.remove, request.path_params["id"])
        return Response(status_code=204)

    async def file(request: Request) -> Response:
        name = request.path_params["file"]
        clip = jobs.get(request.path_params["id"])
        path = jobs.file(clip.id, name)
        shown = name == "report.html" and "download" not in request.query_params
        return file_answer(path, name=f"{clip.added:%Y-%m-%d-%H%M}-{name}", attached=not shown)

    return [
        Route("/api/clips", explained(listing), methods=["GET"]),
        Route("/api/clips", explained(add), methods=["POST"]),
        Route("/api/clips/{id}", explained(state), methods=["GET"]),
        Route("/api/clips/{id}", explained(remove), methods=["DELETE"]),
        Route("/api/clips/{id}/run", explained(run), methods=["POST"]),
        Route("/api/clips/{id}/cancel", explained(cancel), methods=["POST"]),
        Route("/api/clips/{id}/{file}", explained(file), methods=["GET"]),
    ]


def wished(asked: dict[str, Any]) -> Wish:
    """What a page asks for, checked: an avatar and an engine by names that are known, never by a path. Raises
    RefusedError."""
    avatar, engine = asked.get("avatar"), asked.get("engine")
    scene, audio, size = asked.get("scene", "avatar"), asked.get("audio", "keep"), asked.get("size", 512)
    listed = known().get(avatar) if isinstance(avatar, str) else None
    if listed is None:
        raise RefusedError(400, "There is no such avatar. It may have been removed; choose another.")
    if engine is not None and engine not in registry.names():
        raise RefusedError(400, f"There is no such engine. Choose from {', '.join(registry.names())}.")
    if scene not in ("avatar", "paste") or audio not in ("keep", "drop"):
        raise RefusedError(400, "The scene is 'avatar' or 'paste', the audio 'keep' or 'drop'.")
    if type(size) is not int or size not in SIZES:
        raise RefusedError(400, f"The size is a number of pixels from {SIZES[0]} to {SIZES[-1]}.")
    return Wish(listed.name, listed.path, engine, Scene(scene), audio, size)
