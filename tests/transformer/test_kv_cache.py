from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from models.transformer import kv_cache
from models.transformer.config import TransformerConfig
from models.transformer.kv_cache import KVCache

CONFIG = TransformerConfig(
    num_layers=1, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=64, rotary_base=10_000.0
)
ALL, FEWER = 16, 1
"""More threads than tracks have heads: then a kernel could be tempted to divide a sum among them."""


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(ALL)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("many_bytes", "expected"), [(0, ALL), (2**40, FEWER)])
def test_attention_over_long_caches_uses_every_thread_and_leaves_the_number_as_it_was(
    monkeypatch: pytest.MonkeyPatch, many_bytes: int, expected: int
) -> None:
    monkeypatch.setattr(kv_cache, "_MANY_BYTES", many_bytes)
    used: list[int] = []
    attend = F.scaled_dot_product_attention

    def watched(*tensors: Any, **options: Any) -> torch.Tensor:
        used.append(torch.get_num_threads())
        return attend(*tensors, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", watched)
    _one_step()
    assert used == [expected]
    assert torch.get_num_threads() == FEWER


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("batch", [1, 2, 8])
def test_the_number_of_threads_changes_no_number(
    monkeypatch: pytest.MonkeyPatch, batch: int, dtype: torch.dtype
) -> None:
    found = []
    for many_bytes in (0, 2**40):
        monkeypatch.setattr(kv_cache, "_MANY_BYTES", many_bytes)
        torch.set_num_threads(ALL)
        found.append(_one_step(batch, dtype))
    assert torch.equal(*found)


def _one_step(batch: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """What one step attends to, made with fewer threads than the cache was."""
    generator = torch.Generator().manual_seed(0)
    cache = KVCache(CONFIG, batch=batch, room=4096, device=torch.device("cpu"), dtype=dtype)
    for tensor in (*cache.keys, *cache.values):
        tensor.normal_(generator=generator)
    cache.lengths.fill_(3000)
    torch.set_num_threads(FEWER)
    query, key, value = (torch.randn(batch, heads, 1, 16, generator=generator).to(dtype) for heads in (4, 2, 2))
    return cache.step(3072)(0, query, key, value)
