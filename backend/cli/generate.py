"""Make songs: with the same pipeline in this process, or by a server (--server); a progress bar, then the paths."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from tqdm import tqdm

from backend.api.schemas import GenerateBody
from backend.artifacts.song_writer import SongWriter
from backend.artifacts.store import ArtifactStore, TrackFiles
from backend.cli.chosen_settings import settings_from
from backend.cli.engine_options import add_engine_options, engine_from
from backend.cli.generate_remotely import generate_remotely
from backend.workers.batch_watch import BatchWatch
from backend.workers.messages import FailedEvent, FinishedEvent, ProgressEvent, TrackTask
from backend.workers.recording import Recorder
from core.errors import InvalidRequest, KhalaError
from core.request import MAX_SEED, Mode, PromptMode, track_seeds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # What is not given is left out, so that the API's own defaults apply.
    song = parser.add_argument_group("the song", argument_default=argparse.SUPPRESS)
    song.add_argument("--mode", choices=[mode.value for mode in Mode])
    song.add_argument("--prompt-mode", choices=[mode.value for mode in PromptMode])
    song.add_argument("--prompt", help="a description, for --prompt-mode natural")
    song.add_argument("--tags", help="comma-separated, for --prompt-mode tags")
    words = song.add_mutually_exclusive_group()
    words.add_argument("--lyrics")
    words.add_argument("--lyrics-file", type=Path, default=None, help="a UTF-8 text file, in place of --lyrics")
    song.add_argument("--duration", type=int, help="minutes")
    song.add_argument("--top-k-bb", type=int)
    song.add_argument("--top-k-sr", type=int)
    song.add_argument("--temperature", type=float)
    song.add_argument("--seed", type=int, help="the first track's, the next one's is one more; drawn when absent")
    song.add_argument("--tracks", type=int, dest="num_tracks", metavar="TRACKS", help="how many, made in one batch")
    parser.add_argument("--max-seconds", type=float, help="stop every track here, on a frame boundary")
    parser.add_argument("--out", type=Path, default=Path(), help="the folder to write to")
    parser.add_argument(
        "--server", metavar="URL", help="let this server make them; an API key comes from KHALA_API_KEY"
    )
    parser.add_argument("--save-codes", action="store_true", help="keep prompts and codes as .npz too")
    add_engine_options(parser)


def run(options: argparse.Namespace) -> int:
    fields = {name: value for name, value in vars(options).items() if name in GenerateBody.model_fields}
    if options.lyrics_file is not None:
        fields["lyrics"] = _read(options.lyrics_file)
    if options.server:
        _refuse_local_options(options)
        return generate_remotely(options.server, fields, options.out)
    body = GenerateBody(**fields)
    request, warnings = body.to_request()
    sys.stderr.writelines(f"{warning}\n" for warning in warnings)
    seeds = track_seeds(secrets.randbelow(MAX_SEED + 1) if body.seed is None else body.seed, body.num_tracks)

    settings = settings_from(options)
    store = ArtifactStore(options.out)
    store.open()
    recorder = Recorder(
        engine_from(options, settings),
        SongWriter(store),
        superres_text_mode=settings.models.superres_text_mode,
        max_seconds=settings.models.max_seconds,
        tracks_at_once=settings.models.tracks_at_once,
        keep_codes=options.save_codes,
    )
    written = 0
    with tqdm(total=100, bar_format="{percentage:3.0f}% |{bar}| {elapsed} {desc}") as bar:
        watch = BatchWatch(range(len(seeds)), lambda event: _show(bar, event))
        for event in recorder.record(request, [TrackTask(index=i, seed=seed) for i, seed in enumerate(seeds)], watch):
            if isinstance(event, FailedEvent):
                bar.write(f"Track {event.track}: {event.error}", file=sys.stderr)
            elif isinstance(event, FinishedEvent):
                # At once: what is written must be told even if a later track ends the whole batch.
                _tell(bar, options.out, event.files)
                written += 1
        bar.n = bar.total
        bar.set_description_str("")
    return 0 if written == len(seeds) else 1


def _refuse_local_options(options: argparse.Namespace) -> None:
    local = (
        "max_seconds",
        "save_codes",
        "checkpoints",
        "device",
        "dtype",
        "engine",
        "tensor_parallel",
        "quantize",
        "fc1_bias",
    )
    if given := [f"--{name.replace('_', '-')}" for name in local if getattr(options, name)]:
        raise KhalaError(f"{', '.join(given)}: with --server, the server's own settings decide this.")


def _read(lyrics_file: Path) -> str:
    try:
        return lyrics_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest("lyrics-file", f"{lyrics_file} is not UTF-8 text. Save it as UTF-8.") from error


def _tell(bar: tqdm[None], folder: Path, files: TrackFiles) -> None:
    if files.warning:
        bar.write(files.warning, file=sys.stderr)
    for name in (files.wav_file, files.mp3_file, files.metadata_file, files.codes_file):
        if name:
            bar.write(str(folder / name), file=sys.stdout)


def _show(bar: tqdm[None], event: ProgressEvent) -> None:
    bar.n = max(bar.n, event.progress.percent)
    bar.set_description_str(f"track {event.track}: {event.progress.display}")
