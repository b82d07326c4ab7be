"""Fetch the published weights (about 52 GB) from the Hugging Face hub.

A fetch that was broken off goes on where it was. What has arrived lies apart until all of it is there, so that the
system never starts with half a model; behind a mirror, set HF_ENDPOINT.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
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
_RESERVE_GB = 1.0
_TIMEOUT_SECONDS = 30.0


class DownloadFailed(KhalaError):
    """The weights could not be fetched, or there is no room for them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="repositories", nargs="+", default=PUBLISHED, metavar="OWNER/NAME")
    parser.add_argument("--into", type=Path, help="by default where models are looked for: checkpoints/")
    parser.add_argument(
        "--tokenizer-from", default=TOKENIZER_SOURCE, metavar="URL", help="a folder with tokenizer.json"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be fetched")


def run(options: argparse.Namespace) -> int:
    # torch and the hub's client only here, so that --help is there at once.
    from models.checkpoint.tree import find_tokenizer, has_weights, missing_parts

    into: Path = options.into or PathSettings().checkpoints
    arriving = into / _ARRIVING
    if has_weights(into) and not arriving.exists():
        state = " ".join(missing_parts(into)) or "They are complete; nothing is left to fetch."
        raise DownloadFailed(f"There are weights in {into} already. {state} To fetch them anew, move them away first.")
    repository, to_come = _plan(options.repositories, arriving)
    sys.stdout.write(
        f"{repository}: {to_come / 1e9:.1f} GB to fetch into {into}\n"
        "Licence: CC BY-NC 4.0. Songs made with these weights are not for commercial use.\n"
    )
    if options.dry_run:
        return 0
    _make_room(into, to_come)
    _fetch(repository, arriving)
    if find_tokenizer(arriving) is None:
        _fetch_tokenizer(options.tokenizer_from, arriving / "tokenizer")
    if missing := missing_parts(arriving):
        raise DownloadFailed(f"What {repository} holds is not a whole checkpoint. {' '.join(missing)}")
    for part in arriving.iterdir():
        if part.name != ".cache":
            part.rename(into / part.name)
    shutil.rmtree(arriving)
    sys.stdout.write("Complete. The next start uses them: bash run_backend.sh\n")
    return 0


def _plan(repositories: Sequence[str], arriving: Path) -> tuple[str, int]:
    """The first of these that is on the hub, and how many bytes of it have not arrived."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import DryRunError, HFValidationError, RepositoryNotFoundError

    for repository in repositories:
        try:
            files = snapshot_download(
                repository,
                local_dir=arriving,
                cache_dir=arriving / ".cache",
                ignore_patterns=_NOT_NEEDED,
                dry_run=True,
            )
        except DryRunError as error:
            if isinstance(error.__cause__, RepositoryNotFoundError):
                continue
            raise DownloadFailed(_unreachable(error.__cause__ or error)) from error
        except HFValidationError as error:
            raise DownloadFailed(f"'{repository}' is no name of a repository; it looks like OWNER/NAME.") from error
        return repository, sum(file.file_size or 0 for file in files if file.will_download)
    raise DownloadFailed(
        f"The hub shows nobody {' or '.join(repositories)}. If it is private or wants its terms accepted, do so on its "
        "page and sign in here with: .venv/bin/hf auth login"
    )


def _fetch(repository: str, arriving: Path) -> None:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot_download(repository, local_dir=arriving, cache_dir=arriving / ".cache", ignore_patterns=_NOT_NEEDED)
    except (HfHubHTTPError, LocalEntryNotFoundError, httpx2.HTTPError) as error:
        raise DownloadFailed(_unreachable(error)) from error


def _fetch_tokenizer(source: str, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    try:
        for name in reversed(_TOKENIZER_FILES):  # the one that is looked for comes last
            answer = httpx.get(f"{source}/{name}", timeout=_TIMEOUT_SECONDS, follow_redirects=True)
            with whole_file(folder / name) as part:
                part.write_bytes(answer.raise_for_status().content)
    except httpx.HTTPError as error:
        raise DownloadFailed(
            f"The weights are here, the tokenizer could not be fetched from {source} ({error}). Name another folder "
            f"with --tokenizer-from, or put its files into {folder} and run this again."
        ) from error


def _make_room(into: Path, to_come: int) -> None:
    into.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(into).free
    if free < to_come + _RESERVE_GB * 1e9:
        raise DownloadFailed(
            f"{into} has {free / 1e9:.1f} GB free, and {to_come / 1e9 + _RESERVE_GB:.1f} GB are needed. Make room, or "
            "name a folder on another disk with --into (and KHALA_CHECKPOINTS when you start)."
        )


def _unreachable(error: BaseException) -> str:
    first_line = str(error).strip().splitlines()[:1]
    reason = " ".join(first_line) or type(error).__name__
    return f"The hub could not be reached ({reason}). What has arrived is kept: run this again."
