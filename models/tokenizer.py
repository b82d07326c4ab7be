"""The text tokenizer: ids of what a person wrote, never of a special token."""

from __future__ import annotations

import itertools
from pathlib import Path

from tokenizers import Tokenizer

from core.errors import CheckpointError
from core.request import DURATION_MINUTES
from core.token_layout import NUM_SPECIAL_TOKENS, TokenLayout

TOKENIZER_FILE = "tokenizer.json"
_NAMED_SPECIAL_TOKENS = {
    0: "<|begin_of_text|>",
    1: "<|end_of_text|>",
    4: "<|finetune_right_pad_id|>",
    6: "<|start_header_id|>",
    7: "<|end_header_id|>",
    8: "<|eom_id|>",
    9: "<|eot_id|>",
    10: "<|python_tag|>",
}


def special_token_names() -> list[str]:
    """Names of the special tokens in the order of their ids, from the first id behind the text vocabulary."""
    reserved = itertools.count()
    return [
        _NAMED_SPECIAL_TOKENS.get(offset) or f"<|reserved_special_token_{next(reserved)}|>"
        for offset in range(NUM_SPECIAL_TOKENS)
    ]


class TextTokenizer:
    """A ``tokenizer.json`` with the special tokens of the Llama-3 family."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for every fault of the file
            raise CheckpointError(path, f"the tokenizer cannot be read ({error})") from error
        # "<|eot_id|>" typed by a person is text like any other.
        self._tokenizer.encode_special_tokens = True
        # The prompts have their own limits; padding or cutting that a file asks for would be silent.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    @property
    def text_vocab_size(self) -> int:
        """Number of text tokens: the special tokens follow them."""
        begin = self._tokenizer.token_to_id(_NAMED_SPECIAL_TOKENS[0])
        if begin is None:
            raise CheckpointError(self.path, f"the special token {_NAMED_SPECIAL_TOKENS[0]} is missing")
        return int(begin)

    def check(self, layout: TokenLayout) -> None:
        """Raise CheckpointError unless every special token that prompts use has the id the layout gives it."""
        durations = range(int(DURATION_MINUTES.low), int(DURATION_MINUTES.high) + 1)
        used = [
            layout.end_of_generation,
            layout.begin_of_lyrics,
            layout.end_of_line,
            layout.end_of_field,
            layout.end_of_condition,
            layout.begin_of_audio,
            *(layout.reserved(minutes) for minutes in durations),
        ]
        names = special_token_names()
        for token_id in used:
            name = names[token_id - layout.text_vocab_size]
            found = self._tokenizer.token_to_id(name)
            if found != token_id:
                raise CheckpointError(self.path, f"special token {name} has id {found}; {token_id} was expected")
            if token_id in self.encode(name):
                raise CheckpointError(self.path, f"{name} is not marked special, so a person could type it")

    def encode(self, text: str) -> list[int]:
        """Ids of text; nothing is added, and no special token is read out of it."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
