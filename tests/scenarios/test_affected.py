from __future__ import annotations

import copy
import json
from contextlib import closing

import pytest

from debugger.backends import open_embedded
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.scenarios.affected import (
    AffectedScenarios,
    NamedVersion,
    affected_first,
    find_runs,
    find_scenarios,
    version_effects,
    with_inner_workflows,
)
from debugger.scenarios.connections import Connections
from debugger.scenarios.suite import load_cases
from debugger.settings import Settings
from tests.support.factories import direct, document, node, static
from tests.support.planted_changes import CHANGES, confirming_server, run_planted
from tests.support.replayed import desk
from tests.support.super_nodes import Shelf, super_node


@pytest.fixture
def connections():
    with closing(Connections(Settings(database="sqlite://"))) as made:
        yield made


def scenario(folder, name, kind, *, workflow="desk.json", more=""):
    text = (
        f"version: 1\nname: {name}\nworkflow: {workflow}\n{more}"
        f"input: {{dynamic_variables: {{kind: {kind}}}}}\n"
        f"turns: [{{expect: [{{says: nothing of the kind}}]}}]\n"
    )
    (folder / f"{name}.scenario.yaml").write_text(text)


def write(folder, made, name="desk.json"):
    (folder / name).write_text(json.dumps(made))


def version(made):
    return NamedVersion(Workflow.from_document(made), file="old.json")


def found_in(folder, connections, old, new=None):
    """Return the affected scenarios of a folder by their names, with the ids of changes or the reason."""
    before = version(old)
    load = connections.embedded.workflow
    effects = None if new is None else version_effects(before.workflow, Workflow.from_document(new), load)
    with AffectedScenarios(connections, before, effects) as judge:
        found = find_scenarios(load_cases([folder]), judge)
    return found, {
        each.id.partition("::")[2]: each.reason or [effect.change.id for effect in each.effects]
        for each in found.affected
    }


def test_scenarios_are_played_on_the_old_version(tmp_path, connections):
    new = desk(booking_leads_to="billing")
    write(tmp_path, new)
    scenario(tmp_path, "book", "book")
    scenario(tmp_path, "bill", "bill")
    old = desk()
    for made in (old, new):
        made["node_configs"].append(static("late", "Late.", name="Late"))
    changed = copy.deepcopy(old)
    changed["node_configs"][1]["static_messages_config"]["static_messages"] = ["When?"]

    found, by_name = found_in(tmp_path, connections, old, changed)

    assert by_name == {"book": ["booking"]}
    assert (found.total, found.left_out) == (2, 0)


def test_workflow_of_a_scenario_is_the_new_version(tmp_path, connections):
    new = desk()
    new["node_configs"][2]["static_messages_config"]["static_messages"] = ["Which invoice?"]
    write(tmp_path, new)
    scenario(tmp_path, "book", "book")
    scenario(tmp_path, "bill", "bill")

    _, by_name = found_in(tmp_path, connections, desk())

    assert by_name == {"bill": ["billing"]}


def test_nothing_is_stored(tmp_path, connections):
    write(tmp_path, desk(greeting="Hello."))
    scenario(tmp_path, "book", "book")
    workflows = len(connections.embedded.workflows())

    _, by_name = found_in(tmp_path, connections, desk())

    assert by_name == {"book": ["desk"]}
    assert len(connections.embedded.workflows()) == workflows
    assert connections.embedded.runs(page=1, size=1).total == 0


def test_scenario_of_another_workflow_is_left_out(tmp_path, connections):
    other = desk()
    other["workflow_config"]["logical_id"] = "workflow_other"
    write(tmp_path, other)
    scenario(tmp_path, "file", "book")
    scenario(tmp_path, "stored", "book", workflow="workflow_tea_welcome")

    found, by_name = found_in(tmp_path, connections, desk(), desk(greeting="Hello."))

    assert by_name == {}
    assert (found.total, found.left_out) == (0, 2)


def test_stored_workflow_is_found_by_its_logical_id(tmp_path, connections):
    connections.embedded.create_workflow(desk(greeting="Hello."))
    scenario(tmp_path, "book", "book", workflow="'Front desk'")

    _, by_name = found_in(tmp_path, connections, desk())

    assert by_name == {"book": ["desk"]}


@pytest.mark.parametrize(
    ("workflow", "more", "reason"),
    [
        ("desk.json", "connection: hosted\n", "It runs on the connection 'hosted'"),
        ("Elsewhere", "connection: hosted\n", "It runs a workflow of the connection 'hosted'"),
        ("Elsewhere", "", "There is no workflow with the id, logical id or name 'Elsewhere'"),
        ("desk.json", "nonsense: 1\n", "it cannot be run: "),
        ("desk.json", "mocks: [{node: gone, output: {}}]\n", "gone"),
        ("desk.json", "recording: book.recording.jsonl\n", "The recorded answers"),
    ],
)
def test_scenario_whose_passage_is_not_known_counts(tmp_path, connections, workflow, more, reason):
    new = desk(greeting="Hello.")
    new["node_configs"].append(static("gone", "Not in the old version."))
    write(tmp_path, new)
    scenario(tmp_path, "book", "book", workflow=workflow, more=more)

    found, _ = found_in(tmp_path, connections, desk(), new)

    [only] = found.affected
    assert reason in only.reason
    assert "\n" not in only.reason


def test_live_calls_are_not_made(tmp_path):
    old = document(
        static("desk", "Hi."), node("page", "http_request", url="http://127.0.0.1:9/"), direct("desk", "page")
    )
    write(tmp_path, old)
    scenario(tmp_path, "book", "book", more="calls: {read: live}\n")
    settings = Settings(database="sqlite://", outbound_read="live")
    new = copy.deepcopy(old)
    new["node_configs"][0]["static_messages_config"]["static_messages"] = ["Hello."]

    with closing(Connections(settings)) as connections:
        found, _ = found_in(tmp_path, connections, old, new)

    assert [each.reason for each in found.affected] == ["It makes live calls (read), which are not made here"]


def test_no_change_affects_not_even_a_hosted_scenario(tmp_path, connections):
    write(tmp_path, desk())
    scenario(tmp_path, "book", "book", more="connection: hosted\n")

    found, by_name = found_in(tmp_path, connections, desk(), desk())

    assert (by_name, found.total) == ({}, 1)


def test_rows_are_affected_one_by_one(tmp_path, connections):
    new = desk()
    new["node_configs"][1]["static_messages_config"]["static_messages"] = ["When?"]
    write(tmp_path, new)
    scenario(tmp_path, "ask", "'{{kind}}'", more="rows: [{kind: bill}, {kind: book}]\n")

    _, by_name = found_in(tmp_path, connections, desk())

    assert by_name == {"ask[row 2]": ["booking"]}


def test_run_that_has_ended_takes_no_more_turns(tmp_path, connections):
    write(tmp_path, desk(greeting="Hello."))
    (tmp_path / "a.scenario.yaml").write_text(
        "version: 1\nname: a\nworkflow: desk.json\nturns: [{say: Hi}, {say: There}]\n"
    )

    _, by_name = found_in(tmp_path, connections, desk())

    assert by_name == {"a": ["desk"]}


def test_stored_workflows_of_super_nodes_are_played(tmp_path, connections):
    inner = connections.embedded.create_workflow(
        document(static("ask", "Which day?"), static("bye", "Bye."), direct("ask", "bye"), logical_id="inner")
    )
    old = document(
        static("desk", "Hi."),
        node("booking", "super_node", super_workflow_id=inner.id, super_workflow_version_number=0),
        direct("desk", "booking"),
    )
    new = copy.deepcopy(old)
    new["node_configs"][1]["super_workflow_version_number"] = 1
    write(tmp_path, new)
    scenario(tmp_path, "book", "book")

    _, by_name = found_in(tmp_path, connections, old, new)

    assert by_name == {"book": ["booking"]}


def test_inner_workflows_are_embedded_at_every_level():
    innermost = document(static("pay", "Pay."), logical_id="pay")
    middle = document(node("pay", "super_node", super_workflow_id="pay"), logical_id="middle")
    outer = Workflow.from_document(document(super_node("booking", middle), static("end", "Bye.")))

    found = with_inner_workflows(outer, Shelf(pay=innermost).load)

    [booking, _] = found.to_wire()["node_configs"]
    [pay] = booking["encapsulated_workflow_config"]["node_configs"]
    assert pay["encapsulated_workflow_config"]["node_configs"] == innermost["node_configs"]


def test_affected_cases_come_first_in_their_order(tmp_path, connections):
    new = desk()
    new["node_configs"][1]["static_messages_config"]["static_messages"] = ["When?"]
    write(tmp_path, new)
    for name, kind in (("a", "bill"), ("b", "book"), ("c", "bill"), ("d", "book")):
        scenario(tmp_path, name, kind)
    found, _ = found_in(tmp_path, connections, desk())

    ordered = affected_first(load_cases([tmp_path]), found)

    assert [case.scenario.name for case in ordered] == ["b", "d", "a", "c"]


class Store:
    """A store with a desk in two versions, and runs of both."""

    def __init__(self, *documents):
        self.backend = open_embedded(Settings(database="sqlite://"))
        self.workflow = self.backend.create_workflow(documents[0])
        for made in documents[1:]:
            self.backend.import_version(
                self.workflow.id, made, expected=len(self.backend.versions(self.workflow.id))
            )

    def run(self, kind, number=0):
        given = TurnInput.with_message(None, dynamic_variables={"kind": kind})
        return self.backend.execute(self.workflow.id, given, version_number=number).finish().run_id


def test_runs_of_the_new_version_are_left_out():
    new = desk()
    new["node_configs"][1]["static_messages_config"]["static_messages"] = ["When?"]
    store = Store(desk(), new)
    runs = [store.run("book"), store.run("bill"), store.run("book", 1)]
    old, new = (store.backend.workflow(store.workflow.id, number) for number in (0, 1))

    found = find_runs(
        store.backend,
        [*runs, "665f0c2b9a3e4d5f6a7b8c90"],
        version_effects(old, new, store.backend.workflow),
        new,
    )

    assert [(each.id, each.version) for each in found.affected] == [(runs[0], 0)]
    assert (found.total, found.left_out) == (2, 1)


def test_run_of_a_version_that_cannot_be_read_counts(monkeypatch):
    store = Store(desk())
    run_id = store.run("bill")
    old, new = Workflow.from_document(desk()), Workflow.from_document(desk(greeting="Hello."))
    monkeypatch.setattr("debugger.exports.sources.RunReader._workflow", lambda *_: None)

    [found] = find_runs(
        store.backend, [run_id], version_effects(old, new, store.backend.workflow), new
    ).affected

    assert found.reason == "version 0 cannot be read"


@pytest.fixture(scope="module")
def server():
    with confirming_server() as address:
        yield address


@pytest.mark.parametrize("planted", CHANGES, ids=lambda planted: planted.name)
def test_scenario_that_fails_after_a_change_is_affected(planted, tmp_path, connections, server):
    for name, is_changed in (("old", False), ("new", True)):
        run_planted(planted, tmp_path / name, server, is_changed=is_changed)
    old, new = (json.loads((tmp_path / name / "flow.json").read_text()) for name in ("old", "new"))

    _, by_name = found_in(tmp_path / "new", connections, old)

    assert ("Changed" in by_name) is (old != new)  # of some the script changed alone
