"""Songs that went astray: what is read, what is learnt, and what is left alone."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from core.token_layout import COARSE_LAYERS
from training.corpus.dataset import Corpus
from training.corpus.form import PHRASE_BARS
from training.corpus.grid import BEATS_PER_BAR
from training.sequences import pack
from training.splices import splice
from training.text import corpus_layout

LENGTH = 2912


def test_stretches_repeat_what_was_heard_and_teach_nothing_of_themselves(corpus: Corpus) -> None:
    layout = corpus_layout(corpus)
    examples = list(itertools.islice(corpus.examples(0, minutes=(1,), max_frames=LENGTH // 2), 8))
    plain = pack(examples, layout, length=LENGTH)
    spliced = splice(plain, examples, np.random.default_rng(0), share=1.0)

    assert torch.equal(spliced.places, plain.places)
    assert all(torch.equal(one, other) for one, other in zip(spliced.targets, plain.targets, strict=True))
    touched = 0
    for row, example in enumerate(examples):
        begin, frames = int(plain.places[row, 0]) + 1, example.num_frames
        heard, written = (
            batch.ids[row, begin : begin + COARSE_LAYERS * frames].view(frames, COARSE_LAYERS)
            for batch in (spliced, plain)
        )
        silent = spliced.weights[1][row, :frames] == 0
        assert torch.equal(heard[~silent], written[~silent]), "what is learnt is read as it was"
        assert torch.equal(silent, spliced.weights[0][row, :frames] == 0)
        assert spliced.weights[0][row, frames] == plain.weights[0][row, frames], "the end is learnt all the same"
        phrase = PHRASE_BARS * BEATS_PER_BAR * example.frames_per_beat
        for frame in silent.nonzero().flatten().tolist():
            earlier = written[frame % phrase : frame : phrase]
            assert (earlier == heard[frame]).all(1).any(), "a stretch is what the song had at that place of a phrase"
        touched += int(silent.any())
    assert touched >= 4


def test_no_song_is_touched_where_none_is_to_be(corpus: Corpus) -> None:
    layout = corpus_layout(corpus)
    examples = list(itertools.islice(corpus.examples(0, minutes=(1,), max_frames=LENGTH // 2), 2))
    plain = pack(examples, layout, length=LENGTH)
    assert torch.equal(splice(plain, examples, np.random.default_rng(0), share=0.0).ids, plain.ids)
