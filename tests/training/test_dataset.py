from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from core.prompt import backbone_segments
from core.request import Mode, PromptMode
from core.token_layout import TokenLayout
from tests.documents.blocks import blocks
from training.codec_fit.fit import FittedCodec
from training.corpus.corpus_codec import CORPUS_CODEC_FILE
from training.corpus.dataset import Corpus, Example, song


def same(left: Example, right: Example) -> bool:
    return left.request == right.request and np.array_equal(left.codes, right.codes)


def test_an_example_depends_on_its_seed_and_number_alone(corpus: Corpus) -> None:
    in_order = corpus.examples(5, minutes=(1,))
    first, second = next(in_order), next(in_order)
    assert same(second, next(corpus.examples(5, start=1, minutes=(1,))))
    assert not same(first, second)
    assert not same(first, next(corpus.examples(6, minutes=(1,))))


def test_workers_share_the_examples_between_them(corpus: Corpus) -> None:
    alone = corpus.examples(5, minutes=(1,))
    workers = [corpus.examples(5, start=worker, step=2, minutes=(1,)) for worker in range(2)]
    for number in range(4):
        assert same(next(alone), next(workers[number % 2]))


def test_an_iterator_goes_on_where_it_was_pickled(corpus: Corpus) -> None:
    examples = corpus.examples(5, minutes=(1,))
    next(examples)
    resumed = pickle.loads(pickle.dumps(examples))
    assert resumed.next_index == 1
    assert same(next(resumed), next(examples))


def test_a_whole_song_has_its_plans_length_and_a_cut_one_is_its_beginning(corpus: Corpus) -> None:
    whole, cut = (next(corpus.examples(5, minutes=(1,), max_frames=frames)) for frames in (None, 100))
    assert whole.is_whole and not cut.is_whole
    bars = whole.composition.sections[-1].first_bar + whole.composition.sections[-1].bars
    assert whole.num_frames == bars * whole.plan.bar_frames
    assert np.array_equal(whole.codes[:, :100], cut.codes)
    assert np.array_equal(whole.onsets[:100], cut.onsets)


def test_coarse_codes_are_the_first_two_layers_frame_by_frame(corpus: Corpus) -> None:
    example = next(corpus.examples(5, layers=8, minutes=(1,)))
    assert example.codes.shape == (8, example.num_frames) and example.codes.dtype == np.int16
    assert np.array_equal(example.coarse, example.codes[:2].T)
    fewer = next(corpus.examples(5, minutes=(1,)))
    assert np.array_equal(fewer.codes, example.codes[:2])


def test_codes_name_entries_near_the_songs_latents(corpus: Corpus, fitted: FittedCodec) -> None:
    composition = song(5, 0, minutes=(1,)).composition
    latents = fitted.corpus.bank.latents(composition.events, composition.num_frames)
    codes = torch.from_numpy(next(corpus.examples(5, layers=8, minutes=(1,))).codes).long()
    errors = [float((latents - _sum(corpus.codebooks, codes[:layers])).square().sum()) for layers in (0, 1, 2, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.12 * errors[0]


def test_requests_fit_their_songs(corpus: Corpus) -> None:
    seen = [song(8, index) for index in range(120)]
    for made in seen:
        request, plan = made.request, made.plan
        assert (request.mode is Mode.VOCAL) == (plan.voice is not None)
        assert request.duration_minutes == plan.minutes
        assert bool(request.prompt) <= (request.prompt_mode is PromptMode.NATURAL)
        assert request.lyrics == "\n".join(plan.lyrics)
    assert {made.request.prompt_mode for made in seen} == set(PromptMode)
    assert {made.plan.minutes for made in seen} == {1, 2, 3}


def test_prompts_of_one_minute_songs_stay_short() -> None:
    layout = TokenLayout(text_vocab_size=256, codebook_size=8, num_quantizers=8)
    for index in range(200):
        segments = backbone_segments(song(9, index, minutes=(1,)).request, layout)
        assert sum(1 if isinstance(segment, int) else len(segment.encode()) for segment in segments) <= 448


def test_layers_the_codec_does_not_have_are_refused(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="from 2 to 8 layers can be made, not 9"):
        corpus.examples(5, layers=9)


def test_a_codec_of_another_corpus_is_refused(fitted: FittedCodec, tmp_path: Path) -> None:
    torch.save(
        {"rows": fitted.corpus.bank.rows[1:], "codebooks": fitted.corpus.codebooks}, tmp_path / CORPUS_CODEC_FILE
    )
    with pytest.raises(ValueError, match="Fit the codec again"):
        Corpus.open(tmp_path)


def _sum(codebooks: torch.Tensor, codes_QF: torch.Tensor) -> torch.Tensor:
    total = torch.zeros(codes_QF.shape[1], codebooks.shape[2])
    for layer, codes in enumerate(codes_QF):
        total += codebooks[layer][codes]
    return total


def test_the_documented_reading_of_the_corpus_works(corpus: Corpus, codec_directory: Path) -> None:
    (block,) = (one for one in blocks() if one.language == "python" and one.place.startswith("training/"))
    names: dict[str, object] = {"codec_directory": codec_directory}
    exec(block.text, names)
    assert isinstance(names["example"], Example)
