from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from models.transformer import decode_attention
from models.transformer.config import TransformerConfig
from models.transformer.decode_attention import ExactWindows, MaskedWindow
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
    monkeypatch.setattr(decode_attention, "_MANY_BYTES", many_bytes)
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
        monkeypatch.setattr(decode_attention, "_MANY_BYTES", many_bytes)
        torch.set_num_threads(ALL)
        found.append(_one_step(batch, dtype))
    assert torch.equal(*found)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_mask_and_exact_windows_show_the_same_positions(dtype: torch.dtype) -> None:
    cache, (query, key, value) = _filled([7, 7, 600, 513, 1], dtype)
    exact = ExactWindows(cache)(0, query, key, value)
    for tensor in (cache.keys[0], cache.values[0]):
        for row, length in enumerate(cache.host_lengths):
            tensor[row, :, length - 1] = 0  # the newest one has to be written again
    masked = MaskedWindow(cache, 1024)(0, query, key, value)
    tolerance = 1e-6 if dtype == torch.float32 else 2e-2
    torch.testing.assert_close(masked, exact, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_track_sees_the_same_whoever_its_neighbours_are(dtype: torch.dtype) -> None:
    lengths = [1001, 1001, 1200, 7, 1200]
    cache, tensors = _filled(lengths, dtype)
    together = ExactWindows(cache)(0, *tensors)
    for row, length in enumerate(lengths):
        alone = KVCache(CONFIG, batch=1, room=4096, device=torch.device("cpu"), dtype=dtype)
        alone.keys[0].copy_(cache.keys[0][row])
        alone.values[0].copy_(cache.values[0][row])
        alone.host_lengths = [length]
        mine = ExactWindows(alone)(0, *(tensor[row : row + 1] for tensor in tensors))
        assert torch.equal(mine[0], together[row])


def _one_step(batch: int = 2, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """What one step attends to, made with fewer threads than the cache was."""
    cache, tensors = _filled([3001] * batch, dtype)
    torch.set_num_threads(FEWER)
    return ExactWindows(cache)(0, *tensors)


def _filled(lengths: list[int], dtype: torch.dtype) -> tuple[KVCache, list[torch.Tensor]]:
    """A cache whose tracks have these lengths with the token of the step, and that token's query, key and value."""
    generator = torch.Generator().manual_seed(0)
    cache = KVCache(CONFIG, batch=len(lengths), room=4096, device=torch.device("cpu"), dtype=dtype)
    for tensor in (*cache.keys, *cache.values):
        tensor.normal_(generator=generator)
    cache.lengths.copy_(torch.tensor(lengths) - 1)
    cache.host_lengths = lengths
    return cache, [torch.randn(len(lengths), heads, 1, 16, generator=generator).to(dtype) for heads in (4, 2, 2)]
