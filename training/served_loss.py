"""The backbone's loss as it is sampled: sure of what comes, and honest about when.

A checkpoint is served colder than it was trained (``training.backbone.SHARPNESS``), for a small model's unlikely codes
are mostly wrong. But staying as it was is one code, and what may come instead are many: where a syllable begins with
four chances in five, on any of twenty codes, sharpening each code by itself leaves it one in four. So its note was
held, the next was missed too, and the song stood still. Here both are learnt apart: which code comes where a frame
moves, at the trained temperature, and whether it moves, nearly as likely as it is when served.

Legend: B songs, F frames, W window.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import TokenLayout
from models.transformer.attention import attend_causal
from models.transformer.model import Transformer
from training.coarse_loss import coarse_logits
from training.sequences import CoarseBatch

STAYING_WEIGHT = 2.0
STAYING_SHARPNESS = 1.5
"""How much surer of whether a frame moves it is when served: where a note lasts eight frames, one in a hundred that
ends a frame early is a slip a minute."""

FIGURES = ("q0", "q1", "q0 staying", "q1 staying", "staying where it moves", "staying where it stays")


class Apart(NamedTuple):
    """Nats of which code comes, 0 where the frame stays, and of whether it does, 0 where that has no meaning."""

    which: torch.Tensor
    whether: torch.Tensor


def apart(
    logits: torch.Tensor, targets: torch.Tensor, before: torch.Tensor, *, sharpness: float, staying: float
) -> Apart:
    """Nats of ``targets`` [...] when logits [..., W] are served ``sharpness`` times as sharp, and whether the code
    before stays, −1 where there is none, ``staying`` times as sure as it is learnt."""
    is_known = before >= 0
    own = before.clamp_min(0)[..., None]
    of_own = logits.gather(-1, own)
    others = logits.scatter(-1, own, of_own.masked_fill(is_known[..., None], -torch.inf))
    which = F.cross_entropy(others.flatten(0, -2), targets.flatten(), reduction="none").view_as(targets)
    odds = sharpness * of_own.squeeze(-1) - (sharpness * others).logsumexp(-1)
    stays = targets == before
    whether = F.binary_cross_entropy_with_logits(odds / staying, stays.float(), reduction="none")
    return Apart(which.masked_fill(stays, 0.0), whether.masked_fill(~is_known, 0.0))


class ServedTrainer(nn.Module):
    """The transformer alone; its logits are served ``sharpness`` times as sharp."""

    def __init__(self, model: Transformer, layout: TokenLayout, sharpness: float) -> None:
        super().__init__()
        self.model = model
        self._layout = layout
        self._sharpness = sharpness

    def forward(self, batch: CoarseBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and its figures in the order of ``FIGURES``: nats, and two mean chances of layer 0 to stay."""
        model = self.model
        hidden = model(model.embed(batch.ids), model.rotation(batch.positions[:, None]), attend_causal)
        logits = coarse_logits(model, self._layout, hidden, batch)
        before = self._before(batch)
        layers = [
            apart(*layer, sharpness=self._sharpness, staying=STAYING_SHARPNESS)
            for layer in zip(logits, batch.targets, before, strict=True)
        ]
        asked = [((was >= 0) & (weight > 0)).float() for was, weight in zip(before, batch.weights, strict=True)]
        which = [(nats.which * weight).sum() / weight.sum() for nats, weight in zip(layers, batch.weights, strict=True)]
        whether = [(nats.whether * there).sum() / there.sum() for nats, there in zip(layers, asked, strict=True)]

        stays = (batch.targets[0] == before[0]).float()
        right = (-layers[0].whether).exp()
        chances = [
            (chance * asked[0] * where).sum() / (asked[0] * where).sum().clamp_min(1)
            for chance, where in ((1 - right, 1 - stays), (right, stays))
        ]
        loss = torch.stack(which).sum() + STAYING_WEIGHT * torch.stack(whether).sum()
        return loss, torch.stack([*which, *whether, *chances]).detach()

    def _before(self, batch: CoarseBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """What layers 0 [B, F + 1] and 1 [B, F] were in the frame before, as it was read; −1 where staying has no
        meaning: in the first frame, and of layer 1 where layer 0 has moved."""
        rows = torch.arange(len(batch.ids), device=batch.ids.device)[:, None]
        start0, start1 = (self._layout.window(layer).start for layer in range(2))
        was0 = batch.ids[rows, (batch.places - 1).clamp_min(0)] - start0
        was1 = batch.ids[rows, batch.places[:, :-1]] - start1
        is0 = batch.ids[rows, batch.places[:, :-1] + 1] - start0
        was0[:, 0] = was1[:, 0] = -1
        return was0, was1.where(is0 == was0[:, :-1], -1)
