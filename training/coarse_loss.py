"""What the backbone is trained on: the two windows' cross-entropies and, while training, the song's score.

Legend: B songs, F frames, C classes, S sounds.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import TokenLayout
from models.transformer.attention import attend_causal
from models.transformer.model import Transformer
from training.reading import PromptBatch
from training.score import CLASS_SIZES, FORM_SIZES, METRE_SIZES, NUM_SOUNDS, PLAN_SIZES
from training.sequences import CoarseBatch

METRE_WEIGHT, FORM_WEIGHT, PLAN_WEIGHT, SOUND_WEIGHT, READING_WEIGHT = 0.15, 0.05, 0.05, 0.02, 0.2
_RARE = -4.0
"""Log-odds of a sound before anything is learnt."""


class CoarseTrainer(nn.Module):
    """The transformer with small heads that read the score off a middle block; the heads are dropped afterwards."""

    def __init__(self, model: Transformer, layout: TokenLayout) -> None:
        super().__init__()
        self.model = model
        self.classes = nn.Linear(model.config.hidden_size, sum(CLASS_SIZES))
        self.sounds = nn.Linear(model.config.hidden_size, 2 * NUM_SOUNDS)
        nn.init.constant_(self.sounds.bias, _RARE)
        self._layout = layout
        self._score_block = model.config.num_layers - 2

    def forward(self, batch: CoarseBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and its figures in the order of ``FIGURES``, in nats but for the share of right phases."""
        model, rows = self.model, torch.arange(len(batch.ids), device=batch.ids.device)[:, None]
        middle = self._through(slice(0, self._score_block), model.embed(batch.ids))
        hidden = model.norm(self._through(slice(self._score_block, None), middle))

        first, second = (self._layout.window(layer) for layer in range(2))
        end = self._layout.end_of_generation
        head0 = torch.cat([model.output_rows(first), model.output_rows(range(end, end + 1))])
        logits0 = F.linear(hidden[rows, batch.places], head0).float()
        logits1 = F.linear(hidden[rows, batch.places[:, :-1] + 1], model.output_rows(second)).float()
        nats = [
            F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
            for logits, target in zip((logits0, logits1), batch.targets, strict=True)
        ]
        weighted = sum((n * w).sum() / w.sum() for n, w in zip(nats, batch.weights, strict=True))

        there = (batch.weights[1] > 0).float()
        middle = _unit(middle[rows, batch.places[:, :-1]])
        score_loss, score = self._score(middle, batch, there)
        figures = torch.stack(
            [
                *((n[:, : there.shape[1]] * there).sum() / there.sum() for n in nats),
                *((n[:, : there.shape[1]] * batch.onsets).sum() / batch.onsets.sum() for n in nats),
                _end_nats(nats[0], batch, self._layout.codebook_size),
                *score,
            ]
        )
        return weighted + score_loss, figures.detach()

    def read(self, batch: PromptBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of telling the plan from the prompt alone, and it again as the one figure that is known."""
        middle = self._through(slice(0, self._score_block), self.model.embed(batch.ids))
        last = _unit(middle[torch.arange(len(batch.last), device=batch.last.device), batch.last])
        parts = self.classes(last).float().split(list(CLASS_SIZES), dim=-1)[-len(PLAN_SIZES) :]
        nats = [F.cross_entropy(part, label) for part, label in zip(parts, batch.plans, strict=True)]
        loss = torch.stack(nats).sum()
        unknown = torch.full((len(FIGURES),), torch.nan, device=loss.device)
        unknown[FIGURES.index("plan from the prompt")] = loss.detach()
        return READING_WEIGHT * loss, unknown

    def _through(self, blocks: slice, x: torch.Tensor) -> torch.Tensor:
        rotation = self.model.rotation(torch.arange(x.shape[1], device=x.device))
        for block in self.model.blocks[blocks]:
            x = block(x, rotation, attend_causal)
        return x

    def _score(
        self, states: torch.Tensor, batch: CoarseBatch, there: torch.Tensor
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """The loss of reading the score off ``states``, and its figures in the order of ``SCORE_FIGURES``."""
        parts = self.classes(states).float().split(list(CLASS_SIZES), dim=-1)
        nats_CBF = torch.stack(
            [
                F.cross_entropy(part.flatten(0, 1), label.flatten(), reduction="none").view_as(label)
                for part, label in zip(parts, batch.classes, strict=True)
            ]
        )
        classes = (nats_CBF * there).sum((1, 2)) / there.sum()
        metre, form, plan = (part.sum() for part in torch.split(classes, _GROUP_SIZES))
        # The first frame follows the prompt and knows nothing else: its share makes the model read.
        asked = nats_CBF[-len(PLAN_SIZES) :, :, 0].mean(1).sum()
        sounds_BFS = F.binary_cross_entropy_with_logits(
            self.sounds(states).float(), batch.sounds.float(), reduction="none"
        )
        sounds = (sounds_BFS.sum(-1) * there).sum() / there.sum()
        right = ((parts[0].argmax(-1) == batch.classes[0]).float() * there).sum() / there.sum()
        loss = METRE_WEIGHT * metre + FORM_WEIGHT * form + PLAN_WEIGHT * (plan + asked) + SOUND_WEIGHT * sounds
        return loss, (right, metre, form, plan, asked, sounds)


_GROUP_SIZES = [len(METRE_SIZES), len(FORM_SIZES), len(PLAN_SIZES)]
SCORE_FIGURES = ("right phase", "metre", "form", "plan", "plan from the prompt", "sounds")
FIGURES = ("q0", "q1", "q0 on onsets", "q1 on onsets", "end", *SCORE_FIGURES)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return F.rms_norm(x, (x.shape[-1],))


def _end_nats(nats: torch.Tensor, batch: CoarseBatch, end_index: int) -> torch.Tensor:
    ends = (batch.targets[0] == end_index).float() * (batch.weights[0] > 0)
    return (nats * ends).sum() / ends.sum().clamp_min(1)
