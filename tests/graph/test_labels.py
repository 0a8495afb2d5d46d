from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from debugger.graph.labels import ELLIPSIS, clean, cut, shorten, text_width, wrap

# Measured in Chromium with the font that Streamlit ships, at 12 px: regular and semi-bold.
MEASURED = {
    "Order desk": (54.8, 56.5),
    "Collect Email Address": (107.9, 110.8),
    "Verify identity & consent": (121.4, 125.9),
    "check_refund_policy_with_backend": (182.0, 186.8),
    "ESCALATE TO HUMAN SUPERVISOR": (175.2, 178.9),
    "tilt fill lift still till jiffy": (101.3, 107.2),
    "Größe der Bestellung prüfen": (141.0, 145.3),
    "Проверка личности клиента": (149.6, 153.2),
}


@pytest.mark.parametrize("text", MEASURED)
def test_a_name_is_never_wider_than_estimated_nor_much_narrower(text: str) -> None:
    regular, bold = MEASURED[text]

    assert bold <= text_width(text, 12) <= regular * 1.4


def test_wide_scripts_and_emoji_count_as_wide() -> None:
    assert text_width("漢字", 10) >= 20
    assert text_width("🎉", 10) >= 12


def test_accents_joined_emoji_and_skin_tones_take_no_room_of_their_own() -> None:
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("👩\u200d👩\u200d👧", 10) == text_width("👩", 10)
    assert text_width("👍🏽", 10) == text_width("👍", 10)


def test_a_name_is_broken_at_spaces() -> None:
    lines = wrap("look up order in the warehouse system", 12, 132, 3)

    assert lines == ("look up order in the", "warehouse system")


def test_a_long_word_is_broken_after_an_underscore_or_anywhere() -> None:
    assert wrap("check_refund_policy_with_backend", 12, 132, 3) == ("check_refund_policy_", "with_backend")
    assert wrap("m" * 30, 12, 132, 3) == ("m" * 13, "m" * 13, "mmmm")


def test_what_does_not_fit_on_the_last_line_gives_way_to_an_ellipsis() -> None:
    lines = wrap(" ".join(["word"] * 100), 12, 132, 3)

    assert len(lines) == 3
    assert lines[-1].endswith(ELLIPSIS)


def test_a_short_text_is_not_cut() -> None:
    assert cut("yes", 10, 150) == "yes"


def test_control_and_override_characters_are_dropped_and_spaces_folded() -> None:
    assert clean("a\n\tb\u202e c\x00\ud800 ") == "a b c"


def test_a_very_long_text_is_shortened_before_it_is_measured() -> None:
    assert len(clean("x" * 1_000_000)) < 500
    assert shorten("x" * 1_000_000, 10) == "x" * 9 + ELLIPSIS


@given(st.text(max_size=80))
def test_no_line_is_wider_than_allowed(text: str) -> None:
    lines = wrap(clean(text), 12, 132, 3)

    assert len(lines) <= 3
    assert all(line and text_width(line, 12) <= 132 for line in lines)


@given(st.text(st.sampled_from("abcdefgh _-./👩\u200d漢\u0301"), max_size=40))
def test_wrapping_loses_nothing_but_spaces_where_all_fits(text: str) -> None:
    lines = wrap(clean(text), 12, 132, 50)

    assert "".join(lines).replace(" ", "") == clean(text).replace(" ", "")
