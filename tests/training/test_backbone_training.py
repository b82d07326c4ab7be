"""The backbone's training: what it reads, that it learns, that it resumes exactly, that what it writes loads."""

from __future__ import annotations

import csv
import itertools
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.token_layout import TokenLayout
from models.checkpoint.names import MegatronNames
from models.checkpoint.torch_dist import TorchDistSource, read_arguments
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.transformer.attention import attend_causal
from models.transformer.config import TransformerConfig
from tests.fakes.one_device import ELSEWHERE, OneDevice
from training.backbone import SHARPNESS, Run, read_backbone
from training.backbone_recipes import RECIPES, Recipe
from training.coarse_loss import FIGURES, RIVAL_WEIGHT, CoarseTrainer
from training.corpus.dataset import Corpus
from training.corpus.form import PHRASE_BARS
from training.corpus.genres import CHORD_INSTRUMENTS
from training.listening import Stage, played_by_others, songs_of_step
from training.optimiser import Rounds, Schedule
from training.reading import Reading
from training.sequences import END_WEIGHT, NEW_WEIGHT, ONSET_WEIGHT, WAITING_FRAMES, pack
from training.start import new_transformer
from training.text import backbone_prompt, corpus_layout

TINY = Recipe(
    reading=Reading(steps=2, prompts=3, beside=2, length=64),
    rounds=((Stage(steps=4, songs=1, length=256), Stage(steps=2, songs=2, length=160, excerpts=1)),),
    width=64,
    layers=4,
    heads=2,
    head_size=32,
)


@pytest.fixture
def layout(corpus: Corpus) -> TokenLayout:
    return corpus_layout(corpus)


def test_a_packed_song_is_its_prompt_its_codes_in_turn_and_the_end(corpus: Corpus, layout: TokenLayout) -> None:
    example = next(corpus.examples(1, minutes=(1,)))
    prompt, frames = backbone_prompt(example.request, layout), example.num_frames
    batch = pack([example], layout, length=len(prompt) + 2 * frames + 8)
    expected = [*prompt.tolist()]
    for first, second in example.coarse.tolist():
        expected += [layout.window(0).start + first, layout.window(1).start + second]
    expected.append(layout.end_of_generation)
    assert batch.ids[0, : len(expected)].tolist() == expected
    for frame in (0, 7, frames - 1):
        place = int(batch.places[0, frame])
        assert int(batch.ids[0, place + 1]) == layout.window(0).start + int(batch.targets[0][0, frame])
        assert int(batch.ids[0, place + 2]) == layout.window(1).start + int(batch.targets[1][0, frame])
    assert int(batch.targets[0][0, frames]) == layout.codebook_size
    assert float(batch.weights[0][0, frames]) == END_WEIGHT
    assert float(batch.weights[0][0, frames + 1 :].sum() + batch.weights[1][0, frames:].sum()) == 0.0


def test_a_song_read_from_its_middle_on_keeps_distances_codes_weights_and_end(
    corpus: Corpus, layout: TokenLayout
) -> None:
    example = next(corpus.examples(1, minutes=(1,)))
    first, length = 500, 4096
    whole, rest = (pack([part], layout, length=length) for part in (example, example.from_frame(first)))
    prompt, frames = len(backbone_prompt(example.request, layout)), example.num_frames
    assert rest.ids[0, :prompt].equal(whole.ids[0, :prompt])
    assert rest.positions[0, :prompt].equal(whole.positions[0, :prompt])
    assert rest.positions[0, prompt : prompt + 100].equal(whole.positions[0, prompt + 2 * first :][:100])
    for of_rest, of_whole in zip(rest.targets + rest.weights, whole.targets + whole.weights, strict=True):
        assert of_rest[0, 1 : frames - first].equal(of_whole[0, first + 1 : frames])
    assert float(rest.weights[0][0, 0]) == 0, "nobody can know the first frame"
    assert int(rest.targets[0][0, frames - first]) == layout.codebook_size


def test_onsets_weigh_most_where_an_instrument_is_new(corpus: Corpus, layout: TokenLayout) -> None:
    example = next(corpus.examples(1, minutes=(1,)))
    weights = pack([example], layout, length=2912).weights[1][0, : example.num_frames].numpy()
    phrase = PHRASE_BARS * example.plan.bar_frames
    for name in example.plan.instruments:
        starts = {event.start for event in example.composition.events if event.sound.name == name}
        early = [frame for frame in starts if frame < min(starts) + phrase]
        assert (weights[early] == ONSET_WEIGHT * NEW_WEIGHT).all()
    assert set(weights) == {1.0, ONSET_WEIGHT, ONSET_WEIGHT * NEW_WEIGHT}


def test_the_frames_before_an_onset_weigh_as_much_in_the_layer_that_decides(
    corpus: Corpus, layout: TokenLayout
) -> None:
    example = next(corpus.examples(1, minutes=(1,)))
    first, second = (weights[0].numpy() for weights in pack([example], layout, length=2912).weights)
    frames = example.num_frames
    for frame in range(frames):
        assert first[frame] == second[frame : min(frame + 1 + WAITING_FRAMES, frames)].max()
    assert (first[: frames - 1] > second[: frames - 1]).any()


def test_a_stage_hears_beginnings_and_excerpts(corpus: Corpus) -> None:
    stage = Stage(steps=1, songs=5, length=448, excerpts=3)
    heard = songs_of_step(stage, corpus, 0, 10, 7, np.random.default_rng(1))
    assert [example.first_frame > 0 for example in heard] == [False] * 4 + [True] * 3
    assert len({example.first_frame for example in heard}) == 4, "excerpts begin anywhere"


def test_a_stage_can_ask_for_songs_that_are_sung(corpus: Corpus) -> None:
    stage = Stage(steps=1, songs=6, length=448, excerpts=2, sung=1.0)
    heard = songs_of_step(stage, corpus, 0, 10, 6, np.random.default_rng(1))
    assert all(example.plan.voice for example in heard)
    usual = songs_of_step(replace(stage, sung=0.0), corpus, 0, 10, 6, np.random.default_rng(1))
    assert not all(example.plan.voice for example in usual)


def test_a_stage_can_hear_entrances(corpus: Corpus) -> None:
    stage = Stage(steps=1, songs=6, length=448, excerpts=5, entrances=4, sung=1.0)
    heard = songs_of_step(stage, corpus, 0, 10, 6, np.random.default_rng(1))
    for example in heard[1:5]:
        starts = [*example.composition.first_starts().values(), example.composition.sung[0].start]
        assert any(0 <= start - example.first_frame < stage.length // 4 for start in starts)
    assert len({example.first_frame for example in heard}) == 6, "not all as long before them"


def test_songs_are_told_from_those_of_other_instruments(corpus: Corpus, layout: TokenLayout) -> None:
    stage = Stage(steps=1, songs=12, length=448, excerpts=2, rivals=True)
    heard = songs_of_step(stage, corpus, 0, 10, 12, np.random.default_rng(1))
    assert [example.rival is None for example in heard] == [False] * 10 + [True] * 2
    batch, alone = (
        pack(examples, layout, length=448) for examples in (heard, [replace(one, rival=None) for one in heard])
    )
    assert batch.ids.equal(alone.ids), "what is heard before is the song's own"
    for layer in range(2):
        assert alone.rivals[layer].equal(alone.targets[layer])
        differs = batch.rivals[layer] != batch.targets[layer]
        assert differs[:10].any()
        assert not differs[10:].any()
        for row, frame in differs[:10].nonzero().tolist():
            rival, own = heard[row].rival, heard[row].coarse
            assert rival is not None
            assert int(batch.rivals[layer][row, frame]) == rival[layer, frame] != own[frame, layer]
            assert layer == 0 or rival[0, frame] == own[frame, 0], "layer 1 is drawn after the song's own layer 0"


@torch.inference_mode()
def test_telling_a_song_from_its_rival_is_part_of_the_loss(corpus: Corpus, layout: TokenLayout) -> None:
    stage = Stage(steps=1, songs=2, length=448, rivals=True)
    batch = pack(songs_of_step(stage, corpus, 0, 10, 2, np.random.default_rng(1)), layout, length=448)
    trainer = CoarseTrainer(new_transformer(TINY.config, layout, corpus.codebooks, seed=0), layout)
    loss, figures = trainer(batch)
    rivals = float(figures[FIGURES.index("rivals")])
    alone, without = trainer(replace(batch, rivals=batch.targets))
    assert float(without[FIGURES.index("rivals")]) == 0 < rivals
    assert float(loss) == pytest.approx(float(alone) + RIVAL_WEIGHT * rivals, rel=1e-4)
    differs = sum(
        int((of_rival != of_song).sum()) for of_rival, of_song in zip(batch.rivals, batch.targets, strict=True)
    )
    assert rivals == pytest.approx(differs * math.log(2) / 2, rel=0.3), "nothing is known yet"


def test_neither_of_two_instruments_is_more_often_the_others_rival(corpus: Corpus) -> None:
    plan = next(corpus.examples(0, minutes=(1,))).plan
    rng, often = np.random.default_rng(0), 4000
    found = {
        own: Counter(played_by_others(replace(plan, chord=own), rng).chord for _ in range(often))
        for own in CHORD_INSTRUMENTS
    }
    for one, other in itertools.combinations(CHORD_INSTRUMENTS, 2):
        there, back = found[one][other], found[other][one]
        assert abs(there - back) < 5 * math.sqrt(there + back), (one, other)


@pytest.mark.parametrize(("excerpts", "entrances", "spliced"), [(3, 0, 0.0), (1, 2, 0.0), (1, 0, 0.5)])
def test_a_stage_that_cannot_be_read_is_refused(excerpts: int, entrances: int, spliced: float) -> None:
    with pytest.raises(ValueError, match=r"excerpts of 2 songs|entrances in 1|from their start"):
        Stage(steps=1, songs=2, length=448, excerpts=excerpts, entrances=entrances, spliced=spliced)


@torch.inference_mode()
def test_only_distances_count_and_the_gap_behind_a_prompt_is_one(corpus: Corpus, layout: TokenLayout) -> None:
    examples = list(itertools.islice(corpus.examples(1, minutes=(1,)), 2))
    batch = pack(examples, layout, length=448)
    trainer = CoarseTrainer(new_transformer(TINY.config, layout, corpus.codebooks, seed=0), layout)
    prompts = batch.places[:, :1] + 1
    behind = torch.arange(448) >= prompts
    loss, moved, gapped = (
        float(trainer(replace(batch, positions=positions))[0])
        for positions in (batch.positions, batch.positions + 300, batch.positions + 300 * behind)
    )
    assert abs(gapped - loss) > 10 * abs(moved - loss), (loss, moved, gapped)


def test_a_song_that_is_cut_has_no_end(corpus: Corpus, layout: TokenLayout) -> None:
    example = next(corpus.examples(1, minutes=(1,)))
    batch = pack([example], layout, length=501)
    assert layout.codebook_size not in batch.targets[0]
    assert batch.ids.shape == (1, 501)
    assert int((batch.weights[1] > 0).sum()) == (500 - len(backbone_prompt(example.request, layout))) // 2


def test_the_rates_rise_stay_and_fall() -> None:
    schedule = Schedule(steps=1000, warm_up=40, fall=0.45, floor=0.02)
    factors = [schedule.factor(step) for step in range(1000)]
    assert factors[:2] == [1 / 40, 2 / 40]
    assert set(factors[40:550]) == {1.0}
    assert all(later <= earlier for earlier, later in itertools.pairwise(factors[550:]))
    assert factors[-1] < 0.03


def test_after_a_restart_the_rates_rise_and_fall_once_more() -> None:
    fall = Schedule(steps=100, warm_up=10, fall=0.9)
    schedule = Rounds(rounds=(fall, fall, fall), share=0.5)
    factors = [schedule.factor(step) for step in range(300)]
    assert factors[:100] == [fall.factor(step) for step in range(100)]
    assert factors[100:200] == factors[200:] == [factor / 2 for factor in factors[:100]]


def test_a_later_round_changes_nothing_before_it() -> None:
    recipe = RECIPES["cpu"]
    for last in range(1, len(recipe.rounds)):
        shorter = replace(recipe, rounds=recipe.rounds[:last])
        assert shorter.steps < recipe.steps
        steps = range(shorter.steps)
        assert [shorter.schedule.factor(step) for step in steps] == [recipe.schedule.factor(step) for step in steps]


def test_training_learns_and_writes_its_curve(corpus: Corpus, tmp_path: Path) -> None:
    recipe = replace(TINY, rounds=((Stage(steps=40, songs=2, length=256),),))
    run = Run(recipe, corpus, tmp_path, torch.device("cpu"), compiled=False)
    assert run.train(report_every=10, keep_every=10)
    with (tmp_path / "backbone.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows if row["kind"] == "train"] == ["10", "20", "30", "40"]
    curve = [float(row["q0"]) for row in rows if row["kind"] == "held out"]
    assert curve[-1] < curve[0] - 0.3, curve
    assert set(FIGURES) < set(rows[0])


def test_a_step_on_a_gpu_leaves_no_tensor_behind(corpus: Corpus, layout: TokenLayout, tmp_path: Path) -> None:
    run = Run(TINY, corpus, tmp_path, torch.device("cpu"), compiled=False)
    lesson = run._batch(TINY.steps - 1).to(ELSEWHERE)
    assert lesson.songs is not None
    trainer = CoarseTrainer(run.model, layout).to(ELSEWHERE)
    with OneDevice():
        for loss, figures in (trainer.read(lesson.prompts), trainer(lesson.songs)):
            loss.backward()
            assert figures.device == ELSEWHERE
    assert all(parameter.grad is not None for parameter in trainer.parameters())


def test_an_interrupted_run_ends_where_an_unbroken_one_does(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "broken").mkdir()
    whole = Run(TINY, corpus, tmp_path / "whole", torch.device("cpu"), compiled=False)
    whole.train()
    part = Run(TINY, corpus, tmp_path / "broken", torch.device("cpu"), compiled=False)
    assert not part.train(until_step=2)
    Run(TINY, corpus, tmp_path / "broken", torch.device("cpu"), compiled=False).train()
    first, second = (
        torch.load(tmp_path / name / "backbone.state.pt", weights_only=True)["trainer"] for name in ("whole", "broken")
    )
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_a_state_of_another_recipe_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    Run(TINY, corpus, tmp_path, torch.device("cpu"), compiled=False).train(until_step=1)
    with pytest.raises(SystemExit, match="belongs to another recipe"):
        Run(replace(TINY, seed=1), corpus, tmp_path, torch.device("cpu"), compiled=False)


@torch.inference_mode()
def test_what_is_written_loads_as_a_published_checkpoint(corpus: Corpus, layout: TokenLayout, tmp_path: Path) -> None:
    run = Run(TINY, corpus, tmp_path, torch.device("cpu"), compiled=False)
    directory = run.export()
    config = TransformerConfig.from_arguments(read_arguments(directory), directory)
    loaded = load_transformer(
        MegatronNames(TorchDistSource(directory), config),
        config,
        vocab_size=layout.vocab_size(2),
        first_output_row=layout.text_vocab_size,
        fc1_bias=Fc1Bias.ONCE,
        device=torch.device("cpu"),
        dtype=torch.float32,
    )
    ids = torch.from_numpy(np.arange(20))[None]
    hidden = [model(model.embed(ids), model.rotation(torch.arange(20)), attend_causal) for model in (loaded, run.model)]
    torch.testing.assert_close(hidden[0], hidden[1], atol=2e-3, rtol=2e-3)
    torch.testing.assert_close(loaded.output.weight, run.model.output.weight * SHARPNESS, atol=2e-3, rtol=2e-3)
    as_trained = read_backbone(tmp_path, layout)
    torch.testing.assert_close(as_trained.output.weight, run.model.output.weight, atol=2e-3, rtol=2e-3)
