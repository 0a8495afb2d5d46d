"""Tests of rows in the table of expectations."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import InputError
from debugger.samples import SAMPLES
from debugger.scenarios.expectation_rows import Proposal, parse_expectation, pattern_of, stable_part, text_for
from debugger.scenarios.loading import escaped, unescaped
from debugger.settings import Settings
from tests.support.scenarios import CONVERSATIONS, draft_of, row_of, talk


def test_with_match_changes_comparison_and_text() -> None:
    clinic = next(sample for sample in SAMPLES if sample.name == "Clinic front desk")
    wednesday = Environment(now=lambda: 1_785_300_000.0)
    backend = EmbeddedBackend(Settings(database="sqlite://"), world=wednesday)  # the clinic speaks of Tuesday
    backend.create_workflow(clinic.load_documents()[0], name=clinic.name)
    draft = draft_of(talk(backend, *CONVERSATIONS["Clinic front desk: demo"]))
    said, path, status = (row_of(draft, 5, kind) for kind in ("says", "path", "status"))

    assert said.with_match("exact").to_json() == {"says": {"equals": said.value}}
    assert said.with_match("similar").to_json() == {"says": {"similar": said.value}}
    regex = said.with_match("regex").to_json()["says"]["regex"]
    assert regex.startswith("^That is Tuesday at .+ with Dr\\. Okafor")
    assert path.with_match("contains").to_json() == {"path": ["...", "Read back", "..."]}
    assert path.with_text("Slot choice > ...").to_json() == {"path": ["Slot choice", "..."]}
    with pytest.raises(InputError, match="status cannot be compared by 'regex'"):
        status.with_match("regex")
    with pytest.raises(InputError, match="expectation status of turn 5"):
        status.with_text("waiting").to_json()
    with pytest.raises(InputError, match="is not a regular expression"):
        said.with_match("regex").with_text("(").to_json()
    with pytest.raises(InputError, match="has no text"):
        said.with_text("").to_json()


def test_variable_with_text_keeps_its_type() -> None:
    one = Proposal(1, "variable", "runtime.count", 3, "exact", "3", is_ticked=True)

    assert one.with_text("4").to_json() == {"variable": {"name": "runtime.count", "equals": 4}}
    assert replace(one, value="3").with_text("4").to_json()["variable"]["equals"] == "4"


@pytest.mark.parametrize(
    "expectation",
    [
        {"says": "Hello"},
        {"says": {"regex": "a+"}, "message": "why"},
        {"says": {"similar": "a b", "at_least": 0.5}},
        {"says": {"not": "No"}},
        {"variable": {"name": "runtime.a", "equals": {"b": 1}}},
        {"variable": {"name": "runtime.a", "one_of": [1, 2]}},
        {"variable": {"name": "runtime.a", "absent": True}},
        {"path": ["A", "...", "B"]},
        {"edge_taken": ["x", "y"]},
        {"hint": {"waiting": False}},
        {"at_most": {"turns": 3}, "soft": True},
    ],
)
def test_parsed_expectation_is_written_as_it_was(expectation) -> None:
    row = parse_expectation(expectation, 1)

    assert row.is_ticked
    assert row.to_json() == expectation


def test_stable_part_leaves_out_what_varies() -> None:
    assert stable_part("Booked for 2026-03-01 at 9:20 am, see you there, Ada.") == "see you there, Ada"
    assert stable_part("Your code is 0f8fad5b-d9cb-469f-a165-70867728950e.") == "Your code is"
    assert stable_part("On Sunday, the shop is open.", {"Sunday"}) == "the shop is open"
    assert stable_part("Yes.") == "Yes"
    assert stable_part("12:30 ok 12:31") == ""


def test_pattern_of_fits_anotherrun_text() -> None:
    pattern = pattern_of("Code 123456 (valid to 12:30).")

    assert re.search(pattern, "Code 99887766 (valid to 01:15).")
    assert not re.search(pattern, "Code 123456, valid to 12:30.")


@pytest.mark.parametrize("text", ["{{x}}", "Hello {{ guest name }}, how are you today?"])
def test_part_with_a_placeholder_is_in_the_message(text) -> None:
    part = text_for("says", escaped(text), "contains", frozenset())

    assert part
    assert unescaped(part) in text


@pytest.mark.parametrize(
    ("expectation", "text"),
    [
        ({"path": [1, "...", "Desk"]}, "1 > ... > Desk"),
        ({"hint": {"node": 5}}, "5"),
        ({"says": 42}, "42"),
    ],
)
def test_numbers_of_a_file_are_shown_as_texts(expectation, text):
    found = parse_expectation(expectation, 1)

    assert (found.text, found.to_json()) == (text, expectation)


def test_null_in_a_file_is_as_an_absent_key():
    row = parse_expectation({"says": None, "reached": ["ask"]}, 1)
    hint = parse_expectation({"hint": {"node": None}}, 1)

    assert (row.kind, row.match, row.to_json()) == ("reached", "as written", row.original)
    assert (hint.match, hint.text) == ("as written", '{"node":null}')


@pytest.mark.parametrize("path", [["...", "ask", "..."], ["ask", "..."], [7, "ask"]])
def test_loosened_path_keeps_a_node(path):
    row = parse_expectation({"path": path}, None).with_match("exact").with_match("contains")

    assert row.to_json() == {"path": ["...", "ask", "..."]}
