from __future__ import annotations

import pytest

from debugger.engine.tools.fitting import misfit

SCHEMA = {
    "type": "object",
    "properties": {
        "cups": {"type": "integer"},
        "guest": {"type": "object", "properties": {"name": {"type": "string"}}},
        "size": {"enum": ["small", "large"]},
    },
    "required": ["cups"],
}


@pytest.mark.parametrize("arguments", [{"cups": 1}, {"cups": 1, "other": [], "guest": {"name": "Ada"}}])
def test_arguments_that_fit_have_no_complaint(arguments):
    assert misfit(arguments, SCHEMA) is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "'cups' is a required property"),
        ({"cups": "two"}, "cups: 'two' is not of type 'integer'"),
        ({"cups": 1, "guest": {"name": 7}}, "guest.name: 7 is not of type 'string'"),
        ({"cups": 1, "size": "huge"}, "size: 'huge' is not one of ['small', 'large']"),
    ],
)
def test_a_complaint_names_the_place_and_what_is_wrong(arguments, complaint):
    assert misfit(arguments, SCHEMA) == complaint


def test_an_argument_that_somebody_else_gives_is_not_missing():
    assert misfit({}, SCHEMA, supplied={"cups"}) is None


def test_a_list_of_what_is_needed_that_is_none_needs_nothing():
    assert misfit({"tea": 1}, {"required": 7, "properties": {"tea": {"type": "integer"}}}) is None
    assert misfit({"tea": "x"}, {"required": 7, "properties": {"tea": {"type": "integer"}}}) is not None


def test_null_stands_for_an_argument_that_need_not_be_there():
    assert misfit({"cups": 1, "size": None}, SCHEMA) is None
    assert misfit({"cups": None}, SCHEMA) == "cups: None is not of type 'integer'"


def test_a_complaint_about_a_long_value_is_cut():
    complaint = misfit({"cups": "x" * 10_000}, SCHEMA)

    assert complaint.startswith("cups: 'xxx")
    assert len(complaint) == 301


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "nonsense"},
        {"properties": []},
        {"properties": {"cups": {"pattern": "("}}},
        {"$ref": "https://schemas.example/cups.json"},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
    ],
)
def test_a_schema_that_cannot_be_used_takes_anything_and_fetches_nothing(schema):
    assert misfit({"cups": "two"}, schema) is None
