from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from models.transformer.config import TransformerConfig
from models.transformer.decode_attention import DecodeAttention
from models.transformer.kv_cache import KVCache

CONFIG = TransformerConfig(
    num_layers=1, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=64, rotary_base=10_000.0
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_each_track_sees_its_own_positions_and_the_new_one(dtype: torch.dtype) -> None:
    lengths = [7, 7, 600, 513, 1]
    generator = torch.Generator().manual_seed(0)
    cache = KVCache(CONFIG, batch=len(lengths), room=4096, device=torch.device("cpu"), dtype=dtype)
    for tensor in (*cache.keys, *cache.values):
        tensor.normal_(generator=generator)
    cache.lengths.copy_(torch.tensor(lengths) - 1)
    query, key, value = (torch.randn(len(lengths), heads, 1, 16, generator=generator).to(dtype) for heads in (4, 2, 2))
    seen = DecodeAttention(cache, 1024)(0, query, key, value)
    tolerance = 1e-6 if dtype == torch.float32 else 2e-2
    for row, length in enumerate(lengths):
        keys, values = (
            torch.cat([kept[0][row, None, :, : length - 1], new[row, None]], dim=2)
            for kept, new in ((cache.keys, key), (cache.values, value))
        )
        alone = F.scaled_dot_product_attention(query[row, None], keys, values, enable_gqa=True)
        torch.testing.assert_close(seen[row, None], alone, atol=tolerance, rtol=tolerance)
