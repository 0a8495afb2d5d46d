from __future__ import annotations

from debugger.scenarios.model import KINDS, Expectation


def test_each_kind_has_a_field_in_the_same_order():
    assert [*KINDS, "message", "soft"] == [*Expectation.model_fields]


def test_help_in_editors_describes_each_kind_that_its_name_does_not():
    properties = Expectation.model_json_schema(by_alias=True)["properties"]
    bare = {name for name in KINDS if not properties[name].get("description")}

    assert bare == {"not_reached", "edge_not_taken", "variable", "hint", "status", "at_most", "judge"}
