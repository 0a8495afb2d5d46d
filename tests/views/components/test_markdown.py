from __future__ import annotations

import pytest

from debugger.views.components.markdown import count, listed, milliseconds, plain, with_code


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://leak.example/x.png)",
        "[a link](http://leak.example)",
        "**loud** _low_ `code` ~~gone~~",
        "# heading",
        ":red[red] :material/home: $x^2$",
        "<img src=x>",
        "1. one",
    ],
)
def test_no_mark_in_text_is_left_bare(text):
    escaped = plain(text)

    assert escaped.replace("\\", "") == text
    for place, character in enumerate(escaped):
        if character in "`*_{}[]()#!|<>~$:^":
            assert escaped[place - 1] == "\\"


def test_backslash_stays_backslash():
    assert plain("a\\b") == "a\\\\b"


def test_lines_are_joined_since_line_could_begin_list():
    assert plain("a\n\n- b") == "a \\- b"


@pytest.mark.parametrize(("number", "told"), [(0, "0 hops"), (1, "1 hop"), (2, "2 hops")])
def test_count_agrees_with_its_noun(number, told):
    assert count(number, "hop") == told


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), ([], "")],
)
def test_list_names_first_and_number_of_others(words, sentence):
    assert listed(words, 2) == sentence


@pytest.mark.parametrize(
    ("duration", "cell"),
    [(1234.54, "1,234.5 ms"), (0.05, "0.1 ms"), (0.049, None), (0.0, None), (None, None)],
)
def test_duration_has_unit(duration, cell):
    assert milliseconds(duration) == cell


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("Taken when [[n]] >= 3; so it is.", "[[n]] >= 3", "Taken when `[[n]] >= 3`; so it is."),
        ("Taken when [[a]] == '`'", "[[a]] == '`'", "Taken when `` [[a]] == '`' ``"),
        ("No code", "", "No code"),
    ],
)
def test_part_of_text_is_code(text, code, shown):
    assert with_code(text, code).replace("\\.", ".") == shown
