"""Attacks on the cost of checking values against JSON Schemas."""

from __future__ import annotations

import pytest

from debugger.engine.json_schema import schema_error
from debugger.expressions import limits, patterns
from tests.safety.bounded_child import run_bounded

MEGABYTE = 1_000_000
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def brief(monkeypatch):
    monkeypatch.setattr(limits, "MAX_EVALUATION_SECONDS", 0.3)
    monkeypatch.setattr(patterns, "MAX_SEARCH_SECONDS", 0.1)


def doubling(keyword, **extra):
    """Return a schema whose parts each refer to the next one twice."""
    parts = {
        f"p{number}": {keyword: [{"$ref": f"#/$defs/p{number + 1}"}] * 2, **extra} for number in range(40)
    }
    return {"$defs": {**parts, "p40": True}, "$ref": "#/$defs/p0"}


@pytest.mark.parametrize(
    "schema",
    [
        doubling("allOf"),
        doubling("oneOf"),
        {"$schema": "http://json-schema.org/draft-07/schema#", **doubling("allOf")},
        {"properties": {"a": {"allOf": [{"$ref": "#"}] * 2}}},
    ],
    ids=["allOf", "oneOf", "draft 7", "recursive"],
)
def test_doubling_references_run_out_of_time(schema, brief):
    value = 1
    for _ in range(40):
        value = {"a": value}

    outcome = run_bounded(lambda: schema_error(value, schema))

    assert outcome.value.startswith("it cannot be checked against its JSON Schema")
    assert outcome.cpu_seconds < 2


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$schema": DIALECT, "$ref": "#/$defs/p0"}}},
        {"properties": {"a": {"$ref": "#"}}, "$schema": DIALECT},
    ],
)
def test_dialect_of_part_does_not_lift_limit(schema, brief):
    doubled = doubling("allOf")
    schema = {**schema, "$defs": doubled["$defs"], "allOf": [{"$ref": "#/$defs/p0"}]}

    outcome = run_bounded(lambda: schema_error({"a": {"a": 1}}, schema))

    assert outcome.value.startswith("it cannot be checked against its JSON Schema")


def test_unevaluated_keywords_cannot_double_references(brief):
    schema = doubling("allOf", unevaluatedProperties=False)
    names = {f"p{number}": {"dependentSchemas": {}} for number in range(40)}
    for number, part in enumerate(names.values()):
        part["dependentSchemas"] = {
            "a": {"$ref": f"#/$defs/p{number + 1}"},
            "b": {"$ref": f"#/$defs/p{number + 1}"},
        }
    chain = {"unevaluatedProperties": False, "$defs": {**names, "p40": True}, "$ref": "#/$defs/p0"}

    def attack():
        return [schema_error({"a": 1, "b": 2}, each) is not None for each in (schema, chain)]

    assert run_bounded(attack).value == [True, True]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 40 + "!"),
        ({"pattern": "^(a|a)*$"}, "a" * 60 + "!"),
        ({"pattern": r"(\w+\s*)+:"}, "word " * 2_000),
        ({"patternProperties": {"^(a|a)*$": {}}}, {"a" * 60 + "!": 1}),
        ({"patternProperties": {"^(a|a)*$": {}}, "additionalProperties": False}, {"a" * 60 + "!": 1}),
        ({"propertyNames": {"pattern": "^(a|a)*$"}}, {"a" * 60 + "!": 1}),
        ({"items": {"pattern": "^(a|a)*$"}}, ["a" * 60 + "!"] * 50),
    ],
)
def test_pattern_runs_out_of_time(schema, value, brief):
    outcome = run_bounded(lambda: schema_error(value, schema))

    assert outcome.value is not None
    assert outcome.cpu_seconds < 2


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"uniqueItems": True}, [{"k": number} for number in range(15_000)], True),
        ({"uniqueItems": True}, [{"k": number} for number in range(15_000)] + [{"k": 7.0}], False),
        ({"items": {"type": "string"}}, list(range(200_000)), False),
        ({"anyOf": [{"items": {"type": "string"}}]}, list(range(200_000)), False),
    ],
    ids=["unique", "not unique", "items", "any items"],
)
def test_large_schema_or_value_costs_little(schema, value, fits):
    outcome = run_bounded(lambda: schema_error(value, schema))

    assert (outcome.value is None) is fits
    assert outcome.grown_bytes < 150 * MEGABYTE


def test_deep_value_mismatches_with_a_sentence():
    value = []
    for _ in range(3_000):
        value = [value]

    assert "nested too deep" in run_bounded(lambda: schema_error(value, {"items": {"$ref": "#"}})).value
