from __future__ import annotations

from debugger.engine.models.call_parts import object_schema
from debugger.engine.models.providers.structured import without_blanks


def test_object_schema_is_always_an_object():
    assert object_schema(None) == {"type": "object", "properties": {}}
    assert object_schema({"type": "array", "properties": 5}) == {"type": "object", "properties": {}}


def test_without_blanks_keeps_fitting_blanks():
    schema = {
        "properties": {"cups": {"type": "integer"}, "tea": {"type": "string"}, "size": {"type": "integer"}},
        "required": ["size"],
    }

    assert without_blanks({"cups": None, "tea": "", "size": ""}, schema) == {"tea": "", "size": ""}
    assert without_blanks({"cups": ""}, {"properties": 5}) == {"cups": ""}
