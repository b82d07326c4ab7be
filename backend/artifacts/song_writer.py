"""From a finished song to its files: WAV, MP3, metadata and, where asked for, the codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from backend.artifacts.encode import PcmArray, to_pcm, write_mp3, write_wav
from backend.artifacts.metadata import CUT_WARNING, TrackFacts, mp3_tags, track_metadata
from backend.artifacts.store import ArtifactStore, TrackFiles, new_file_id
from core.engine import AudioFormat
from core.errors import Mp3EncodingFailed
from core.pipeline import Song

Mp3Encoder: TypeAlias = Callable[[Path, PcmArray, int, Mapping[str, str]], None]


class SongWriter:
    """Writes songs into an artifact store."""

    def __init__(self, store: ArtifactStore, *, encode_mp3: Mp3Encoder = write_mp3) -> None:
        self._store = store
        self._encode_mp3 = encode_mp3

    def write(
        self,
        song: Song,
        audio_format: AudioFormat,
        facts: TrackFacts,
        *,
        file_id: str | None = None,
        keep_codes: bool = False,
    ) -> TrackFiles:
        """Write all files of a song, or none, under a new name if none is given.

        ArtifactError when a file other than the MP3 cannot be written.
        """
        created_at = datetime.now().astimezone()
        file_id = file_id or new_file_id(created_at)
        try:
            return self._write(song, audio_format, facts, file_id, created_at, keep_codes)
        except BaseException:
            # However it ends: a song without its metadata is a file that nobody owns.
            self._store.discard(file_id)
            raise

    def _write(
        self,
        song: Song,
        audio_format: AudioFormat,
        facts: TrackFacts,
        file_id: str,
        created_at: datetime,
        keep_codes: bool,
    ) -> TrackFiles:
        rate = audio_format.sample_rate_hz
        pcm = to_pcm(song.audio)
        wav_file, mp3_file, metadata_file = (f"{file_id}.{ending}" for ending in ("wav", "mp3", "json"))
        with self._store.writing(wav_file) as path:
            write_wav(path, pcm, rate)
        warnings, mp3_made = [CUT_WARNING] if song.is_cut and facts.engine.trained else [], True
        try:
            with self._store.writing(mp3_file) as path:
                self._encode_mp3(path, pcm, rate, mp3_tags(facts, file_id=file_id, created_at=created_at))
        except Mp3EncodingFailed as error:
            mp3_made = False
            warnings.append(f"{error} The WAV of this track is complete.")
        codes_file = None
        if keep_codes:
            codes_file = f"{file_id}.npz"
            with self._store.writing(codes_file) as path:
                song.saved.save(path)
        duration_seconds = round(len(pcm) / rate, 6)
        metadata = track_metadata(
            facts,
            file_id=file_id,
            created_at=created_at,
            duration_seconds=duration_seconds,
            backbone_tokens=song.backbone_tokens,
            mp3_made=mp3_made,
            warnings=[*facts.request.warnings(), *warnings],
        )
        with self._store.writing(metadata_file) as path:
            path.write_text(json.dumps(metadata, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        return TrackFiles(
            duration_seconds=duration_seconds,
            wav_file=wav_file,
            mp3_file=mp3_file if mp3_made else None,
            metadata_file=metadata_file,
            codes_file=codes_file,
            warning=" ".join(warnings) or None,
        )
