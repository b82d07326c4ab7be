"""What a browser sees at ``/``: the built web page, or a few plain words where there is none."""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_WELCOME = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Khala</title>
<style>body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
pre { background: #eee; color: #222; padding: 1rem; overflow: auto }</style>
<h1>Khala is running</h1>
<p>It makes songs from a description and lyrics. The web page has not been built, so this is the plain door:
<a href="docs">try every call</a>, or see <a href="status">what the workers do</a>.</p>
<p>Ask for a song, then look how it comes along:</p>
<pre>curl -X POST {base}generate -H 'Content-Type: application/json' \\
  -d '{"tags": "Lo-fi, Piano, Dreamy", "lyrics": "Rain on the window", "duration": 1}'
curl {base}job/JOB_ID
curl -OJ {base}job/JOB_ID/track/0/mp3</pre>
</html>
"""


_ASSETS = "assets"
"""Its files are named after their content."""
_FOR_EVER = "public, max-age=31536000, immutable"


class SinglePageApp(StaticFiles):
    """The built page with its assets; any path that is not a file and not the API's is the page itself.

    A browser keeps assets for ever and asks for everything else anew, so that after an upgrade it has the pieces of one
    page; an asset of an older one is missing, not a page.
    """

    def __init__(self, directory: Path, *, api_paths: Collection[str]) -> None:
        super().__init__(directory=directory, html=True)
        self._api_paths = api_paths

    async def get_response(self, path: str, scope: Scope) -> Response:
        folder = path.split("/")[0]
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or folder in {*self._api_paths, _ASSETS}:
                raise
            response = await super().get_response("index.html", scope)
        response.headers["Cache-Control"] = _FOR_EVER if folder == _ASSETS else "no-cache"
        return response


def install_pages(app: FastAPI, frontend_dist: Path, *, api_paths: Collection[str]) -> None:
    """Serve the page; call last, because it answers every path that nothing else answers."""
    if (frontend_dist / "index.html").is_file():
        app.mount("/", SinglePageApp(frontend_dist, api_paths=api_paths), name="page")
        return

    @app.get("/", include_in_schema=False)
    async def welcome(request: Request) -> HTMLResponse:
        return HTMLResponse(_WELCOME.replace("{base}", escape(str(request.base_url))))
