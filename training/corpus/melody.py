"""Melodies: the lead's motif of one bar, and the tune and timing of sung lines."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from training.corpus.accompaniment import HALF_BEATS
from training.corpus.scripts import Syllable

LINE_BARS = 2
"""Bars a sung line takes; one with more syllables than fit takes as many more such pairs as it needs."""

_LAST_STEPS_ARE_RESTS = 1


class Note(NamedTuple):
    """A note of a motif: its half beat, how many half beats it lasts, its degree above the chord's root."""

    step: int
    steps: int
    degree: int


class SungNote(NamedTuple):
    """A syllable in time: half beats counted from the start of the first line, and a degree above the chord's root."""

    step: int
    steps: int
    degree: int
    syllable: Syllable


def _motif(rng: random.Random) -> tuple[Note, ...]:
    """A bar of four notes that starts on a chord note; notes last until the next, three half beats at most."""
    struck = sorted({0, *rng.sample(range(1, HALF_BEATS), 3)})
    return tuple(
        Note(step, min(end - step, 3), rng.choice((0, 2, 4) if step % 4 == 0 else (0, 1, 2, 3, 4)))
        for step, end in zip(struck, [*struck[1:], HALF_BEATS], strict=True)
    )


def _tune(rng: random.Random) -> tuple[int, ...]:
    """A degree for each of the half beats of two bars, chord notes on the beats."""
    return tuple(rng.choice((0, 2, 4) if step % 2 == 0 else (0, 1, 2, 3, 4)) for step in range(LINE_BARS * HALF_BEATS))


MOTIFS = tuple(_motif(random.Random(f"motif {number}")) for number in range(10))
TUNES = tuple(_tune(random.Random(f"tune {number}")) for number in range(8))
"""All there are, so that a small model can know them by heart."""


def sing_lines(
    lines: Sequence[Sequence[Syllable]], first_line: int, bars: int, tune: Sequence[int]
) -> tuple[list[SungNote], int]:
    """Lines sung one after another for a number of bars, from ``first_line`` on and round again at the end.

    Short lines are sung in beats, longer ones in half beats; every line starts on a bar and ends in a rest.
    Returns the notes and the line to go on with.
    """
    notes: list[SungNote] = []
    bar, line = 0, first_line
    while bar < bars:
        syllables = lines[line % len(lines)]
        pairs = -(-(len(syllables) + _LAST_STEPS_ARE_RESTS) // (LINE_BARS * HALF_BEATS))
        taken = min(pairs * LINE_BARS, bars - bar)
        notes += _sing_line(syllables, bar * HALF_BEATS, taken * HALF_BEATS, tune)
        bar += taken
        line += 1
    return notes, line


def _sing_line(syllables: Sequence[Syllable], first_step: int, steps: int, tune: Sequence[int]) -> Iterator[SungNote]:
    step_of_each = 2 if 2 * len(syllables) + _LAST_STEPS_ARE_RESTS <= steps else 1
    fitting = syllables[: (steps - _LAST_STEPS_ARE_RESTS) // step_of_each]
    for number, syllable in enumerate(fitting):
        step = number * step_of_each
        end = steps - _LAST_STEPS_ARE_RESTS if number == len(fitting) - 1 else step + step_of_each
        yield SungNote(first_step + step, end - step, tune[step % len(tune)], syllable)
