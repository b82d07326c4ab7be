"""Each device computes in the number formats that suit it."""

from __future__ import annotations

import pytest
import torch

from core.errors import KhalaError
from models.devices import Formats, choose_formats

CPU = torch.device("cpu")


@pytest.mark.parametrize("instructions", ["amx_bf16", "avx512_bf16", None])
def test_processors_that_multiply_bfloat16_take_it_for_super_resolution(
    instructions: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {name: name in ("avx2", instructions) for name in ("avx2", "amx_bf16", "avx512_bf16")}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    fast = torch.bfloat16 if instructions else torch.float32
    assert choose_formats(None, CPU) == Formats(backbone=torch.float32, superres=fast)
    assert choose_formats("float32", CPU) == Formats.both(torch.float32)
    assert choose_formats("auto", torch.device("cuda")) == Formats.both(torch.bfloat16)


def test_formats_are_named_apart_where_they_differ() -> None:
    assert str(Formats.both(torch.bfloat16)) == "bfloat16"
    assert str(Formats(backbone=torch.float32, superres=torch.bfloat16)) == "float32, super-resolution bfloat16"
    with pytest.raises(KhalaError, match="'float8' is not supported"):
        choose_formats("float8", CPU)
