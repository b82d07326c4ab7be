"""Each device computes in the number formats that suit it."""

from __future__ import annotations

import pytest
import torch

from core.errors import KhalaError
from models.devices import Formats, choose_formats

CPU = torch.device("cpu")
SMALL, LARGE = 4_000_000, 170_000_000


@pytest.mark.parametrize("instructions", ["amx_bf16", "avx512_bf16", None])
def test_only_processors_that_multiply_bfloat16_take_it_and_not_for_a_small_backbone(
    instructions: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {name: name in ("avx2", instructions) for name in ("avx2", "amx_bf16", "avx512_bf16")}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found)
    wide = torch.bfloat16 if instructions else torch.float32
    assert choose_formats(None, CPU, backbone_numbers=SMALL) == Formats(backbone=torch.float32, superres=wide)
    assert choose_formats("auto", CPU, backbone_numbers=LARGE) == Formats.both(wide)
    assert choose_formats("float32", CPU, backbone_numbers=LARGE) == Formats.both(torch.float32)
    assert choose_formats(None, torch.device("cuda"), backbone_numbers=SMALL) == Formats.both(torch.bfloat16)


def test_formats_are_named_apart_where_they_differ() -> None:
    assert str(Formats.both(torch.bfloat16)) == "bfloat16"
    assert str(Formats(backbone=torch.float32, superres=torch.bfloat16)) == "float32, super-resolution bfloat16"
    with pytest.raises(KhalaError, match="'float8' is not supported"):
        choose_formats("float8", CPU, backbone_numbers=SMALL)
