"""The published procedure, written out plainly: no cache, no window, nothing running, everything recomputed.

Greedy, one track, float32. Linear algebra only, on the tensors as they lie on disk; shares no code with ``models``.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

Tensors = dict[str, torch.Tensor]


class PublishedProcedure:
    """One transformer computed row by row from Megatron's tensors; sizes are given, not read."""

    def __init__(
        self, tensors: Tensors, *, heads: int, groups: int, head_size: int, layers: int, bias_count: int
    ) -> None:
        self.tensors = {name: tensor.float() for name, tensor in tensors.items()}
        self.heads, self.groups, self.head_size, self.layers = heads, groups, head_size, layers
        self.bias_count = bias_count

    def hidden(self, x: torch.Tensor, *, causal: bool, real_rows: int) -> torch.Tensor:
        """Hidden states of embedded rows [T, H]; rows from ``real_rows`` on are padding."""
        for layer in range(self.layers):
            x = x + self._attention(x, f"decoder.layers.{layer}.self_attention.", causal, real_rows)
            x = x + self._feed_forward(x, f"decoder.layers.{layer}.mlp.")
        return _rms_norm(x, self.tensors["decoder.final_layernorm.weight"])

    def _attention(self, x: torch.Tensor, prefix: str, causal: bool, real_rows: int) -> torch.Tensor:
        t = self.tensors
        normed = _rms_norm(x, t[prefix + "linear_qkv.layer_norm_weight"])
        fused = F.linear(normed, t[prefix + "linear_qkv.weight"], t[prefix + "linear_qkv.bias"])
        per_group = self.heads // self.groups
        fused = fused.view(len(x), self.groups, per_group + 2, self.head_size)
        mixed = torch.zeros(len(x), self.heads, self.head_size)
        hidden = torch.zeros(len(x), len(x), dtype=torch.bool)
        hidden[:, real_rows:] = True
        if causal:
            hidden |= torch.ones_like(hidden).triu(1)
        for group in range(self.groups):
            key, value = _rotate(fused[:, group, per_group]), fused[:, group, per_group + 1]
            for head in range(per_group):
                scores = _rotate(fused[:, group, head]) @ key.T / math.sqrt(self.head_size)
                weights = scores.masked_fill(hidden, float("-inf")).softmax(-1)
                mixed[:, group * per_group + head] = weights @ value
        return F.linear(mixed.flatten(1), t[prefix + "linear_proj.weight"], t[prefix + "linear_proj.bias"])

    def _feed_forward(self, x: torch.Tensor, prefix: str) -> torch.Tensor:
        t = self.tensors
        normed = _rms_norm(x, t[prefix + "linear_fc1.layer_norm_weight"])
        gate, up = (
            F.linear(normed, t[prefix + f"linear_fc1.weight_{half}"])
            + self.bias_count * t[prefix + f"linear_fc1.bias_{half}"]
            for half in ("w", "v")
        )
        return F.linear(F.silu(gate) * up, t[prefix + "linear_fc2.weight"], t[prefix + "linear_fc2.bias"])


def greedy_coarse(model: PublishedProcedure, prompt: list[int], *, audio_base: int, frames: int) -> torch.Tensor:
    """Codes of layers 0 and 1, [frames, 2]; the whole sequence is computed anew for every token."""
    ids = list(prompt)
    for step in range(2 * frames):
        embedded = model.tensors["embedding.word_embeddings.weight"][ids]
        last = model.hidden(embedded, causal=True, real_rows=len(ids))[-1]
        logits = model.tensors["output_layer.weight"] @ last
        start = audio_base + 1024 * (step % 2)
        ids.append(start + int(logits[start : start + 1024].argmax()))
    drawn = torch.tensor(ids[len(prompt) :]).view(frames, 2)
    return drawn - audio_base - torch.tensor([0, 1024])


def greedy_layers(
    model: PublishedProcedure, prompt: list[int], coarse: torch.Tensor, *, audio_base: int, padded_rows: int
) -> torch.Tensor:
    """Codes of all 64 layers, [64, frames]; rows are padded and all columns embedded again for every layer."""
    embedding, output = (model.tensors[name] for name in ("embedding.word_embeddings.weight", "output_layer.weight"))
    frames, text = len(coarse), len(prompt)
    columns = torch.full((padded_rows, 64), -1)
    columns[:text, 0] = torch.tensor(prompt)
    columns[text : text + frames, :2] = coarse + audio_base + torch.tensor([0, 1024])
    for layer in range(2, 64):
        columns[text - 1, 0] = audio_base - 1 - layer
        known = columns[:, :layer]
        embedded = (embedding[known.clamp_min(0)] * (known >= 0).unsqueeze(-1)).sum(1)
        hidden = model.hidden(embedded, causal=False, real_rows=text + frames)[text : text + frames]
        start = audio_base + 1024 * layer
        columns[text : text + frames, layer] = start + (hidden @ output[start : start + 1024].T).argmax(-1)
    layers = columns[text : text + frames].T
    return layers - audio_base - 1024 * torch.arange(64).unsqueeze(1)


def _rms_norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-6) * weight


def _rotate(x: torch.Tensor) -> torch.Tensor:
    half = x.shape[-1] // 2
    angles = torch.outer(torch.arange(len(x)).float(), 500_000.0 ** (-torch.arange(half).float() / half))
    first, second = x[:, :half], x[:, half:]
    return torch.cat([first * angles.cos() - second * angles.sin(), second * angles.cos() + first * angles.sin()], 1)
