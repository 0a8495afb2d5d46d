from __future__ import annotations

import pytest

from debugger.engine.json_schema import schema_error
from debugger.session.schema_example import example_object


def properties(**schemas):
    return {"type": "object", "properties": schemas, "required": list(schemas)}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "key"),
        ({"type": "string", "format": "date"}, "2030-01-01"),
        ({"type": "string", "minLength": 5}, "keyxx"),
        ({"type": "string", "maxLength": 2}, "ke"),
        ({"enum": ["new", "old"]}, "new"),
        ({"const": 7}, 7),
        ({"type": "integer", "default": 3}, 3),
        ({"type": "integer"}, 0),
        ({"type": "integer", "minimum": 5, "multipleOf": 3}, 6),
        ({"type": "number", "exclusiveMinimum": 1}, 2),
        ({"type": "number", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMaximum": 0}, -1),
        ({"type": "integer", "maximum": 10**400}, 0),
        ({"type": "string", "maxLength": 10**400}, "key"),
        ({"type": "boolean"}, False),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 0),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, False),
        ({"type": "array", "items": {"type": "integer"}}, [0]),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["key", "key"]),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        ({"type": "array"}, []),
        ({"properties": {"a": {"type": "integer"}}}, {"a": 0}),
        ({"allOf": [properties(a={"type": "integer"}), properties(b={"enum": ["x"]})]}, {"a": 0, "b": "x"}),
    ],
)
def test_example_has_right_type_and_fits(schema, value):
    whole = properties(key=schema)

    found = example_object(whole)

    assert found == {"key": value}
    assert schema_error(found, whole) is None


def test_reference_is_followed():
    schema = {
        **properties(home={"$ref": "#/$defs/place"}),
        "$defs": {"place": properties(city={"type": "string"})},
    }

    assert example_object(schema) == {"home": {"city": "city"}}


def test_schema_of_itself_comes_to_end():
    found = example_object(
        {"type": "object", "properties": {"child": {"$ref": "#"}, "n": {"type": "integer"}}}
    )

    assert found["n"] == 0
    assert found["child"]["child"]["n"] == 0


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": "0"},
        {"type": "array", "items": {}, "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"$ref": "#/missing"},
        {"type": "object", "properties": []},
        7,
    ],
)
def test_faulty_schema_gives_small_example(schema):
    assert len(str(example_object(properties(key=schema)))) < 2_000
