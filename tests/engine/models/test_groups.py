from __future__ import annotations

import re

import pytest

from debugger.engine.models.scripted import put_in_groups

MATCH = re.search(r"(?P<cups>\d+) cups(?: of (?P<tea>\w+))?", "2 cups")


def test_a_group_becomes_a_number_where_the_schema_wants_one():
    schema = {"properties": {"cups": {"type": ["integer", "null"]}}}

    assert put_in_groups({"cups": "${cups}", "said": "$1 cups"}, MATCH, schema) == {
        "cups": 2,
        "said": "2 cups",
    }


def test_a_value_whose_group_took_no_part_is_absent():
    assert put_in_groups({"tea": "${tea}", "note": None}, MATCH, None) == {"note": None}


@pytest.mark.parametrize("schema", [{"properties": {"cups": True}}, {"properties": ["cups"]}, True, None])
def test_a_schema_that_says_nothing_of_a_value_leaves_the_text(schema):
    assert put_in_groups({"cups": "$1"}, MATCH, schema) == {"cups": "2"}
