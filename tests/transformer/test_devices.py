"""Each device computes in the number formats that suit it."""

from __future__ import annotations

import pytest
import torch

from core.errors import KhalaError
from models.devices import Formats, choose_formats

CPU = torch.device("cpu")
SMALL, LARGE = 4_000_000, 170_000_000


@pytest.mark.parametrize("tiles", [True, False])
def test_only_processors_with_tiles_take_bfloat16_and_not_for_a_small_backbone(
    tiles: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "amx_bf16": tiles})
    wide = torch.bfloat16 if tiles else torch.float32
    assert choose_formats(None, CPU, backbone_numbers=SMALL) == Formats(backbone=torch.float32, superres=wide)
    assert choose_formats("auto", CPU, backbone_numbers=LARGE) == Formats.both(wide)
    assert choose_formats("float32", CPU, backbone_numbers=LARGE) == Formats.both(torch.float32)
    assert choose_formats(None, torch.device("cuda"), backbone_numbers=SMALL) == Formats.both(torch.bfloat16)


def test_formats_are_named_apart_where_they_differ() -> None:
    assert str(Formats.both(torch.bfloat16)) == "bfloat16"
    assert str(Formats(backbone=torch.float32, superres=torch.bfloat16)) == "float32, super-resolution bfloat16"
    with pytest.raises(KhalaError, match="'float8' is not supported"):
        choose_formats("float8", CPU, backbone_numbers=SMALL)
