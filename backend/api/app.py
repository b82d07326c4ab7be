"""The dispatcher's application, put together from its routes."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from backend.api import catalog, generate, jobs, system, tracks
from backend.api.body_limit import BodyLimit
from backend.api.collaborators import Collaborators
from backend.api.errors import install_error_handlers
from backend.api.pages import install_pages

_DESCRIPTION = """Prompt and lyrics in, complete songs out.

Post a request to `/generate`, poll `/job/{job_id}` until its status is `completed`, then fetch each track's MP3, WAV
and metadata. Every path also answers under `/api`. All errors are objects with a sentence in `error`."""


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
    app.add_middleware(BodyLimit)
    if server.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=server.cors_origins, allow_methods=["*"], allow_headers=["*"])
    routers = [generate.router, jobs.router, tracks.router, catalog.router, system.router]
    for router in routers:
        app.include_router(router)
        app.include_router(router, prefix="/api", include_in_schema=False)
    install_pages(app, collaborators.settings.paths.frontend_dist)
    return app
