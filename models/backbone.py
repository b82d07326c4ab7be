"""The backbone: continues a prompt with coarse codes, all tracks of a batch together.

One prefill a distinct prompt, then a step a token. Tokens are drawn only inside the legal window: codes of layer 0 on
even positions, where the song may also end, codes of layer 1 on odd ones. Knows nothing of tokenisation or files.
Legend: B tracks, S steps, H hidden.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from core.codes import CoarseCodes
from core.engine import BackboneTask, Watch
from core.errors import GenerationError, without_frames
from core.pipeline import MAX_NEW_TOKENS
from core.token_layout import COARSE_LAYERS, TokenLayout
from models.decode_steps import Head, StepModel, step_model
from models.follower import Follower
from models.out_of_memory import naming_out_of_memory
from models.sampling import Stage, check_finite, draw, uniform_numbers
from models.step_graphs import StepGraphs
from models.transformer.model import Transformer

GPU_STEPS_BETWEEN_HOST_READS = 32
"""How far an accelerator runs ahead before the host looks whether tracks ended; a CPU looks at every token."""


class NativeBackbone:
    """Implements core.engine.BackboneGenerator on the project's own transformer."""

    def __init__(self, model: Transformer, layout: TokenLayout, *, graphs: bool = True) -> None:
        """Without ``graphs`` a GPU launches every kernel of every step by itself: slower, and easier to look into."""
        self._model = model
        self._layout = layout
        self._graphs = graphs
        self._steps = step_model(model)
        self._heads = decode_heads(self._steps, model, layout)

    @torch.inference_mode()
    def generate(self, tasks: Sequence[BackboneTask], watch: Watch) -> list[CoarseCodes | GenerationError]:
        """Codes of each task, or why there are none; a song that has ended is not lost with one that fails."""
        steps_between_reads = 1 if self._model.device.type == "cpu" else GPU_STEPS_BETWEEN_HOST_READS
        follower = Follower(tasks, watch, end_index=self._layout.codebook_size)
        try:
            with naming_out_of_memory("the backbone"):
                batch = self.begin(tasks)
                while follower.anyone_waits():
                    for _ in range(steps_between_reads):
                        batch.step()
                    follower.read(batch.newly_drawn())
        except GenerationError as error:
            follower.give_up(without_frames(error))
        return follower.results()

    def begin(self, tasks: Sequence[BackboneTask]) -> DecodeBatch:
        """The tasks' prompts read, and everything in place for their steps."""
        return DecodeBatch(self._model, self._steps, self._layout, self._heads, tasks, graphs=self._graphs)


def decode_heads(steps: StepModel, model: Transformer, layout: TokenLayout) -> list[Head]:
    """The output rows of each legal window, the end behind layer 0's."""
    end = model.output_rows(range(layout.end_of_generation, layout.end_of_generation + 1))
    windows = [model.output_rows(layout.window(layer)) for layer in range(COARSE_LAYERS)]
    return [steps.head(window) for window in (torch.cat([windows[0], end]), *windows[1:])]


class DecodeBatch:
    """The tensors of one batch on their way through the model."""

    def __init__(
        self,
        model: Transformer,
        steps: StepModel,
        layout: TokenLayout,
        heads: list[Head],
        tasks: Sequence[BackboneTask],
        *,
        graphs: bool = True,
    ) -> None:
        device = model.device
        self._model, self._layout, self._heads = model, layout, heads
        self._top_k = max(task.top_k for task in tasks)
        limits = torch.tensor([[task.top_k] for task in tasks], device=device)
        self._row_top_k = limits if len({task.top_k for task in tasks}) > 1 else None
        self._temperature = torch.tensor([[task.temperature] for task in tasks], device=device)
        # Always the longest song's worth of numbers, so that a shorter limit gives the beginning of the same song.
        room = MAX_NEW_TOKENS + GPU_STEPS_BETWEEN_HOST_READS
        self._uniform_SB = uniform_numbers([task.seed for task in tasks], Stage.BACKBONE, room).to(device)
        self._drawn_SB = torch.zeros(room, len(tasks), dtype=torch.long, device=device)
        self._place = torch.zeros(1, dtype=torch.long, device=device)
        self._step = self._read = self._window = 0
        prompt = max(len(task.prompt) for task in tasks) + GPU_STEPS_BETWEEN_HOST_READS
        expected = prompt + max(task.expected_tokens for task in tasks)
        most = prompt + COARSE_LAYERS * max(task.max_frames for task in tasks)
        self._steps = steps.begin(batch=len(tasks), room=expected, most=most)
        self._hidden_B1H = self._prefill(tasks)
        self._graphs = StepGraphs(device, records=graphs)

    def _prefill(self, tasks: Sequence[BackboneTask]) -> torch.Tensor:
        """Read each distinct prompt once; the last hidden state of every track."""
        hidden = torch.empty(len(tasks), 1, self._model.config.hidden_size, device=self._model.device)
        sharing: dict[bytes, list[int]] = {}
        for row, task in enumerate(tasks):
            sharing.setdefault(task.prompt.tobytes(), []).append(row)
        for rows in sharing.values():
            ids = torch.from_numpy(tasks[rows[0]].prompt).to(self._model.device, torch.long)
            rotation = self._model.rotation(torch.arange(len(ids), device=ids.device))
            attend = self._steps.prefill(rows, len(ids))
            states = self._model(self._model.embed(ids).unsqueeze(0), rotation, attend)
            hidden[rows] = states[:, -1:].float()
        return hidden

    def step(self) -> None:
        """Draw the next token of every track and feed it back."""
        layer, window = self._step % COARSE_LAYERS, self._steps.next_window()
        if window != self._window:
            # Windows only grow, and a cache grows only with them: earlier recordings are of no more use.
            self._graphs.forget()
            self._window = window
        # What a step changes and the next one reads.
        state = (self._hidden_B1H, self._place, *self._steps.state)
        self._graphs.run((layer, window), lambda: self._advance(layer, window), state)
        self._step += 1

    def _advance(self, layer: int, window: int) -> None:
        """One step as the device sees it: everything it reads and writes stays where it is from step to step."""
        logits = self._heads[layer](self._hidden_B1H)
        uniform = self._uniform_SB.index_select(0, self._place).squeeze(0)
        index = draw(logits, uniform, top_k=self._top_k, row_top_k=self._row_top_k, temperature=self._temperature)
        self._drawn_SB.index_copy_(0, self._place, index.unsqueeze(0))
        codes = self._layout.window(layer)
        ids = torch.where(index < len(codes), index + codes.start, self._layout.end_of_generation)
        self._hidden_B1H.copy_(self._steps.hidden(self._model.embed(ids).unsqueeze(1), window))
        self._place.add_(1)

    @property
    def is_recorded(self) -> bool:
        """Whether the last step was a recording's."""
        return self._graphs.are_there

    def newly_drawn(self) -> npt.NDArray[np.int64]:
        """Window indices drawn since the last call, on the host, [S, B]; codebook size = the song ended."""
        check_finite(self._hidden_B1H, "backbone")
        fresh = self._drawn_SB[self._read : self._step].cpu().numpy()
        self._read = self._step
        return fresh
