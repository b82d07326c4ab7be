"""The codec as the pipeline sees it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.codes import FullCodes
from core.engine import AudioArray, CodecDecoder, CodecEncoder
from core.errors import CodesError, InvalidRequest
from models.checkpoint.codec_file import CodecWeights, build_decoder, build_encoder
from models.codec.native import NativeCodecDecoder, NativeCodecEncoder
from models.codec.precision import full_float32
from tests.codec.small_codec import SMALL

CPU = torch.device("cpu")
HOP = SMALL.hop_samples


@pytest.fixture
def decoder(weights: CodecWeights) -> NativeCodecDecoder:
    return build_decoder(weights, CPU, chunk_frames=4)


@pytest.fixture
def encoder(weights: CodecWeights) -> NativeCodecEncoder:
    return build_encoder(weights, CPU, chunk_frames=4)


def codes(*, layers: int = SMALL.num_quantizers, frames: int = 6, largest: int = 3) -> FullCodes:
    values = np.arange(layers * frames, dtype=np.int16).reshape(layers, frames) % (largest + 1)
    return FullCodes(values=values)


def noise(channels: int, samples: int) -> AudioArray:
    return np.random.default_rng(1).standard_normal((channels, samples)).astype(np.float32)


def test_native_codec_fits_the_ports(decoder: CodecDecoder, encoder: CodecEncoder) -> None:
    audio = np.concatenate(list(decoder.decode(codes(frames=6))), axis=1)
    assert audio.dtype == np.float32
    assert audio.shape == (SMALL.channels, 6 * HOP)
    again = encoder.encode(audio)
    assert again.values.shape == (SMALL.num_quantizers, 6)
    assert again.values.max() < SMALL.codebook_size


def test_decoding_yields_a_piece_for_each_chunk(decoder: NativeCodecDecoder) -> None:
    lengths = [piece.shape[1] for piece in decoder.decode(codes(frames=10))]
    assert lengths == [4 * HOP, 4 * HOP, 2 * HOP]


def test_last_frame_is_filled_with_silence(encoder: NativeCodecEncoder) -> None:
    audio = noise(SMALL.channels, 5 * HOP - 300)
    with_silence = np.pad(audio, ((0, 0), (0, 300)))
    np.testing.assert_array_equal(encoder.encode(audio).values, encoder.encode(with_silence).values)


def test_codes_of_fewer_layers_can_be_decoded(decoder: NativeCodecDecoder) -> None:
    coarse = np.concatenate(list(decoder.decode(codes(layers=2))), axis=1)
    fine = np.concatenate(list(decoder.decode(codes())), axis=1)
    assert coarse.shape == fine.shape
    assert not np.array_equal(coarse, fine)


def test_codes_of_more_layers_than_the_codec_has_are_refused_before_decoding(decoder: NativeCodecDecoder) -> None:
    with pytest.raises(CodesError, match="5 layers; the codec has only 4"):
        decoder.decode(codes(layers=5))


def test_a_code_beyond_the_codebook_is_refused_before_decoding(decoder: NativeCodecDecoder) -> None:
    list(decoder.decode(codes(frames=20, largest=31)))
    with pytest.raises(CodesError, match="code 32 does not exist; the codec's are 0 to 31"):
        decoder.decode(codes(frames=20, largest=32))


@pytest.mark.parametrize("audio", [noise(1, HOP), noise(2, 0), noise(2, HOP)[0]], ids=["mono", "empty", "flat"])
def test_audio_that_is_not_stereo_samples_is_refused(encoder: NativeCodecEncoder, audio: AudioArray) -> None:
    with pytest.raises(InvalidRequest, match="audio: must be samples of 2 channels"):
        encoder.encode(audio)


def test_audio_with_an_undefined_sample_is_refused(encoder: NativeCodecEncoder) -> None:
    audio = noise(SMALL.channels, HOP)
    audio[1, 77] = np.nan
    with pytest.raises(InvalidRequest, match="infinite or undefined"):
        encoder.encode(audio)


def test_a_chunk_of_no_frames_is_refused(weights: CodecWeights) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        build_decoder(weights, CPU, chunk_frames=0)


def test_tensor_cores_do_not_shorten_float32_while_the_codec_runs() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        before = precisions()
        with full_float32():
            inside = precisions()
        assert inside == (False, "highest")
        assert precisions() == before != inside
    finally:
        torch.set_float32_matmul_precision("highest")


def precisions() -> tuple[bool, str]:
    return torch.backends.cudnn.allow_tf32, torch.get_float32_matmul_precision()
