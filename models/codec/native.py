"""The codec behind the pipeline's ports: NumPy at the border, float32 inside, on whichever device."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from core.codes import CodeArray, FullCodes
from core.engine import AudioArray
from core.errors import CodesError, InvalidRequest
from models.codec.config import CodecConfig
from models.codec.decoder import Decoder
from models.codec.encoder import Encoder
from models.codec.precision import full_float32
from models.codec.rvq import ResidualVectorQuantizer
from models.codec.streaming import DEFAULT_CHUNK_FRAMES, Window, decoding_windows, encoding_windows
from models.out_of_memory import naming_out_of_memory


class NativeCodecDecoder:
    """Implements core.engine.CodecDecoder. All parts lie on one device; ``chunk_frames`` frames are decoded at a time.

    The audio is the same whatever the chunk: to the bit on CPUs with AVX-512, within float32 rounding elsewhere.
    """

    def __init__(
        self,
        config: CodecConfig,
        decoder: Decoder,
        quantizer: ResidualVectorQuantizer,
        *,
        chunk_frames: int = DEFAULT_CHUNK_FRAMES,
    ) -> None:
        self._config = config
        self._decoder = decoder
        self._quantizer = quantizer
        self._chunk_frames = _checked(chunk_frames)

    def decode(self, codes: FullCodes) -> Iterator[AudioArray]:
        """Consecutive pieces of the song, float32 [channels, samples], together frames·hop samples long.

        Fewer layers than the codec has give a coarser sound. CodesError when there are more, or a code is too large.
        """
        config = self._config
        if codes.num_layers > config.num_quantizers:
            raise CodesError(f"the codes have {codes.num_layers} layers; the codec has only {config.num_quantizers}")
        if (largest := int(codes.values.max())) >= config.codebook_size:
            raise CodesError(f"the code {largest} does not exist; the codec's are 0 to {config.codebook_size - 1}")
        windows = decoding_windows(
            self._decoder, config.hop_samples, num_frames=codes.num_frames, chunk_frames=self._chunk_frames
        )
        return (self._decode_window(codes.values, window) for window in windows)

    def _decode_window(self, codes_QF: CodeArray, window: Window) -> AudioArray:
        hop, device = self._config.hop_samples, self._quantizer.codebooks.device
        with torch.inference_mode(), full_float32(), naming_out_of_memory("decoding the audio", song_size=False):
            codes = codes_QF[:, window.frames.start : window.frames.stop].astype(np.int64)
            audio_CT = self._decoder(self._quantizer.decode(torch.from_numpy(codes).to(device)))[0]
            exact_CT = audio_CT[:, window.frames_before * hop :][:, : len(window.exact) * hop]
            piece: AudioArray = exact_CT.contiguous().cpu().numpy()
            return piece


class NativeCodecEncoder:
    """Implements core.engine.CodecEncoder; devices, chunks and exactness as in NativeCodecDecoder."""

    def __init__(
        self,
        config: CodecConfig,
        encoder: Encoder,
        quantizer: ResidualVectorQuantizer,
        *,
        chunk_frames: int = DEFAULT_CHUNK_FRAMES,
    ) -> None:
        self._config = config
        self._encoder = encoder
        self._quantizer = quantizer
        self._chunk_frames = _checked(chunk_frames)

    def encode(self, audio: AudioArray) -> FullCodes:
        """Codes of audio [channels, samples] at the codec's sample rate; the last frame is filled with silence.

        InvalidRequest when the audio is empty, has other channels or holds numbers that are not finite.
        """
        config = self._config
        if audio.ndim != 2 or len(audio) != config.channels or audio.size == 0:
            message = f"must be samples of {config.channels} channels, not an array of shape {list(audio.shape)}"
            raise InvalidRequest("audio", message)
        if not np.isfinite(audio).all():
            raise InvalidRequest("audio", "must not hold infinite or undefined samples")
        windows = encoding_windows(
            self._encoder,
            config.hop_samples,
            num_frames=-(-audio.shape[1] // config.hop_samples),
            chunk_frames=self._chunk_frames,
        )
        return FullCodes(values=np.concatenate([self._encode_window(audio, window) for window in windows], axis=1))

    def _encode_window(self, audio: AudioArray, window: Window) -> CodeArray:
        hop, device = self._config.hop_samples, self._quantizer.codebooks.device
        with torch.inference_mode(), full_float32(), naming_out_of_memory("encoding the audio", song_size=False):
            given_CT = audio[:, window.frames.start * hop : window.frames.stop * hop]
            padded_CT = np.zeros((len(audio), len(window.frames) * hop), np.float32)
            padded_CT[:, : given_CT.shape[1]] = given_CT
            latent_1DF = self._encoder(torch.from_numpy(padded_CT).unsqueeze(0).to(device))
            exact_1DF = latent_1DF[..., window.frames_before :][..., : len(window.exact)]
            return self._quantizer.encode(exact_1DF).cpu().numpy().astype(np.int16)


def _checked(chunk_frames: int) -> int:
    if chunk_frames < 1:
        raise ValueError(f"a chunk must have at least one frame, not {chunk_frames}")
    return chunk_frames
