from __future__ import annotations

import pytest

from debugger.views.components.markdown import count, plain


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
