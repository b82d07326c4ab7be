from __future__ import annotations

import pytest
import torch

from models.transformer.linear import by_columns, linear


@pytest.mark.parametrize("size", [(768, 256), (1025, 256), (2048, 704), (33, 7)], ids=str)
def test_a_row_is_the_same_in_whatever_company(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    weight, bias = by_columns(torch.randn(size)), torch.randn(size[0])
    rows = torch.randn(16, 1, size[1])
    with torch.inference_mode():
        alone = torch.cat([linear(row[None], weight, bias) for row in rows])
        assert torch.allclose(alone[:, 0], rows[:, 0] @ weight.T + bias, atol=1e-4)
        for first, last in ((0, 2), (1, 4), (3, 8), (0, 16)):
            assert torch.equal(linear(rows[first:last], weight, bias), alone[first:last])
