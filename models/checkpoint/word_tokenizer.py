"""A tokenizer of whole words over bytes, with the special tokens of the prompts, for checkpoints made here.

Text is lower-cased and cut at blanks and around punctuation; a word the vocabulary knows is one token, any other is
its bytes, so nothing a person types is unknown. Every word begins with the blank before it, also the first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from models.tokenizer import TOKENIZER_FILE, special_token_names

BLANKS = r"[ \t\r\n]+"
PUNCTUATION = r"[,.!?:;()\[\]]"
BLANK = "Ġ"
"""The byte alphabet's stand-in for a blank."""


def write_word_tokenizer(directory: Path, words: Sequence[str] = ()) -> int:
    """Write a tokenizer of the 256 bytes and these words, lower case; returns the size of its text vocabulary."""
    vocabulary = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(BLANK + word for word in words)]
    tokenizer = Tokenizer(
        models.BPE(vocab={token: index for index, token in enumerate(vocabulary)}, merges=[], ignore_merges=True)
    )
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(BLANKS), "removed"),
            pre_tokenizers.Split(Regex(PUNCTUATION), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = special_token_names()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / TOKENIZER_FILE))
    special = {"bos_token": names[0], "eos_token": names[1]}
    configuration = {"tokenizer_class": "PreTrainedTokenizerFast", **special}
    (directory / "tokenizer_config.json").write_text(json.dumps(configuration, indent=2))
    (directory / "special_tokens_map.json").write_text(json.dumps(special, indent=2))
    return len(vocabulary)
