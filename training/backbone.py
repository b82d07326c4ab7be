"""Train the demo's backbone: fresh songs every step, from the song's start, at the length that is generated.

    python -m training.backbone --codec DIR --out DIR [--steps N]

Resumes from DIR/state.pt if there is one: songs are numbered, so a resumed run reads the songs an unbroken one would.
Writes DIR/backbone/ in the published format, DIR/backbone.csv with the loss curves, DIR/state.pt.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from core.token_layout import COARSE_LAYERS, TokenLayout
from models.checkpoint.megatron_export import megatron_tensors
from models.checkpoint.torch_dist_writer import write_torch_dist
from models.devices import choose_device
from models.transformer.config import TransformerConfig
from models.transformer.model import Transformer
from training.coarse_loss import FIGURES, CoarseTrainer
from training.corpus.dataset import HELD_OUT_SEED, Corpus
from training.corpus.grid import frames_in
from training.optimiser import Optimiser, Schedule
from training.run_log import RunLog
from training.sequences import CoarseBatch, pack
from training.text import TEXT_VOCAB_SIZE

ROTARY_BASE = 10_000.0
WARM_UP_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides the result, given the codec."""

    steps: int = 2400
    songs_a_step: int = 4
    width: int = 256
    layers: int = 6
    heads: int = 4
    minutes: tuple[int, ...] = (1,)
    prompt_room: int = 448
    frame_limit: int | None = None
    muon_rate: float = 4e-3
    adam_rate: float = 1.5e-3
    seed: int = 0

    @property
    def config(self) -> TransformerConfig:
        return TransformerConfig(
            num_layers=self.layers,
            hidden_size=self.width,
            num_heads=self.heads,
            num_groups=self.heads,
            head_size=self.width // self.heads,
            ffn_size=-(-self.width * 8 // 3 // 64) * 64,
            rotary_base=ROTARY_BASE,
        )

    @property
    def frame_room(self) -> int:
        """Frames of the longest song, which may overrun the asked minutes a little, or the limit there is."""
        return self.frame_limit or math.ceil(1.03 * frames_in(max(self.minutes)))


def new_model(recipe: Recipe, layout: TokenLayout) -> Transformer:
    """Small random matrices; those that write to the residual stream smaller still, biases silent."""
    model = Transformer(
        recipe.config, vocab_size=layout.vocab_size(COARSE_LAYERS), first_output_row=layout.text_vocab_size
    )
    generator = torch.Generator().manual_seed(recipe.seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 2:
                writes = name.endswith(("attention.out.weight", "ffn.down.weight"))
                spread = 0.02 / math.sqrt(2 * recipe.layers) if writes else 0.02
                parameter.normal_(0.0, spread, generator=generator)
    return model


class Run:
    """One training run, from wherever it stands to its last step."""

    def __init__(
        self, recipe: Recipe, corpus: Corpus, out: Path, device: torch.device, *, compiled: bool = True
    ) -> None:
        self._recipe, self._corpus, self._out, self._device = recipe, corpus, out, device
        self._layout = TokenLayout(
            text_vocab_size=TEXT_VOCAB_SIZE, codebook_size=corpus.codebook_size, num_quantizers=corpus.num_quantizers
        )
        self.model = new_model(recipe, self._layout).to(device)
        torch.manual_seed(recipe.seed)  # the heads that are dropped afterwards
        self._trainer = CoarseTrainer(self.model, self._layout).to(device)
        self._optimiser = Optimiser(self._trainer, muon_rate=recipe.muon_rate, adam_rate=recipe.adam_rate)
        self._forward: Any = torch.compile(self._trainer) if compiled else self._trainer
        self._step = self._tokens = 0
        self._resume()

    def train(
        self,
        *,
        until: float = math.inf,
        until_step: float = math.inf,
        report_every: int = 20,
        keep_every: int = 200,
    ) -> bool:
        """Train on; whether the last step is done. It also stops at a ``time.monotonic()`` or a step."""
        recipe = self._recipe
        log = RunLog(self._out / "backbone.csv", FIGURES, steps=recipe.steps, first_step=self._step)
        schedule = Schedule(steps=recipe.steps, warm_up=min(WARM_UP_STEPS, max(1, recipe.steps // 20)))
        held_out = next(self._batches(HELD_OUT_SEED, first=0, songs=8))
        seen: list[torch.Tensor] = []
        for batch in self._batches(recipe.seed, first=self._step, songs=recipe.songs_a_step):
            if self._step >= min(recipe.steps, until_step) or time.monotonic() > until:
                break
            with torch.autocast(self._device.type, torch.bfloat16):
                loss, figures = self._forward(batch)
            loss.backward()
            self._optimiser.step(schedule.factor(self._step))
            self._step += 1
            self._tokens += batch.num_tokens
            seen.append(figures)
            if self._step % report_every == 0:
                log.write("train", self._step, self._tokens, torch.stack(seen).mean(0).tolist())
                seen.clear()
            if self._step % keep_every == 0 or self._step == recipe.steps:
                log.write("held out", self._step, self._tokens, self._evaluate(held_out).tolist())
                self._keep()
        self._keep()
        return self._step == recipe.steps

    def export(self) -> Path:
        """Write the backbone as a checkpoint of the published format, in half precision."""
        size = self._layout.vocab_size(COARSE_LAYERS)
        tensors = {name: tensor.cpu().half() for name, tensor in megatron_tensors(self.model).items()}
        arguments = self._recipe.config.to_arguments(
            vocab_size=size, padded_vocab_size=size, fp16=True, params_dtype=torch.float16
        )
        return write_torch_dist(self._out / "backbone", tensors, arguments, iteration=self._step)

    def _batches(self, seed: int, *, first: int, songs: int) -> Iterator[CoarseBatch]:
        """Batches number ``first`` and on; each holds the songs of its numbers."""
        room, frames = self._recipe.prompt_room, self._recipe.frame_room
        examples = self._corpus.examples(seed, start=first * songs, minutes=self._recipe.minutes)
        while True:
            gathered = [next(examples) for _ in range(songs)]
            yield pack(gathered, self._layout, prompt_room=room, frame_room=frames).to(self._device)

    @torch.no_grad()
    def _evaluate(self, batch: CoarseBatch) -> torch.Tensor:
        with torch.autocast(self._device.type, torch.bfloat16):
            figures: torch.Tensor = self._trainer(batch)[1]
            return figures

    def _keep(self) -> None:
        state = {
            "recipe": asdict(self._recipe),
            "trainer": self._trainer.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "step": self._step,
            "tokens": self._tokens,
        }
        unfinished = self._out / "state.pt.part"
        torch.save(state, unfinished)
        unfinished.replace(self._out / "state.pt")

    def _resume(self) -> None:
        path = self._out / "state.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self._device, weights_only=True)
        if state["recipe"] != asdict(self._recipe):
            raise SystemExit(f"{path} belongs to another recipe: {state['recipe']}. Name another --out.")
        self._trainer.load_state_dict(state["trainer"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._step, self._tokens = state["step"], state["tokens"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codec", type=Path, required=True, help="the directory the codec was fitted into")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--songs-a-step", type=int, default=Recipe.songs_a_step)
    parser.add_argument("--width", type=int, default=Recipe.width)
    parser.add_argument("--layers", type=int, default=Recipe.layers)
    parser.add_argument("--heads", type=int, default=Recipe.heads)
    parser.add_argument("--minutes", type=int, nargs="+", default=list(Recipe.minutes))
    parser.add_argument(
        "--stop-after", type=float, default=math.inf, help="seconds; the run is resumed by a second call"
    )
    parser.add_argument("--device")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(
        steps=options.steps,
        songs_a_step=options.songs_a_step,
        width=options.width,
        layers=options.layers,
        heads=options.heads,
        minutes=tuple(options.minutes),
    )
    run = Run(recipe, Corpus.open(options.codec), options.out, choose_device(options.device))
    if run.train(until=time.monotonic() + options.stop_after):
        run.export()


if __name__ == "__main__":
    main()
