"""POST and DELETE /session: an API key in a cookie, for what cannot send headers: audio elements and EventSource."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response

from backend.api.collaborators import Studio
from backend.api.key_gate import COOKIE
from backend.api.schemas import BODY_ERRORS, ErrorAnswer, SessionBody

router = APIRouter(prefix="/session", tags=["system"])

_A_MONTH_SECONDS = 30 * 24 * 3600


@router.post(
    "",
    status_code=204,
    summary="Keep an API key in a cookie",
    responses={**BODY_ERRORS, 401: {"model": ErrorAnswer, "description": "The key is not known"}},
)
async def begin(body: SessionBody, request: Request, response: Response, studio: Studio) -> None:
    """Check a key and set it as a cookie that scripts cannot read and other sites cannot use."""
    if studio.keys.owner(body.key) is None:
        raise HTTPException(401, "This API key is not known here.")
    secure = request.url.scheme == "https"
    # Quoted, because a cookie cannot hold every character that a key may.
    response.set_cookie(
        COOKIE, quote(body.key), max_age=_A_MONTH_SECONDS, httponly=True, samesite="strict", secure=secure
    )


@router.delete("", status_code=204, summary="Forget the cookie")
async def end(response: Response) -> None:
    """Remove the cookie."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
