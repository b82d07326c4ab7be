"""What tags mean to the corpus: each known tag as constraints on a plan, and each plan as the tags that fit it.

The tags are those of the catalogue, keys ("A Minor") and any tempo ("93 BPM"). The corpus has ten families of style
and some twenty instruments, so many tags share a meaning: Cantopop is pop, a trombone is the brass there is. What the
synthesiser cannot do at all is listed in ``NO_AUDIBLE_EFFECT``. Unknown tags mean nothing.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from training.corpus.genres import DrumStyle, Genre
from training.corpus.grid import TEMPI, nearest_tempo
from training.corpus.harmony import KEYS, Scale
from training.corpus.planning import SOLO_PIANO, Constraints
from training.corpus.song_plan import Density, SongPlan
from training.corpus.voices import Voice


class Aspect(str, Enum):
    """What of a song a tag speaks of."""

    GENRE = "genre"
    INSTRUMENT = "instrument"
    BASS = "bass"
    DRUMS = "drums"
    VOICE = "voice"
    MOOD = "mood"
    TEMPO = "tempo"
    ARRANGEMENT = "arrangement"
    KEY = "key"


def _genres(*genres: Genre) -> Constraints:
    return Constraints(genre=frozenset(genres))


def _tempi(slowest: int, fastest: int) -> Constraints:
    """Tempi between two beat lengths in frames."""
    return Constraints(frames_per_beat=frozenset(tempo for tempo in TEMPI if fastest <= tempo <= slowest))


def _plays(*instruments: str) -> Constraints:
    return Constraints(plays=(frozenset(instruments),))


def _bass(*instruments: str) -> Constraints:
    return Constraints(bass=frozenset(instruments))


def _drums(*styles: DrumStyle) -> Constraints:
    return Constraints(drums=frozenset(styles))


def _voice(*voices: Voice | None) -> Constraints:
    return Constraints(voice=frozenset(voices))


_MAJOR, _MINOR = (Constraints(scale=frozenset({scale})) for scale in Scale)
_SPARSE, _DENSE = (Constraints(density=frozenset({density})) for density in (Density.SPARSE, Density.DENSE))
_FAST, _MEDIUM, _SLOW = _tempi(9, 8), _tempi(13, 11), _tempi(17, 15)
_LIVELY, _UNHURRIED = _tempi(11, 8), _tempi(17, 13)
_DRIFTING = _genres(Genre.SYNTHWAVE, Genre.CINEMATIC, Genre.BALLAD, Genre.HIP_HOP)
_GRAND = _genres(Genre.CINEMATIC, Genre.ROCK)
_SUNG = _voice(*Voice)

_TABLE: dict[Aspect, dict[str, Constraints]] = {
    Aspect.GENRE: {
        **dict.fromkeys(("Pop", "J-Pop", "K-Pop", "C-Pop", "Mandopop", "Cantopop", "Indie Pop"), _genres(Genre.POP)),
        **dict.fromkeys(("Anime", "Reggae"), _genres(Genre.POP)),
        "City Pop": _genres(Genre.POP) & _plays("electric_piano"),
        "Musical Theatre": _genres(Genre.POP) & _plays("piano"),
        "Funk": _genres(Genre.POP) & _bass("synth_bass"),
        **dict.fromkeys(("Rock", "Indie Rock", "Alternative Rock", "Hard Rock", "Post-Rock"), _genres(Genre.ROCK)),
        "Punk Rock": _genres(Genre.ROCK) & _FAST,
        "Pop Punk": _genres(Genre.ROCK) & _FAST & _MAJOR,
        "Metal": _genres(Genre.ROCK) & _MINOR,
        "Shoegaze": _genres(Genre.ROCK) & _DENSE,
        **dict.fromkeys(("EDM", "House", "Future Bass", "Dubstep"), _genres(Genre.ELECTRONIC)),
        "Deep House": _genres(Genre.ELECTRONIC) & _bass("sub_bass"),
        "Techno": _genres(Genre.ELECTRONIC) & _MINOR,
        "Trance": _genres(Genre.ELECTRONIC) & _tempi(9, 8),
        "Drum and Bass": _genres(Genre.ELECTRONIC) & _tempi(8, 8),
        "Disco": _genres(Genre.ELECTRONIC) & _tempi(11, 11),
        **dict.fromkeys(("Hip-hop", "R&B"), _genres(Genre.HIP_HOP)),
        "Trap": _genres(Genre.HIP_HOP) & _MINOR,
        "Lo-fi": _genres(Genre.HIP_HOP) & _tempi(17, 13),
        **dict.fromkeys(("Ballad", "Soul", "Gospel"), _genres(Genre.BALLAD)),
        "Singer-Songwriter": _genres(Genre.BALLAD) & _plays("acoustic_guitar", "piano"),
        **dict.fromkeys(("Jazz", "Swing", "Blues", "Bossa Nova"), _genres(Genre.JAZZ)),
        **dict.fromkeys(("Synthwave", "Dream Pop"), _genres(Genre.SYNTHWAVE)),
        **dict.fromkeys(("Folk", "Country", "Latin", "Chinese Traditional"), _genres(Genre.FOLK)),
        "Bluegrass": _genres(Genre.FOLK) & _tempi(11, 8),
        **dict.fromkeys(("Cinematic", "Classical", "Orchestral", "Soundtrack", "New Age"), _genres(Genre.CINEMATIC)),
        "Ambient": _genres(Genre.CINEMATIC) & _drums(DrumStyle.TOMS, DrumStyle.NONE),
        "Chiptune": _genres(Genre.CHIPTUNE),
    },
    Aspect.INSTRUMENT: {
        "Piano": _plays("piano"),
        "Solo Piano": SOLO_PIANO,
        "Electric Piano": _plays("electric_piano"),
        "Organ": _plays("organ"),
        "Electric Guitar": _plays("electric_guitar", "distorted_guitar"),
        **dict.fromkeys(("Distorted Guitar", "Distortion"), _plays("distorted_guitar")),
        **dict.fromkeys(("Acoustic Guitar", "Fingerpicked Guitar", "Nylon Guitar"), _plays("acoustic_guitar")),
        **dict.fromkeys(("Guzheng", "Pipa", "Koto", "Harp", "Harpsichord"), _plays("acoustic_guitar")),
        "Synth Lead": _plays("square_lead", "saw_stack", "chip_pulse"),
        **dict.fromkeys(("Synth Pluck", "Synth Arpeggio"), _plays("saw_stack", "chip_pulse")),
        "Synth Pads": _plays("synth_pad"),
        "Strings": _plays("strings"),
        **dict.fromkeys(("Violin", "Viola", "Erhu"), _plays("violin")),
        "Cello": _plays("cello"),
        **dict.fromkeys(("Brass", "Trumpet", "Trombone", "French Horn"), _plays("trumpet")),
        "Saxophone": _plays("saxophone"),
        **dict.fromkeys(("Flute", "Dizi", "Clarinet"), _plays("flute")),
        **dict.fromkeys(("Bells", "Music Box", "Marimba"), _plays("bell")),
    },
    Aspect.BASS: {
        "Synth Bass": _bass("synth_bass"),
        **dict.fromkeys(("808 Bass", "Sub-bass"), _bass("sub_bass")),
        "Heavy Bass": _bass("sub_bass", "synth_bass"),
        "Bass Guitar": _bass("finger_bass", "pick_bass"),
        **dict.fromkeys(("Slap Bass", "Upright Bass"), _bass("pick_bass")),
    },
    Aspect.DRUMS: {
        "Electronic Drums": _drums(DrumStyle.FOUR_ON_THE_FLOOR, DrumStyle.MACHINE, DrumStyle.BOOM_BAP),
        "Drum Machine": _drums(DrumStyle.MACHINE, DrumStyle.BOOM_BAP, DrumStyle.CHIP),
        "Acoustic Drums": _drums(DrumStyle.BACKBEAT, DrumStyle.ROCK, DrumStyle.SOFT),
        "Brushed Drums": _drums(DrumStyle.SWING, DrumStyle.SOFT),
        "Percussion": _drums(DrumStyle.TOMS, DrumStyle.SHAKER),
        "Tambourine": _drums(DrumStyle.SHAKER),
        **dict.fromkeys(("Hand Claps", "Four-on-the-floor"), _drums(DrumStyle.FOUR_ON_THE_FLOOR)),
        "Breakbeat": _drums(DrumStyle.BOOM_BAP),
        **dict.fromkeys(("Swing Feel", "Shuffle"), _genres(Genre.JAZZ)),
        "Syncopated Rhythm": _genres(Genre.HIP_HOP, Genre.JAZZ),
    },
    Aspect.VOICE: {
        "Instrumental": _voice(None),
        "Male Vocals": _voice(Voice.MALE),
        "Female Vocals": _voice(Voice.FEMALE),
        **dict.fromkeys(("Raspy Vocals", "Rap Vocals"), _voice(Voice.MALE)),
        **dict.fromkeys(("Falsetto", "Breathy Vocals", "Children's Choir"), _voice(Voice.FEMALE)),
        **dict.fromkeys(("Powerful Vocals", "Soft Vocals", "Whispered Vocals", "Harmonized Vocals"), _SUNG),
        **dict.fromkeys(("Choir", "Duet", "Backing Vocals"), _SUNG),
    },
    Aspect.MOOD: {
        **dict.fromkeys(("Melancholic", "Sad"), _MINOR & _UNHURRIED),
        **dict.fromkeys(("Heartbroken", "Haunting"), _MINOR & _SLOW),
        "Nostalgic": _UNHURRIED,
        **dict.fromkeys(("Uplifting", "Happy"), _MAJOR & _LIVELY),
        **dict.fromkeys(("Playful", "Festive"), _MAJOR & _tempi(11, 8)),
        "Carefree": _MAJOR & _LIVELY & _genres(Genre.POP, Genre.FOLK, Genre.CHIPTUNE),
        "Hopeful": _MAJOR,
        "Warm": _MAJOR & _UNHURRIED,
        **dict.fromkeys(("Peaceful", "Romantic"), _MAJOR & _tempi(17, 13)),
        **dict.fromkeys(("Calm", "Reflective", "Tender"), _SLOW),
        "Relaxing": _tempi(17, 13),
        **dict.fromkeys(("Atmospheric", "Dreamy", "Ethereal"), _DRIFTING),
        **dict.fromkeys(("Anthemic", "Triumphant"), _MAJOR & _DENSE),
        "Epic": _GRAND,
        "Heroic": _GRAND & _MAJOR,
        "Energetic": _FAST,
        "Aggressive": _MINOR & _FAST,
        "Tense": _MINOR & _LIVELY,
        "Dark": _MINOR,
        "Mysterious": _MINOR & _genres(Genre.CINEMATIC, Genre.SYNTHWAVE, Genre.JAZZ),
        "Suspenseful": _MINOR & _genres(Genre.CINEMATIC, Genre.ELECTRONIC),
        "Quirky": _genres(Genre.CHIPTUNE, Genre.JAZZ, Genre.FOLK),
        "Intimate": _SPARSE,
        "Lonely": _MINOR & _SPARSE,
        "Bittersweet": _MINOR & _tempi(13, 11),
        "Euphoric": _MAJOR & _genres(Genre.ELECTRONIC, Genre.SYNTHWAVE),
        "Groovy": _genres(Genre.JAZZ, Genre.HIP_HOP, Genre.POP, Genre.ELECTRONIC) & _tempi(13, 9),
        "Sensual": _genres(Genre.HIP_HOP, Genre.JAZZ, Genre.BALLAD) & _UNHURRIED,
        "Cool": _genres(Genre.JAZZ, Genre.HIP_HOP),
        "Rebellious": _genres(Genre.ROCK),
        **dict.fromkeys(("Emotional", "Sentimental"), _genres(Genre.BALLAD, Genre.CINEMATIC)),
    },
    Aspect.TEMPO: {"Slow Tempo": _SLOW, "Medium Tempo": _MEDIUM, "Fast Tempo": _FAST},
    Aspect.ARRANGEMENT: {
        "Minimal Arrangement": _SPARSE,
        **dict.fromkeys(("Lush Arrangement", "Layered Arrangement"), _DENSE),
    },
    Aspect.KEY: {key.name: Constraints(key=frozenset({key})) for key in KEYS},
}

NO_AUDIBLE_EFFECT = frozenset(
    (
        *("Vocal Chops", "Reverb", "Wide Stereo", "Delay", "Chorus Effect", "Autotune", "Vocoder", "Tape Saturation"),
        *("Lo-fi Hiss", "Vinyl Crackle", "Tape Hiss", "Field Recording", "Sidechain Compression"),
        *("Modern Production", "Clean Mix", "Raw Recording", "Live Recording", "Vintage Sound", "Polished Production"),
        *("Half-time Beat", "Waltz Time", "6/8 Time", "Build-up", "Drop", "Key Change", "Fade Out"),
    )
)
"""Tags of the catalogue that change nothing in the demo's music; people may still use them."""

MEANINGS: dict[str, Constraints] = {tag: meaning for tags in _TABLE.values() for tag, meaning in tags.items()}
ASPECTS: dict[str, Aspect] = {tag: aspect for aspect, tags in _TABLE.items() for tag in tags}

_BY_LOWER_CASE = {tag.lower(): meaning for tag, meaning in MEANINGS.items()}
_ASPECT_BY_LOWER_CASE = {tag.lower(): aspect for tag, aspect in ASPECTS.items()}
_CONCRETE_FIRST = (*(aspect for aspect in Aspect if aspect is not Aspect.MOOD), Aspect.MOOD)
_BPM = re.compile(r"\b(\d{2,3}(?:\.\d+)?) ?bpm\b")


def meaning_of(tag: str) -> Constraints | None:
    """What one tag asks for; None for a tag that is not known or says nothing audible."""
    if tempo := _BPM.fullmatch(tag.strip().lower()):
        return Constraints(frames_per_beat=frozenset({nearest_tempo(float(tempo[1]))}))
    return _BY_LOWER_CASE.get(tag.strip().lower())


def constraints_in(text: str) -> Constraints:
    """All that a tag list or a sentence asks for, read off the tags that occur in it.

    The longest reading counts, and where tags contradict each other the more concrete aspect does.
    """
    phrases = [match.group() for match in _known_phrases().finditer(text.lower())]
    found = Constraints()
    for phrase in sorted(phrases, key=_abstractness):
        if meaning := meaning_of(phrase):
            found = found & meaning
    return found


def tags_describing(plan: SongPlan) -> dict[Aspect, list[str]]:
    """Every known tag that fits the plan, by aspect, but for tempi in numbers."""
    fitting: dict[Aspect, list[str]] = {aspect: [] for aspect in Aspect}
    for tag, meaning in MEANINGS.items():
        if meaning.allow(plan):
            fitting[ASPECTS[tag]].append(tag)
    return fitting


def _abstractness(phrase: str) -> int:
    return _CONCRETE_FIRST.index(_ASPECT_BY_LOWER_CASE.get(phrase, Aspect.TEMPO))


@lru_cache(maxsize=1)
def _known_phrases() -> re.Pattern[str]:
    # Tags without effect are looked for too, so that "Lo-fi Hiss" is not read as "Lo-fi".
    known = {*_BY_LOWER_CASE, *(tag.lower() for tag in NO_AUDIBLE_EFFECT)}
    longest_first = sorted(known, key=lambda phrase: (-len(phrase), phrase))
    return re.compile(rf"{_BPM.pattern}|(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
