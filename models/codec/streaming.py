"""How a song of any length is cut into windows, each small enough to run, so that nobody can tell from the result.

Each chunk is given as many frames around it as the network can see from it, at most up to the song's ends, and only
the chunk itself is kept: what is computed next to a cut is thrown away, so no cross-fade is needed, and the memory
needed does not grow with the song. See ``convolution`` for why the samples are equal and not just close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from models.codec.receptive_field import required_input

DEFAULT_CHUNK_FRAMES = 256
"""About 12 seconds. Longer chunks spend less on context, shorter ones need less memory."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """The frames to run a network on, and those among them for which its output is exact."""

    frames: range
    exact: range

    @property
    def frames_before(self) -> int:
        """Frames of context before the first exact one."""
        return self.exact.start - self.frames.start


def decoding_windows(decoder: Decoder, hop_samples: int, *, num_frames: int, chunk_frames: int) -> Iterator[Window]:
    """Windows of latents whose exact parts are consecutive and cover the song."""

    def context(chunk: range) -> range:
        return required_input(decoder, range(chunk.start * hop_samples, chunk.stop * hop_samples))

    return _windows(num_frames, chunk_frames, context)


def encoding_windows(encoder: Encoder, hop_samples: int, *, num_frames: int, chunk_frames: int) -> Iterator[Window]:
    """Windows of audio, in whole frames, whose exact parts are consecutive and cover the song."""

    def context(chunk: range) -> range:
        samples = required_input(encoder, chunk)
        return range(samples.start // hop_samples, -(-samples.stop // hop_samples))

    return _windows(num_frames, chunk_frames, context)


def _windows(num_frames: int, chunk_frames: int, context: Callable[[range], range]) -> Iterator[Window]:
    for start in range(0, num_frames, chunk_frames):
        chunk = range(start, min(start + chunk_frames, num_frames))
        seen = context(chunk)
        yield Window(frames=range(max(seen.start, 0), min(seen.stop, num_frames)), exact=chunk)
