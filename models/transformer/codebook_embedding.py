"""Rows of several code columns, embedded as the sum of their codes.

Legend: T rows, Q columns, H hidden.
"""

from __future__ import annotations

import torch

from models.transformer.model import Transformer

PADDING = -1


def embed_columns(model: Transformer, ids_TQ: torch.Tensor) -> torch.Tensor:
    """Sum of the embeddings of each row's known columns, float32 [T, H]; −1 contributes nothing.

    Columns are added one at a time, so nothing of size [rows, columns, hidden] is ever built, and in float32, so that
    a running sum over 64 columns equals a sum made at once.
    """
    total = torch.zeros(ids_TQ.shape[0], model.config.hidden_size, dtype=torch.float32, device=ids_TQ.device)
    for column in ids_TQ.unbind(1):
        known = (column != PADDING).unsqueeze(1)
        total += torch.where(known, model.embed(column.clamp_min(0)).float(), 0.0)
    return total
