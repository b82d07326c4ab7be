from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.codes import FullCodes
from models.checkpoint.codec_file import CodecWeights, build_decoder, build_encoder, read_codec_weights
from models.checkpoint.tree import find_codec
from models.codec.decoder import Decoder
from training.codec_fit.basis import FrameStatistics, perceptual_weights
from training.codec_fit.fit import CODEC_FILE, STATE_FILE, FittedCodec, fit_codec
from training.codec_fit.kmeans import fit_codebook, nearest, refine_together
from training.codec_fit.networks import initialise_decoder
from training.codec_fit.quality import measure, si_sdr
from training.codec_fit.scale import DEMO, MINIATURE
from training.corpus.dataset import HELD_OUT_SEED, Corpus, song
from training.corpus.grid import HOP_SAMPLES
from training.corpus.lapped import synthesise
from training.corpus.latents import DistinctFrames
from training.corpus.render import render
from training.corpus.slices import SliceBank

from .conftest import FIT_SEED

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(fitted: FittedCodec, codec_directory: Path) -> CodecWeights:
    return read_codec_weights(codec_directory / CODEC_FILE)


@pytest.fixture(scope="module")
def excerpt(fitted: FittedCodec) -> Tensor:
    """Nine seconds of a song the fit has not heard, as 16-bit files hold them."""
    composition = song(HELD_OUT_SEED, 1, minutes=(1,)).composition
    audio = render(composition.events, composition.num_frames, fitted.bank)[:, : 200 * HOP_SAMPLES]
    return (audio * 32_767).round() / 32_767


def test_the_file_is_one_of_the_published_layout_with_the_scales_sizes(weights: CodecWeights) -> None:
    assert weights.config == MINIATURE.config
    assert {"decoder.model.0.weight_v", "encoder.block.0.weight_g", "quantizer.embed_3"} <= set(weights.tensors)


def test_the_file_lies_where_checkpoints_are_looked_for(weights: CodecWeights, codec_directory: Path) -> None:
    assert find_codec(codec_directory) == weights.path


def test_half_precision_in_the_file_changes_no_code(weights: CodecWeights, fitted: FittedCodec) -> None:
    assert {tensor.dtype for name, tensor in weights.tensors.items() if name.endswith("embed")} == {torch.float16}
    assert torch.equal(weights.codebooks(), fitted.corpus.codebooks)


def test_every_codebook_is_stored_once(weights: CodecWeights) -> None:
    numbers = sum(tensor.numel() for name, tensor in weights.tensors.items() if name.endswith(("weight_v", ".embed")))
    assert weights.path.stat().st_size < 2 * 1.1 * numbers


def test_layers_above_the_first_can_leave_a_frame_as_it_is(fitted: FittedCodec) -> None:
    assert fitted.corpus.codebooks[1:, 0].abs().max() == 0
    assert fitted.corpus.codebooks[0, 0].abs().max() > 0


def test_the_encoder_gives_the_codes_of_a_songs_sound_back(
    weights: CodecWeights, corpus: Corpus, excerpt: Tensor
) -> None:
    given = next(corpus.examples(HELD_OUT_SEED, start=1, layers=8, minutes=(1,))).codes[:, :196]
    found = build_encoder(weights, CPU).encode(excerpt.numpy()).values[:, :196]
    assert (found[:2] == given[:2]).mean() > 0.99
    assert (found == given).mean() > 0.97


def test_the_decoder_holds_the_inverse_transform(weights: CodecWeights, fitted: FittedCodec, corpus: Corpus) -> None:
    codes = next(corpus.examples(HELD_OUT_SEED, layers=8, minutes=(1,), max_frames=150)).codes
    decoded = torch.from_numpy(
        np.concatenate(list(build_decoder(weights, CPU).decode(FullCodes(values=codes))), axis=1)
    )
    latents = sum((book[torch.from_numpy(row).long()] for book, row in zip(corpus.codebooks, codes, strict=True)), 0)
    coefficients = latents @ fitted.basis.synthesis
    exact = synthesise(coefficients.view(150, 2, HOP_SAMPLES).transpose(0, 1))
    inside = slice(2 * HOP_SAMPLES, -2 * HOP_SAMPLES)
    assert si_sdr(decoded[:, inside], exact[:, inside]) > 40


def test_a_decoder_with_too_few_filters_is_refused(fitted: FittedCodec) -> None:
    config = replace(MINIATURE, decoder_filters=8).config
    with pytest.raises(ValueError, match="use more filters"):
        initialise_decoder(Decoder(config), fitted.basis, torch.ones(MINIATURE.latent_size))


def test_a_fit_that_was_stopped_goes_on_to_the_same_codebooks(
    fitted: FittedCodec, codec_directory: Path, bank: SliceBank, tmp_path: Path
) -> None:
    state = torch.load(codec_directory / STATE_FILE, weights_only=True)
    state["codebooks"] = state["codebooks"][:3]
    torch.save(state, tmp_path / STATE_FILE)
    resumed = fit_codec(tmp_path, MINIATURE, FIT_SEED, bank=bank)
    assert torch.equal(resumed.corpus.codebooks, fitted.corpus.codebooks)


def test_a_directory_holds_one_fit(fitted: FittedCodec, codec_directory: Path, bank: SliceBank) -> None:
    with pytest.raises(ValueError, match="belongs to a fit of another scale, seed or corpus"):
        fit_codec(codec_directory, MINIATURE, FIT_SEED + 1, bank=bank)


def test_quality_rises_with_every_layer(fitted: FittedCodec, codec_directory: Path) -> None:
    quality = measure(codec_directory, replace(MINIATURE, held_out_songs=1), fitted)
    scores = list(quality.si_sdr.values())
    assert scores == sorted(scores)
    assert quality.si_sdr_networks["8"] == pytest.approx(quality.si_sdr["8"], abs=3)
    assert quality.code_agreement["1"] > 0.99
    assert 0.1 < quality.distinct_frames < 0.9
    assert quality.peak < 1


def test_the_demo_has_the_published_shape() -> None:
    config = DEMO.config
    assert (config.num_quantizers, config.codebook_size, config.latent_size) == (64, 1024, 128)
    assert (config.decoder_rates, config.encoder_strides, config.hop_samples) == ((8, 8, 8, 4), (4, 8, 8, 8), 2048)


def test_si_sdr_does_not_hear_loudness_but_noise() -> None:
    signal = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(2, 20_000, generator=torch.Generator().manual_seed(2))
    assert si_sdr(0.3 * signal, signal) > 100
    assert si_sdr(signal + 0.1 * noise, signal) == pytest.approx(20, abs=0.3)


def test_the_basis_finds_the_directions_that_frames_lie_in() -> None:
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(2 * HOP_SAMPLES, 3, generator=generator))[0]
    frames = torch.randn(200, 3, generator=generator) * torch.tensor([3.0, 2.0, 1.0]) @ directions.T
    statistics = FrameStatistics()
    statistics.add(frames / perceptual_weights(), torch.ones(200))
    basis = statistics.basis(3, generator)
    assert basis.kept_energy == pytest.approx(1, abs=1e-4)
    latents = basis.to_latents(frames / perceptual_weights())
    assert latents.square().mean() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(latents @ basis.synthesis * perceptual_weights(), frames, atol=1e-3, rtol=1e-3)


def test_k_means_finds_planted_clusters() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = 10 * torch.randn(8, 4, generator=generator)
    vectors = centres[torch.randint(8, (400,), generator=generator)] + 0.01 * torch.randn(400, 4, generator=generator)
    codebook = fit_codebook(
        vectors, torch.ones(400), 16, frames=400, rounds=10, silent=False, generator=torch.Generator().manual_seed(1)
    )
    assert (vectors - codebook[nearest(vectors, codebook)]).norm(dim=1).max() < 0.1


def test_two_codebooks_refined_together_come_nearer() -> None:
    generator = torch.Generator().manual_seed(0)
    vectors, counts = torch.randn(800, 6, generator=generator), torch.rand(800, generator=generator)
    first = vectors[:16].clone()
    second = (vectors - first[nearest(vectors, first)])[:16].clone()

    def error(books: tuple[Tensor, Tensor]) -> float:
        left = vectors - books[0][nearest(vectors, books[0])]
        left = left - books[1][nearest(left, books[1])]
        return float((left.square().sum(1) * counts).sum())

    assert error(refine_together(vectors, counts, first, second, 5)) < 0.95 * error((first, second))


def test_counts_say_how_often_a_frame_is_heard(bank: SliceBank) -> None:
    composition = song(1, 0, minutes=(1,)).composition
    frames = DistinctFrames.of(bank.index, composition.events, composition.num_frames)
    assert int(frames.counts.sum()) == composition.num_frames
    assert frames.counts.max() > 1
