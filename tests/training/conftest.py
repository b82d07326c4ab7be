from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from training.codec_fit.fit import FittedCodec, fit_codec
from training.codec_fit.scale import MINIATURE
from training.corpus.dataset import Corpus
from training.corpus.slices import SliceBank
from training.corpus.sounds import all_sounds

FIT_SEED = 3


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Threads would only wait for each other, and add in another order; of the session, to be there before the fits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def bank() -> SliceBank:
    """Every sound of the corpus."""
    return SliceBank.of(all_sounds())


@pytest.fixture(scope="session")
def codec_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fit") / "codec"


@pytest.fixture(scope="session")
def fitted(codec_directory: Path, bank: SliceBank) -> FittedCodec:
    """The miniature codec, its files in ``codec_directory``."""
    return fit_codec(codec_directory, MINIATURE, FIT_SEED, bank=bank)


@pytest.fixture(scope="session")
def corpus(fitted: FittedCodec, codec_directory: Path) -> Corpus:
    return Corpus.open(codec_directory)
