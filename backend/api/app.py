"""The dispatcher's application, put together from its routes."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from backend.api import catalog, events, generate, health, history, jobs, metrics, session, system, tracks
from backend.api.body_limit import BodyLimit
from backend.api.collaborators import Collaborators
from backend.api.errors import install_error_handlers
from backend.api.key_gate import KeyGate
from backend.api.pages import install_pages
from backend.api.security_headers import SecurityHeaders

_DESCRIPTION = """Prompt and lyrics in, complete songs out.

Post a request to `/generate`, poll `/job/{job_id}` or follow `/job/{job_id}/events` until its status is `completed`,
then fetch each track's MP3, WAV and metadata. Every path also answers under `/api`. All errors are objects with a
sentence in `error`. Where `/config` says `api_key_required`, send the key as `Authorization: Bearer KEY` or
`X-API-Key: KEY`, or keep it in a cookie with `POST /session`; without one the answer is a 401."""


def create_app(collaborators: Collaborators) -> FastAPI:
    """The API under ``/`` and ``/api``, and the web page."""
    server = collaborators.settings.server
    app = FastAPI(
        title="Khala",
        version="0.1.0",
        description=_DESCRIPTION,
    )
    app.state.collaborators = collaborators
    install_error_handlers(app)
    for module in (generate, jobs, events, history, tracks, catalog, system, session, health, metrics):
        app.include_router(module.router)
        app.include_router(module.router, prefix="/api", include_in_schema=False)
    api_paths = {"api"} | {path.split("/")[1] for path in app.openapi()["paths"]}
    # The last one is the outermost: a refused key, too, is told to a browser that may hear it.
    app.add_middleware(BodyLimit)
    app.add_middleware(KeyGate, keys=collaborators.keys, api_paths=api_paths)
    if server.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=server.cors_origins, allow_methods=["*"], allow_headers=["*"])
    app.add_middleware(SecurityHeaders)
    install_pages(app, collaborators.settings.paths.frontend_dist, api_paths=api_paths)
    return app
