"""``python -m backend``: songs without a server, codes to audio and back, and errors in one sentence."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi import FastAPI
from fastapi.responses import Response

from backend.__main__ import main
from backend.http_server import PortTaken, bind
from backend.settings import PROJECT_ROOT
from core.codes import FullCodes, SavedCodes
from core.engine import AudioArray
from core.errors import CheckpointError
from tests.backend.real_processes import environment, free_ports
from tests.backend.studio import served
from tests.fakes.engine import FakeEngine


@pytest.fixture
def khala(tmp_path: Path, miniature: Path) -> Khala:
    return Khala(environment(tmp_path, miniature))


class Khala:
    """The command, in an environment of its own."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings

    def __call__(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "backend", *map(str, arguments)]
        return subprocess.run(command, cwd=PROJECT_ROOT, env=self._settings, capture_output=True, text=True)


def generate(khala: Khala, miniature: Path, out: Path, *more: object) -> list[Path]:
    made = khala(
        *("generate", "--checkpoints", miniature, "--tags", "Jazz, Piano", "--duration", 1, "--max-seconds", 1),
        *("--seed", 7, "--device", "cpu", "--dtype", "float32", "--out", out, *more),
    )
    assert made.returncode == 0, made.stderr
    assert "untrained" in made.stderr
    return [Path(line) for line in made.stdout.splitlines()]


def test_generate_writes_every_file_and_prints_its_path(khala: Khala, miniature: Path, tmp_path: Path) -> None:
    lyrics = tmp_path / "lyrics.txt"
    lyrics.write_text("雨の夜、\nla la", encoding="utf-8")
    files = generate(
        khala, miniature, tmp_path / "out", "--lyrics-file", lyrics, "--tracks", 2, "--save-codes", "--top-k-sr", 10
    )

    assert [path.suffix for path in files] == [".wav", ".mp3", ".json", ".npz"] * 2
    assert sorted(files) == sorted((tmp_path / "out").iterdir())
    for index, (wav, _, metadata_file, codes_file) in enumerate([files[:4], files[4:]]):
        metadata = json.loads(metadata_file.read_text(encoding="utf-8"))
        codes = SavedCodes.load(codes_file)
        frames = codes.codes.num_frames
        assert (metadata["seed"], metadata["track_index"], metadata["lyrics"]) == (7 + index, index, "雨の夜,\nla la")
        assert metadata["backbone_tokens"] == 2 * frames
        assert soundfile.info(wav).frames == frames * 2048
        assert len(codes.backbone_prompt) > 0
        with np.load(codes_file) as arrays:
            shapes = {name: (arrays[name].dtype, arrays[name].shape) for name in ("coarse", "codes")}
        assert shapes == {"coarse": (np.int16, (frames, 2)), "codes": (np.int16, (64, frames))}


def test_decode_makes_the_same_audio_again(khala: Khala, miniature: Path, tmp_path: Path) -> None:
    wav, _, _, codes = generate(khala, miniature, tmp_path, "--tracks", 1, "--save-codes")
    again = tmp_path / "again.wav"
    decoded = khala("decode", codes, "--checkpoints", miniature, "--out", again, "--device", "cpu")

    assert decoded.returncode == 0, decoded.stderr
    assert decoded.stdout == f"{again}\n"
    np.testing.assert_array_equal(soundfile.read(again, dtype="int16")[0], soundfile.read(wav, dtype="int16")[0])


def test_encode_makes_codes_of_audio(khala: Khala, miniature: Path, tmp_path: Path) -> None:
    wav = tmp_path / "tone.wav"
    soundfile.write(wav, 0.1 * np.sin(np.arange(10_000) / 20), 44_100)
    encoded = khala("encode", wav, "--checkpoints", miniature, "--out", tmp_path / "tone.npz")

    assert encoded.returncode == 0, encoded.stderr
    saved = SavedCodes.load(tmp_path / "tone.npz")
    assert saved.codes.values.shape == (64, -(-10_000 // 2048))
    assert len(saved.backbone_prompt) == 0


def test_inspect_says_what_is_there(khala: Khala, miniature: Path) -> None:
    report = khala("inspect", miniature)

    assert report.returncode == 0, report.stderr
    assert "backbone" in report.stdout


def test_openapi_prints_the_document(khala: Khala) -> None:
    assert "/generate" in json.loads(khala("openapi").stdout)["paths"]


def test_errors_are_one_sentence_and_no_traceback(khala: Khala, miniature: Path, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no codes")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    soundfile.write(tmp_path / "slow.wav", np.zeros(100), 8_000)
    song = ("generate", "--tags", "Jazz", "--checkpoints")
    for arguments in (
        (*song, tmp_path / "nothing"),
        (*song, miniature, "--seed", -1),
        (*song, miniature, "--tracks", 9),
        (*song, miniature, "--max-seconds", -1),
        (*song, miniature, "--lyrics-file", tmp_path / "missing.txt"),
        (*song, miniature, "--lyrics-file", tmp_path / "latin.txt"),
        (*song, miniature, "--device", "abacus"),
        ("decode", tmp_path / "text.npz", "--checkpoints", miniature, "--out", tmp_path / "x.wav"),
        ("encode", tmp_path / "slow.wav", "--checkpoints", miniature, "--out", tmp_path / "x.npz"),
        ("encode", tmp_path / "missing.wav", "--checkpoints", miniature, "--out", tmp_path / "x.npz"),
        ("encode", tmp_path / "slow.wav", "--checkpoints", miniature, "--out", tmp_path / "slow.wav" / "x.npz"),
        ("inspect", tmp_path / "nothing"),
        ("serve", "--gpus", "x"),
    ):
        failed = khala(*arguments)
        assert failed.returncode == 1, arguments
        assert "Traceback" not in failed.stderr
        last = failed.stderr.strip().splitlines()[-1]
        assert len(last) > 10, failed.stderr


def test_songs_that_are_written_are_told_even_when_a_later_one_ends_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class BreaksAtTheSecondSong(FakeEngine):
        decoded = 0

        def decode(self, codes: FullCodes) -> Iterator[AudioArray]:
            self.decoded += 1
            if self.decoded == 2:
                raise CheckpointError("codec.ckpt", "the file vanished")
            return super().decode(codes)

    monkeypatch.setattr("backend.cli.generate.engine_from", lambda options, settings: BreaksAtTheSecondSong())
    code = main(["generate", "--tags", "Jazz", "--lyrics", "la", "--tracks", "2", "--out", str(tmp_path)])

    told = capsys.readouterr()
    assert code == 1
    assert "the file vanished" in told.err
    assert sorted(map(Path, told.out.split())) == sorted(tmp_path.iterdir())
    assert len(told.out.split()) == 3


@pytest.mark.parametrize("body", ["{}", "<!doctype html>"])
async def test_status_knows_another_program_from_a_dispatcher(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    app = FastAPI()

    @app.get("/status")
    async def status() -> Response:
        return Response(body)

    async with served(app) as url:
        monkeypatch.setenv("API_PORT", url.rpartition(":")[2])
        code = await asyncio.to_thread(main, ["status"])

    assert code == 1
    assert "is answered by another program" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_status_without_a_dispatcher_is_a_failure_on_every_kind_of_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    monkeypatch.setenv("KHALA_HOST", host)
    monkeypatch.setenv("API_PORT", str(free_ports(1)[0]))

    assert main(["status"]) == 1
    assert capsys.readouterr().out == "  dispatcher: does not answer yet\n"


def test_a_port_can_be_listened_on_once() -> None:
    (port,) = free_ports(1)
    first = bind("127.0.0.1", port)
    try:
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 cannot be used"):
            bind("127.0.0.1", port)
    finally:
        first.close()


def test_wrong_calls_are_explained(khala: Khala) -> None:
    lyrics_twice = ("generate", "--lyrics", "la", "--lyrics-file", "lyrics.txt")
    for arguments in ((), ("sing",), ("generate", "--mode", "karaoke"), ("decode",), lyrics_twice):
        wrong = khala(*arguments)
        assert wrong.returncode == 2
        assert wrong.stderr.startswith("usage: python -m backend")
    assert "generate" in khala("--help").stdout
