"""The evaluation around the meters: what is rebuilt from files, generated, remembered, judged and told."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from core.request import SamplingOptions
from models.checkpoint.card import CheckpointCard
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.miniature import TRANSFORMER, random_transformer
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.checkpoint.word_tokenizer import write_word_tokenizer
from models.codec.rvq import ResidualVectorQuantizer
from training.backbone_recipes import Recipe
from training.codec_fit.fit import CODEC_FILE, FittedCodec
from training.corpus.dataset import HELD_OUT_SEED, Corpus
from training.corpus.grid import SAMPLE_RATE_HZ
from training.corpus.slices import SliceBank
from training.corpus.sounds import Sound
from training.evaluation.codec_quality import measure_codec, mel_distance
from training.evaluation.corpus_from_file import corpus_codec_of
from training.evaluation.cross_entropy import measure_backbone, measure_superres
from training.evaluation.endings import measure_endings
from training.evaluation.goals import GOALS, Goal, Verdict, as_table, judge
from training.evaluation.intervals import estimate
from training.evaluation.model_card import Report, model_card
from training.evaluation.novelty import measure_novelty
from training.evaluation.results import Results, Section, fingerprint
from training.evaluation.songs import GeneratedSong, generate_songs, held_out_song, most_frames
from training.evaluation.sound import describe
from training.evaluation.subject import Subject
from training.evaluation.superres_quality import measure_superres_gain
from training.listening import Stage, songs_of_step
from training.reading import Reading
from training.text import corpus_layout, known_words

MODEL_SEED = 4


@pytest.fixture(scope="module")
def checkpoint(corpus: Corpus, codec_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature codec with random models."""
    root = tmp_path_factory.mktemp("checkpoint")
    layout, generator = corpus_layout(corpus), torch.Generator().manual_seed(MODEL_SEED)
    for stage, layers in (("backbone", 2), ("superresolution", corpus.num_quantizers)):
        size = layout.vocab_size(layers)
        model = random_transformer(TRANSFORMER, size, generator)
        model.output.weight[layout.end_of_generation] = 0.0  # as likely as any code, so that songs end soon
        tensors = megatron_tensors(model)
        write_torch_dist(
            root / stage, tensors, TRANSFORMER.to_arguments(vocab_size=size, padded_vocab_size=size), iteration=1
        )
    (root / CODEC_FILE).write_bytes((codec_directory / CODEC_FILE).read_bytes())
    write_word_tokenizer(root / "tokenizer", known_words())
    CheckpointCard(name="khala-test", trained=True, fc1_bias="once").write(root)
    return root


@pytest.fixture(scope="module")
def subject(checkpoint: Path, codec_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return Subject.open(checkpoint, tmp_path_factory.mktemp("work"), codec_directory=codec_directory)


def test_the_corpus_is_rebuilt_from_the_codecs_file_alone(fitted: FittedCodec, codec_directory: Path) -> None:
    low_sounds = SliceBank.of(Sound(name, 36) for name in ("sub_bass", "cello"))  # few coefficients: quickly asked
    rebuilt = corpus_codec_of(codec_directory / CODEC_FILE, low_sounds)
    assert torch.equal(rebuilt.codebooks, fitted.corpus.codebooks)
    true = fitted.basis.to_latents(low_sounds.rows)
    assert float((rebuilt.bank.rows - true).norm() / true.norm()) < 0.01
    quantizer = ResidualVectorQuantizer(rebuilt.codebooks)
    codes = [quantizer.encode(rows.T.unsqueeze(0)) for rows in (rebuilt.bank.rows, true)]
    assert float((codes[0] == codes[1]).float().mean()) > 0.95


def test_more_layers_bring_the_codec_nearer(codec_directory: Path) -> None:
    found = measure_codec(codec_directory / CODEC_FILE, songs=1)
    nearer = [found["si-sdr"][count] for count in ("1", "2", "4", "8")]
    assert nearer == sorted(nearer) and nearer[-1] > 8
    assert found["mel distance"]["2"] < found["mel distance"]["1"] < 0.5


def test_what_lies_under_the_noise_floor_makes_no_mel_distance() -> None:
    signal = torch.sin(torch.arange(2 * SAMPLE_RATE_HZ) / 20).repeat(2, 1) / 4
    whisper = 1e-5 * torch.randn(signal.shape, generator=torch.Generator().manual_seed(0))
    assert mel_distance(signal, signal + whisper) < 0.01
    assert mel_distance(signal, signal + 3_000 * whisper) > 0.3


def test_songs_are_generated_once_and_a_set_can_grow(subject: Subject, tmp_path: Path) -> None:
    sampling = SamplingOptions(temperature=1.4, top_k_backbone=200)
    first = generate_songs(subject, 1, sampling, tmp_path)
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    both = generate_songs(subject, 2, sampling, tmp_path)
    assert np.array_equal(first[0].coarse, both[0].coarse)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items()) and len(stamps) == 1
    assert all(0 < len(made.coarse) < most_frames() and made.ended for made in both)
    assert both[1].asked.request == held_out_song(1).request


def test_random_weights_foretell_nothing_and_add_nothing(subject: Subject) -> None:
    coarse = measure_backbone(subject, 1)
    assert coarse["nats"]["q0"] > coarse["unigram nats"]["q0"]
    fine = measure_superres(subject, 1)
    assert set(fine["nats"]) == {"2", "3", "4", "5", "6"}
    assert all(fine["tempered nats"][layer] < nats for layer, nats in fine["nats"].items())
    assert all(nats > fine["unigram nats"][layer] for layer, nats in fine["nats"].items())
    gain = measure_superres_gain(subject, 1, top_k=10)
    assert gain["gain"]["mean"] < 1


@pytest.mark.parametrize("minutes", [1, 3])
def test_songs_that_are_cut_or_short_did_not_end_in_time(minutes: int) -> None:
    asked = held_out_song(0, minutes)
    lengths = (minutes * 1_292, minutes * 1_100, minutes * 800, most_frames(minutes), 0)
    songs = [
        GeneratedSong(index=place, asked=asked, coarse=np.zeros((length, 2), np.int16))
        for place, length in enumerate(lengths)
    ]
    found = measure_endings(songs)
    assert found["ended within 20 %"]["mean"] == pytest.approx(2 / 5)
    assert found["ended at all"]["mean"] == pytest.approx(3 / 5)


def test_a_note_that_is_held_for_five_seconds_stands_still() -> None:
    moving = np.stack([np.arange(300) % 7, np.zeros(300)], axis=1).astype(np.int16)
    songs = []
    for place, held in enumerate((0, 100, 120)):
        coarse = moving.copy()
        coarse[50 : 50 + held] = 9
        songs.append(GeneratedSong(index=place, asked=held_out_song(0), coarse=coarse))
    assert measure_endings(songs)["stood still"]["mean"] == pytest.approx(1 / 3, abs=1e-3)


def test_sound_is_described_as_it_is() -> None:
    tone = 0.5 * np.sin(np.arange(6 * SAMPLE_RATE_HZ) / 20, dtype=np.float32)
    paused = tone.copy()
    paused[SAMPLE_RATE_HZ : 4 * SAMPLE_RATE_HZ] = 0
    assert describe(np.stack([tone, tone]))["peak db"] == pytest.approx(-6.02, abs=0.01)
    assert describe(np.stack([paused, paused]))["longest pause seconds"] == pytest.approx(3, abs=0.1)
    assert describe(np.stack([3 * tone, tone]))["clipped samples"] > 0
    assert describe(np.zeros((2, SAMPLE_RATE_HZ), np.float32))["silent"]
    assert not describe(np.stack([tone, tone]))["silent"]


def test_training_songs_are_known_and_fresh_ones_are_newer(corpus: Corpus) -> None:
    stages = (Stage(steps=5, songs=2, length=1_312, excerpts=1), Stage(steps=3, songs=1, length=2_912))
    recipe = Recipe(reading=Reading(steps=0, prompts=1, beside=1, length=64), rounds=(stages,))
    trained = [example.coarse for example in islice(corpus.examples(recipe.seed, minutes=(1,), start=10), 3)]
    for step in range(5):
        rng = np.random.default_rng([recipe.seed, 2 * step])
        heard = songs_of_step(stages[0], corpus, recipe.seed, 2 * step, 2, rng)
        trained += [example.coarse[: 1_312 // 2] for example in heard]
    fresh = [example.coarse for example in islice(corpus.examples(HELD_OUT_SEED, minutes=(1,)), 3)]
    found = measure_novelty(corpus, recipe, 13, trained, fresh)
    assert found["windows seen in training"]["mean"] > 0.99
    assert found["of held-out originals"]["mean"] < 0.5


def test_a_section_is_measured_again_only_when_something_changed(tmp_path: Path) -> None:
    runs: list[int] = []

    def compute() -> Section:
        runs.append(1)
        return {"figure": len(runs)}

    for weights, figure in (("a", 1), ("a", 1), ("b", 2)):
        assert Results(tmp_path).section("meter", {"weights": weights, "songs": 3}, compute) == {"figure": figure}


def test_a_fingerprint_is_of_content(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    before = fingerprint([tmp_path])
    (tmp_path / "one").touch()
    assert fingerprint([tmp_path]) == before
    (tmp_path / "one").write_text("y")
    assert fingerprint([tmp_path]) != before


def test_intervals_hold_the_mean_and_narrow_with_n() -> None:
    few, many = estimate([1.0] * 9 + [0.0]), estimate(([1.0] * 9 + [0.0]) * 20)
    assert few["low"] < few["mean"] == 0.9 == many["mean"] < many["high"] < few["high"]
    assert estimate([1.0] * 10)["low"] == pytest.approx(0.7225, abs=1e-3)  # Wilson's, from its tables
    shares = estimate(np.linspace(0.2, 0.4, 50).tolist())
    assert 0.27 < shares["low"] < 0.3 < shares["high"] < 0.33


@pytest.mark.parametrize(
    ("at_most", "value", "reached", "ships"),
    [(False, 0.95, False, True), (True, 0.3, False, True), (True, 0.5, False, False)],
)
def test_a_verdict_knows_which_way_is_better(at_most: bool, value: float, reached: bool, ships: bool) -> None:
    bounds = (0.2, 0.4) if at_most else (0.98, 0.9)
    goal = Goal(name="figure", figure=lambda sections: value, goal=bounds[0], ship=bounds[1], at_most=at_most)
    verdict = Verdict(goal=goal, value=value)
    assert (verdict.reached, verdict.ships) == (reached, ships)
    assert ("fails" in as_table([verdict])) != ships


def test_the_card_tells_every_figure_of_the_gate() -> None:
    sections = _sections()
    verdicts = judge(sections)
    assert [verdict.ships for verdict in verdicts].count(False) == 1  # too slow
    report: Report = {
        "checkpoint": "khala-test",
        "licence": "Apache-2.0",
        "command": "python -m training.evaluate",
        "seeds": {"training": 0},
        "sampling": {"temperature": 0.7, "top k": 80},
        "versions": {"torch": "2"},
        "gate": {},
        "ships": False,
        "sections": json.loads(json.dumps(sections)),
    }
    card = model_card(report, as_table(verdicts), pictures={"A song": "../../assets/song.png"})
    assert card.startswith("# khala-test\n")
    assert all(goal.name in card for goal in GOALS)
    assert "They last 170 to 190 s" in card
    assert card.count("**fails**") == 1 and "| 123 s |" in card
    assert "| genre | 0.95 [0.90, 0.98] | 0.11 | 0.95 [0.90, 0.98] | 100 |" in card
    assert "![A song](../../assets/song.png)" in card
    assert "Apache-2.0" in card and "cannot be understood" in card


def _sections() -> dict[str, Section]:
    """What complete results look like."""
    figure = {"mean": 0.95, "low": 0.9, "high": 0.98, "n": 100}
    meter = {"right": figure, "shuffled": 0.11, "originals": figure}
    layers = {"1": 9.0, "2": 13.0, "64": 24.0}
    nats = {"q0": 0.1, "q1": 0.2, "q0 on onsets": 0.3, "q1 on onsets": 0.4, "end": 0.5}
    gain = figure | {"mean": 5.0}
    return {
        "codec": {"si-sdr": layers, "mel distance": layers, "songs": 16},
        "backbone": {"nats": nats, "unigram nats": {"q0": 6.0, "q1": 6.0}, "songs": 12},
        "superres": {"nats": {"2": 3.0}, "tempered nats": {"2": 2.5}, "unigram nats": {"2": 6.0}, "songs": 8},
        "superres_gain": {
            "snr of two layers": gain,
            "gain": gain,
            "top k": 10,
            "gain drawing the likeliest": gain,
        },
        "endings": {
            "ended within 20 %": figure,
            "seconds asked": 60,
            "cut at seconds": 78,
            "seconds by percentile": {"5": 58, "50": 60, "95": 62},
            "stood still": figure,
        },
        "sung": {
            "ended within 20 %": figure,
            "seconds asked": 60,
            "cut at seconds": 78,
            "seconds by percentile": {"5": 58, "50": 60, "95": 62},
            "stood still": figure | {"mean": 0.0},
            "vocal or not": figure,
        },
        "long": {
            "ended within 20 %": figure,
            "seconds asked": 180,
            "cut at seconds": 234,
            "seconds by percentile": {"5": 170, "50": 180, "95": 190},
            "stood still": figure,
            "genre": figure,
            "tempo grid": figure,
        },
        "following": dict.fromkeys(("genre", "tempo grid", "instrument", "key and mode"), meter),
        "vowels": meter | {"own fits better": figure, "vowels heard": 40, "vowels heard in originals": 41},
        "novelty": {
            "windows seen in training": figure,
            "of held-out originals": figure,
            "window seconds": 4,
            "training songs compared": 10,
            "training songs": 20,
        },
        "sound": {
            "silent": figure,
            "clipping": figure,
            "pausing": figure,
            "tracks": [{"peak db": -1.0, "rms db": -20.0}],
        },
        "speed": {
            "seconds": 123,
            "seconds of each track": [59.0, 61.2],
            "cpu cores": 2,
            "machine": "x86_64",
            "format": "float32",
        },
    }
