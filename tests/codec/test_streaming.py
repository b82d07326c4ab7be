"""A song in chunks is the song in one piece: the samples are compared with ==, not with a tolerance.

That holds on CPUs with AVX-512; on others one of oneDNN's kernels rounds by length (see models/codec/convolution.py),
and a tolerance of a few float32 roundings is left. Torch chooses kernels by size, so the long song here has layers on
both sides of its limit.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.codes import FullCodes
from core.engine import AudioArray
from models.checkpoint.codec_file import CodecWeights, build_decoder, build_encoder
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from models.codec.receptive_field import required_input
from models.codec.streaming import Window, decoding_windows, encoding_windows
from tests.codec.small_codec import SMALL, fill_with_noise

CPU = torch.device("cpu")
HOP = SMALL.hop_samples
LONG_SONG = 150
"""Frames; several times what the decoder can see around a frame."""


def random_codes(num_frames: int) -> FullCodes:
    values = np.random.default_rng(5).integers(0, SMALL.codebook_size, (SMALL.num_quantizers, num_frames))
    return FullCodes(values=values.astype(np.int16))


def random_audio(num_samples: int) -> AudioArray:
    return np.random.default_rng(6).standard_normal((SMALL.channels, num_samples)).astype(np.float32)


def decode(weights: CodecWeights, num_frames: int, chunk_frames: int) -> AudioArray:
    pieces = build_decoder(weights, CPU, chunk_frames=chunk_frames).decode(random_codes(num_frames))
    return np.concatenate(list(pieces), axis=1)


def assert_same_samples(ours: AudioArray, expected: AudioArray) -> None:
    assert ours.shape == expected.shape
    if torch.backends.cpu.get_cpu_capability() == "AVX512":
        np.testing.assert_array_equal(ours, expected)
    else:
        assert np.abs(ours - expected).max() < 1e-5 * expected.std()


@pytest.fixture(scope="module")
def long_song_decoded_in_one_piece(weights: CodecWeights) -> AudioArray:
    decoder, codes = Decoder(SMALL), torch.from_numpy(random_codes(LONG_SONG).values.astype(np.int64))
    weights.load_into(decoder, "decoder.")
    latent = sum(codebook[layer] for codebook, layer in zip(weights.codebooks(), codes, strict=True))
    with torch.no_grad():
        audio: AudioArray = decoder(latent.T[None])[0].numpy()
    return audio


@pytest.mark.parametrize("chunk_frames", [1, 2, 7, 31, 64, 97, 149, 150, 256])
def test_decoding_in_chunks_gives_the_samples_of_one_piece(
    weights: CodecWeights, long_song_decoded_in_one_piece: AudioArray, chunk_frames: int
) -> None:
    assert_same_samples(decode(weights, LONG_SONG, chunk_frames), long_song_decoded_in_one_piece)


@pytest.mark.parametrize("num_frames", [1, 2, 3, 5, 9, 13])
@pytest.mark.parametrize("chunk_frames", [1, 2, 3, 5])
def test_songs_shorter_than_the_receptive_field_decode_alike_in_chunks(
    weights: CodecWeights, num_frames: int, chunk_frames: int
) -> None:
    in_one_piece = decode(weights, num_frames, chunk_frames=num_frames)
    assert_same_samples(decode(weights, num_frames, chunk_frames), in_one_piece)
    assert in_one_piece.shape == (SMALL.channels, num_frames * HOP)


@pytest.mark.parametrize("num_samples", [1, HOP - 1, HOP, HOP + 1, 3 * HOP + 700, LONG_SONG * HOP - 13])
@pytest.mark.parametrize("chunk_frames", [1, 3, 31, 97])
def test_encoding_in_chunks_gives_the_codes_of_one_piece(
    weights: CodecWeights, num_samples: int, chunk_frames: int
) -> None:
    audio = random_audio(num_samples)
    in_one_piece = build_encoder(weights, CPU, chunk_frames=LONG_SONG).encode(audio)
    in_chunks = build_encoder(weights, CPU, chunk_frames=chunk_frames).encode(audio)
    np.testing.assert_array_equal(in_chunks.values, in_one_piece.values)


@pytest.mark.parametrize("chunk_frames", [1, 3, 31, 97])
def test_latents_of_chunks_are_the_latents_of_one_piece(weights: CodecWeights, chunk_frames: int) -> None:
    # Codes hide small differences, latents do not.
    encoder = Encoder(SMALL)
    weights.load_into(encoder, "encoder.")
    audio = torch.from_numpy(random_audio(LONG_SONG * HOP))[None]
    windows = encoding_windows(encoder, HOP, num_frames=LONG_SONG, chunk_frames=chunk_frames)
    with torch.no_grad():
        in_one_piece = encoder(audio).numpy()
        for window in windows:
            latent = encoder(audio[..., window.frames.start * HOP : window.frames.stop * HOP]).numpy()
            exact = latent[..., window.frames_before :][..., : len(window.exact)]
            assert_same_samples(exact, in_one_piece[..., window.exact.start : window.exact.stop])


def seen(network: torch.nn.Module, inputs: torch.Tensor, outputs: range) -> range:
    """What ``outputs`` really depend on, by way of their gradient."""
    inputs.requires_grad_()
    network(inputs)[..., outputs.start : outputs.stop].sum().backward()
    assert inputs.grad is not None
    touched = inputs.grad.abs().sum(dim=(0, 1)).nonzero().flatten()
    return range(int(touched[0]), int(touched[-1]) + 1)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(20 * HOP, 24 * HOP), length=st.integers(1, 2 * HOP))
def test_receptive_field_of_the_decoder_is_what_gradients_see(start: int, length: int) -> None:
    decoder, outputs = Decoder(SMALL), range(start, start + length)
    fill_with_noise(decoder, seed=4)
    assert required_input(decoder, outputs) == seen(decoder, torch.ones(1, SMALL.latent_size, 46), outputs)


@settings(max_examples=10, deadline=None)
@given(start=st.integers(8, 10), length=st.integers(1, 3))
def test_receptive_field_of_the_encoder_is_what_gradients_see(start: int, length: int) -> None:
    encoder, outputs = Encoder(SMALL), range(start, start + length)
    fill_with_noise(encoder, seed=4)
    assert required_input(encoder, outputs) == seen(encoder, torch.ones(1, SMALL.channels, 22 * HOP), outputs)


@settings(max_examples=50, deadline=None)
@given(num_frames=st.integers(1, 300), chunk_frames=st.integers(1, 300))
def test_exact_parts_of_windows_cover_a_song_once_and_in_order(num_frames: int, chunk_frames: int) -> None:
    decoder, encoder = Decoder(SMALL), Encoder(SMALL)
    for windows in (
        decoding_windows(decoder, HOP, num_frames=num_frames, chunk_frames=chunk_frames),
        encoding_windows(encoder, HOP, num_frames=num_frames, chunk_frames=chunk_frames),
    ):
        frames = [frame for window in windows for frame in window.exact]
        assert frames == list(range(num_frames))


def test_windows_do_not_grow_with_the_song() -> None:
    def longest(num_frames: int) -> int:
        windows: list[Window] = list(decoding_windows(Decoder(SMALL), HOP, num_frames=num_frames, chunk_frames=64))
        windows += encoding_windows(Encoder(SMALL), HOP, num_frames=num_frames, chunk_frames=64)
        return max(len(window.frames) for window in windows)

    assert longest(12_000) == longest(300) < 64 + 30
