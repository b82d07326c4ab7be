"""A seeded miniature checkpoint in the published formats: all 64 layers, random weights, under 40 MB.

    python -m models.checkpoint.miniature OUT [--seed N]

It is the test fixture, and the model of last resort: it makes noise, and everything that uses it says ``untrained``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn

from core.errors import CheckpointError
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.checkpoint.card import CheckpointCard
from models.checkpoint.codec_file import write_codec_file
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.checkpoint.tree import PUBLISHED_CODEC
from models.checkpoint.word_tokenizer import write_word_tokenizer
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer

MINIATURE_NAME = "khala-miniature"

TRANSFORMER = TransformerConfig(num_layers=2, hidden_size=64, num_heads=4, num_groups=2, head_size=16, ffn_size=160)
CODEC = CodecConfig(
    channels=2,
    latent_size=16,
    num_quantizers=64,
    codebook_size=1024,
    decoder_width=128,
    decoder_rates=(8, 8, 8, 4),
    encoder_width=4,
    encoder_strides=(4, 8, 8, 8),
)


LOUDNESS = 0.005
"""Scale of the last layer: noise that can be heard and does not clip."""


def write_miniature(out: Path, *, seed: int = 0) -> None:
    """Write the whole tree beside ``out`` and move it there, so that a half-written one is never found.

    CheckpointError when ``out`` already holds files: nothing is ever overwritten.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise CheckpointError(out.parent, f"the miniature cannot be written there ({error.strerror})") from error
    try:
        _write_tree(scratch, torch.Generator().manual_seed(seed))
        scratch.chmod(0o755)  # mkdtemp makes it private; the tree it becomes is as readable as any other
        scratch.rename(out)
    except OSError as error:
        message = f"the miniature cannot be written here ({error.strerror}); name a new or an empty directory"
        raise CheckpointError(out, message) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def random_transformer(config: TransformerConfig, vocab_size: int, generator: torch.Generator) -> Transformer:
    """A float32 transformer whose every parameter is drawn, norms around 1."""
    model = Transformer(config, vocab_size=vocab_size).requires_grad_(False)
    for name, parameter in model.named_parameters():
        is_norm = "norm" in name
        spread = 0.1 if is_norm else 0.3 if name.endswith("bias") else parameter.shape[-1] ** -0.5
        parameter.normal_(1.0 if is_norm else 0.0, spread, generator=generator)
    return model.eval()


def _write_tree(root: Path, generator: torch.Generator) -> None:
    layout = TokenLayout(
        text_vocab_size=write_word_tokenizer(root / "tokenizer"),
        codebook_size=CODEC.codebook_size,
        num_quantizers=CODEC.num_quantizers,
    )
    for directory, layers in (("backbone", COARSE_LAYERS), ("superresolution", CODEC.num_quantizers)):
        vocab_size = layout.vocab_size(layers)
        model = random_transformer(TRANSFORMER, vocab_size, generator).bfloat16()
        # Never among the likely tokens, so that a song has the length it was asked for.
        model.output.weight[layout.end_of_generation] = 0.0
        arguments = TRANSFORMER.to_arguments(
            vocab_size=vocab_size, padded_vocab_size=vocab_size, bf16=True, params_dtype=torch.bfloat16
        )
        write_torch_dist(root / directory, megatron_tensors(model), arguments, iteration=0)
    write_codec_file(root / PUBLISHED_CODEC, CODEC, _random_codec(generator))
    CheckpointCard(name=MINIATURE_NAME, trained=False, fc1_bias="once").write(root)


def _random_codec(generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Plain weights of both networks and the codebooks, by their names in the file."""
    networks: dict[str, nn.Module] = {"encoder": Encoder(CODEC), "decoder": Decoder(CODEC)}
    state: dict[str, torch.Tensor] = {}
    for prefix, network in networks.items():
        for name, parameter in network.named_parameters():
            fan_in = parameter[0].numel()
            spread = 0.02 if name.endswith("bias") else fan_in**-0.5
            mean = 1.0 if name.endswith("alpha") else 0.0
            drawn = torch.empty_like(parameter).normal_(mean, 0.2 if mean else spread, generator=generator)
            state[f"{prefix}.{name}"] = drawn
    last = f"decoder.model.{len(CODEC.decoder_rates) + 2}"
    for name in (f"{last}.weight", f"{last}.bias"):
        state[name] *= LOUDNESS
    codebooks = torch.randn(CODEC.num_quantizers, CODEC.codebook_size, CODEC.latent_size, generator=generator)
    # Each layer finer than the one before, as a trained quantizer's are.
    state["quantizer.codebooks"] = codebooks / (1 + 0.25 * torch.arange(CODEC.num_quantizers)).view(-1, 1, 1)
    return state


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a seeded, untrained miniature checkpoint.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        write_miniature(arguments.out, seed=arguments.seed)
    except CheckpointError as error:
        sys.exit(str(error))
    sys.stdout.write(f"{arguments.out}\n")


if __name__ == "__main__":
    main()
