"""The tokenizer for machines without the library gives the ids of the checkpoint's own."""

from __future__ import annotations

import pytest

from models.checkpoint.word_tokenizer import write_word_tokenizer
from models.tokenizer import TOKENIZER_FILE, TextTokenizer
from training.corpus.dataset import song
from training.text import encode_text, known_words, number_tokens


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    directory = tmp_path_factory.mktemp("tokenizer")
    write_word_tokenizer(directory, known_words())
    return TextTokenizer(directory / TOKENIZER_FILE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Jazz, Piano,120 BPM",
        "a calm  song!\tabout\nSub-bass (6/8)",
        "unheard-of wörds, 走爱我的春天, きみ, ΟΔΟΣ, İstanbul, \u00a0",
        "<|eot_id|> is text",
    ],
)
def test_any_text_has_the_same_ids(tokenizer: TextTokenizer, text: str) -> None:
    assert encode_text(text) == tokenizer.encode(text)


def test_prompts_and_lyrics_of_the_corpus_have_the_same_ids(tokenizer: TextTokenizer) -> None:
    for index in range(60):
        request = song(5, index, minutes=(1,)).request
        for text in (request.prompt, request.tags, *request.lyrics.splitlines()):
            assert encode_text(text) == tokenizer.encode(text), text


def test_what_prompts_are_written_in_is_one_token_a_word() -> None:
    assert len(encode_text("Dream Pop, Female Vocals, Synth Pads, 105 BPM")) == 11
    assert len(encode_text("instrumental")) == 1
    assert len(encode_text("zzyx")) == len(" zzyx")


def test_numbers_of_beats_a_minute_are_tokens_with_their_value() -> None:
    values = dict(number_tokens())
    assert values[encode_text("128")[0]] == 128.0
    assert set(range(60, 181)) <= {int(value) for value in values.values()}
