from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from models.checkpoint.codec_file import CodecWeights, read_codec_weights

from .small_codec import write_small_codec


@pytest.fixture(scope="session")
def codec_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_codec(tmp_path_factory.mktemp("codec") / "small.ckpt")


@pytest.fixture(scope="session")
def weights(codec_file: Path) -> CodecWeights:
    return read_codec_weights(codec_file)


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small gain nothing from a second thread, and lose much while other work keeps it waiting."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
