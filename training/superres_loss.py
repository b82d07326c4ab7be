"""What super-resolution is trained on: first the whole residual at once, then one layer of codes at a time, and all the
while, with causal attention, what the backbone is trained on.

The paper trains one model with two attentions: refinement looks both ways, alignment only back, and keeps the model
tied to the text as the backbone is. Here alignment predicts layer 0 of the next frame.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import COARSE_LAYERS
from models.transformer.attention import Attend, attend_causal, attend_full
from training.superres_batches import SuperresBatch
from training.superres_model import SuperresModel

ALIGNMENT_WEIGHT = 0.02
"""Of alignment beside the regression, whose gradients are small, most so when it begins."""
_MEMORY = 0.93
"""How much of what was seen before one batch still counts for the bridge's regression after it."""


class SuperresTrainer(nn.Module):
    """The model with its three losses, each over the frames of a batch."""

    gram: torch.Tensor
    moment: torch.Tensor

    def __init__(self, model: SuperresModel) -> None:
        super().__init__()
        self.model = model
        size = model.parts.width + 1
        self.register_buffer("gram", torch.zeros(size, size, dtype=torch.float64))
        self.register_buffer("moment", torch.zeros(size, model.parts.latent_size, dtype=torch.float64))
        self._read: torch.Tensor | None = None
        model.bridge.register_forward_pre_hook(self._remember)

    def residual(self, batch: SuperresBatch) -> torch.Tensor:
        """What layers 0 and 1 leave of the latents, [B, T, D]; zero where text is."""
        coarse = sum(self.model.codebooks[layer][batch.codes[..., layer]] for layer in range(COARSE_LAYERS))
        return (batch.latents - coarse) * batch.is_frame[..., None]

    def regression(self, batch: SuperresBatch) -> torch.Tensor:
        """Mean square error of r̂ as a share of r's."""
        residual, hidden = self.residual(batch), self.hidden(batch)
        if torch.is_grad_enabled():
            self._observe(residual[batch.is_frame], batch.is_frame)
        return self._error(hidden, residual, batch)

    def refinement(self, batch: SuperresBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-entropy of each song's layer in nats, all layers before it known, and the error of r̂ as above.

        Cross-entropy moves how sure each layer is, and not r̂: what deep layers hold is mostly noise, whose gradients
        would undo the regression.
        """
        known = self.model.known(batch.codes, batch.layers)
        hidden = self.hidden(batch, known)
        logits = self.model.logits(hidden.detach(), batch.layers)
        places = batch.layers[:, None, None].expand(-1, batch.codes.shape[1], 1)
        nats = _mean_nats(logits, batch.codes.gather(2, places)[..., 0], batch.is_frame)
        return nats, self._error(hidden, self.residual(batch), batch, known)

    def _error(
        self, hidden: torch.Tensor, residual: torch.Tensor, batch: SuperresBatch, known: torch.Tensor | float = 0.0
    ) -> torch.Tensor:
        error = (self.model.estimate(hidden) + known - residual) * batch.is_frame[..., None]
        return error.square().sum() / residual.square().sum()

    def alignment(self, batch: SuperresBatch) -> torch.Tensor:
        """Cross-entropy in nats of layer 0 of the next frame, seen causally."""
        hidden = self.hidden(batch, attend=attend_causal)
        logits = self.model.transformer.logits(hidden, self.model.layout.window(0)).float()
        both = batch.is_frame[:, 1:] & batch.is_frame[:, :-1]
        return _mean_nats(logits[:, :-1], batch.codes[:, 1:, 0], both)

    @torch.no_grad()
    def solve_bridge(self) -> None:
        """Let the bridge make the best of what the blocks say now; by gradients alone it would lag behind them."""
        self.model.solve_bridge(self.gram, self.moment)

    @torch.no_grad()
    def _observe(self, residuals: torch.Tensor, is_frame: torch.Tensor) -> None:
        assert self._read is not None
        features = self._read[is_frame][:, self.model.parts.stream].double()
        features = F.pad(features, (0, 1), value=1.0)
        self.gram.mul_(_MEMORY).addmm_(features.T, features)
        self.moment.mul_(_MEMORY).addmm_(features.T, residuals.double())

    def _remember(self, module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        self._read = inputs[0].detach()

    def hidden(
        self, batch: SuperresBatch, known: torch.Tensor | None = None, attend: Attend = attend_full
    ) -> torch.Tensor:
        """Hidden states of a batch, [B, T, H], with these latents of layers from 2 on known, or none."""
        known = torch.zeros_like(batch.latents) if known is None else known
        return self.model.hidden(self.model.rows(batch.text, batch.codes[..., :COARSE_LAYERS], known), attend)


def _mean_nats(logits: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    nats = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
    return (nats * mask).sum() / mask.sum()
