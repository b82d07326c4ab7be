"""Stops reading a request body that is too large."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 16 * 2**20
"""Far above the largest legal request, so that a text that is too long still learns which field it is in."""


class BodyLimit:
    """The middleware; what it raises becomes a 413 like every other error of the API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                limit = MAX_BODY_BYTES // 2**20
                raise HTTPException(413, f"The request body is larger than {limit} MiB. Shorten the text.")
            return message

        await self._app(scope, receive_within_limit, send)
