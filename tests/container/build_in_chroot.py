"""Follow the Dockerfile where there is no container engine: in folders made by debootstrap, as root, with chroot.

    python -m tests.container.build_in_chroot WORK [--mount DIRECTORY …] [--mirror URL]

Each stage starts from a minimal Debian with the Python or Node.js that its base image has, every RUN happens inside,
every COPY honours .dockerignore. Then the image's ENTRYPOINT and CMD are started as its USER on the CPU, HEALTHCHECK is
asked until it is well, and one song is made. It shows that the steps are right and complete; it is not the image: no
layers, no NVIDIA runtime. ``--mount`` shows folders that pip is configured to look in.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from backend.client import Khala
from core.job import JobStatus
from tests.backend.real_processes import until
from tests.container.dockerfile import Step, read_dockerfile

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv,libstdc++6"
PORT = 8889
URL = f"http://127.0.0.1:{PORT}"
_OF_THE_NETWORK = ("PIP_", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_OF_THIS_MACHINE = ("resolv.conf", "pip.conf", "ssl/certs/ca-certificates.crt")
"""How this machine reaches registries; a chroot has to reach them the same way."""

_REQUEST: dict[str, Any] = {"mode": "instrumental", "tags": "Jazz, Piano", "duration": 1, "num_tracks": 1}


class Machine:
    """A root directory, with the environment and the user that the steps so far have set."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root"}
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith(_OF_THE_NETWORK)}
        self.user, self.folder = "root", "/"
        self.final: dict[str, list[str]] = {}

    def command(self, words: list[str]) -> list[str]:
        """What runs these words inside."""
        pairs = [f"{name}={value}" for name, value in self.environment.items()]
        inside = f'cd {self.folder} && exec "$@"'
        return [
            "chroot",
            f"--userspec={self.user}",
            str(self.root),
            "env",
            "-i",
            *pairs,
            "sh",
            "-c",
            inside,
            "_",
            *words,
        ]

    def run(self, *words: str) -> None:
        subprocess.run(self.command(list(words)), check=True)

    def place(self, path: str) -> Path:
        """A path of the machine as this one sees it."""
        return self.root.joinpath(os.path.normpath(f"{self.folder}/{path}" if not path.startswith("/") else path)[1:])


def main() -> None:
    options = _options()
    base = options.work / "base"
    if not base.exists():
        options.work.mkdir(parents=True, exist_ok=True)
        wanted = ["--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(base), options.mirror]
        subprocess.run(["debootstrap", *wanted], check=True)
    machines: dict[str, Machine] = {}
    with ExitStack() as mounts:
        for stage in read_dockerfile(ROOT / "Dockerfile"):
            machines[stage.name] = machine = Machine(options.work / stage.name)
            _furnish(machine, base, stage.base)
            for folder in (Path("/proc"), Path("/dev"), *options.mount):
                mounts.enter_context(_shown(folder, machine.root))
            for step in stage.steps:
                sys.stdout.write(f"[{stage.name}] {step.instruction} {step.arguments}\n"[:150])
                sys.stdout.flush()
                _do(step, machine, machines)
        song = _first_song(machine)
    listing = subprocess.run(["du", "-sm", machine.root], capture_output=True, text=True, check=True)
    sys.stdout.write(json.dumps({"image_mb": int(listing.stdout.split()[0]), "song": song}) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="an empty folder with some 10 GB")
    parser.add_argument("--mount", type=Path, nargs="*", default=[])
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    return parser.parse_args()


def _furnish(machine: Machine, base: Path, image: str) -> None:
    """What the base image brings: Debian, and its language in /usr/local."""
    if machine.root.exists():
        raise SystemExit(f"{machine.root} is there already. If nothing is mounted in it, remove it and try again.")
    subprocess.run(["cp", "-a", "--reflink=auto", base, machine.root], check=True)
    for name in _OF_THIS_MACHINE:
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), machine.root / "etc" / name)
    local = machine.root / "usr" / "local"
    if image.startswith("node:"):
        node = shutil.which("node")
        if node is None:
            raise SystemExit("Node.js is needed here, because the base image of a stage brings it.")
        own = Path(node).resolve().parents[1]
        shutil.copy(node, local / "bin" / "node")
        shutil.copytree(own / "lib" / "node_modules", local / "lib" / "node_modules", symlinks=True)
        for tool in ("npm", "npx"):
            local.joinpath("bin", tool).symlink_to(f"../lib/node_modules/npm/bin/{tool}-cli.js")
    else:
        local.joinpath("bin", "python").symlink_to("/usr/bin/python3")


@contextmanager
def _shown(folder: Path, root: Path) -> Iterator[None]:
    """The folder of this machine inside another, while it is needed."""
    place = root / folder.relative_to("/")
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "--bind", folder, place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def _do(step: Step, machine: Machine, machines: dict[str, Machine]) -> None:
    match step.instruction:
        case "RUN":
            machine.run("sh", "-c", step.arguments)
        case "COPY":
            _copy(step, machine, machines)
        case "WORKDIR":
            machine.folder = step.arguments
            machine.place(step.arguments).mkdir(parents=True, exist_ok=True)
        case "ENV" | "ARG":
            pairs = (word.partition("=") for word in step.words)
            machine.environment |= {
                name: re.sub(r"\$(\w+)", lambda known: machine.environment[known[1]], value) for name, _, value in pairs
            }
        case "USER":
            machine.user = step.arguments
        case "ENTRYPOINT" | "CMD" | "HEALTHCHECK":
            machine.final[step.instruction] = step.words


def _copy(step: Step, machine: Machine, machines: dict[str, Machine]) -> None:
    *sources, target = step.words
    place = machine.place(target)
    for source in sources:
        found = machines[step.source].place(source) if step.source else ROOT / source
        if found.is_dir():
            ignore = None if step.source else left_out
            shutil.copytree(found, place, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(found, place / found.name if target.endswith("/") else place)


def left_out(folder: str, names: list[str]) -> set[str]:
    """Names in a folder that .dockerignore leaves out; a later line wins, ! takes one in again."""
    out: set[str] = set()
    for line in ROOT.joinpath(".dockerignore").read_text(encoding="utf-8").split():
        pattern, wanted = line.removeprefix("!"), line.startswith("!")
        for name in names:
            path = Path(folder, name).relative_to(ROOT).as_posix()
            if fnmatch(path, pattern) or (pattern.startswith("**/") and fnmatch(name, pattern[3:])):
                (out.discard if wanted else out.add)(name)
    return out


def _first_song(image: Machine) -> dict[str, Any]:
    """Start the image as it starts itself, but on the CPU; the first song it makes, and its seconds."""
    began = time.monotonic()
    serve = [*image.final["ENTRYPOINT"], *image.final["CMD"][:-1], "cpu"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", PORT))  # a Khala that runs already would answer in the image's place
    with subprocess.Popen(image.command(serve)) as process:
        try:
            health = image.final["HEALTHCHECK"]
            check = image.command(health[health.index("CMD") + 1 :])
            until(lambda: process.poll() is not None or _is_well(check) or None)
            if process.poll() is not None:
                raise SystemExit(f"The image's command ended by itself ({process.returncode}).")
            with Khala(URL) as khala:
                job = khala.wait(khala.submit(**_REQUEST).job_id)
        finally:
            process.send_signal(signal.SIGTERM)
    (track,) = job.tracks
    if job.status is not JobStatus.COMPLETED:
        raise SystemExit(f"The song failed: {track.error}")
    return {"duration_sec": track.duration_sec, "after_s": round(time.monotonic() - began, 1)}


def _is_well(check: list[str]) -> bool:
    return subprocess.run(check, stderr=subprocess.DEVNULL).returncode == 0


if __name__ == "__main__":
    main()
