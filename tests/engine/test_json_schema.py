from __future__ import annotations

import pytest

from debugger.engine.json_schema import mismatch


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


def test_a_misfit_that_quotes_a_long_value_is_cut():
    assert mismatch("x" * 1000, {"type": "integer"}) == "'" + "x" * 299 + "…"
