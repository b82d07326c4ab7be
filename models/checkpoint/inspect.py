"""A report in words on a directory of checkpoints: what is there, how large, and what is missing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from core.errors import CheckpointError
from core.token_layout import COARSE_LAYERS, NUM_SPECIAL_TOKENS
from models.checkpoint.card import CheckpointCard
from models.checkpoint.codec_file import read_codec_weights
from models.checkpoint.tree import StageFiles, find_codec, find_stage, find_tokenizer, missing_parts
from models.tokenizer import TextTokenizer


def inspect_checkpoints(root: Path) -> str:
    """The report, one part a paragraph; a part that cannot be read is reported, not raised."""
    parts: list[tuple[str, Callable[[Path], str]]] = [
        ("Card", _card),
        ("Backbone", lambda root: _stage(find_stage(root, "backbone"))),
        ("Super-resolution", lambda root: _stage(find_stage(root, "superresolution"))),
        ("Codec", _codec),
        ("Tokenizer", _tokenizer),
    ]
    lines = [f"Checkpoints in {root}"]
    for title, describe in parts:
        try:
            text = describe(root)
        except CheckpointError as error:
            text = f"PROBLEM: {error}"
        lines.append(f"{title}: {text}")
    missing = missing_parts(root)
    lines += [f"MISSING: {sentence}" for sentence in missing]
    if not missing:
        lines.append("Nothing is missing.")
    return "\n".join(lines)


def _card(root: Path) -> str:
    card = CheckpointCard.read(root)
    if card is None:
        return "none (published weights have none)"
    state = "trained" if card.trained else "untrained"
    longest = "" if card.longest is None else f", songs of at most {card.longest:g} times the asked length"
    bias, licence = card.fc1_bias or "not stated", card.licence or "not stated"
    minutes = "" if card.suggested_minutes is None else f", best at {card.suggested_minutes} min"
    return f"{card.name}, {state}, fc1 bias {bias}, licence {licence}{longest}{minutes}"


def _stage(files: StageFiles | None) -> str:
    if files is None:
        return "not found"
    config, names = files.open()
    source = names.source
    parameters = sum(math.prod(shape) for shape in source.shapes.values())
    dtypes = Counter(str(dtype).removeprefix("torch.") for dtype in source.dtypes.values())
    iteration = "" if files.iteration is None else f", iteration {files.iteration}"
    bias = "with" if names.has_fc1_bias() else "without"
    return (
        f"{files.weights}{iteration}\n"
        f"  layers {config.num_layers}, hidden {config.hidden_size}, heads {config.num_heads}, "
        f"key/value groups {config.num_groups}, head size {config.head_size}, feed-forward {config.ffn_size}\n"
        f"  vocabulary rows {names.vocab_rows()}, norm epsilon {config.norm_epsilon:g}, "
        f"rotary base {config.rotary_base:g}, {bias} fc1 bias\n"
        f"  {len(source.shapes)} tensors, {parameters:,} numbers, {', '.join(sorted(dtypes))}, {_size(files.weights)}"
    )


def _codec(root: Path) -> str:
    path = find_codec(root)
    if path is None:
        return "not found"
    config = read_codec_weights(path).config
    encoder = "no encoder" if config.encoder_width is None else f"encoder width {config.encoder_width}"
    return (
        f"{path}\n"
        f"  {config.num_quantizers} codebooks of {config.codebook_size} × {config.latent_size}, "
        f"hop {config.hop_samples}, {config.channels} channels at {config.sample_rate_hz} Hz\n"
        f"  decoder width {config.decoder_width}, {encoder}, {_size(path)}"
    )


def _tokenizer(root: Path) -> str:
    path = find_tokenizer(root)
    if path is None:
        return "not found"
    text = TextTokenizer(path).text_vocab_size
    coarse = COARSE_LAYERS
    return f"{path}\n  {text} text tokens and {NUM_SPECIAL_TOKENS} special ones before {coarse} or more layers of codes"


def _size(path: Path) -> str:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return f"{sum(file.stat().st_size for file in files) / 1e6:,.1f} MB"
