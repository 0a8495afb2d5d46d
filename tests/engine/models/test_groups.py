from __future__ import annotations

import re

import pytest

from debugger.engine.models.scripted import put_in_groups

MATCH = re.search(r"(?P<cups>\d+) cups(?: of (?P<tea>\w+))?", "2 cups")


def test_group_becomes_a_number_by_schema():
    schema = {"properties": {"cups": {"type": ["integer", "null"]}}}

    assert put_in_groups({"cups": "${cups}", "said": "$1 cups"}, MATCH, schema) == {
        "cups": 2,
        "said": "2 cups",
    }


def test_group_without_match_is_absent():
    assert put_in_groups({"tea": "${tea}", "note": None}, MATCH, None) == {"note": None}


@pytest.mark.parametrize("schema", [{"properties": {"cups": True}}, {"properties": ["cups"]}, True, None])
def test_group_stays_text_without_schema(schema):
    assert put_in_groups({"cups": "$1"}, MATCH, schema) == {"cups": "2"}
