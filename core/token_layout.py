"""Where every kind of token lives in the vocabulary.

One number line: text tokens, then 256 special tokens, then one window of ids per codebook. All positions follow from
the sizes of a checkpoint (its text vocabulary, its codebooks), so a small model uses the same scheme as a large one.
Knows nothing of text or tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

NUM_SPECIAL_TOKENS = 256
"""Width of the special-token block behind the text vocabulary (Llama-3's)."""

COARSE_LAYERS = 2
"""RVQ layers the backbone writes; super-resolution adds the others."""


@dataclass(frozen=True, kw_only=True)
class TokenLayout:
    """Ids of all tokens, derived from three sizes (contract section 1)."""

    text_vocab_size: int
    codebook_size: int
    num_quantizers: int

    def __post_init__(self) -> None:
        if min(self.text_vocab_size, self.codebook_size) < 1:
            raise ValueError("text_vocab_size and codebook_size must be positive")
        if not COARSE_LAYERS <= self.num_quantizers < NUM_SPECIAL_TOKENS - 16:
            raise ValueError(f"num_quantizers must be {COARSE_LAYERS} or more, and few enough for one marker each")

    @property
    def begin_of_text(self) -> int:
        return self.text_vocab_size

    @property
    def end_of_generation(self) -> int:
        return self.text_vocab_size + 1

    @property
    def begin_of_lyrics(self) -> int:
        return self.text_vocab_size + 6

    @property
    def end_of_line(self) -> int:
        return self.text_vocab_size + 7

    @property
    def end_of_field(self) -> int:
        return self.text_vocab_size + 8

    @property
    def end_of_condition(self) -> int:
        return self.text_vocab_size + 9

    @property
    def begin_of_audio(self) -> int:
        return self.text_vocab_size + 10

    def reserved(self, number: int) -> int:
        """Id of ``<|reserved_special_token_N|>``; the named special tokens sit between numbers 1, 2 and 3."""
        if not 0 <= number <= NUM_SPECIAL_TOKENS - 9:
            raise ValueError(f"reserved token {number} does not exist")
        offset = number + 2 if number < 2 else 5 if number == 2 else number + 8
        return self.text_vocab_size + offset

    @property
    def audio_base(self) -> int:
        """Id of code 0 of layer 0."""
        return self.text_vocab_size + NUM_SPECIAL_TOKENS

    def window(self, layer: int) -> range:
        """Ids of the codes of one RVQ layer."""
        if not 0 <= layer < self.num_quantizers:
            raise ValueError(f"layer {layer} does not exist: there are {self.num_quantizers}")
        start = self.audio_base + self.codebook_size * layer
        return range(start, start + self.codebook_size)

    def layer_marker(self, layer: int) -> int:
        """Id that stands in the begin-of-audio row while super-resolution predicts ``layer`` (contract section 4)."""
        return self.audio_base - 1 - layer

    def vocab_size(self, layers: int) -> int:
        """Rows a model needs that speaks of the first ``layers`` RVQ layers."""
        return self.audio_base + self.codebook_size * layers
