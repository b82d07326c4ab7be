"""Asks for an API key, where keys are set: as a bearer token, in X-API-Key, or in the cookie of POST /session."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import unquote

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.api.keys import ApiKeys

COOKIE = "khala_key"
_OPEN = {"healthz", "readyz", "session", "config"}
_MISSING = "This call needs an API key: send it as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'."
_WRONG = "This API key is not known here."


class KeyGate:
    """The middleware. ``api_paths`` are first parts of paths that need a key; the page's own files need none."""

    def __init__(self, app: ASGIApp, *, keys: ApiKeys, api_paths: Collection[str]) -> None:
        self._app = app
        self._keys = keys
        self._closed = {*api_paths, "docs", "redoc", "openapi.json"} - _OPEN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self._keys or not self._is_closed(scope["path"]):
            await self._app(scope, receive, send)
            return
        key = given_key(HTTPConnection(scope))
        owner = self._keys.owner(key) if key else None
        if owner is None:
            refusal = JSONResponse({"error": _WRONG if key else _MISSING}, 401, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["client"] = owner
        await self._app(scope, receive, send)

    def _is_closed(self, path: str) -> bool:
        parts = [part for part in path.split("/") if part]
        if parts[:1] == ["api"] and parts[1:]:
            # The same paths answer under /api, and everything there is the API's.
            return parts[1] not in _OPEN
        return bool(parts) and parts[0] in self._closed


def given_key(request: HTTPConnection) -> str:
    """The key that came with a request; empty if none did."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or request.headers.get("x-api-key") or unquote(request.cookies.get(COOKIE, ""))
