"""Residual vector quantisation with Euclidean codebooks (contract section 5).

Each layer quantises what the layers before it left over, so a latent is the sum of one vector a layer.
Legend: Q layers, K codebook size, D latent size, F frames.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BLOCK_FRAMES = 64
"""Frames searched at a time: bounds the memory for distances, and because it is always the same number of rows, a
matrix product rounds a frame's distances alike in a short and in a long input."""


class ResidualVectorQuantizer(nn.Module):
    """``codebooks`` [Q, K, D] as a buffer; no projections."""

    codebooks: Tensor

    def __init__(self, codebooks: Tensor) -> None:
        super().__init__()
        self.register_buffer("codebooks", codebooks)

    def decode(self, codes_QF: Tensor) -> Tensor:
        """Latents [1, D, F] of integer codes [layers, F]: the sum of the vectors looked up in the first layers."""
        latent_FD = torch.zeros(codes_QF.shape[1], self.codebooks.shape[2], device=codes_QF.device)
        for codes_F, codebook_KD in zip(codes_QF, self.codebooks, strict=False):  # fewer layers are a coarser latent
            latent_FD += F.embedding(codes_F, codebook_KD)
        return latent_FD.T.unsqueeze(0)

    def encode(self, latent_1DF: Tensor) -> Tensor:
        """Codes [Q, F] of latents [1, D, F]: layer by layer the entry nearest to what is left."""
        norms_QK = self.codebooks.square().sum(2)
        blocks = [self._encode_block(block_FD, norms_QK) for block_FD in torch.split(latent_1DF[0].T, _BLOCK_FRAMES)]
        return torch.cat(blocks, dim=1)

    def _encode_block(self, latent_FD: Tensor, norms_QK: Tensor) -> Tensor:
        frames = len(latent_FD)
        residual_FD = F.pad(latent_FD, (0, 0, 0, _BLOCK_FRAMES - frames))
        codes = []
        for codebook_KD, norms_K in zip(self.codebooks, norms_QK, strict=True):
            # |r − c|² without |r|², which is the same for every entry
            codes_F = (norms_K - 2 * F.linear(residual_FD, codebook_KD)).argmin(dim=1)
            residual_FD = residual_FD - F.embedding(codes_F, codebook_KD)
            codes.append(codes_F[:frames])
        return torch.stack(codes)
