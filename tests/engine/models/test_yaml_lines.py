from __future__ import annotations

import pytest

from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import InputError


def test_values_know_their_lines():
    read = read_yaml("# first\na:\n  - one\n  - {b: two}\nc: three\n")

    keys = read.mapping("it")
    assert {name: value.line for name, value in keys.items()} == {"a": 2, "c": 5}
    assert [one.line for one in keys["a"].items("a")] == [3, 4]
    assert read.plain() == {"a": ["one", {"b": "two"}], "c": "three"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("2026-03-03", "2026-03-03"),
        ("10:30", "10:30"),
        ("007", "007"),
        ("7", 7),
        ("-1.5", -1.5),
        ("'7'", "7"),
        ("~", None),
        ("", None),
        ("null", None),
    ],
)
def test_plain_words_mean_what_they_look_like(text, value):
    assert read_yaml(text).plain() == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: [", "line 2, column 5: this is not YAML"),
        ("a: b: c", "line 1, column 5: this is not YAML: mapping values are not allowed here."),
        ("a: 1\n\na: 2", "line 3, column 1: the key 'a' is there twice."),
        ("a: &x [1]\nb: *x", "line 2, column 4: aliases are not read here."),
        ("a: &x\n  - *x", "line 2, column 5: aliases are not read here."),
        ("a: !secret b", "line 1, column 1: the tag '!secret' is not read here."),
        ("? [a, b]\n: c", "line 1, column 3: a key must be a text."),
        ("a: 1\n---\nb: 2", "line 2, column 1: this is not YAML"),
        ("a: \x00", "line 1, column 1: this is not YAML"),
        ("[" * 5000, "line 1, column 201: this is nested too deeply."),
    ],
)
def test_error_names_its_line(text, message):
    with pytest.raises(InputError) as caught:
        read_yaml(text)

    assert message in str(caught.value)


def test_a_missing_quote_is_advised():
    with pytest.raises(InputError) as caught:
        read_yaml("say: Two things: tea and cake")

    assert "Put a text in quotes where it holds ': '" in caught.value.advice


def test_huge_number_error_names_its_line():
    with pytest.raises(InputError, match="line 2, column 1: the number is too long"):
        read_yaml("a: 1\nb: " + "1" * 5000)


def test_phone_number_stays_a_text():
    assert read_yaml("[+4915112345, 12, -3, +1.5]").plain() == ["+4915112345", 12, -3, 1.5]
