from __future__ import annotations

from contextlib import closing

import pytest

from debugger.analysis.comparison.tables import WorkflowChange
from debugger.analysis.differences import Difference
from debugger.backends import open_embedded
from debugger.replays.groups import change_text, read_groups
from debugger.replays.results import Divergence, ReplayResult
from debugger.settings import Settings
from debugger.store import ReplayTarget, StoredReplayResult
from tests.store.test_retention import keep
from tests.support.factories import direct, static, workflow

REPLAY = "1" * 24
CHANGE = "node Hello changed (text); edge Hello → Bye removed; edge Hello → Ask added"


@pytest.fixture
def backend():
    with closing(open_embedded(Settings(database="sqlite://"))) as opened:
        yield opened


def before():
    return workflow(static("hello", text="Hello."), static("bye", text="Bye."), direct("hello", "bye"))


def after():
    return workflow(
        static("hello", text="Good morning."),
        static("bye", text="Bye."),
        static("ask", text="What else?"),
        direct("hello", "ask"),
    )


def grouped(backend, *found, number=0, file="", other=None):
    """The groups of a replay with these results, on a version of the workflow `before`."""
    workflow_id = backend.create_workflow(before().to_wire(), name="Tea").id
    backend.import_version(workflow_id, after().to_wire(), expected=1)
    target = ReplayTarget(workflow_id, number, "d" * 64, file)
    replays = backend.store.replays
    replays.begin(REPLAY, target, started_by="Ada", program_version="", selected=len(found))
    for each in found:
        replays.add(REPLAY, StoredReplayResult(each.run_id, each.verdict, each.key, each.to_json()))
    return read_groups(backend, replays, replays.find(REPLAY), other=other)


def words(backend, node_id, number=0):
    found = Divergence(1, node_id, node_id.title(), "Hello.", "Good morning.")
    return ReplayResult(keep(backend.store, 1), number, "words", 1, found)


def test_group_has_change_of_its_node(backend):
    one, two = words(backend, "hello"), words(backend, "hello")

    [group] = grouped(backend, one, two, number=1)

    assert (group.key, group.verdict, group.count) == (one.key, "words", 2)
    assert group.example == max(one, two, key=lambda each: each.run_id)
    assert group.text == "Other words: turn 1, Hello: Good morning. instead of Hello."
    assert group.change == CHANGE


def test_group_of_unchanged_node_has_changes_elsewhere(backend, monkeypatch):
    found = words(backend, "bye")

    [group] = grouped(backend, found, number=1)
    monkeypatch.setattr("debugger.replays.groups._MAX_OTHERS", 1)
    [shorter] = grouped(backend, found, number=1)

    assert group.change.startswith("elsewhere: node Hello changed (text); ")
    assert "node Ask added" in group.change
    assert shorter.change == "elsewhere: node Hello changed (text); 3 more"


def test_group_of_equal_versions_has_no_change(backend):
    [group] = grouped(backend, words(backend, "bye"), number=0)

    assert group.change == ""


def test_group_without_divergence_has_its_reason(backend):
    failed = ReplayResult(keep(backend.store, 1), 0, "failed", 1, None, "The node asks for a missing tool.")

    [group] = grouped(backend, failed, number=1)

    assert (group.text, group.change) == ("Failed: The node asks for a missing tool.", "")


def test_group_of_version_that_is_gone_has_no_change(backend):
    [group] = grouped(backend, words(backend, "hello", number=9), number=1)

    assert (group.count, group.change) == (1, "")


def test_version_of_file_is_the_one_given(backend):
    found = words(backend, "hello")

    [unknown] = grouped(backend, found, file="tea.json")
    [group] = grouped(backend, found, file="tea.json", other=after())

    assert unknown.change == ""
    assert group.change == CHANGE


def test_acceptance_is_of_the_group(backend):
    found = words(backend, "hello")
    [group] = grouped(backend, found, number=1)
    assert group.acceptance is None
    [replay] = backend.store.replays.newest()
    backend.store.replays.accept(replay.target.workflow_id, group.key, accepted_by="Ada", comment="New.")

    [group] = read_groups(backend, backend.store.replays, replay)

    assert (group.acceptance.accepted_by, group.acceptance.comment) == ("Ada", "New.")


def test_change_names_its_first_fields():
    fields = tuple(Difference(f"field{number}", 1, 2, "changed") for number in range(6))

    told = change_text(WorkflowChange("node", "n", "Desk", "changed", fields))

    assert told == "node Desk changed (field0, field1, field2, field3 and 2 more)"
