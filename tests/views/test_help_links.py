from __future__ import annotations

import inspect

import pytest

from debugger import errors
from debugger.views.help_links import ERROR_PLACES, error_place, help_address
from debugger.views.panels.help.topics import is_topic, topic_sections


@pytest.mark.parametrize("place", sorted(set(ERROR_PLACES.values())))
def test_error_places_exist(place):
    topic, _, anchor = place.partition("#")

    assert is_topic(topic)
    assert anchor in {section.anchor for section in topic_sections(topic)}


def test_each_error_has_a_place():
    kinds = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__
    ]
    general = [
        kind for kind in kinds if error_place(kind.__new__(kind)) == ERROR_PLACES[errors.DebuggerError]
    ]

    assert general == [errors.DebuggerError]


def test_error_has_place_of_nearest_base():
    assert error_place(errors.StaleTurnError("x")) == ERROR_PLACES[errors.ConflictError]
    assert error_place(errors.AuthenticationError("x")) != ERROR_PLACES[errors.ApiError]


def test_address_holds_topic_and_anchor():
    assert help_address("guide#conditions") == "help?topic=guide&at=conditions"
    assert help_address("guide") == "help?topic=guide"
