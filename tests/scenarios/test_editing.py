"""Tests of changes in place."""

from __future__ import annotations

import copy
import difflib
import json

import pytest

from debugger.engine.models.yaml_lines import read_yaml
from debugger.errors import InputError
from debugger.scenarios.editing import read_plain, rewrite, write_yaml

COMMENTED = """\
# Booking, as the front desk wants it.
version: 1
name:   "Book a visit"     # shown in reports
tags: [ smoke, clinic ]

workflow: workflow_clinic
turns:
    # The caller begins.
    - say: Hi, I'd like to book.
      expect:
        - status: waiting_for_user_input   # as ever
        # The greeting may change.
        - says: >-
            happy to
            help
        - { path: [Greeting, '...', Booking intake] }

    - say: 'My name is Ada'
      expect:
      - says: {contains: "Ada"}
        message: The name is repeated
      - reached:
        - Booking intake
expect:
  - status: waiting_for_user_input
# The end.
"""


def _changed(source: str, text: str) -> list[str]:
    diff = difflib.ndiff(source.splitlines(), text.splitlines())
    return [line for line in diff if line[0] in "+-"]


def test_rewrite_changes_only_lines_that_differ() -> None:
    wanted = copy.deepcopy(read_plain(COMMENTED))
    wanted["name"] = "Book a slot"
    first, second = (turn["expect"] for turn in wanted["turns"])
    first[1]["says"] = {"regex": "happy .*help"}
    del first[2]
    first.append({"variable": {"name": "runtime.name", "equals": "Ada"}})
    second[0]["says"]["contains"] = 'Ada "M"'

    text = rewrite(COMMENTED, wanted)

    assert read_plain(text) == wanted
    assert _changed(COMMENTED, text) == [
        '- name:   "Book a visit"     # shown in reports',
        '+ name:   "Book a slot"     # shown in reports',
        "-         - says: >-",
        "+         - says:",
        "-             happy to",
        "-             help",
        "-         - { path: [Greeting, '...', Booking intake] }",
        "+             regex: happy .*help",
        "+         - variable:",
        "+             name: runtime.name",
        "+             equals: Ada",
        '-       - says: {contains: "Ada"}',
        '+       - says: {contains: "Ada \\"M\\""}',
    ]


def test_rewrite_returns_the_same_text_unchanged() -> None:
    assert rewrite(COMMENTED, read_plain(COMMENTED)) == COMMENTED


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["turns"].pop(0),
        lambda found: found["turns"].pop(),
        lambda found: found["turns"].insert(0, {"say": "First"}),
        lambda found: found["turns"].insert(1, {"advance": 2, "expect": [{"status": "completed"}]}),
        lambda found: found["turns"].append({"say": "a\nb", "expect": [{"says": "x: y # z"}]}),
        lambda found: found["turns"][0]["expect"].clear(),
        lambda found: found["turns"][1].pop("expect"),
        lambda found: found["turns"][1]["expect"][0].pop("says"),
        lambda found: found["turns"][1]["expect"][1].update(message="why", soft=True),
        lambda found: found["turns"][1]["expect"][1]["reached"].append("Slot choice"),
        lambda found: found.pop("expect"),
        lambda found: found.pop("tags"),
        lambda found: found.update(tags=[], seed=7, clock="2026-03-01T09:00:00Z"),
        lambda found: found["tags"].append("yes, no"),
        lambda found: found["turns"][0].update(say="12"),
        lambda found: found["turns"][0].update(say=None, send={"command": "stop", "n": [1, {"a": True}]}),
    ],
)
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_rewrite_keeps_every_comment(change, line_break: str) -> None:
    source = COMMENTED.replace("\n", line_break)
    wanted = copy.deepcopy(read_plain(source))
    change(wanted)

    text = rewrite(source, wanted)

    assert read_plain(text) == wanted
    inner = ("# The greeting",) if {"says": "happy to help"} in wanted["turns"][0].get("expect", []) else ()
    for comment in ("# Booking", "# shown in reports", "# The caller", "# The end.", *inner):
        assert comment in text
    assert ("\r\n" in text) == (line_break == "\r\n")
    assert text.count("\n") == text.count(line_break)


def test_rewrite_refuses_what_it_cannot_change() -> None:
    with pytest.raises(InputError, match="aliases are not read here"):
        rewrite("turns: &all\n  - say: a\nmore: *all\n", {"turns": [{"say": "b"}], "more": [{"say": "a"}]})
    with pytest.raises(InputError, match="this is not YAML"):
        rewrite("turns: [", {})


def test_write_yaml_is_read_back() -> None:
    value = {
        "a": ["x", "y: z"],
        "b": "two\nlines",
        "c": "2026-01-01",
        "d": [{"e": None, "f": "no", "g": "12"}],
    }

    assert read_plain(write_yaml(value)) == value
    assert "a: [x, 'y: z']" in write_yaml(value)


@pytest.mark.parametrize("text", ["Anything else?", "a ?", "??", "=?", ":30", "a\x85b", "a\u2028b", "é? {b}"])
def test_both_readers_understand_what_is_written(text: str) -> None:
    value = {"text": text, "path": [text, "b"], "rows": [{"a": text}]}
    changed = rewrite("text: a\npath: [a, b]\nrows: [{a: b}]\n", value)

    assert read_yaml(write_yaml(value)).plain() == read_yaml(changed).plain() == value


@pytest.mark.parametrize("written", ["017", "0x10", "1_000", "1e3", ".inf", "-08", "12", "-1.50", "+.5"])
def test_numbers_are_what_the_loader_reads(written):
    text = f"pin: {written}\n"

    assert repr(read_plain(text)) == repr(read_yaml(text).plain())


@pytest.mark.parametrize("number", [1e-07, 1e300, -2e16, 1.5e-07, 2**70, 3.0])
def test_written_number_stays_one(number):
    assert read_yaml(write_yaml({"x": [{"y": number}]})).plain() == {"x": [{"y": number}]}
    assert read_yaml(rewrite("x: 1  # one\n", {"x": number})).plain() == {"x": number}


@pytest.mark.parametrize(
    "source", ["a: 1\nb:\n", "a: 1\nb:", "b:   # nothing yet\na: 1\n", "b: {c: }\na: 1\n"]
)
@pytest.mark.parametrize("value", ["x", False, ["x"], {"c": {"d": 1}}])
def test_empty_value_is_filled(source, value):
    wanted = {"a": 1, "b": value, "new": 2}

    changed = rewrite(source, wanted)

    assert read_plain(changed) == wanted
    assert "nothing yet" not in source or "# nothing yet" in changed


ONE_LINE = "turns: [ {say: 'yes', expect: [{status: \"done\"}, says: no]} ]  # why"
JSON = '{\n  "turns": [\n    {"say": "1.0",\n     "expect": [{"says": "no"}]}\n  ],\n  "seed": 1\n}'


@pytest.mark.parametrize(
    ("source", "old", "new", "value"),
    [
        (ONE_LINE, "says: no", "says: maybe", "maybe"),
        (ONE_LINE, "says: no", "says: {equals: 'a, b'}", {"equals": "a, b"}),
        (JSON, '"says": "no"', '"says": {"equals": "é"}', {"equals": "é"}),
        (JSON, '"says": "no"', '"says": "it\'s"', "it's"),
    ],
)
def test_rewrite_within_brackets_changes_the_value_alone(source, old, new, value):
    wanted = read_plain(source)
    wanted["turns"][0]["expect"][-1]["says"] = value

    assert rewrite(source, wanted) == source.replace(old, new)


def test_rewrite_of_a_list_stays_json():
    wanted = read_plain(JSON)
    wanted["turns"][0]["expect"].append({"says": "yes"})

    assert json.loads(rewrite(JSON, wanted)) == wanted


def test_rewrite_leaves_equal_items_where_they_are():
    source = "expect:\n  -   status: completed # one\n  - status:   completed # two\n"

    text = rewrite(source, {"expect": [{"status": "failed"}, {"status": "completed"}]})

    assert text == source.replace("status: completed # one", "status: failed # one")
