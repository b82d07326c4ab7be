"""Descript's real codec classes, imported without the audio library that only their training needs."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest import mock

import pytest
from torch import nn

from models.codec.config import CodecConfig


class _BaseModel(nn.Module):
    INTERN: ClassVar[list[str]] = []
    EXTERN: ClassVar[list[str]] = []


@cache
def descript_modules() -> tuple[Any, Any]:
    """``dac.nn.layers`` and ``dac.model.dac``; ``audiotools`` and ``argbind`` are replaced while they are imported."""
    training = SimpleNamespace(BaseModel=_BaseModel, Accelerator=object)
    audiotools = SimpleNamespace(ml=training, AudioSignal=object, STFTParams=object)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "audiotools", audiotools)
        patch.setitem(sys.modules, "audiotools.ml", training)
        patch.setitem(sys.modules, "argbind", mock.MagicMock())
        return importlib.import_module("dac.nn.layers"), importlib.import_module("dac.model.dac")


def descript_codec(config: CodecConfig) -> nn.ModuleDict:
    """Descript's encoder and decoder as the published system uses them: stereo, and without the final tanh."""
    layers, model = descript_modules()
    encoder = model.Encoder(config.encoder_width, list(config.encoder_strides), config.latent_size)
    encoder.block[0] = layers.WNConv1d(config.channels, config.encoder_width, kernel_size=7, padding=3)
    decoder = model.Decoder(config.latent_size, config.decoder_width, list(config.decoder_rates), config.channels)
    decoder.model[-1] = nn.Identity()
    return nn.ModuleDict({"encoder": encoder, "decoder": decoder})
