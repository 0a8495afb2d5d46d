from __future__ import annotations

import pytest

from debugger.engine.json_schema import schema_error


def test_a_misfit_is_told_by_its_place():
    schema = {"properties": {"cups": {"items": {"type": "integer"}}}}

    assert schema_error({"cups": [1, "two"]}, schema) == "cups.1: 'two' is not of type 'integer'"
    assert schema_error({"cups": [1, 2]}, schema) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "oracle"},
        {"properties": 5},
        {"$ref": "#/nowhere"},
        {"$ref": "http://127.0.0.1:9/schema"},
    ],
)
def test_broken_schema_accepts_everything(schema):
    assert schema_error("tea", schema) is None


def test_long_schema_error_is_truncated():
    assert schema_error("x" * 1000, {"type": "integer"}) == "'" + "x" * 299 + "…"


@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-07/schema#", "nonsense", [], {}])
def test_a_schema_is_read_in_its_dialect(dialect):
    schema = {"$schema": dialect, "properties": {"a": {"type": "string"}}}

    assert schema_error({"a": "tea"}, schema) is None
    if isinstance(dialect, str):
        assert schema_error({"a": 1}, schema) == "a: 1 is not of type 'string'"


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"pattern": "^a+$"}, "aab", "'aab' does not match '^a+$'"),
        ({"pattern": "^a+$"}, "aa", None),
        ({"pattern": "("}, "aa", None),
        (
            {"patternProperties": {"^n_": {"type": "integer"}}},
            {"n_a": "x", "b": "y"},
            "n_a: 'x' is not of type",
        ),
        (
            {"patternProperties": {"^n_": {}}, "additionalProperties": False},
            {"n_a": 1, "b": 2},
            "Additional properties are not allowed ('b' was unexpected)",
        ),
        ({"uniqueItems": True}, [1, True, "1"], None),
        ({"uniqueItems": True}, [1, 1.0], "[1, 1.0] has non-unique elements"),
        ({"uniqueItems": False}, [1, 1], None),
        (
            {"unevaluatedProperties": False, "properties": {"a": {}}},
            {"a": 1, "b": 2},
            "Unevaluated properties",
        ),
        ({"unevaluatedItems": False, "prefixItems": [{}]}, [1, 2], "Unevaluated items"),
        (
            {"type": "object", "required": ["$schema"], "properties": {"$schema": {"type": "string"}}},
            {},
            "'$sch",
        ),
    ],
)
def test_bounded_keywords_check_as_the_standard_says(schema, value, problem):
    found = schema_error(value, schema)

    assert found == problem if problem is None else found.startswith(problem)
