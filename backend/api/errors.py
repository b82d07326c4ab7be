"""How errors look over HTTP: one table from exceptions to answers. Echoes nothing that was sent, shows no traceback."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from backend.api.schemas import ErrorAnswer, ErrorDetail
from backend.jobs.refusals import KeyReused, NoRoom, NotAsItIs, QueueFull, Refusal
from core.errors import ArtifactError, InvalidRequest

logger = logging.getLogger(__name__)

_MOST_DETAILS = 20
_LONGEST_NAME = 80
_SENTENCES = {
    # What the framework says in a word or two, as sentences.
    "Not Found": "There is nothing at this address; /docs lists every call.",
    "Method Not Allowed": "This address does not take this method; /docs lists every call.",
    "There was an error parsing the body": "The request body could not be read as JSON.",
}
_NOT_JSON = "The request body must be a JSON object, sent with 'Content-Type: application/json'"
_REFUSED: dict[type[Refusal], int] = {NotAsItIs: 409, KeyReused: 409, QueueFull: 429, NoRoom: 507}
_STORE_BUSY = "The job store does not answer, or its disk is full. Nothing was lost; try again soon."


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the application an ErrorAnswer."""

    @app.exception_handler(RequestValidationError)
    async def wrong_fields(request: Request, error: RequestValidationError) -> JSONResponse:
        return unprocessable([_detail(found) for found in error.errors()[:_MOST_DETAILS]])

    @app.exception_handler(InvalidRequest)
    async def invalid_request(request: Request, error: InvalidRequest) -> JSONResponse:
        return unprocessable([ErrorDetail(field=error.field, message=error.message)])

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        headers = {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, QueueFull) else None
        return _answer(_REFUSED[type(error)], ErrorAnswer(error=str(error)), headers=headers)

    @app.exception_handler(OperationalError)
    async def store_busy(request: Request, error: OperationalError) -> JSONResponse:
        logger.error("the job store did not answer: %s", error)
        return _answer(503, ErrorAnswer(error=_STORE_BUSY), headers={"Retry-After": "5"})

    @app.exception_handler(ArtifactError)
    async def no_file(request: Request, error: ArtifactError) -> JSONResponse:
        return _answer(404, ErrorAnswer(error=str(error)))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        sentence = _SENTENCES.get(error.detail, error.detail)
        return _answer(error.status_code, ErrorAnswer(error=sentence), headers=error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return _answer(500, ErrorAnswer(error="Something went wrong inside; the server's log has the details."))


def unprocessable(details: Sequence[ErrorDetail]) -> JSONResponse:
    """A 422 that names the fields and the limits."""
    first = details[0]
    sentence = f"{first.field}: {first.message}." if first.field != "body" else f"{first.message}."
    return _answer(422, ErrorAnswer(error=sentence, field=first.field, detail=list(details)))


def _detail(found: dict[str, Any]) -> ErrorDetail:
    field = _readable(found["loc"])
    if found["type"] == "json_invalid":
        return ErrorDetail(field="body", message=f"{_NOT_JSON}; it is not JSON: {found['ctx']['error']}")
    if field == "body":
        return ErrorDetail(field=field, message=_NOT_JSON)
    if found["type"] == "extra_forbidden":
        return ErrorDetail(field=field, message="there is no such field")
    return ErrorDetail(field=field, message=str(found["msg"])[:1].lower() + str(found["msg"])[1:])


def _readable(place: Sequence[str | int]) -> str:
    """The field's name, short and writable even where the name itself was sent to us."""
    names = [str(part) for part in place if part not in ("body", "path", "query", "header")]
    return ".".join(names)[:_LONGEST_NAME].encode("utf-8", "replace").decode() or "body"


def _answer(status: int, body: ErrorAnswer, *, headers: Any = None) -> JSONResponse:
    return JSONResponse(body.model_dump(exclude_none=True), status_code=status, headers=headers)
