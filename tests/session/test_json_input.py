from __future__ import annotations

import pytest

from debugger.errors import InputJsonError
from debugger.session.json_input import excerpt, parse_json, parse_object


def test_a_json_error_says_line_and_column():
    with pytest.raises(InputJsonError) as caught:
        parse_json('{\n  "a": 1,\n  "b" 2\n}', what="The run input")

    assert (caught.value.line, caught.value.column) == (3, 7)
    assert caught.value.message == "The run input is not JSON: line 3, column 7: expecting ':' delimiter."


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "-2.5E+400"])
def test_non_json_number_is_rejected_with_place(constant):
    with pytest.raises(InputJsonError) as caught:
        parse_json('{\n "a": ' + constant + "}")

    assert (caught.value.line, caught.value.column) == (2, 7)
    assert constant in caught.value.message


def test_too_long_number_is_rejected_with_place():
    with pytest.raises(InputJsonError, match="too long to be read: line 2, column 7") as caught:
        parse_json('{\n "a": ' + "1" * 5000 + "}")

    assert (caught.value.line, caught.value.column) == (2, 7)


def test_excerpt_counts_lines_as_json():
    text = '{\r\n "a": "x\u2028y",\r\n "b" 2\r\n}'

    with pytest.raises(InputJsonError) as caught:
        parse_json(text)

    assert excerpt(text, caught.value.line, caught.value.column) == '3 │  "b" 2\n         ^'


def test_too_deep_json_is_error_not_crash():
    with pytest.raises(InputJsonError, match="too deeply"):
        parse_json("[" * 100_000)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("[]", "a list"), ("3", "a number"), ("true", "a boolean"), ("null", "null"), ('"a"', "a text")],
)
def test_json_of_other_kind_is_no_input(text, kind):
    with pytest.raises(InputJsonError, match=f"must be a JSON object, and it is {kind}"):
        parse_object(text)
