"""A track's file over HTTP: byte ranges, an ETag, and errors that look like every other error of the API."""

from __future__ import annotations

from pathlib import Path

from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from backend.api.schemas import ErrorAnswer

FOR_A_DAY = "private, max-age=86400, immutable"
"""A finished track never changes."""


def song_file(path: Path, media_type: str, request: Request, *, name: str) -> Response:
    """The file under a ``name`` to save it by, or a 304 where the one who asks has it already."""
    answer = _SongFile(
        path,
        media_type=media_type,
        filename=name,
        content_disposition_type="inline",
        stat_result=path.stat(),
        headers={"Cache-Control": FOR_A_DAY},
    )
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if answer.headers["etag"] in known or "*" in known:
        return Response(status_code=304, headers={"ETag": answer.headers["etag"], "Cache-Control": FOR_A_DAY})
    return answer


class _SongFile(FileResponse):
    """A file whose refused ranges are answered in JSON; the framework would say plain text, or nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = False

        async def send_what_is_right(message: Message) -> None:
            nonlocal refused
            refused = refused or (message["type"] == "http.response.start" and message["status"] >= 400)
            if not refused:
                await send(message)

        await super().__call__(scope, receive, send_what_is_right)
        if refused:
            size = self.headers["content-length"]
            error = f"The Range header asks for bytes that are not there or cannot be read; the file has {size} bytes."
            body = ErrorAnswer(error=error).model_dump(exclude_none=True)
            await JSONResponse(body, 416, {"Content-Range": f"bytes */{size}"})(scope, receive, send)
