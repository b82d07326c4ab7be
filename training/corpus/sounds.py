"""Every sound a song can hold, by name and pitch: notes that are held and strikes that ring by themselves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from training.corpus.drums import DRUMS, strike
from training.corpus.genres import BASS_INSTRUMENTS, CHORD_INSTRUMENTS, LEAD_INSTRUMENTS, PAD_INSTRUMENTS
from training.corpus.grid import HOP_SAMPLES
from training.corpus.harmony import BASS_PITCHES, LEAD_FLOOR, MIDDLE_FLOOR, PITCH_CLASSES, TENOR_FLOOR
from training.corpus.instruments import INSTRUMENTS, tone
from training.corpus.voices import CONSONANTS, VOWELS, Voice, articulate, sing
from training.corpus.waves import Samples

LOUDNESS = 0.4
"""Leaves head room for everything at once."""

_FADE_SAMPLES = 512
_SILENT_SAMPLES = 256
"""A sound that is not held fades out this long before the end of its last frame, and reaches no further frame."""

UNPITCHED = 0
"""The pitch of drums and consonants."""


class Sound(NamedTuple):
    """A sound: an instrument, a sung vowel (see ``vowel_name``), a drum or a consonant; the latter two unpitched."""

    name: str
    pitch: int = UNPITCHED

    @property
    def is_held(self) -> bool:
        """Whether it lasts as long as it is held, rather than ringing for its own time."""
        return self.name not in DRUMS and self.name not in CONSONANTS

    @property
    def frames(self) -> int:
        """Length in frames of a sound that is not held."""
        return DRUMS[self.name] if self.name in DRUMS else CONSONANTS[self.name]


class Event(NamedTuple):
    """A sound that starts on a frame; ``frames`` is how long it is held, and 0 for one that rings by itself."""

    sound: Sound
    start: int
    frames: int = 0


VOICE_FLOORS = {Voice.MALE: TENOR_FLOOR, Voice.FEMALE: MIDDLE_FLOOR}
"""Lowest pitch of the octave each voice sings in."""

_SUNG = {f"{voice.value}_{vowel}": (voice, vowel) for voice in Voice for vowel in VOWELS}


def vowel_name(voice: Voice, vowel: str) -> str:
    """Name of the sound of a sung vowel."""
    return f"{voice.value}_{vowel}"


def samples_of(sound: Sound, frames: int) -> Samples:
    """The first ``frames`` frames of a sound from its very start, [2, frames·hop]; one that is held never ends."""
    samples = frames * HOP_SAMPLES
    if sound.name in INSTRUMENTS:
        return LOUDNESS * tone(INSTRUMENTS[sound.name], sound.pitch, samples)
    if sound.name in _SUNG:
        return LOUDNESS * sing(*_SUNG[sound.name], sound.pitch, samples)
    own = sound.frames * HOP_SAMPLES
    struck = strike(sound.name) if sound.name in DRUMS else articulate(sound.name, own)
    end = own - _SILENT_SAMPLES
    padded = np.zeros((2, max(samples, own)))
    padded[:, :end] = LOUDNESS * struck[:, :end]
    padded[:, end - _FADE_SAMPLES : end] *= np.linspace(1, 0, _FADE_SAMPLES)
    return padded[:, :samples]


def all_sounds() -> frozenset[Sound]:
    """Every sound any song of the corpus can hold."""
    parts = (
        (CHORD_INSTRUMENTS + PAD_INSTRUMENTS, MIDDLE_FLOOR),
        (LEAD_INSTRUMENTS, LEAD_FLOOR),
        *((tuple(vowel_name(voice, vowel) for vowel in VOWELS), VOICE_FLOORS[voice]) for voice in Voice),
    )
    held = {
        Sound(name, floor + pitch_class) for names, floor in parts for name in names for pitch_class in PITCH_CLASSES
    }
    held |= {Sound(name, BASS_PITCHES[pitch_class]) for name in BASS_INSTRUMENTS for pitch_class in PITCH_CLASSES}
    return frozenset(held | {Sound(name) for name in (*DRUMS, *CONSONANTS)})
