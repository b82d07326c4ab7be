"""Who asks: the API key that came with a request, or the address it came from."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request


def _client(request: Request) -> str:
    # The key gate notes whose key it was; without keys, everybody is known by their address.
    known: str | None = getattr(request.state, "client", None)
    return known or f"address {request.client.host if request.client else 'unknown'}"


Client = Annotated[str, Depends(_client)]
