from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

from training.corpus.genres import GENRES
from training.corpus.grid import beats_per_minute
from training.corpus.planning import draw_plan, tempi_of
from training.corpus.prompts import sentence_prompt, tag_prompt, tempo_number
from training.corpus.song_plan import SongPlan
from training.corpus.tags import constraints_in, meaning_of


def prompts(count: int, write: Callable[[SongPlan, random.Random], str]) -> list[tuple[SongPlan, str]]:
    rng = random.Random(11)
    drawn = [draw_plan(rng) for _ in range(count)]
    return [(plan, write(plan, rng)) for plan in drawn]


def test_tag_lists_never_say_what_is_not_so() -> None:
    for plan, prompt in prompts(300, tag_prompt):
        for tag in (tag.strip() for tag in prompt.split(",")):
            meaning = meaning_of(tag)
            if meaning and not tag.lower().endswith("bpm"):
                assert meaning.allow(plan), (tag, plan)


def test_sentences_never_say_what_is_not_so() -> None:
    for plan, prompt in prompts(300, sentence_prompt):
        said = replace(constraints_in(prompt), frames_per_beat=None)
        assert said.allow(plan), (prompt, plan)


def test_tempi_in_numbers_are_nearer_to_the_plans_tempo_than_to_others_its_genre_has() -> None:
    rng = random.Random(12)
    for _ in range(300):
        plan = draw_plan(rng)
        number = tempo_number(plan, rng)
        ratios = {tempo: beats_per_minute(tempo) / number for tempo in tempi_of(GENRES[plan.genre])}
        assert min(ratios, key=lambda tempo: abs(math.log(ratios[tempo]))) == plan.frames_per_beat


def test_the_same_plan_is_described_in_many_ways() -> None:
    rng = random.Random(13)
    plan = draw_plan(rng)
    for write in (tag_prompt, sentence_prompt):
        assert len({write(plan, rng) for _ in range(50)}) > 40


def test_tag_lists_come_in_any_order_and_subset() -> None:
    lists = [prompt.split(",") for _, prompt in prompts(200, tag_prompt)]
    lengths = {len(tags) for tags in lists}
    assert {1, 4, 8} <= lengths
    firsts = {tags[0].strip().lower() for tags in lists}
    assert len(firsts) > 60


def test_some_prompts_are_empty_and_some_hold_words_without_meaning() -> None:
    lists = [prompt for _, prompt in prompts(300, tag_prompt)]
    assert "" in lists
    unknown = [tag for prompt in lists for tag in prompt.split(",") if tag.strip() and meaning_of(tag) is None]
    assert len(unknown) > 50


def test_sentences_are_one_line_of_reasonable_length() -> None:
    for _, prompt in prompts(200, sentence_prompt):
        assert "\n" not in prompt and len(prompt) < 300
