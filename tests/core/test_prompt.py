"""The two prompts as segments, and how long ones are cut."""

from __future__ import annotations

from core.prompt import SuperresTextMode, backbone_segments, superres_segments, to_ids
from core.request import GenerationRequest, Mode, PromptMode
from core.token_layout import TokenLayout

L = TokenLayout(text_vocab_size=256, codebook_size=1024, num_quantizers=64)
TAIL = [L.end_of_field, L.reserved(3), L.end_of_condition, L.begin_of_audio]


def _bytes(text: str) -> list[int]:
    return list(text.encode())


def test_a_vocal_prompt_keeps_its_lines_apart() -> None:
    request = GenerationRequest(tags="Jazz, Piano", lyrics=" one\ntwo、\n")
    assert backbone_segments(request, L) == [
        L.begin_of_text, "Jazz, Piano", L.end_of_field, "", L.end_of_field,
        L.begin_of_lyrics, L.end_of_line, "one", L.end_of_line, "two,", *TAIL,
    ]  # fmt: skip


def test_an_instrumental_prompt_has_no_lyrics_whatever_was_typed() -> None:
    request = GenerationRequest(mode=Mode.INSTRUMENTAL, tags="Jazz", lyrics="la la")
    assert backbone_segments(request, L) == [L.begin_of_text, "Jazz", L.end_of_field, "Instrumental", *TAIL]


def test_natural_mode_reads_the_prompt_and_not_the_tags() -> None:
    request = GenerationRequest(
        mode=Mode.INSTRUMENTAL, prompt_mode=PromptMode.NATURAL, prompt="a calm sea", tags="Jazz"
    )
    assert backbone_segments(request, L)[1] == "a calm sea"


def test_super_resolution_reads_tags_but_no_description() -> None:
    tags = GenerationRequest(mode=Mode.INSTRUMENTAL, tags="Jazz")
    natural = GenerationRequest(mode=Mode.INSTRUMENTAL, prompt_mode=PromptMode.NATURAL, prompt="a calm sea")
    assert superres_segments(tags, L)[1] == "Jazz"
    assert superres_segments(natural, L)[1] == ""
    assert superres_segments(natural, L, SuperresTextMode.SAME) == backbone_segments(natural, L)
    assert superres_segments(tags, L, SuperresTextMode.LANGUAGE_ONLY)[1:4] == ["", L.end_of_field, "Instrumental"]


def test_special_tokens_typed_by_a_person_stay_text() -> None:
    request = GenerationRequest(mode=Mode.INSTRUMENTAL, tags="<|eot_id|>")
    assert backbone_segments(request, L)[1] == "<|eot_id|>"


def test_blank_metadata_is_the_same_as_none() -> None:
    blank, none = (GenerationRequest(mode=Mode.INSTRUMENTAL, tags=tags) for tags in ("  ", ""))
    assert backbone_segments(blank, L) == backbone_segments(none, L)


def test_a_long_prompt_keeps_its_beginning_and_its_last_id() -> None:
    ids = to_ids([L.begin_of_text, "abcdef", L.begin_of_audio], _bytes, limit=5)
    assert ids == [L.begin_of_text, *b"abc", L.begin_of_audio]


def test_a_prompt_that_just_fits_is_not_cut() -> None:
    ids = to_ids([L.begin_of_text, "abc", L.begin_of_audio], _bytes, limit=5)
    assert ids == [L.begin_of_text, *b"abc", L.begin_of_audio]
