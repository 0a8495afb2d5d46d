from __future__ import annotations

from debugger.server.openapi import _map_descriptions, for_callers


def test_for_callers_omits_sections_and_references():
    text = """Do one thing (``platform/wire.md`` 4.1). It is ``done``
    at once (section 10, 19).

    There is more to it.

    Raises:
        ValueError: Never.
    """.replace("\n    ", "\n")

    assert for_callers(text) == "Do one thing. It is `done` at once.\n\nThere is more to it."


def test_for_callers_keeps_other_parentheses():
    assert for_callers("Of one kind (as a rule), or the other.") == "Of one kind (as a rule), or the other."


def test_map_descriptions_changes_descriptions_at_any_depth():
    schema = {"properties": {"a": {"anyOf": [{"description": "A (``platform/wire.md`` 2)", "x": "``"}]}}}

    assert _map_descriptions(schema, for_callers) == {
        "properties": {"a": {"anyOf": [{"description": "A", "x": "``"}]}}
    }
