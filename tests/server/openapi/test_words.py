from __future__ import annotations

from debugger.server.openapi.words import for_callers, schema_for_callers, words_of


def explained():
    """Do one thing (``platform/wire.md`` 4.1). It is ``done``
    at once (section 10, 19).

    There is more to it.

    Raises:
        ValueError: Never.
    """


def brief():
    """Do it."""


def test_a_docstring_becomes_a_summary_and_a_description_without_what_is_for_readers_of_the_code():
    assert words_of(explained) == {
        "summary": "Do one thing",
        "description": "It is `done` at once.\n\nThere is more to it.",
    }


def test_who_has_one_sentence_to_say_has_no_description():
    assert words_of(brief) == {"summary": "Do it"}


def test_what_stands_in_parentheses_for_everybody_stays():
    assert for_callers("Of one kind (as a rule), or the other.") == "Of one kind (as a rule), or the other."


def test_descriptions_are_cleared_however_deep_they_stand_and_nothing_else_is():
    schema = {"properties": {"a": {"anyOf": [{"description": "A (``platform/wire.md`` 2)", "x": "``"}]}}}

    assert schema_for_callers(schema) == {"properties": {"a": {"anyOf": [{"description": "A", "x": "``"}]}}}
