"""A plan and a seed to a song: every note, on its frame.

The seed chooses the progression, the motif and the tunes; all else follows from the plan. Songs end with a cadence,
a chord that rings out, and a short silence.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from core.lyrics import clean_lyrics
from training.corpus.accompaniment import BASS_PATTERNS, CHORD_PATTERNS, HALF_BEATS, PAD_PATTERN, Stroke
from training.corpus.drumming import strokes
from training.corpus.form import PHRASE_BARS, Section, SectionKind, song_form
from training.corpus.genres import GENRES, DrumStyle
from training.corpus.grid import MAX_NOTE_FRAMES
from training.corpus.harmony import LEAD_FLOOR, MIDDLE_FLOOR, PROGRESSIONS
from training.corpus.melody import MOTIFS, TUNES, Note, SungNote, sing_lines
from training.corpus.scripts import Syllable
from training.corpus.song_plan import SongPlan
from training.corpus.sounds import VOICE_FLOORS, Event, Sound, vowel_name
from training.corpus.syllables import sung_lines
from training.corpus.texture import LeadUse, Texture, texture
from training.corpus.voices import Voice

_TONIC, _DOMINANT = 0, 4
_WORDLESS = ((Syllable("a"),) * 7,)
"""What a singer without lyrics sings."""


class SungVowel(NamedTuple):
    """A vowel and the frame it is sung from."""

    start: int
    vowel: str


@dataclass(frozen=True, kw_only=True)
class Composition:
    """A song as written: its events in order of writing, and what they mean.

    ``roots`` is the pitch class of each bar's chord.
    """

    events: tuple[Event, ...]
    num_frames: int
    sections: tuple[Section, ...]
    roots: tuple[int, ...]
    sung: tuple[SungVowel, ...]

    def first_starts(self) -> dict[str, int]:
        """The frame on which each sound is first heard, by its name."""
        found: dict[str, int] = {}
        for event in self.events:
            found[event.sound.name] = min(event.start, found.get(event.sound.name, event.start))
        return found


def compose(plan: SongPlan, seed: int) -> Composition:
    """The song that a plan and a seed make."""
    return _Composer(plan, random.Random(seed)).compose()


class _Composer:
    def __init__(self, plan: SongPlan, rng: random.Random) -> None:
        style = GENRES[plan.genre]
        self._plan = plan
        self._form = song_form(plan.minutes, plan.frames_per_beat)
        self._progression = rng.choice(PROGRESSIONS[plan.key.scale])
        # Where nobody drums, the chords keep the time.
        self._chord_pattern = CHORD_PATTERNS["arpeggio" if plan.drums is DrumStyle.NONE else style.chord_pattern]
        self._bass_pattern = BASS_PATTERNS[style.bass_pattern]
        self._motif = rng.choice(MOTIFS)
        self._tunes = {kind: rng.choice(TUNES) for kind in (SectionKind.VERSE, SectionKind.CHORUS)}
        self._lines = sung_lines(clean_lyrics("\n".join(plan.lyrics))) or _WORDLESS
        self._next_line = 0
        self._frame_of_step = [
            (step // 2) * plan.frames_per_beat + (step % 2) * plan.offbeat for step in range(HALF_BEATS)
        ]
        self._events: list[Event] = []
        self._roots: list[int] = []
        self._sung: list[SungVowel] = []

    def compose(self) -> Composition:
        for section in self._form:
            self._write_section(section)
        last = self._form[-1]
        num_bars = last.first_bar + last.bars
        return Composition(
            events=tuple(self._events),
            num_frames=num_bars * self._plan.bar_frames,
            sections=self._form,
            roots=tuple(self._roots),
            sung=tuple(self._sung),
        )

    def _write_section(self, section: Section) -> None:
        is_outro = section.kind is SectionKind.OUTRO
        for bar in range(section.bars):
            if is_outro and bar == section.bars - 1:
                self._write_final_chord(section.first_bar + bar)
                return
            root = _DOMINANT if is_outro and bar == section.bars - 2 else self._progression[bar % PHRASE_BARS]
            self._write_bar(section.first_bar + bar, root, texture(self._plan, section, bar), bar)
        if self._plan.voice and section.is_sung:
            self._write_vocals(section, self._plan.voice)

    def _write_bar(self, bar: int, root: int, parts: Texture, bar_of_section: int) -> None:
        plan, start = self._plan, bar * self._plan.bar_frames
        triad = plan.key.triad(root, MIDDLE_FLOOR)
        self._roots.append(triad[0] % 12)
        self._play(plan.chord, triad, self._chord_pattern, start)
        if parts.pad and plan.pad:
            self._play(plan.pad, triad, PAD_PATTERN, start)
        if parts.bass:
            degrees = tuple(plan.key.bass(root + degree) for degree in range(6))
            self._play(plan.bass, degrees, self._bass_pattern, start)
        answers = bar_of_section % PHRASE_BARS >= PHRASE_BARS // 2
        if parts.lead is LeadUse.THROUGHOUT or (parts.lead is LeadUse.ANSWERS and answers):
            self._play_lead(self._motif, root, start)
        for drum, step in strokes(plan.drums, parts):
            self._events.append(Event(Sound(drum), start + self._frame_of_step[step]))

    def _write_final_chord(self, bar: int) -> None:
        plan, start = self._plan, bar * self._plan.bar_frames
        self._roots.append(plan.key.tonic)
        held = (Stroke(0, HALF_BEATS // 2, (0, 1, 2)),)
        self._play(plan.chord, plan.key.triad(_TONIC, MIDDLE_FLOOR), held, start)
        self._play(plan.bass, (plan.key.bass(_TONIC),), (Stroke(0, HALF_BEATS // 2, (0,)),), start)
        self._play_lead((Note(0, HALF_BEATS // 2, 0),), _TONIC, start)
        if plan.drums is not DrumStyle.NONE:
            self._events.append(Event(Sound("kick"), start))

    def _write_vocals(self, section: Section, voice: Voice) -> None:
        notes, self._next_line = sing_lines(self._lines, self._next_line, section.bars, self._tunes[section.kind])
        for note in notes:
            self._sing(note, section, voice)

    def _sing(self, note: SungNote, section: Section, voice: Voice) -> None:
        plan = self._plan
        bar = note.step // HALF_BEATS
        start, frames = self._span(section.first_bar * plan.bar_frames, note.step, note.steps)
        root = self._progression[bar % PHRASE_BARS]
        pitch = plan.key.pitch(root + note.degree, VOICE_FLOORS[voice])
        if note.syllable.consonant:
            self._events.append(Event(Sound(note.syllable.consonant), start))
        self._events.append(Event(Sound(vowel_name(voice, note.syllable.vowel), pitch), start, frames))
        self._sung.append(SungVowel(start, note.syllable.vowel))

    def _play(self, instrument: str, pitches: tuple[int, ...], pattern: tuple[Stroke, ...], bar_start: int) -> None:
        for stroke in pattern:
            start, frames = self._span(bar_start, stroke.step, stroke.steps)
            self._events += [Event(Sound(instrument, pitches[note]), start, frames) for note in stroke.notes]

    def _play_lead(self, motif: tuple[Note, ...], root: int, bar_start: int) -> None:
        for note in motif:
            start, frames = self._span(bar_start, note.step, note.steps)
            pitch = self._plan.key.pitch(root + note.degree, LEAD_FLOOR)
            self._events.append(Event(Sound(self._plan.lead, pitch), start, frames))

    def _span(self, origin: int, step: int, steps: int) -> tuple[int, int]:
        """First frame and length of what lasts from one half beat to another, counted from ``origin``."""
        start, end = (
            origin + (s // HALF_BEATS) * self._plan.bar_frames + self._frame_of_step[s % HALF_BEATS]
            for s in (step, step + steps)
        )
        return start, min(end - start, MAX_NOTE_FRAMES)
