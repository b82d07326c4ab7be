"""How well one model agrees with another: logits side by side, and whole songs drawn greedily from each.

Legend: T frames, Q layers, K codebook size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from core.codes import IdArray
from core.engine import AudioArray
from core.token_layout import COARSE_LAYERS
from models.verify.foretelling import Foreteller


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Logits [..., K] against the reference's.

    ``error`` is the root mean square difference of log-probabilities in nats, ``worst`` the largest; ``divergence``
    the mean Kullback–Leibler divergence from the reference in nats; ``equal`` the share of places where both would
    choose the same code.
    """

    error: float
    worst: float
    divergence: float
    equal: float

    @classmethod
    def of(cls, reference: torch.Tensor, other: torch.Tensor) -> Agreement:
        ours, theirs = F.log_softmax(reference.double(), -1), F.log_softmax(other.double(), -1)
        difference = ours - theirs
        return cls(
            error=float(difference.square().mean().sqrt()),
            worst=float(difference.abs().max()),
            divergence=float((ours.exp() * difference).sum(-1).mean()),
            equal=float((reference.argmax(-1) == other.argmax(-1)).double().mean()),
        )

    @classmethod
    def mean(cls, of: Sequence[Agreement]) -> Agreement:
        """Their average, with the worst of all."""
        return cls(
            error=sum(one.error for one in of) / len(of),
            worst=max(one.worst for one in of),
            divergence=sum(one.divergence for one in of) / len(of),
            equal=sum(one.equal for one in of) / len(of),
        )


@dataclass(frozen=True, kw_only=True)
class StageAgreement:
    """The backbone, and super-resolution layer by layer, first given the reference's codes, then its own.

    ``chain_QT`` are the codes of the second way; ``chain_equal`` is the share of them that the reference's chain has
    too, a number a layer: an error in one layer is what all later ones build on.
    """

    backbone: Agreement
    layers: Sequence[Agreement]
    chain_QT: torch.Tensor
    chain_equal: Sequence[float]


def greedy_chain(model: Foreteller, prompt: IdArray, coarse_QT: torch.Tensor, num_layers: int) -> torch.Tensor:
    """All layers of the frames with the first two known, each code the likeliest, int64 [Q, T]."""
    codes_QT = coarse_QT.new_zeros(num_layers, coarse_QT.shape[1])
    codes_QT[:COARSE_LAYERS] = coarse_QT
    for layer in range(COARSE_LAYERS, num_layers):
        codes_QT[layer] = model.layer_logits(prompt, codes_QT, layer).argmax(-1)
    return codes_QT


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a trusted model says of one song: ``prompts`` of both stages, its greedy chain, and its logits along it."""

    prompts: tuple[IdArray, IdArray]
    chain_QT: torch.Tensor
    coarse: torch.Tensor
    layers: Sequence[torch.Tensor]

    @classmethod
    def of(
        cls, model: Foreteller, prompts: tuple[IdArray, IdArray], coarse_QT: torch.Tensor, num_layers: int
    ) -> Reference:
        chain_QT = greedy_chain(model, prompts[1], coarse_QT, num_layers)
        added = range(COARSE_LAYERS, num_layers)
        return cls(
            prompts=prompts,
            chain_QT=chain_QT,
            coarse=model.coarse_logits(prompts[0], chain_QT),
            layers=[model.layer_logits(prompts[1], chain_QT, layer) for layer in added],
        )

    def agreement(self, other: Foreteller) -> StageAgreement:
        """How another model agrees with it."""
        num_layers = len(self.chain_QT)
        own_QT = greedy_chain(other, self.prompts[1], self.chain_QT[:COARSE_LAYERS], num_layers)
        return StageAgreement(
            backbone=Agreement.of(self.coarse, other.coarse_logits(self.prompts[0], self.chain_QT)),
            layers=[
                Agreement.of(logits, other.layer_logits(self.prompts[1], self.chain_QT, layer))
                for layer, logits in enumerate(self.layers, COARSE_LAYERS)
            ],
            chain_QT=own_QT,
            chain_equal=(own_QT == self.chain_QT)[COARSE_LAYERS:].double().mean(1).tolist(),
        )


def signal_to_noise_db(signal: AudioArray, other: AudioArray) -> float:
    """Power of ``signal`` over that of the difference; infinite when there is none."""
    noise = float(np.square(signal.astype(np.float64) - other).sum())
    return 10 * float(np.log10(np.square(signal.astype(np.float64)).sum() / noise)) if noise else float("inf")
