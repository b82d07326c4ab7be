"""A PostgreSQL of the tests' own: a fresh cluster on a private port, gone with the test run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.backend.real_processes import free_ports

_NOT_HERE = "PostgreSQL is not installed and could not be installed ({why}), so the store is not tested on it"


@contextmanager
def running_cluster() -> Iterator[str]:
    """Yields the address of a server, without a database's name. Skips, and says so, where PostgreSQL cannot be had."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="khala-postgres-", dir="/tmp"))
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    as_user: dict[str, object] = {"user": user, "extra_groups": []} if os.geteuid() == 0 else {}
    shutil.chown(folder, user)
    (port,) = free_ports(1)
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, **as_user)  # type: ignore[call-overload]

    try:
        call("initdb", "-D", str(data), "-U", "khala", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c timezone=Asia/Tokyo"
        call("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://khala@127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """The folder of PostgreSQL's programs."""
    if found := _find():
        return found
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        pytest.skip(_NOT_HERE.format(why="it takes root and apt-get"))
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "postgresql"]):
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        )
        if done.returncode:
            pytest.skip(_NOT_HERE.format(why=(done.stderr.strip().splitlines() or ["apt-get failed"])[-1]))
    return _find() or pytest.skip(_NOT_HERE.format(why="the package has no initdb"))


def _find() -> Path | None:
    on_path = [Path(program).resolve().parent for name in ("initdb",) if (program := shutil.which(name))]
    folders = [*on_path, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)
