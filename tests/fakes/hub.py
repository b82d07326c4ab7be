"""A server that answers as the Hugging Face hub does when a repository is listed and its files are fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

COMMIT = "c" * 40


def create_hub(
    repositories: dict[str, Path], *, failing: Sequence[str] = (), pretended: Mapping[str, int] | None = None
) -> Starlette:
    """Each named repository (``owner/name``) with the files of its folder; ``failing`` ones break on their first call,
    the hub says of ``pretended`` ones that they are of other sizes.

    Beside them every folder lies plainly under ``/raw/owner/name/``, as source trees do.
    """
    broken = set(failing)

    async def about(request: Request) -> Response:
        name = _name(request)
        if name not in repositories:
            return JSONResponse({"error": "Repository not found"}, 401, {"X-Error-Code": "RepoNotFound"})
        return JSONResponse({"id": name, "sha": COMMIT, "siblings": [], "tags": [], "downloads": 0, "private": False})

    async def tree(request: Request) -> Response:
        folder = repositories[_name(request)]
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return JSONResponse(
            [
                {
                    "type": "file",
                    "oid": _etag(path),
                    "size": path.stat().st_size,
                    "path": path.relative_to(folder).as_posix(),
                }
                for path in files
            ]
        )

    async def content(request: Request) -> Response:
        path = repositories[_name(request)] / request.path_params["path"]
        if not path.is_file():
            return Response("Entry not found", 404, {"X-Error-Code": "EntryNotFound"})
        if request.method == "GET" and path.name in broken:
            broken.discard(path.name)
            return Response("Forbidden", 403)
        size = (pretended or {}).get(path.name, path.stat().st_size)
        headers = {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": COMMIT, "X-Linked-Size": str(size)}
        return FileResponse(path, headers=headers)

    return Starlette(
        routes=[
            Route("/api/models/{owner}/{name}/revision/{revision}", about),
            Route("/api/models/{owner}/{name}/tree/{revision}", tree),
            Route("/{owner}/{name}/resolve/{revision}/{path:path}", content),
            Route("/raw/{owner}/{name}/{path:path}", content),
        ]
    )


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _etag(path: Path) -> str:
    return hashlib.sha256(f"{path} {path.stat().st_size}".encode()).hexdigest()[:40]
