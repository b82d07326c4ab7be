"""The demo's tokenizer as plain Python, for machines without the ``tokenizers`` library.

It knows the words in which the corpus writes prompts and spells everything else in bytes
(``models.checkpoint.word_tokenizer``).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from functools import cache

from core import prompt
from core.codes import IdArray
from core.request import GenerationRequest
from core.token_layout import TokenLayout
from training.corpus.dataset import Corpus
from training.corpus.planning import draw_plan
from training.corpus.prompts import sentence_prompt, tag_prompt
from training.corpus.tags import MEANINGS, NO_AUDIBLE_EFFECT

_PIECES = re.compile(r"[,.!?:;()\[\]]|[^ \t\r\n,.!?:;()\[\]]+")
_NUM_BYTES = 256
_TEMPO_NUMBERS = range(50, 221)
_SAMPLE_PROMPTS, _FEWEST_SEEN = 3000, 4


@cache
def known_words() -> tuple[str, ...]:
    """Words that are one token each: of the tag catalogue, of the corpus's sentences, and numbers of beats a minute."""
    rng = random.Random("prompt words")
    plans = (draw_plan(rng) for _ in range(_SAMPLE_PROMPTS))
    seen = Counter(
        word for plan in plans for write in (tag_prompt, sentence_prompt) for word in _pieces(write(plan, rng))
    )
    words = {word for word, times in seen.items() if times >= _FEWEST_SEEN}
    words |= {word for tag in (*MEANINGS, *NO_AUDIBLE_EFFECT, prompt.INSTRUMENTAL_LANGUAGE) for word in _pieces(tag)}
    words |= {str(number) for number in _TEMPO_NUMBERS}
    return tuple(sorted(words))


def corpus_layout(corpus: Corpus) -> TokenLayout:
    """Where every token lives in the vocabularies of models trained on this corpus."""
    return TokenLayout(
        text_vocab_size=_NUM_BYTES + len(known_words()),
        codebook_size=corpus.codebook_size,
        num_quantizers=corpus.num_quantizers,
    )


def number_tokens() -> list[tuple[int, float]]:
    """Id and value of each token that is a number."""
    return [(_NUM_BYTES + place, float(word)) for word, place in _word_places().items() if word.isdigit()]


def encode_text(text: str) -> list[int]:
    """Ids of a text, the same that the checkpoint's ``tokenizer.json`` gives."""
    places, spelled = _word_places(), _byte_ids()
    ids: list[int] = []
    for piece in _pieces(text):
        place = places.get(piece)
        ids += [spelled[byte] for byte in f" {piece}".encode()] if place is None else [_NUM_BYTES + place]
    return ids


def backbone_prompt(
    request: GenerationRequest, layout: TokenLayout, *, limit: int = prompt.MAX_BACKBONE_PROMPT
) -> IdArray:
    """Ids of the backbone's prompt, int32 [n]; one beyond ``limit`` is cut as any long prompt is."""
    return prompt.backbone_prompt(request, layout, encode_text, limit=limit)


def _pieces(text: str) -> list[str]:
    # Letter by letter, as the tokenizer does: a whole string would give a final sigma its own shape.
    return _PIECES.findall("".join(letter.lower() for letter in text))


@cache
def _word_places() -> dict[str, int]:
    return {word: place for place, word in enumerate(known_words())}


@cache
def _byte_ids() -> list[int]:
    """Id of each byte: the place of its printable stand-in in the byte-level alphabet, sorted."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    stand_ins = {byte: byte for byte in printable} | {byte: 256 + place for place, byte in enumerate(others)}
    rank = {letter: place for place, letter in enumerate(sorted(stand_ins.values()))}
    return [rank[stand_ins[byte]] for byte in range(256)]
