"""Vocabulary tables stored as codebook times projection, and unfolded when they are read.

A small super-resolution model is nearly all tables: 64 windows of codes, in and out. Here the rows of every layer that
super-resolution adds are linear in the codec's own codebook vectors, so a file keeps (layers below 2 and text as rows)

| tensor | shape | meaning |
| --- | --- | --- |
| ``embedding.word_embeddings.rows`` | [ids before layer 2, H] | plain rows |
| ``embedding.word_embeddings.projection`` | [D, H] | row of code k of layer l = codebook_l[k] · projection |
| ``output_layer.projection`` | [D, H] | output row = scale_l · codebook_l[k] · projection + offset_l[k] · direction |
| ``output_layer.scale`` | [Q − 2] | one a layer |
| ``output_layer.offset`` | [Q − 2, K] | one a code |
| ``output_layer.direction`` | [H] | what the offsets are multiplied with |

Output rows before layer 2 are zero: super-resolution never writes them.
Legend: Q layers, K codebook size, D latent size, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch

from core.errors import CheckpointError
from core.token_layout import COARSE_LAYERS
from models.checkpoint.tensor_source import TensorSource, read_checked

_EMBEDDING, _OUTPUT = "embedding.word_embeddings.weight", "output_layer.weight"
_PARTS = {
    "rows": "embedding.word_embeddings.rows",
    "projection_in": "embedding.word_embeddings.projection",
    "projection_out": "output_layer.projection",
    "scale": "output_layer.scale",
    "offset": "output_layer.offset",
    "direction": "output_layer.direction",
}

_T = TypeVar("_T")


class FactoredTables:
    """A source that also offers ``embedding.word_embeddings.weight`` and ``output_layer.weight``, in full."""

    def __init__(self, source: TensorSource, codebooks: Callable[[], torch.Tensor]) -> None:
        """``codebooks`` gives float32 [Q, K, D] when a table is read; CheckpointError for parts that do not fit."""
        self.path, self._source, self._codebooks = source.path, source, codebooks
        if missing := [name for name in _PARTS.values() if name not in source.shapes]:
            raise CheckpointError(source.path, "is missing from the factored tables", tensor=missing[0])
        for part in ("rows", "offset"):
            if len(shape := source.shapes[_PARTS[part]]) != 2:
                message = f"has shape {list(shape)}; two dimensions were expected"
                raise CheckpointError(source.path, message, tensor=_PARTS[part])
        rows, hidden = source.shapes[_PARTS["rows"]]
        layers, codes = source.shapes[_PARTS["offset"]]
        self._sizes = (rows + layers * codes, hidden)
        tables = {_EMBEDDING: self._sizes, _OUTPUT: self._sizes}
        self.shapes: Mapping[str, tuple[int, ...]] = _others(source.shapes) | tables
        self.dtypes: Mapping[str, torch.dtype] = _others(source.dtypes) | dict.fromkeys(tables, torch.float32)

    @staticmethod
    def are_in(source: TensorSource) -> bool:
        """Whether the tables of this source are stored so."""
        return _PARTS["rows"] in source.shapes

    def read(self, name: str) -> torch.Tensor:
        if name == _EMBEDDING:
            return self._embedding()
        return self._output() if name == _OUTPUT else self._source.read(name)

    def _embedding(self) -> torch.Tensor:
        codebooks = self._added_codebooks()
        rows = self._part("rows", (self._sizes[0] - codebooks.shape[:2].numel(), self._sizes[1]))
        projection = self._part("projection_in", (codebooks.shape[2], self._sizes[1]))
        return torch.cat([rows, (codebooks @ projection).flatten(0, 1)])

    def _output(self) -> torch.Tensor:
        codebooks = self._added_codebooks()
        layers, codes, latent_size = codebooks.shape
        projection = self._part("projection_out", (latent_size, self._sizes[1]))
        scale, offset = self._part("scale", (layers,)), self._part("offset", (layers, codes))
        rows = scale[:, None, None] * (codebooks @ projection)
        rows += offset[..., None] * self._part("direction", (self._sizes[1],))
        table = torch.zeros(self._sizes)
        table[-layers * codes :] = rows.flatten(0, 1)
        return table

    def _part(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        return read_checked(self._source, _PARTS[name], shape).float()

    def _added_codebooks(self) -> torch.Tensor:
        """Codebooks of the layers super-resolution adds."""
        codebooks = self._codebooks()[COARSE_LAYERS:]
        if tuple(codebooks.shape[:2]) != self._source.shapes[_PARTS["offset"]]:
            found = list(self._source.shapes[_PARTS["offset"]])
            message = f"has shape {found}; the codec asks for {list(codebooks.shape[:2])}"
            raise CheckpointError(self.path, message, tensor=_PARTS["offset"])
        return codebooks


def factored_names(parts: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """On-disk names of ``rows``, ``projection_in``, ``projection_out``, ``scale``, ``offset`` and ``direction``."""
    return {name: parts[part] for part, name in _PARTS.items()}


def _others(table: Mapping[str, _T]) -> dict[str, _T]:
    return {name: value for name, value in table.items() if name not in _PARTS.values()}
