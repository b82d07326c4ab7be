"""Where super-resolution begins: a trunk's weights, a bridge fitted by regression, scales and frequencies by counting.

Legend: N frames, D latent size, K codebook size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import COARSE_LAYERS
from models.transformer.model import Transformer
from training.superres_batches import SuperresBatch
from training.superres_loss import SuperresTrainer

_SCALES = torch.logspace(-1.5, 3.5, 21)
"""Sharpnesses to try, in units of one over the variance of the residual."""
_FREQUENCY_SHARES = (0.0, 0.5, 1.0)


@torch.no_grad()
def start_from_trunk(trainer: SuperresTrainer, trunk: Transformer, batches: Sequence[SuperresBatch]) -> None:
    """Begin with the trunk's weights and let the bridge estimate the residuals of these songs."""
    model = trainer.model
    residuals = [trainer.residual(batch) for batch in batches]
    known = torch.cat([residual[batch.is_frame] for residual, batch in zip(residuals, batches, strict=True)])
    residual_std = known.square().mean(0).sqrt()
    model.start(trunk, residual_std=residual_std, stream_norm=1.0)
    with _inputs_of(model.transformer.norm) as streams:
        trainer.hidden(batches[0])
    stream = streams[0][batches[0].is_frame][:, model.parts.stream]
    model.start(trunk, residual_std=residual_std, stream_norm=float(stream.norm(dim=1).mean()))
    for batch in batches:
        with torch.enable_grad():
            trainer.regression(batch)
    trainer.solve_bridge()


@torch.no_grad()
def fit_tables(trainer: SuperresTrainer, batch: SuperresBatch, counts_QK: torch.Tensor) -> None:
    """Give each layer the sharpness, and the share of its codes' frequencies, that predict this batch best."""
    model = trainer.model
    residual = trainer.residual(batch)
    mask = batch.is_frame
    estimate = model.estimate(trainer.hidden(batch))[mask]
    codes = batch.codes[mask]
    variance = float(residual[mask].square().mean())
    for place, codebook_KD in enumerate(model.codebooks[COARSE_LAYERS:]):
        layer = place + COARSE_LAYERS
        near = estimate @ codebook_KD.T - codebook_KD.square().sum(1) / 2
        frequency = ((counts_QK[layer] + 0.5) / (counts_QK[layer] + 0.5).sum()).log()
        _, scale, share = min(
            (float(F.cross_entropy(near * scale + frequency * share, codes[:, layer])), scale, share)
            for scale in (_SCALES / variance).tolist()
            for share in _FREQUENCY_SHARES
        )
        model.log_scale[place] = torch.tensor(scale).log()
        model.offset[place] = frequency * share - scale * codebook_KD.square().sum(1) / 2
        estimate = estimate - codebook_KD[codes[:, layer]]


@contextmanager
def _inputs_of(module: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Collects what a module reads."""
    seen: list[torch.Tensor] = []
    handle = module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    try:
        yield seen
    finally:
        handle.remove()
