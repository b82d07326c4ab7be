"""The end of the backbone's training: what it reads, what its loss does, that it continues the rounds and resumes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from core.token_layout import COARSE_LAYERS
from tests.training.test_backbone_training import TINY
from training.backbone import Run, read_backbone
from training.corpus.dataset import Corpus
from training.corpus.lyrics_writer import MOST_BYTES_A_MINUTE
from training.finish import FINISHED, Finish
from training.holds import hold
from training.listening import Stage
from training.sequences import pack
from training.served_loss import STAYING_SHARPNESS, ServedTrainer, apart
from training.start import new_transformer
from training.text import corpus_layout

LENGTH = 2912
FINISHING = replace(
    TINY,
    finish=(
        Stage(steps=2, songs=2, length=448, held=1.0, sung=1.0, pasted=1.0),
        Stage(steps=2, songs=2, length=448, excerpts=1, held=1.0),
    ),
)


def test_held_notes_last_until_something_begins(corpus: Corpus) -> None:
    examples = list(itertools.islice(corpus.examples(0, minutes=(1,), max_frames=LENGTH // 2), 4))
    plain = pack(examples, corpus_layout(corpus), length=LENGTH)
    held = hold(plain, examples, np.random.default_rng(0), share=1.0)
    assert all(torch.equal(one, other) for one, other in zip(held.weights, plain.weights, strict=True))
    for row, example in enumerate(examples):
        begin, frames = int(plain.places[row, 0]) + 1, example.num_frames
        heard, written = (
            batch.ids[row, begin : begin + COARSE_LAYERS * frames].view(frames, COARSE_LAYERS)
            for batch in (held, plain)
        )
        touched = (heard != written).any(1).nonzero().flatten().tolist()
        assert touched
        assert example.onsets[touched[0]], "a note is held because the next was missed"
        for frame in range(frames):
            target, own = (
                [int(batch.targets[layer][row, frame]) for layer in range(COARSE_LAYERS)] for batch in (held, plain)
            )
            assert target == own or not example.onsets[frame], "where something begins, it is what should be played"
            if target != own:
                assert heard[frame].equal(heard[frame - 1]), "what else is to come is the note that is held"
            if frame in touched and frame + 1 < frames and frame + 1 not in touched:
                assert heard[frame + 1].equal(written[frame + 1])


def test_no_note_is_held_where_none_is_to_be(corpus: Corpus) -> None:
    examples = list(itertools.islice(corpus.examples(0, minutes=(1,), max_frames=LENGTH // 2), 2))
    plain = pack(examples, corpus_layout(corpus), length=LENGTH)
    assert torch.equal(hold(plain, examples, np.random.default_rng(0), share=0.0).ids, plain.ids)


@pytest.mark.parametrize("served", [1.0, 2.5])
def test_both_questions_together_are_what_sampling_asks(served: float) -> None:
    logits, targets = torch.randn(6, 9), torch.tensor([0, 3, 3, 8, 1, 5])
    before = torch.tensor([0, 3, 4, 2, -1, 5])
    nats = apart(logits, targets, before, sharpness=served, staying=1.0)
    moving = torch.tensor([False, False, True, True, False, False])
    staying = torch.tensor([True, True, False, False, False, True])
    as_served = (served * logits).log_softmax(-1)
    chance_to_stay = as_served.gather(-1, before.clamp_min(0)[:, None]).squeeze(-1).exp()
    torch.testing.assert_close(nats.whether[staying], -chance_to_stay[staying].log())
    torch.testing.assert_close(nats.whether[moving], -(1 - chance_to_stay[moving]).log())
    assert not nats.which[staying].any()
    assert nats.whether[4] == 0, "there was no frame before"
    torch.testing.assert_close(nats.which[4], F.cross_entropy(logits[4], targets[4]))
    if served == 1.0:
        together = nats.which + nats.whether
        torch.testing.assert_close(together, F.cross_entropy(logits, targets, reduction="none"))


def test_a_song_moves_on_when_served_cold_though_what_comes_is_open() -> None:
    """Four times in five one of twenty codes comes, else the one before stays."""
    draws = torch.arange(1000)
    targets = torch.where(draws % 5 == 0, 0, 1 + draws % 20)
    before = torch.zeros(1000, dtype=torch.long)

    def learnt(nats: Callable[[torch.Tensor], torch.Tensor]) -> float:
        logits = torch.zeros(21, requires_grad=True)
        adam = torch.optim.Adam([logits], lr=0.05)
        for _ in range(300):
            adam.zero_grad()
            nats(logits.expand(1000, 21)).mean().backward()  # type: ignore[no-untyped-call]
            adam.step()
        return (2.5 * logits).softmax(-1)[0].item()

    plainly = learnt(lambda logits: F.cross_entropy(logits, targets, reduction="none"))
    separately = learnt(
        lambda logits: sum(apart(logits, targets, before, sharpness=2.5, staying=STAYING_SHARPNESS), torch.zeros(()))
    )
    assert plainly > 0.6, "sharpened code by code, it stands still most of the time"
    assert separately == pytest.approx(1 / (1 + 4**STAYING_SHARPNESS), abs=0.03)


def test_pasted_lyrics_are_far_too_long_or_a_line_a_section(corpus: Corpus) -> None:
    fitting, pasted = (
        [next(corpus.examples(5, start=i, minutes=(1,), sung=True, pasted=loose)).request.lyrics for i in range(40)]
        for loose in (False, True)
    )
    assert max(len(text.encode()) for text in fitting) <= MOST_BYTES_A_MINUTE
    assert max(len(text.encode()) for text in pasted) > 2 * MOST_BYTES_A_MINUTE
    lines = [[line for line in text.splitlines() if line and not line.startswith("[")] for text in pasted]
    assert sum(0 < len(each) <= 3 for each in lines) > 10


def test_the_finish_goes_on_from_the_rounds_and_resumes_exactly(corpus: Corpus, tmp_path: Path) -> None:
    for name in ("whole", "broken"):
        Run(TINY, corpus, tmp_path / name, torch.device("cpu"), compiled=False).export()
    whole = Finish(FINISHING, corpus, tmp_path / "whole", torch.device("cpu"), compiled=False)
    assert whole.train()
    broken = tmp_path / "broken"
    assert not Finish(FINISHING, corpus, broken, torch.device("cpu"), compiled=False).train(until_step=3)
    again = Finish(FINISHING, corpus, broken, torch.device("cpu"), compiled=False)
    assert again.train()
    for one, other in zip(whole.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(one, other)

    again.export()
    layout = corpus_layout(corpus)
    rounds, finished = (read_backbone(directory, layout) for directory in (broken, broken / FINISHED))
    torch.testing.assert_close(finished.output.weight, again.model.output.weight, atol=2e-3, rtol=2e-3)
    assert not torch.equal(rounds.output.weight, finished.output.weight)


def test_the_loss_falls_on_what_it_reads(corpus: Corpus) -> None:
    layout = corpus_layout(corpus)
    model = new_transformer(TINY.config, layout, corpus.codebooks, seed=0)
    trainer = ServedTrainer(model, layout, 2.5)
    examples = list(itertools.islice(corpus.examples(0, minutes=(1,)), 2))
    batch = hold(pack(examples, layout, length=448), examples, np.random.default_rng(0), share=1.0)
    adam = torch.optim.Adam(trainer.parameters(), lr=2e-3)
    losses = []
    for _ in range(20):
        loss, figures = trainer(batch)
        assert figures.isfinite().all()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
