"""A tokenizer of bytes with the special tokens of the prompts, for checkpoints made here."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from models.tokenizer import TOKENIZER_FILE, special_token_names


def write_byte_tokenizer(directory: Path) -> int:
    """Write a tokenizer whose text tokens are the 256 bytes; returns the size of its text vocabulary."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = special_token_names()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / TOKENIZER_FILE))
    special = {"bos_token": names[0], "eos_token": names[1]}
    configuration = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    (directory / "tokenizer_config.json").write_text(json.dumps(configuration, indent=2))
    (directory / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    return len(alphabet)
