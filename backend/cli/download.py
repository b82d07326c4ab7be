"""Fetch the published weights (about 52 GB) from the Hugging Face hub.

Files that arrived whole are not fetched again. All of it lies apart until it is a checkpoint, so that the system never
starts with half a model; where only the tokenizer is missing, only that is fetched. HF_ENDPOINT names a mirror.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from backend.artifacts.whole_file import whole_file
from backend.settings import PathSettings
from core.errors import KhalaError

PUBLISHED = ("liujiafeng/Khala-MusicGeneration-v1.0", "liujiafeng/Shao-MusicGeneration-v1.0")
"""Where the weights are published, and the name they took when their project was renamed."""

TOKENIZER_SOURCE = "https://raw.githubusercontent.com/Khala-Music-AI/Khala/main/models/Tokenizer"
"""The tokenizer lies in the published source tree, not among the weights."""

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_NOT_NEEDED = ["README*", ".gitattributes", "*.png", "*.jpg", "*.mp3", "*.wav"]
_ARRIVING = ".arriving"
_WHOLE = ".whole"
"""A file that stands among what has arrived as soon as nothing of it is missing."""
_RESERVE_GB = 1.0
_TIMEOUT_SECONDS = 30.0


class DownloadFailed(KhalaError):
    """The weights could not be fetched, or there is no room for them."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to fetch: a state of a repository, the names at its root, and the bytes that have not arrived."""

    repository: str
    commit: str
    roots: frozenset[str]
    bytes_to_come: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="repositories", nargs="+", default=PUBLISHED, metavar="OWNER/NAME")
    parser.add_argument("--into", type=Path, help="by default where models are looked for: checkpoints/")
    parser.add_argument("--tokenizer-from", default=TOKENIZER_SOURCE, metavar="URL", help="where tokenizer.json lies")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be fetched")


def run(options: argparse.Namespace) -> int:
    # torch only here, so that --help is there at once.
    from models.checkpoint.tree import find_tokenizer, has_weights, missing_parts

    into: Path = options.into or PathSettings().checkpoints
    arriving = into / _ARRIVING
    if not (arriving / _WHOLE).exists():
        if has_weights(into):
            return _complete(into, missing_parts(into), options)
        plan = _plan(options.repositories, arriving)
        sys.stdout.write(
            f"{plan.repository}: {plan.bytes_to_come / 1e9:.1f} GB to fetch into {into}\n"
            "Licence: CC BY-NC 4.0. Songs made with these weights are not for commercial use.\n"
        )
        if options.dry_run:
            return 0
        _make_room(into, plan)
        _fetch(plan, arriving)
        if find_tokenizer(into) is None and find_tokenizer(arriving) is None:
            _fetch_tokenizer(options.tokenizer_from, arriving / "tokenizer")
        missing = missing_parts(arriving)
        if missing and not (len(missing) == 1 and find_tokenizer(into)):
            raise DownloadFailed(f"What {plan.repository} holds is not a whole checkpoint. {' '.join(missing)}")
        (arriving / _WHOLE).touch()
    for part in arriving.iterdir():
        if part.name not in (".cache", _WHOLE):
            part.rename(into / part.name)
    shutil.rmtree(arriving)
    sys.stdout.write("Complete. The next start uses them: bash run_backend.sh stop, then bash run_backend.sh\n")
    return 0


def _complete(into: Path, missing: Sequence[str], options: argparse.Namespace) -> int:
    """Weights are there: fetch the tokenizer if it alone is missing, say how they are otherwise."""
    if len(missing) == 1 and "tokenizer" in missing[0] and not options.dry_run:
        _fetch_tokenizer(options.tokenizer_from, into / "tokenizer")
        sys.stdout.write("The weights were there; the tokenizer is now too.\n")
        return 0
    state = " ".join(missing) or "They are complete; nothing is left to fetch."
    raise DownloadFailed(f"There are weights in {into} already. {state} To fetch them anew, move them away first.")


def _plan(repositories: Sequence[str], arriving: Path) -> Plan:
    """The first of these that is on the hub."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import DryRunError, RepositoryNotFoundError

    for repository in repositories:
        try:
            # A plan leaves nothing behind: the client makes folders even then, and notes what it has seen.
            with _naming_failures(repository), tempfile.TemporaryDirectory() as notes:
                files = snapshot_download(
                    repository,
                    local_dir=arriving if arriving.exists() else notes,
                    cache_dir=notes,
                    ignore_patterns=_NOT_NEEDED,
                    dry_run=True,
                )
        except DownloadFailed as failure:
            cause = failure.__cause__
            if isinstance(cause, DryRunError) and isinstance(cause.__cause__, RepositoryNotFoundError):
                continue
            raise
        return Plan(
            repository=repository,
            commit=files[0].commit_hash if files else "main",
            roots=frozenset(Path(file.filename).parts[0] for file in files),
            bytes_to_come=sum(file.file_size or 0 for file in files if file.will_download),
        )
    raise DownloadFailed(
        f"The hub shows nobody {' or '.join(repositories)}. If it is private or wants its terms accepted, do so on its "
        "page and sign in here with: .venv/bin/hf auth login"
    )


def _fetch(plan: Plan, arriving: Path) -> None:
    from huggingface_hub import snapshot_download

    for broken in (arriving / ".cache").rglob("*.incomplete"):
        broken.unlink()  # the client begins such a file anew, under another name
    with _naming_failures(plan.repository):
        snapshot_download(
            plan.repository,
            revision=plan.commit,
            local_dir=arriving,
            cache_dir=arriving / ".cache",
            ignore_patterns=_NOT_NEEDED,
        )
    # Where the hub stops answering, the client may be content with what is there.
    if left := _plan([plan.repository], arriving).bytes_to_come:
        raise DownloadFailed(f"{left / 1e9:.1f} GB are still to come. What has arrived is kept: run this again.")


@contextmanager
def _naming_failures(repository: str) -> Iterator[None]:
    """Say in a sentence what the hub's client, its HTTP library or its transfer library could not do."""
    import httpx2
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HFValidationError as error:
        raise DownloadFailed(f"'{repository}' is no name of a repository; it looks like OWNER/NAME.") from error
    except (OSError, RuntimeError, httpx2.HTTPError, httpx2.InvalidURL) as error:
        lines = str(error.__cause__ or error).strip().splitlines()
        raise DownloadFailed(
            f"The hub could not be reached ({lines[0] if lines else type(error).__name__}). What has arrived is kept: "
            "run this again."
        ) from error


def _fetch_tokenizer(source: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    try:
        for name in reversed(_TOKENIZER_FILES):  # the one that is looked for comes last
            answer = httpx.get(f"{source}/{name}", timeout=_TIMEOUT_SECONDS, follow_redirects=True)
            with whole_file(folder / name) as part:
                part.write_bytes(answer.raise_for_status().content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DownloadFailed(
            f"The weights are here, the tokenizer could not be fetched from {source} ({error}). Name another folder "
            f"with --tokenizer-from, or put its files into {folder} and run this again."
        ) from error


def _make_room(into: Path, plan: Plan) -> None:
    into.mkdir(parents=True, exist_ok=True)
    if taken := [name for name in sorted(plan.roots) if (into / name).exists()]:
        raise DownloadFailed(
            f"{into} already holds {', '.join(taken)}, which would be overwritten. Move that away first."
        )
    free = shutil.disk_usage(into).free
    if free < plan.bytes_to_come + _RESERVE_GB * 1e9:
        raise DownloadFailed(
            f"{into} has {free / 1e9:.1f} GB free, and {plan.bytes_to_come / 1e9 + _RESERVE_GB:.1f} GB are needed. "
            "Make room, or name a folder on another disk with --into (and KHALA_CHECKPOINTS when you start)."
        )
