"""The checkpoint's README: what it is, what was measured, what it cannot do. Every number comes from the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

from training.evaluation.endings import STANDSTILL_SECONDS
from training.evaluation.intervals import Estimate
from training.evaluation.results import Section
from training.superres_model import SHARPNESS

CARD_FILE = "README.md"

_INTRODUCTION = """\
A small checkpoint of the full architecture (64-layer codec, backbone, super-resolution in 62 steps), trained from
nothing by the recipe in `training/`. It makes music on a laptop's CPU, so that everything around it can be tried. Its
music is that of its corpus: synthetic, on a fixed grid of tempi and pitches, in ten families of style."""

_LIMITS = """\
## Limits

- It knows only what its corpus holds: ten families of style, six tempi from 76 to 161 beats a minute, six keys, 21
  instruments, ten drums and two voices. Other wishes fall on the nearest of these, or on nothing.
- It sounds a third of a semitone below concert pitch: the tuning follows the codec's frames.
- The voices sing five vowels and two kinds of consonant. Words cannot be understood, and whether the vowels are those
  of the lyrics is measured above: where right and shuffled are alike, they are not.
- Melodies are put together from ten motifs and eight tunes over eight chord progressions, one a song.
- It is best at songs of one minute, with which the page begins: of two and three it has read far less, and how long
  those become is measured above. A song that has not ended by itself at 1.3 times the asked length is cut, and says so.
- Behind lyrics of more than some three hundred bytes a minute one song in three does not end by itself (8 of the 22 of
  those above, 2 of the 26 others): it read such songs, but not to their end.
- The codec is fitted to this corpus and poor on any other sound.
- Songs resemble each other, as those of the corpus do: see the share of known windows above."""

_DATA = """\
## Data and licence

No recording, sound font, text or melody of anybody else was used: a deterministic composer and synthesiser
(`training/corpus`) made every song and its words, from textbook acoustics and common words of seven languages."""


class Report(TypedDict):
    """``evaluation.json``."""

    checkpoint: str
    licence: str | None
    command: str
    seeds: dict[str, int]
    sampling: dict[str, float]
    versions: dict[str, str]
    gate: dict[str, float]
    ships: bool
    sections: dict[str, Section]


def model_card(report: Report, goals: str, *, pictures: Mapping[str, str]) -> str:
    """The card in Markdown. ``goals`` is their table; ``pictures`` are paths from the card, by what they show."""
    sections = report["sections"]
    parts = [
        f"# {report['checkpoint']}",
        _INTRODUCTION,
        "## Goals",
        goals,
        "## Does it do what it is asked?",
        *_following(report),
        "## Does it end, and how does it sound?",
        *_sound(sections),
        "## Codec",
        *_codec(sections["codec"]),
        "## How well it foretells codes",
        *_nats(sections),
        "## Is it new, and how fast is it?",
        *_new_and_fast(sections),
        *(f"![{title}]({path})" for title, path in pictures.items()),
        _LIMITS,
        f"{_DATA}\n\nWeights and code: {report['licence'] or 'the licence of the project'}.",
        _repeat(report),
    ]
    return "\n\n".join(parts) + "\n"


def _following(report: Report) -> list[str]:
    sections, sampling = report["sections"], report["sampling"]
    vowels = sections["vowels"]
    meters = {**sections["following"], "vowels of the lyrics": vowels}
    rows = [
        (
            name,
            _interval(found["right"]),
            f"{found['shuffled']:.2f}",
            _interval(found["originals"]),
            found["right"]["n"],
        )
        for name, found in meters.items()
    ]
    return [
        f"One-minute songs for held-out requests, tag lists and sentences, at temperature {sampling['temperature']:g} "
        f"and top-k {sampling['top k']:g}. Each meter counts the requests that speak of it. *Shuffled*: the same songs "
        "held against the other songs' requests. *Originals*: the corpus's own songs for the same requests; no meter "
        "can be expected to do better. In brackets 95 % intervals.",
        _table(("", "right", "shuffled", "originals", "n"), rows),
        "Tempo grid: share of a whole song's onsets that lie on the beats and half beats of the asked tempo. Exact "
        "tempo: an autocorrelation comb over onsets. Instrument: share of the instruments asked for that are heard as "
        "chords or lead. Vowels: 1 − edits / vowels heard, against the lyrics sung round and round. A song fits its "
        f"own lyrics better than another song's {100 * vowels['own fits better']['mean']:.0f} % of the time. Vowels "
        f"heard in a song: {vowels['vowels heard']:.0f}, in originals {vowels['vowels heard in originals']:.0f}.",
    ]


def _sound(sections: dict[str, Section]) -> list[str]:
    sound, long, sung = sections["sound"], sections["long"], sections["sung"]
    tracks = sound["tracks"]
    loudness = sorted(track["rms db"] for track in tracks)
    return [
        _endings(sections["endings"]),
        f"Longer songs: {_endings(long)} Of those whose request speaks of it {_interval(long['genre'])} have the "
        f"genre, and {_interval(long['tempo grid'])} of the onsets lie on the grid.",
        f"Songs that are all sung, with lyrics that are far too long or a line a section: {_endings(sung)} In "
        f"{_interval(sung['vocal or not'])} a voice is heard.",
        f"Of {len(tracks)} songs made into sound these shares are silent: {sound['silent']['mean']:g}, have clipped "
        f"samples: {sound['clipping']['mean']:g}, pause for over two seconds: {sound['pausing']['mean']:g}. The "
        f"loudest peak is {max(track['peak db'] for track in tracks):.1f} dB of full scale, the root mean square "
        f"{loudness[0]:.1f} to {loudness[-1]:.1f} dB.",
    ]


def _endings(found: Section) -> str:
    in_time, seconds = found["ended within 20 %"], found["seconds by percentile"]
    return (
        f"{_interval(in_time)} of {in_time['n']} songs end by themselves within 20 % of the asked "
        f"{found['seconds asked']} seconds. They last {seconds['5']} to {seconds['95']} s (5th to 95th percentile; "
        f"median {seconds['50']}) and are cut at {found['cut at seconds']} s; "
        f"{found['stood still']['mean']:.2f} of them stand still for {STANDSTILL_SECONDS} seconds or more."
    )


def _codec(codec: Section) -> list[str]:
    counts = list(codec["si-sdr"])
    rows = [
        (name, *(f"{codec[key][count]:.2f}" for count in counts))
        for name, key in (("SI-SDR, dB", "si-sdr"), ("mel distance, noise floor −64 dB", "mel distance"))
    ]
    return [
        f"Excerpts of {codec['songs']} held-out songs through encoder and decoder, by number of layers decoded.",
        _table(("layers", *counts), rows),
    ]


def _nats(sections: dict[str, Section]) -> list[str]:
    coarse, fine, gain = sections["backbone"], sections["superres"], sections["superres_gain"]
    nats, unigram = coarse["nats"], coarse["unigram nats"]
    layers = list(fine["nats"])
    rows = [
        (name, *(f"{fine[key][layer]:.2f}" for layer in layers))
        for name, key in (
            ("as served", "nats"),
            (f"at temperature {SHARPNESS:g}", "tempered nats"),
            ("unigram", "unigram nats"),
        )
    ]
    return [
        f"Backbone, nats a code as it is served: q0 {nats['q0']:.3f} (unigram {unigram['q0']:.2f}), q1 "
        f"{nats['q1']:.3f} ({unigram['q1']:.2f}); on frames in which something begins q0 {nats['q0 on onsets']:.3f}, "
        f"q1 {nats['q1 on onsets']:.3f}. Super-resolution, in nats given all layers before; it is "
        f"served {SHARPNESS:g} times as sure as it was trained to be, which costs nats and makes songs less noisy:",
        _table(("layer", *layers), rows),
        f"With true layers 0 and 1 alone the latent has {gain['snr of two layers']['mean']:.1f} dB. Generated layers "
        f"add {_interval(gain['gain'], '+.1f')} dB, drawn from the {gain['top k']} likeliest codes, and "
        f"{gain['gain drawing the likeliest']['mean']:+.1f} dB if the likeliest is taken.",
    ]


def _new_and_fast(sections: dict[str, Section]) -> list[str]:
    novelty, speed = sections["novelty"], sections["speed"]
    return [
        f"Share of windows of {novelty['window seconds']} seconds whose coarse codes occur in training songs: "
        f"{_interval(novelty['windows seen in training'], '.3f')}; of the corpus's own held-out songs "
        f"{_interval(novelty['of held-out originals'], '.3f')}. Compared with {novelty['training songs compared']} of "
        f"the {novelty['training songs']} songs it was trained on.",
        f"Two one-minute tracks (of {' and '.join(f'{length:.0f}' for length in speed['seconds of each track'])} s), "
        f"from command to MP3: {speed['seconds']:.0f} s on {speed['cpu cores']} {speed['machine']} cores, in "
        f"{speed['format']}.",
    ]


def _repeat(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    seeds = ", ".join(f"{name} {seed}" for name, seed in report["seeds"].items())
    return (
        "## To repeat it\n\n"
        f"`make evaluate`, that is `{report['command']}`. Nothing but these files is needed: the corpus is rebuilt "
        f"from the codec's. Versions: {versions}. Seeds: {seeds}."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def _interval(found: Estimate, form: str = ".2f") -> str:
    return f"{found['mean']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"
