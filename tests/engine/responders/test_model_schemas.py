from __future__ import annotations

import pytest

from debugger.engine.responders.models.schemas import mismatch, object_schema, without_blanks


def test_a_misfit_is_told_by_its_place():
    schema = {"properties": {"cups": {"items": {"type": "integer"}}}}

    assert mismatch({"cups": [1, "two"]}, schema) == "cups.1: 'two' is not of type 'integer'"
    assert mismatch({"cups": [1, 2]}, schema) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "oracle"},
        {"properties": 5},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/schema"},
    ],
)
def test_a_schema_that_nobody_can_use_finds_no_fault(schema):
    assert mismatch("tea", schema) is None


def test_what_is_offered_to_a_model_is_always_an_object():
    assert object_schema(None) == {"type": "object", "properties": {}}
    assert object_schema({"type": "array", "properties": 5}) == {"type": "object", "properties": {}}


def test_blanks_are_left_out_only_where_they_may_be_missing_and_do_not_fit():
    schema = {
        "properties": {"cups": {"type": "integer"}, "tea": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["size"],
    }

    assert without_blanks({"cups": None, "tea": "", "size": ""}, schema) == {"tea": "", "size": ""}
    assert without_blanks({"cups": ""}, {"properties": 5}) == {"cups": ""}
