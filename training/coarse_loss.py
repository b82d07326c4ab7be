"""What the backbone is trained on: the two windows' cross-entropies and, while training, where in the song it is, what
its prompt asks for, and what other instruments would not have played.

Legend: B songs, F frames, H hidden, W window.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from core.token_layout import TokenLayout
from models.transformer.attention import attend_causal
from models.transformer.model import Transformer
from models.transformer.rotary import Rotation
from training.phases import FORM_PHASES, METRE_PHASES, PHASE_SIZES
from training.plan_labels import PLAN_SIZES
from training.reading import PromptBatch
from training.sequences import CoarseBatch

PHASE_WEIGHT = 0.15
READING_WEIGHT = 0.4
RIVAL_WEIGHT = 0.1
"""A song and its rival differ in about a hundred codes, some nats altogether: with this weight as much as all else."""
HELD_PLAN_WEIGHT = 0.15
"""What the song is, told at every frame: so what the prompt says is at hand wherever it is needed. With 0.02 no frame
knew more of lead and chords than the genre tells, neither from the prompt nor from what was heard."""
_FRAMES_BETWEEN_PLANS = 8
_READING_BLOCKS = 2
"""A prompt is understood behind so many blocks, so that those after them can use it at once."""


class CoarseTrainer(nn.Module):
    """The transformer with heads for phases and plan behind a middle block; they are dropped afterwards.

    Of prompts alone the plan is told behind an early block."""

    def __init__(self, model: Transformer, layout: TokenLayout) -> None:
        super().__init__()
        self.model = model
        self.phase = nn.Linear(model.config.hidden_size, sum(PHASE_SIZES))
        self.plan = nn.Linear(model.config.hidden_size, sum(PLAN_SIZES))
        self._layout = layout
        self._middle = model.config.num_layers - 2
        self._reader = min(_READING_BLOCKS, self._middle)

    def forward(self, batch: CoarseBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and its figures in the order of ``FIGURES``, in nats but for the share of right phases."""
        model, rows = self.model, torch.arange(len(batch.ids), device=batch.ids.device)[:, None]
        rotation = model.rotation(batch.positions[:, None])
        middle = self._through(slice(0, self._middle), model.embed(batch.ids), rotation)
        hidden = model.norm(self._through(slice(self._middle, None), middle, rotation))

        logits0, logits1 = coarse_logits(model, self._layout, hidden, batch)
        nats = [
            F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
            for logits, target in zip((logits0, logits1), batch.targets, strict=True)
        ]
        weighted = sum((n * w).sum() / w.sum() for n, w in zip(nats, batch.weights, strict=True))

        layers = zip((logits0, logits1), batch.targets, batch.rivals, batch.weights, strict=True)
        rival_nats = torch.stack([_nats_from_rivals(*layer) for layer in layers]).sum()

        phases = self.phase(_unit(middle[rows, batch.places[:, :-1]])).float()
        # Neither padding nor what nobody can know: in generation the first frame is always the song's first.
        there = ((batch.weights[0][:, :-1] > 0) & (batch.weights[1] > 0)).float()
        phase_nats = _nats_of(phases, PHASE_SIZES, batch.phases, there)
        right = (phases[..., : PHASE_SIZES[0]].argmax(-1) == batch.phases[0]).float()
        right = (right * there).sum() / there.sum()
        some = slice(0, batch.places.shape[1] - 1, _FRAMES_BETWEEN_PLANS)
        plans = self.plan(_unit(middle[rows, batch.places[:, some]])).float()
        plan_nats = _nats_of(plans, PLAN_SIZES, batch.plans[..., None].expand(-1, -1, plans.shape[1]), there[:, some])
        plan_nats = plan_nats.sum()
        figures = torch.stack(
            [
                *((n[:, : there.shape[1]] * there).sum() / there.sum() for n in nats),
                *((n[:, : there.shape[1]] * batch.onsets).sum() / batch.onsets.sum() for n in nats),
                _end_nats(nats[0], batch, self._layout.codebook_size),
                right,
                phase_nats[:METRE_PHASES].sum(),
                phase_nats[METRE_PHASES : METRE_PHASES + FORM_PHASES].sum(),
                torch.full_like(right, torch.nan),
                phase_nats[-1],
                plan_nats,
                rival_nats,
            ]
        )
        told = PHASE_WEIGHT * phase_nats.sum() + HELD_PLAN_WEIGHT * plan_nats
        return weighted + told + RIVAL_WEIGHT * rival_nats, figures.detach()

    def read(self, batch: PromptBatch) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of telling the plan from the prompt alone, and it in nats as the one figure that is known."""
        rotation = self.model.rotation(torch.arange(batch.ids.shape[1], device=batch.ids.device))
        middle = self._through(slice(0, self._reader), self.model.embed(batch.ids), rotation)
        last = _unit(middle[torch.arange(len(batch.last), device=batch.last.device), batch.last])
        parts = self.plan(last).float().split(list(PLAN_SIZES), dim=-1)
        nats = torch.stack([F.cross_entropy(part, label) for part, label in zip(parts, batch.plans, strict=True)]).sum()
        unknown = torch.full((len(FIGURES),), torch.nan, device=nats.device)
        is_plan = torch.tensor([figure == "plan" for figure in FIGURES], device=nats.device)
        return READING_WEIGHT * nats, unknown.where(~is_plan, nats.detach())

    def _through(self, blocks: slice, x: torch.Tensor, rotation: Rotation) -> torch.Tensor:
        for block in self.model.blocks[blocks]:
            x = block(x, rotation, attend_causal)
        return x


def coarse_logits(
    model: Transformer, layout: TokenLayout, hidden: torch.Tensor, batch: CoarseBatch
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of layer 0 with the end token [B, F + 1, W + 1] and of layer 1 [B, F, W], float32, from hidden states."""
    rows = torch.arange(len(batch.ids), device=batch.ids.device)[:, None]
    first, second = (layout.window(layer) for layer in range(2))
    end = layout.end_of_generation
    head0 = torch.cat([model.output_rows(first), model.output_rows(range(end, end + 1))])
    logits0 = F.linear(hidden[rows, batch.places], head0).float()
    return logits0, F.linear(hidden[rows, batch.places[:, :-1] + 1], model.output_rows(second)).float()


# "rivals" is 0 where a stage has none.
FIGURES = (
    "q0",
    "q1",
    "q0 on onsets",
    "q1 on onsets",
    "end",
    "right phase",
    "metre",
    "form",
    "plan",
    "chord",
    "held plan",
    "rivals",
)


def _unit(x: torch.Tensor) -> torch.Tensor:
    return F.rms_norm(x, (x.shape[-1],))


def _nats_of(logits: torch.Tensor, sizes: tuple[int, ...], labels: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each of several choices, [choices], whose logits [B, F, sum of sizes] lie side by side."""
    found = []
    for part, label in zip(torch.split(logits, list(sizes), dim=-1), labels, strict=True):
        nats = F.cross_entropy(part.flatten(0, 1), label.flatten(), reduction="none").view_as(label)
        found.append((nats * there).sum() / there.sum())
    return torch.stack(found)


def _nats_from_rivals(
    logits: torch.Tensor, targets: torch.Tensor, rivals: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Nats a song of telling its codes from its rivals', frame by frame and between these two alone."""
    there = ((rivals != targets) & (weights > 0)).float()
    right, rival = (logits.gather(-1, codes[..., None]).squeeze(-1) for codes in (targets, rivals))
    return (F.softplus(rival - right) * there).sum() / len(targets)


def _end_nats(nats: torch.Tensor, batch: CoarseBatch, end_index: int) -> torch.Tensor:
    ends = (batch.targets[0] == end_index).float() * (batch.weights[0] > 0)
    return (nats * ends).sum() / ends.sum().clamp_min(1)
