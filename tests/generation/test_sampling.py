"""Top-k draws: right candidates, right shares, nothing shared between tracks."""

from __future__ import annotations

import pytest
import torch

from core.errors import GenerationError
from models.sampling import Stage, check_finite, draw, generator_for


def test_top_1_is_the_largest_logit_whatever_the_number() -> None:
    logits = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    uniform = torch.rand(50, generator=torch.Generator().manual_seed(1))
    assert torch.equal(draw(logits, uniform, top_k=1), logits.argmax(-1))


def test_only_the_k_largest_are_ever_drawn() -> None:
    logits = torch.arange(10.0).expand(2000, 10)
    drawn = draw(logits, torch.linspace(0, 1 - 1e-7, 2000), top_k=3)
    assert set(drawn.tolist()) == {7, 8, 9}


def test_shares_are_those_of_the_softmax() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0])
    uniform = torch.linspace(0, 1 - 1e-7, 100_000)
    drawn = draw(logits.expand(100_000, 3), uniform, top_k=3, temperature=0.5)
    shares = torch.bincount(drawn, minlength=3) / 100_000
    torch.testing.assert_close(shares, (logits / 0.5).softmax(0), atol=1e-4, rtol=0)


def test_the_largest_number_below_one_draws_a_candidate() -> None:
    logits = torch.randn(1000, 64, generator=torch.Generator().manual_seed(0)) * 5
    below_one = torch.full((1000,), 1 - 2**-24)
    drawn = draw(logits, below_one, top_k=10)
    assert torch.all(logits.topk(10).indices.eq(drawn[:, None]).any(-1))


def test_top_k_beyond_the_window_means_all_of_it() -> None:
    assert draw(torch.zeros(1, 4), torch.tensor([0.99]), top_k=200).item() in range(4)


def test_a_row_can_have_a_lower_limit_than_its_batch() -> None:
    logits = torch.randn(64, 30, generator=torch.Generator().manual_seed(0))
    uniform = torch.rand(64, generator=torch.Generator().manual_seed(1))
    limits = torch.tensor([1, 5]).repeat(32)
    together = draw(logits, uniform, top_k=5, row_top_k=limits[:, None])
    for limit in (1, 5):
        rows = limits == limit
        assert torch.equal(together[rows], draw(logits[rows], uniform[rows], top_k=limit))


def test_states_that_are_not_numbers_are_an_error_and_not_a_song() -> None:
    with pytest.raises(GenerationError, match="backbone computed values that are not numbers"):
        check_finite(torch.tensor([1.0, float("nan")]), "backbone")


def test_each_seed_and_stage_has_its_own_numbers() -> None:
    streams = {
        tuple(torch.rand(4, generator=generator_for(seed, stage)).tolist()) for seed in range(5) for stage in Stage
    }
    assert len(streams) == 10
