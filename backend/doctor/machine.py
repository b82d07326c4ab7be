"""The machine itself: Python, disk, folders, ffmpeg, clock, ports. Nothing here imports torch, so it takes no time."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from backend.doctor.finding import Finding, ok, problem, warning
from backend.http_server import PortTaken, bind, url_of
from backend.settings import PROJECT_ROOT, Settings
from backend.workers.messages import REFUSES_STRANGERS

_OLDEST_PYTHON = (3, 10)
_OLDEST_NODE = (20, 19)
_ROOMY_GB = 10.0
_A_DAY_SECONDS = 24 * 3600
_SONG_MB = 25
"""About what two tracks of two minutes take, WAV and MP3."""


def check_machine(settings: Settings) -> Iterator[Finding]:
    """Everything that decides before a model is looked at."""
    yield _python()
    yield _clock()
    yield from _folders(settings)
    yield _disk(settings)
    yield _ffmpeg()
    yield _page(settings)


def check_ports(settings: Settings, workers: int = 1) -> Iterator[Finding]:
    """Whether the dispatcher and its workers can listen where they should; a running Khala is no trouble."""
    server = settings.server
    wanted = [("dispatcher's port", server.host, server.api_port, "API_PORT")]
    wanted += [
        (f"worker {number}'s port", server.worker_host, server.worker_base_port + number, "WORKER_BASE_PORT")
        for number in range(workers)
    ]
    yield from (_port(*one) for one in wanted)


def _port(name: str, host: str, port: int, variable: str) -> Finding:
    try:
        bind(host, port).close()
    except PortTaken as error:
        if _is_khala(url_of(host, port)):
            return ok(name, f"{port} on {host} is Khala's own: it is running")
        return problem(name, str(error), f"stop that program, or set {variable} to another port")
    return ok(name, f"{port} on {host} is free")


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < _OLDEST_PYTHON:
        return problem("Python", version, "install 3.10 or newer, remove .venv, run: bash run_backend.sh")
    return ok("Python", version)


def _clock() -> Finding:
    # No song, log or token of ours can be older than the program that makes it.
    written = Path(__file__).stat().st_mtime
    if time.time() < written - _A_DAY_SECONDS:
        return warning("clock", time.strftime("%Y-%m-%d %H:%M"), "set it: it is behind the age of this program")
    return ok("clock", time.strftime("%Y-%m-%d %H:%M"))


def _folders(settings: Settings) -> Iterator[Finding]:
    folders = {"songs": settings.paths.output_dir, "logs": settings.paths.logs_dir}
    try:
        url = make_url(settings.jobs.database_url)
        if url.get_backend_name() == "sqlite" and url.database:
            folders["job store"] = Path(url.database).parent
    except ArgumentError:
        yield problem("job store", "KHALA_DATABASE_URL is no address", "for example sqlite:////var/lib/khala/jobs.db")
    yield from (_folder(f"folder of {name}", folder) for name, folder in folders.items())


def _folder(name: str, folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ok(name, str(folder))
    except OSError as error:
        step = f"make it writable for this user, for example: sudo chown -R $USER {folder}"
        return problem(name, f"{folder} cannot be written to ({error.strerror})", step)


def _disk(settings: Settings) -> Finding:
    folder = settings.paths.output_dir
    while not folder.exists():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    text = f"{free_gb:.1f} GB free for songs"
    if free_gb < settings.jobs.min_free_gb:
        return warning(
            "disk", text, f"free some: below KHALA_MIN_FREE_GB={settings.jobs.min_free_gb:g} no job is taken"
        )
    if free_gb < _ROOMY_GB:
        songs = int(free_gb * 1000 / _SONG_MB)
        return warning("disk", f"{text}, about {songs} jobs", "free some, or set KHALA_KEEP_GB so that old songs go")
    return ok("disk", text)


def _ffmpeg() -> Finding:
    step = (
        "run: bash run_backend.sh setup (it installs ffmpeg with imageio-ffmpeg); without it there are WAV files only"
    )
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        program = get_ffmpeg_exe()
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        return warning("ffmpeg", f"does not run ({error})", step)
    return ok("ffmpeg", " ".join(said.split()[:3]))


def _page(settings: Settings) -> Finding:
    if (settings.paths.frontend_dist / "index.html").exists():
        return ok("web page", "is built")
    step = f"install Node.js {'.'.join(map(str, _OLDEST_NODE))} or newer, then start again"
    if shutil.which("node") is None:
        return warning("web page", "is not built, Node.js is missing", step)
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if tuple(map(int, re.findall(r"\d+", said)[:2])) < _OLDEST_NODE:
        return warning("web page", f"is not built, Node.js {said} is too old", step)
    return warning("web page", "is not built", f"run: cd {PROJECT_ROOT / 'frontend'} && npm ci && npm run build")


def _is_khala(url: str) -> bool:
    import httpx

    try:
        answers = [httpx.get(f"{url}{path}", timeout=2, trust_env=False) for path in ("/healthz", "/health")]
        # A worker with a token refuses whoever has none.
        return any("status" in answer.json() or answer.json().get("detail") == REFUSES_STRANGERS for answer in answers)
    except (httpx.HTTPError, ValueError, AttributeError, TypeError):
        return False
