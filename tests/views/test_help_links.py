from __future__ import annotations

import ast
import inspect

import pytest

from debugger import errors
from debugger.views.help_links import ERROR_PLACES, error_place, help_address
from debugger.views.panels.help.topics import is_topic, topic_sections
from debugger.views.shell import PAGES
from tests.support.ui_texts import PACKAGE

_PLACE_ARGUMENTS = {"empty_state": 1, "empty_page": 1, "help_link": 0, "help_mark": 0}
"""By function, which argument is a place of the help."""


def named_places():
    """Return the places that code of the page names in links to the help."""
    for path in sorted((PACKAGE / "views").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(call, "func", None), "id", "")
            at = _PLACE_ARGUMENTS.get(name)
            if at is not None and at < len(call.args):
                place = call.args[at]
                if isinstance(place, ast.Constant):
                    yield place.value


PLACES = {*ERROR_PLACES.values(), *named_places(), *(view.help for view in PAGES if view.help)}


def test_places_of_empty_states_are_found():
    assert {"stepping#why", "forks#compare", "pages#runs", "scenarios#on-the-page"} <= set(named_places())


@pytest.mark.parametrize("place", sorted(PLACES))
def test_places_exist(place):
    topic, _, anchor = place.partition("#")

    assert is_topic(topic)
    assert anchor in {"", *(section.anchor for section in topic_sections(topic))}


def test_each_error_has_a_place():
    kinds = [
        each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__
    ]
    general = [
        kind for kind in kinds if error_place(kind.__new__(kind)) == ERROR_PLACES[errors.DebuggerError]
    ]

    assert general == [errors.DebuggerError, errors.UnexpectedError]


def test_error_has_place_of_nearest_base():
    assert error_place(errors.StaleTurnError("x")) == ERROR_PLACES[errors.ConflictError]
    assert error_place(errors.AuthenticationError("x")) != ERROR_PLACES[errors.ApiError]


def test_address_holds_topic_and_anchor():
    assert help_address("guide#conditions") == "help?topic=guide&at=conditions"
    assert help_address("guide") == "help?topic=guide"
