"""Files of finished tracks: round trips through real encoders, names that lead nowhere else, whole files or none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile

from backend.artifacts.encode import find_ffmpeg, read_wav, to_pcm, write_mp3, write_wav
from backend.artifacts.metadata import CUT_WARNING, UNTRAINED_WARNING, TrackFacts
from backend.artifacts.song_writer import SongWriter
from backend.artifacts.store import ArtifactStore, new_file_id
from backend.artifacts.waveform import peaks_of
from core.codes import FullCodes, SavedCodes
from core.engine import AudioArray, AudioFormat
from core.errors import ArtifactError, Mp3EncodingFailed
from core.pipeline import Song
from core.prompt import SuperresTextMode
from core.request import GenerationRequest
from tests.fakes.engine import FakeEngine

FORMAT = AudioFormat(sample_rate_hz=44_100, hop_samples=2_048, channels=2)
FRAMES = 40


def song() -> Song:
    codes = FullCodes(values=np.random.default_rng(0).integers(0, 1024, (64, FRAMES)).astype(np.int16))
    saved = SavedCodes(
        codes=codes, backbone_prompt=np.arange(5, dtype=np.int32), superres_prompt=np.arange(3, dtype=np.int32)
    )
    return Song(saved=saved, audio=np.concatenate(list(FakeEngine().decode(codes)), axis=1))


def facts(request: GenerationRequest | None = None) -> TrackFacts:
    return TrackFacts(
        request=request or GenerationRequest(tags="Jazz, Piano", lyrics="[Verse]\nrain on = the window; 夜"),
        seed=5,
        engine=FakeEngine().description,
        superres_text_mode=SuperresTextMode.WITHOUT_DESCRIPTION,
        gpu_id=6,
        stage_seconds={"backbone": 1.23456},
    )


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    opened = ArtifactStore(tmp_path / "audio")
    opened.open()
    return opened


def test_peaks_follow_the_song(tmp_path: Path) -> None:
    rate = FORMAT.sample_rate_hz
    swelling = np.zeros((10 * rate, 2), np.float32)
    swelling[:, 1] = np.linspace(0, -1, 10 * rate)
    soundfile.write(tmp_path / "song.wav", swelling, rate, subtype="PCM_16")
    peaks = peaks_of(tmp_path / "song.wav", points=7)
    assert peaks == pytest.approx([(n + 1) / 7 for n in range(7)], abs=2e-3)
    soundfile.write(tmp_path / "short.wav", swelling[:3], rate)
    assert len(peaks_of(tmp_path / "short.wav")) == 3
    (tmp_path / "no.wav").write_bytes(b"no audio")
    with pytest.raises(ArtifactError, match="could not be read"):
        peaks_of(tmp_path / "no.wav")


def decoded_by_ffmpeg(path: Path) -> AudioArray:
    """Any audio file as float [channels, samples], decoded by ffmpeg."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-f", "f32le", "-ac", "2", "-ar", "44100", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, 2).T


def test_wav_and_mp3_hold_the_same_song_for_as_long_as_the_metadata_says(store: ArtifactStore) -> None:
    files = SongWriter(store).write(song(), FORMAT, facts())

    assert files.mp3_file is not None
    assert files.warning is None
    metadata = json.loads(store.find(files.metadata_file).read_text(encoding="utf-8"))
    frame_seconds = FORMAT.hop_samples / FORMAT.sample_rate_hz
    assert metadata["duration_sec"] == files.duration_seconds == pytest.approx(FRAMES * frame_seconds, abs=1e-6)
    wav, mp3 = (decoded_by_ffmpeg(store.find(name)) for name in (files.wav_file, files.mp3_file))
    assert wav.shape == (2, FRAMES * FORMAT.hop_samples)
    assert abs(mp3.shape[1] - wav.shape[1]) <= FORMAT.hop_samples
    np.testing.assert_allclose(wav, song().audio, atol=2**-15)
    shared = min(mp3.shape[1], wav.shape[1])
    error = mp3[:, :shared] - wav[:, :shared]
    assert np.mean(error**2) < 0.01 * np.mean(wav**2), "the MP3 must be the same audio, not shifted or scaled"


def test_the_wav_is_what_the_contract_says(store: ArtifactStore) -> None:
    files = SongWriter(store).write(song(), FORMAT, facts())

    info = soundfile.info(store.find(files.wav_file))
    assert (info.samplerate, info.channels, info.subtype, info.format) == (44_100, 2, "PCM_16", "WAV")
    assert re.fullmatch(r"\d{8}_\d{6}_[0-9a-f]{8}\.wav", files.wav_file)


def test_the_mp3_has_320_kbit_and_tags_that_name_the_machine(store: ArtifactStore) -> None:
    files = SongWriter(store).write(song(), FORMAT, facts())

    assert files.mp3_file is not None
    command = [find_ffmpeg(), "-hide_banner", "-i", str(store.find(files.mp3_file))]
    said = subprocess.run(command, capture_output=True).stderr.decode()
    assert "320 kb/s" in said
    assert re.search(r"title\s*: rain on = the window; 夜", said)
    assert re.search(r"artist\s*: Khala \(machine-made music\)", said)
    assert re.search(r"genre\s*: Jazz", said)
    assert re.search(r"comment\s*: This song was made by a machine: Khala, checkpoint fake, seed 5", said)


def test_codes_are_kept_when_asked_for(store: ArtifactStore) -> None:
    files = SongWriter(store).write(song(), FORMAT, facts(), keep_codes=True)

    assert files.codes_file is not None
    saved = SavedCodes.load(store.find(files.codes_file))
    np.testing.assert_array_equal(saved.codes.values, song().codes.values)
    np.testing.assert_array_equal(saved.backbone_prompt, np.arange(5))


def test_a_failed_mp3_leaves_no_file_under_its_name(store: ArtifactStore, tmp_path: Path) -> None:
    def half_written(path: Path, *_: object) -> None:
        path.write_bytes(b"ID3 half")
        raise Mp3EncodingFailed("The MP3 could not be made.")

    files = SongWriter(store, encode_mp3=half_written).write(song(), FORMAT, facts())
    assert files.mp3_file is None
    assert files.warning == "The MP3 could not be made. The WAV of this track is complete."
    assert sorted(path.suffix for path in (tmp_path / "audio").iterdir()) == [".json", ".wav"]


def test_a_song_that_was_cut_says_so(store: ArtifactStore, tmp_path: Path) -> None:
    for trained, cut, said in ((True, False, []), (True, True, [CUT_WARNING]), (False, True, [UNTRAINED_WARNING])):
        about = replace(facts(), engine=FakeEngine(trained=trained).description)
        files = SongWriter(store).write(replace(song(), is_cut=cut), FORMAT, about)
        assert json.loads((tmp_path / "audio" / files.metadata_file).read_text())["warnings"] == said
        assert files.warning == (CUT_WARNING if said == [CUT_WARNING] else None)


def test_an_encoder_that_fails_is_an_mp3_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    for program in (broken, tmp_path / "missing"):
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
        with pytest.raises(Mp3EncodingFailed, match="log has its words"):
            write_mp3(tmp_path / "song.mp3", to_pcm(song().audio), 44_100, {})
    assert list(temporary.iterdir()) == [], "a failure must not leave the song in the temporary folder"


def test_the_encoder_that_is_known_to_write_mp3_comes_before_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "ffmpeg"
    system.write_text("#!/bin/sh\nexit 0\n")
    system.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Path(find_ffmpeg()).parent != tmp_path


def test_without_any_encoder_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", _nothing)

    with pytest.raises(Mp3EncodingFailed, match="Install ffmpeg"):
        find_ffmpeg()


def _nothing() -> str:
    raise RuntimeError("No ffmpeg exe could be found.")


def test_a_song_that_cannot_be_written_leaves_nothing_behind(store: ArtifactStore, tmp_path: Path) -> None:
    def disk_full(path: Path, *_: object) -> None:
        raise ArtifactError("There is no space left.")

    with pytest.raises(ArtifactError, match="no space"):
        SongWriter(store, encode_mp3=disk_full).write(song(), FORMAT, facts())
    assert not list((tmp_path / "audio").iterdir())


def test_samples_beyond_full_scale_are_clipped_and_never_wrapped() -> None:
    loud = np.array([[-3.0, -1.0, 0.0, 1.0, 3.0]] * 2, np.float32)

    np.testing.assert_array_equal(to_pcm(loud)[:, 0], [-32767, -32767, 0, 32767, 32767])


def test_samples_that_are_not_numbers_are_an_error_in_words() -> None:
    with pytest.raises(ArtifactError, match="not numbers"):
        to_pcm(np.array([[0.0, np.nan]] * 2, np.float32))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../secret.wav",
        "20260101_000000_0000000g.wav",
        "20260101_000000_00000000.exe",
        "20260101_000000_00000000.wav/../x",
        "x/20260101_000000_00000000.wav",
        "20260101_000000_00000000.wav\n",
        "20260101_000000_00000000.wav\x00",
        "/etc/passwd",
        "２0260101_000000_00000000.wav",
        ".part-20260101_000000_00000000.wav",
    ],
)
def test_no_name_leads_out_of_the_folder(store: ArtifactStore, name: str) -> None:
    with pytest.raises(ArtifactError):
        store.find(name)
    with pytest.raises(ArtifactError):
        store.path(name)


def test_a_file_appears_whole_or_not_at_all(store: ArtifactStore, tmp_path: Path) -> None:
    name = f"{new_file_id(datetime.now(timezone.utc))}.wav"
    with pytest.raises(RuntimeError), store.writing(name) as path:
        path.write_bytes(b"half")
        assert not store.path(name).exists()
        raise RuntimeError
    assert not list((tmp_path / "audio").iterdir())

    with store.writing(name) as path:
        path.write_bytes(b"whole")
    assert store.find(name).read_bytes() == b"whole"


def test_what_a_dead_process_left_half_written_is_swept_away(store: ArtifactStore, tmp_path: Path) -> None:
    whole, abandoned, at_work = (
        tmp_path / "audio" / name
        for name in (
            "20260101_000000_00000000.wav",
            ".part-20260101_000000_00000000.wav",
            ".part-20260101_000000_00000001.wav",
        )
    )
    long_ago = time.time() - 2 * 3600
    for path in (whole, abandoned, at_work):
        path.write_bytes(b"sound")
    for path in (whole, abandoned):
        os.utime(path, (long_ago, long_ago))

    store.sweep()

    assert sorted((tmp_path / "audio").iterdir()) == sorted([whole, at_work])


def test_mono_is_doubled_and_another_rate_is_refused_with_advice(tmp_path: Path) -> None:
    mono = np.linspace(-0.5, 0.5, 100, dtype=np.float32)
    soundfile.write(tmp_path / "mono.wav", mono, 44_100, subtype="FLOAT")
    soundfile.write(tmp_path / "slow.wav", mono, 22_050)
    soundfile.write(tmp_path / "many.wav", np.zeros((100, 6), np.float32), 44_100)
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "samples.raw").write_bytes(bytes(100))

    np.testing.assert_array_equal(read_wav(tmp_path / "mono.wav", FORMAT), np.stack([mono, mono]))
    for name, words in (
        ("slow", "22050 samples a second, .* ffmpeg"),
        ("many", "6 channels"),
        ("text", "read as audio"),
        ("missing", "There is no file"),
    ):
        with pytest.raises(ArtifactError, match=words):
            read_wav(tmp_path / f"{name}.wav", FORMAT)
    with pytest.raises(ArtifactError, match="read as audio"):
        read_wav(tmp_path / "samples.raw", FORMAT)


def test_a_wav_that_cannot_be_written_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"song\.wav could not be written to .*missing"):
        write_wav(tmp_path / "missing" / "song.wav", to_pcm(song().audio), 44_100)
