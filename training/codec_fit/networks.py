"""The codec's networks, initialised in closed form: they hold the lapped transform itself, no training needed.

A Snake whose α goes to zero is the identity, and a residual unit of zeros adds nothing. What is left of the published
network is a chain of strided convolutions, and that can hold any linear transform of blocks: the decoder's first
transposed convolution makes 256-sample stereo blocks of latents, the others only cut blocks into smaller ones; the
encoder is its mirror. Between the outermost stride and the others, blocks of 512 numbers are squeezed into the channels
there are, which is all that is lost. Legend: D latent size, C channels, K numbers of a block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.codec.blocks import Snake
from models.codec.convolution import DownsamplingConv1d, SamePaddingConv1d, UpsamplingConv1d
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from training.codec_fit.basis import LatentBasis
from training.corpus.grid import HOP_SAMPLES
from training.corpus.lapped import atoms

BLOCK_SAMPLES = 256
"""Samples a channel in the blocks between sound and latents."""

_STEREO = 2
_NEARLY_ZERO = 1e-5
_SMALLEST_ENERGY = 1e-7


def initialise_decoder(decoder: Decoder, basis: LatentBasis, latent_deviations_D: Tensor) -> None:
    """Give the decoder the inverse transform; the deviations of latents say which blocks matter most."""
    first, last = _ends(decoder)
    out_of_latents, *cuts = [layer for layer in decoder.modules() if isinstance(layer, UpsamplingConv1d)]
    blocks_DSK = _blocks(basis.synthesis)
    latent_size, _, _ = blocks_DSK.shape
    spread_K = (blocks_DSK * latent_deviations_D[:, None, None]).flatten(0, 1)
    kept_CK = _strongest_axes(spread_K.T @ spread_K, out_of_latents.out_channels)
    with torch.no_grad():
        _silence(decoder)
        first.weight[:latent_size, :, 3] = torch.eye(latent_size)
        out_of_latents.weight[:latent_size] = torch.einsum("dsk,ck->dcs", blocks_DSK, kept_CK)
        block_map = kept_CK
        for cut in cuts:
            block_map = torch.eye(_hold_blocks(cut, block_map))
        last.weight[:, :_STEREO, 3] = torch.eye(_STEREO)


def initialise_encoder(encoder: Encoder, basis: LatentBasis, block_covariance_KK: Tensor) -> None:
    """Give the encoder the transform; the covariance of the corpus' stereo blocks says what may be lost."""
    first, last = _ends(encoder)
    *joins, squeeze, into_latents = [layer for layer in encoder.modules() if isinstance(layer, DownsamplingConv1d)]
    blocks_DSK = _blocks(basis.analysis)
    latent_size, _, _ = blocks_DSK.shape
    energies, axes = torch.linalg.eigh(block_covariance_KK)
    deviations = energies.clamp(min=float(energies.max()) * _SMALLEST_ENERGY).sqrt()
    root, inverse_root = axes * deviations @ axes.T, axes / deviations @ axes.T
    # For sound with this covariance, the best approximation of all blocks' maps that passes through so few channels.
    wanted_K = blocks_DSK.flatten(0, 1) @ root
    kept_CK = _strongest_axes(wanted_K.T @ wanted_K, squeeze.out_channels)
    with torch.no_grad():
        _silence(encoder)
        first.weight[:_STEREO, :, 3] = torch.eye(_STEREO)
        size = _STEREO
        for join in joins:
            size *= join.stride[0]
            _hold_blocks(join, torch.eye(size))
        _hold_blocks(squeeze, kept_CK @ inverse_root)
        into_latents.weight[:latent_size] = torch.einsum("dsk,ck->dcs", blocks_DSK @ root, kept_CK)
        last.weight[:, :latent_size, 1] = torch.eye(latent_size)


def block_covariance(audio_CT: Tensor) -> Tensor:
    """Covariance of the stereo blocks of a piece of audio [2, T], [K, K]."""
    blocks_NK = audio_CT.view(_STEREO, -1, BLOCK_SAMPLES).transpose(0, 1).flatten(1)
    covariance: Tensor = blocks_NK.T @ blocks_NK / len(blocks_NK)
    return covariance


def _blocks(coefficients: Tensor) -> Tensor:
    """The sound of coefficients [D, 2·H], cut into the S stereo blocks it spans: [D, S, K]."""
    sound = atoms(coefficients.view(len(coefficients), _STEREO, HOP_SAMPLES))
    return sound.view(len(coefficients), _STEREO, -1, BLOCK_SAMPLES).transpose(1, 2).flatten(2)


def _strongest_axes(moments_KK: Tensor, count: int) -> Tensor:
    """The orthonormal axes with the most energy, [count, K] or fewer if there are not so many."""
    axes: Tensor = torch.linalg.eigh(moments_KK)[1]
    return axes.flip(1)[:, :count].T.contiguous()


def _hold_blocks(step: nn.Conv1d | nn.ConvTranspose1d, block_map_CK: Tensor) -> int:
    """Make channel c of a convolution's coarse side the map c of its fine side's stereo blocks, or the other way.

    Returns the size of the blocks on the fine side. ValueError when it has too few channels for them.
    """
    stride, channels = step.stride[0], len(block_map_CK)
    pieces = block_map_CK.view(channels, _STEREO, stride, -1).transpose(1, 2).flatten(2)
    size = pieces.shape[2]
    if size > step.weight.shape[1]:
        raise ValueError(f"blocks of {size} numbers do not fit into {step.weight.shape[1]} channels; use more filters")
    step.weight[:channels, :size, stride // 2 : stride // 2 + stride] = pieces.transpose(1, 2)
    return size


def _ends(network: nn.Module) -> tuple[nn.Conv1d, nn.Conv1d]:
    """The network's first and last convolutions, which change no length."""
    plain = [layer for layer in network.modules() if isinstance(layer, SamePaddingConv1d)]
    return plain[0], plain[-1]


def _silence(network: nn.Module) -> None:
    """Leave nothing of a network but identities."""
    for parameter in network.parameters():
        parameter.zero_()
    for module in network.modules():
        if isinstance(module, Snake):
            module.alpha.fill_(_NEARLY_ZERO)
