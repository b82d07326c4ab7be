"""The codec's file: a Lightning ``.ckpt`` (contract sections 5 and 6).

Every size is taken from the tensors' shapes. The prefix ``generator.`` and the wrapper ``state_dict`` may be missing,
and so may the encoder. Tensors stay in the file until a network is built, so a decoder does not pay for the encoder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core.errors import CheckpointError
from models.checkpoint.safe_load import load_torch_file
from models.checkpoint.weight_norm import fold_weight, magnitude_shape, split_weight, stored_names
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from models.codec.native import NativeCodecDecoder, NativeCodecEncoder
from models.codec.rvq import ResidualVectorQuantizer
from models.codec.streaming import DEFAULT_CHUNK_FRAMES

_PREFIX = "generator."
_CODEBOOKS = "quantizer.codebooks"
_CODEBOOK_PATTERN = r"quantizer\.(?:vq_layer|embed)_(\d+)"
_CODEBOOK_SPELLINGS = ("quantizer.vq_layer_{}._codebook.embed", "quantizer.embed_{}")


@dataclass(frozen=True, kw_only=True)
class CodecWeights:
    """The codec in a file, all names and shapes checked. ``tensors`` are as stored, without the prefix."""

    path: Path
    config: CodecConfig
    tensors: Mapping[str, Tensor]

    def load_into(self, network: nn.Module, prefix: str) -> None:
        """Give ``network`` the tensors named ``prefix`` + its own names, as float32 with the weight norm folded in."""
        state = {name: fold_weight(self.tensors, prefix + name) for name in network.state_dict()}
        network.load_state_dict(state, assign=True)

    def codebooks(self) -> Tensor:
        """All codebooks, float32 [layers, codebook size, latent size]."""
        names = (_codebook_name(self.tensors, layer) for layer in range(self.config.num_quantizers))
        return torch.stack([self.tensors[name].float() for name in names])


def read_codec_weights(path: Path) -> CodecWeights:
    """The codec in the file ``path``; CheckpointError names file, tensor and what was expected."""
    tensors = _generator_tensors(path)
    config = _read_config(path, tensors)
    codebook_shape = (config.codebook_size, config.latent_size)
    codebooks = {_codebook_name(tensors, layer): codebook_shape for layer in range(config.num_quantizers)}
    for name, shape in (_network_shapes(config) | codebooks).items():
        _check_shape(path, tensors, name, shape)
    return CodecWeights(path=path, config=config, tensors=tensors)


def build_decoder(
    weights: CodecWeights, device: torch.device, *, chunk_frames: int = DEFAULT_CHUNK_FRAMES
) -> NativeCodecDecoder:
    """The decoder on ``device``, decoding ``chunk_frames`` frames at a time."""
    with torch.device("meta"):
        decoder = Decoder(weights.config)
    weights.load_into(decoder, "decoder.")
    quantizer = ResidualVectorQuantizer(weights.codebooks()).to(device)
    decoder.requires_grad_(False).eval().to(device)
    return NativeCodecDecoder(weights.config, decoder, quantizer, chunk_frames=chunk_frames)


def build_encoder(
    weights: CodecWeights, device: torch.device, *, chunk_frames: int = DEFAULT_CHUNK_FRAMES
) -> NativeCodecEncoder:
    """The encoder on ``device``; CheckpointError when the file has none."""
    if weights.config.encoder_width is None:
        message = (
            "the file holds no encoder (tensors named 'encoder.…'): it can turn codes into audio, not audio into codes"
        )
        raise CheckpointError(weights.path, message)
    with torch.device("meta"):
        encoder = Encoder(weights.config)
    weights.load_into(encoder, "encoder.")
    quantizer = ResidualVectorQuantizer(weights.codebooks()).to(device)
    encoder.requires_grad_(False).eval().to(device)
    return NativeCodecEncoder(weights.config, encoder, quantizer, chunk_frames=chunk_frames)


def write_codec_file(path: Path, config: CodecConfig, state: Mapping[str, Tensor]) -> None:
    """Write a codec in the published layout: weight norm split, every codebook under both of its names.

    ``state`` holds plain float32 weights under the names ``decoder.…``, ``encoder.…`` (if the codec has one) and
    ``quantizer.codebooks`` [layers, codebook size, latent size]. ValueError when they are not those of ``config``.
    """
    expected = _network_shapes(config) | {_CODEBOOKS: (config.num_quantizers, config.codebook_size, config.latent_size)}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if odd := sorted(name for name in expected | given if expected.get(name) != given.get(name)):
        raise ValueError(f"these tensors are not what the sizes of the codec ask for: {', '.join(odd)}")
    tensors: dict[str, Tensor] = {}
    for name in _network_shapes(config):
        if name.endswith("weight"):
            halves = split_weight(state[name])
            tensors |= {name.removesuffix("weight") + half: tensor for half, tensor in halves.items()}
        else:
            tensors[name] = state[name]
    for layer, codebook in enumerate(state[_CODEBOOKS]):
        tensors |= {spelling.format(layer): codebook for spelling in _CODEBOOK_SPELLINGS}
        # Published files also carry what k-means left behind; these are the values of entries that were used once.
        stem = f"quantizer.vq_layer_{layer}._codebook."
        tensors |= {stem + "embed_avg": codebook, stem + "cluster_size": torch.ones(len(codebook))}
        tensors[stem + "inited"] = torch.ones(1)
    file = {"state_dict": {_PREFIX + name: tensor for name, tensor in tensors.items()}, "epoch": 0, "global_step": 0}
    unfinished = path.with_name(path.name + ".part")
    torch.save(file, unfinished)
    unfinished.replace(path)


def _generator_tensors(path: Path) -> dict[str, Tensor]:
    loaded = load_torch_file(path)
    state = loaded.get("state_dict", loaded) if isinstance(loaded, Mapping) else None
    if not isinstance(state, Mapping):
        raise CheckpointError(path, f"a dictionary of tensors was expected, {type(loaded).__name__} was found")
    tensors = {str(name): tensor for name, tensor in state.items() if isinstance(tensor, Tensor)}
    prefix = _PREFIX if any(name.startswith(_PREFIX) for name in tensors) else ""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _read_config(path: Path, tensors: Mapping[str, Tensor]) -> CodecConfig:
    def sizes(name: str, dimensions: int = 3) -> tuple[int, ...]:
        stored = stored_names(tensors, name)[0]
        tensor = tensors.get(stored)
        if tensor is None:
            raise CheckpointError(path, f"is missing; a tensor of {dimensions} dimensions was expected", tensor=stored)
        if tensor.dim() != dimensions:
            message = f"has shape {list(tensor.shape)}; {dimensions} dimensions were expected"
            raise CheckpointError(path, message, tensor=stored)
        return tuple(tensor.shape)

    has_encoder = any(name.startswith("encoder.") for name in tensors)
    encoder_blocks = _last_index(tensors, r"encoder\.block\.(\d+)\.block\.", default=1) if has_encoder else 0
    decoder_blocks = _last_index(tensors, r"decoder\.model\.(\d+)\.block\.", default=1)
    width, latent_size, _ = sizes("decoder.model.0.weight")
    codebook_size, _ = sizes(_codebook_name(tensors, 0), 2)
    # Layer 0 of a network is a convolution, its blocks count from 1, then come a Snake and a convolution.
    decoder_kernels = [sizes(f"decoder.model.{i + 1}.block.1.weight")[2] for i in range(decoder_blocks)]
    encoder_kernels = [sizes(f"encoder.block.{i + 1}.block.4.weight")[2] for i in range(encoder_blocks)]
    try:
        return CodecConfig(
            channels=sizes(f"decoder.model.{decoder_blocks + 2}.weight")[0],
            latent_size=latent_size,
            # No more than there are tensors, so that an absurd number in a name is a missing codebook and not a search.
            num_quantizers=min(_last_index(tensors, _CODEBOOK_PATTERN, default=0), len(tensors)) + 1,
            codebook_size=codebook_size,
            decoder_width=width,
            decoder_rates=tuple(kernel // 2 for kernel in decoder_kernels),
            encoder_width=sizes("encoder.block.0.weight")[0] if has_encoder else None,
            encoder_strides=tuple(kernel // 2 for kernel in encoder_kernels),
        )
    except ValueError as error:
        raise CheckpointError(path, f"the shapes of its tensors do not make a codec: {error}") from error


def _last_index(tensors: Mapping[str, Tensor], pattern: str, *, default: int) -> int:
    """The largest number that ``pattern`` captures at the start of a name."""
    found = (re.match(pattern, name) for name in tensors)
    return max((int(match[1]) for match in found if match), default=default)


def _codebook_name(tensors: Mapping[str, Tensor], layer: int) -> str:
    names = [spelling.format(layer) for spelling in _CODEBOOK_SPELLINGS]
    return next((name for name in names if name in tensors), names[0])


def _network_shapes(config: CodecConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        networks: dict[str, nn.Module] = {"decoder.": Decoder(config)}
        if config.encoder_width is not None:
            networks["encoder."] = Encoder(config)
    return {
        prefix + name: tuple(tensor.shape)
        for prefix, network in networks.items()
        for name, tensor in network.state_dict().items()
    }


def _check_shape(path: Path, tensors: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> None:
    for stored, expected in zip(stored_names(tensors, name), (shape, magnitude_shape(shape)), strict=False):
        tensor = tensors.get(stored)
        if tensor is None:
            raise CheckpointError(path, f"is missing; shape {list(expected)} was expected", tensor=stored)
        if tuple(tensor.shape) != expected:
            message = f"has shape {list(tensor.shape)}; {list(expected)} was expected"
            raise CheckpointError(path, message, tensor=stored)
        if not tensor.is_floating_point():
            raise CheckpointError(path, f"holds {tensor.dtype}; floating-point numbers were expected", tensor=stored)
