from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from models.codec.rvq import ResidualVectorQuantizer


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def separated_codebooks(seed: int, *, layers: int = 5, size: int = 16, latent: int = 6) -> Tensor:
    """Codebooks whose entries stand further apart than all the layers after them can reach."""
    codebooks = torch.empty(layers, size, latent)
    for layer in range(layers):
        entries = torch.stack([torch.bitwise_and(torch.arange(size) >> bit, 1) for bit in range(latent)], dim=1)
        signs = entries.float() * 2 - 1  # two entries differ by 2 in at least one dimension
        codebooks[layer] = signs[torch.randperm(size, generator=torch.Generator().manual_seed(seed + layer))]
        codebooks[layer] *= 0.3**layer
    return codebooks


def test_decoding_adds_up_the_vectors_the_codes_name() -> None:
    codebooks = noise(0, 3, 4, 2)
    codes = torch.tensor([[0, 3], [1, 1], [2, 0]])
    latent = ResidualVectorQuantizer(codebooks).decode(codes)
    assert latent.shape == (1, 2, 2)
    torch.testing.assert_close(latent[0, :, 1], codebooks[0, 3] + codebooks[1, 1] + codebooks[2, 0])


def test_fewer_layers_are_the_first_terms_of_the_sum() -> None:
    codebooks = noise(0, 3, 4, 2)
    codes = torch.tensor([[0, 3], [1, 1]])
    latent = ResidualVectorQuantizer(codebooks).decode(codes)
    assert torch.equal(latent, ResidualVectorQuantizer(codebooks[:2]).decode(codes))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 200))
def test_codes_of_well_separated_codebooks_survive_the_round_trip(seed: int, frames: int) -> None:
    quantizer = ResidualVectorQuantizer(separated_codebooks(seed))
    codes = torch.randint(16, (5, frames), generator=torch.Generator().manual_seed(seed))
    assert torch.equal(quantizer.encode(quantizer.decode(codes)), codes)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100))
def test_residual_never_grows_with_a_layer_that_can_choose_nothing(seed: int, scale: float) -> None:
    codebooks = noise(seed, 8, 32, 6) * scale
    codebooks[:, 0] = 0
    latent = noise(seed + 1, 1, 6, 20)
    quantizer = ResidualVectorQuantizer(codebooks)
    codes = quantizer.encode(latent)
    left = torch.stack([latent] + [latent - quantizer.decode(codes[: layer + 1]) for layer in range(8)])
    norms = left.norm(dim=2)
    assert (norms.diff(dim=0) <= 1e-5 * (norms[0] + scale)).all()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_every_layer_takes_the_entry_nearest_to_what_is_left(seed: int) -> None:
    codebooks, latent = noise(seed, 4, 16, 5), noise(seed + 1, 1, 5, 30)
    codes = ResidualVectorQuantizer(codebooks).encode(latent)
    residual = latent[0].T.double()
    for codebook, chosen in zip(codebooks.double(), codes, strict=True):
        distances = torch.cdist(residual, codebook)
        best = distances.gather(1, chosen[:, None])[:, 0]
        assert (best <= distances.min(dim=1).values + 1e-5).all()
        residual = residual - codebook[chosen]


def test_a_frame_has_the_same_codes_alone_as_among_others() -> None:
    # Two entries lie equally far from each frame, on opposite sides: rounding alone decides which one is taken.
    latent_DF, offset_DF = noise(3, 32, 100), 0.1 * noise(4, 32, 100)
    quantizer = ResidualVectorQuantizer(torch.cat([latent_DF + offset_DF, latent_DF - offset_DF], dim=1).T[None])
    together = quantizer.encode(latent_DF[None])
    alone = torch.cat([quantizer.encode(latent_DF[None, :, frame : frame + 1]) for frame in range(100)], dim=1)
    assert torch.equal(alone, together)
