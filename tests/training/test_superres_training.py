"""Super-resolution's training: the form it starts from is exact, it learns, it resumes, what it writes loads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from core.token_layout import COARSE_LAYERS
from models.checkpoint.factored_tables import FactoredTables
from models.checkpoint.names import MegatronNames
from models.checkpoint.torch_dist import TorchDistSource, read_arguments
from models.checkpoint.transformer_weights import Fc1Bias, load_transformer
from models.transformer.attention import attend_full
from models.transformer.codebook_embedding import embed_columns
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from training.corpus.dataset import HELD_OUT_SEED, Corpus
from training.start import new_transformer
from training.superres import RECIPES, Recipe, Run
from training.superres_batches import SuperresBatch, pack_rows
from training.superres_model import SHARPNESS
from training.text import corpus_layout

TINY = replace(RECIPES["miniature"], regression_steps=4, refinement_steps=4, length=256, pool=2)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def trunk(corpus: Corpus) -> Transformer:
    config = TransformerConfig(num_layers=3, hidden_size=64, num_heads=2, num_groups=2, head_size=32, ffn_size=128)
    return new_transformer(config, corpus_layout(corpus), corpus.codebooks, seed=0)


def _run(corpus: Corpus, trunk: Transformer, out: Path, recipe: Recipe = TINY) -> Run:
    out.mkdir(exist_ok=True)
    return Run(recipe, corpus, trunk, out, CPU, compiled=False)


def _batch(corpus: Corpus, layer: int) -> SuperresBatch:
    examples = corpus.examples(HELD_OUT_SEED, layers=corpus.num_quantizers, minutes=(1,))
    songs = [next(examples), next(examples)]
    rng = np.random.default_rng(0)
    return pack_rows(songs, corpus_layout(corpus), length=200, layers=[layer] * 2, rng=rng)


@torch.no_grad()
def test_known_layers_are_subtracted_exactly(corpus: Corpus, trunk: Transformer, tmp_path: Path) -> None:
    model = _run(corpus, trunk, tmp_path).model
    batch = _batch(corpus, corpus.num_quantizers - 1)
    known = model.known(batch.codes, batch.layers)
    expected = sum(corpus.codebooks[layer][batch.codes[..., layer]] for layer in range(2, corpus.num_quantizers - 1))
    torch.testing.assert_close(known, expected)
    coarse = batch.codes[..., :COARSE_LAYERS]
    # Attention and norms see S too, so only the bridge's own part is compared: what the embedding wrote.
    rows = model.rows(batch.text, coarse, known)
    frames = batch.is_frame
    torch.testing.assert_close(rows[frames][:, model.parts.residual], -model.known_step * known[frames])
    without = model.estimate(model.hidden(model.rows(batch.text, coarse, torch.zeros_like(known)), attend_full))
    with_known = model.estimate(model.hidden(rows, attend_full))
    moved = (without - with_known)[frames]
    cosine = F.cosine_similarity(moved, known[frames], dim=-1)
    assert float(cosine.mean()) > 0.97


@torch.no_grad()
def test_logits_are_a_gaussian_around_the_estimate(corpus: Corpus, trunk: Transformer, tmp_path: Path) -> None:
    model = _run(corpus, trunk, tmp_path).model
    scale, layer = 3.0, 4
    codebook = corpus.codebooks[layer]
    model.log_scale.fill_(torch.tensor(scale).log())
    model.offset[layer - 2] = -scale * codebook.square().sum(1) / 2
    batch = _batch(corpus, layer)
    hidden = model.hidden(
        model.rows(batch.text, batch.codes[..., :2], model.known(batch.codes, batch.layers)), attend_full
    )
    estimate = model.estimate(hidden)
    distances = torch.cdist(estimate, codebook.expand(2, -1, -1)).square()
    expected = (-scale / 2 * distances).log_softmax(-1)
    torch.testing.assert_close(model.logits(hidden, batch.layers).log_softmax(-1), expected, atol=2e-3, rtol=1e-3)


def test_training_learns_and_keeps_the_lattice_of_known_codes(
    corpus: Corpus, trunk: Transformer, tmp_path: Path
) -> None:
    run = _run(corpus, trunk, tmp_path, replace(TINY, regression_steps=30, refinement_steps=6))
    bridge = run.model.bridge.down.weight[run.model.parts.residual].clone()
    before = run._evaluate()
    assert run.train(report_every=10, keep_every=36)
    after = run._evaluate()
    assert float(after[2]) < float(before[2]) * 0.97, (before, after)
    torch.testing.assert_close(run.model.bridge.down.weight[run.model.parts.residual], bridge)
    assert not run.model.transformer.embedding.weight[:, run.model.parts.residual].any()


def test_codes_teach_how_sure_to_be_and_latents_what_to_estimate(
    corpus: Corpus, trunk: Transformer, tmp_path: Path
) -> None:
    trainer = _run(corpus, trunk, tmp_path)._trainer
    model, batch = trainer.model, _batch(corpus, 5)
    estimated = next(model.transformer.blocks.parameters())
    nats, error = trainer.refinement(batch)
    by_nats = torch.autograd.grad(
        nats, [model.log_scale, model.offset, estimated], allow_unused=True, retain_graph=True
    )
    by_error = torch.autograd.grad(error, [model.log_scale, estimated], allow_unused=True)
    assert [gradient is None or not gradient.any() for gradient in by_nats] == [False, False, True]
    assert [gradient is None or not gradient.any() for gradient in by_error] == [True, False]


def test_an_interrupted_run_ends_where_an_unbroken_one_does(corpus: Corpus, trunk: Transformer, tmp_path: Path) -> None:
    whole = _run(corpus, trunk, tmp_path / "whole")
    assert whole.train()
    for stop in (2, 4, 6):
        assert not _run(corpus, trunk, tmp_path / "broken").train(until_step=stop)
    broken = _run(corpus, trunk, tmp_path / "broken")
    assert broken.train()
    for (name, mine), theirs in zip(whole.model.state_dict().items(), broken.model.state_dict().values(), strict=True):
        assert torch.equal(mine, theirs), name


def test_what_is_written_loads_with_its_tables_unfolded(corpus: Corpus, trunk: Transformer, tmp_path: Path) -> None:
    run = _run(corpus, trunk, tmp_path)
    run.train()
    with torch.no_grad():  # as a long run leaves it
        run.model.transformer.norm.weight[run.model.parts.constant] *= -0.01
    directory, layout, model = run.export(), corpus_layout(corpus), run.model
    config = TransformerConfig.from_arguments(read_arguments(directory), directory)
    source = FactoredTables(TorchDistSource(directory), lambda: corpus.codebooks)
    loaded = load_transformer(
        MegatronNames(source, config),
        config,
        vocab_size=layout.vocab_size(layout.num_quantizers),
        first_output_row=layout.text_vocab_size,
        fc1_bias=Fc1Bias.ONCE,
        device=CPU,
        dtype=torch.float32,
    )
    layer = 5
    batch = _batch(corpus, layer).first(1)
    with torch.no_grad():
        prompt = batch.text[0][~batch.is_frame[0]]
        codes = batch.codes[0][batch.is_frame[0]]
        starts = torch.tensor([layout.window(number).start for number in range(layer)])
        rows = torch.cat([loaded.embed(prompt), embed_columns(loaded, codes[:, :layer] + starts)])[None]
        hidden = loaded(rows, loaded.rotation(torch.arange(rows.shape[1])), attend_full)
        served = loaded.logits(hidden, layout.window(layer))[0, len(prompt) :].softmax(-1)
        read = model.rows(batch.text, batch.codes[..., :2], model.known(batch.codes, batch.layers))
        hidden = model.hidden(read, attend_full)
        codebook, scale = corpus.codebooks[layer], model.log_scale[layer - 2].exp()
        gaussian = scale * (model.estimate(hidden) @ codebook.T - codebook.square().sum(1) / 2)
        sharper = model.logits(hidden, batch.layers) + (SHARPNESS - 1) * gaussian
        trained = sharper[0, len(prompt) :].softmax(-1)
    # Half precision moves the estimate a little, and unlikely codes' logits by much: probabilities are compared.
    distance = (served - trained).abs().sum(-1) / 2
    assert float(distance.mean()) < 0.05, distance
