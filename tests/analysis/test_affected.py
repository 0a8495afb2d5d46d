from __future__ import annotations

import copy
import random

import pytest

from debugger.analysis.affected import Passage, change_effects, passage_of
from debugger.analysis.coverage import Coverage
from debugger.analysis.event_fields import node_of
from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.environment import Environment
from debugger.errors import DebuggerError, RunEndedError
from debugger.graph import Graph
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.protocol.workflow import Workflow
from debugger.scenarios.conversation import CheckedWorkflow
from debugger.scenarios.coverage import open_coverage
from debugger.settings import Settings
from tests.support.factories import direct, document, everywhere, node, say, static, when
from tests.support.generated import COMMANDS, generate, seeds
from tests.support.replayed import desk
from tests.support.replays import Clock
from tests.support.super_nodes import Shelf, super_node


def effects(old, new, **stored):
    def expand(workflow):
        return CheckedWorkflow.expanded(workflow, Shelf(**stored).load).running

    return change_effects(Workflow.from_document(old), Workflow.from_document(new), expand)


def one_effect(old, new):
    [found] = effects(old, new)
    return found


def part(made, part_id):
    [found] = [
        each for each in (*made["node_configs"], *made["edge_configs"]) if each["logical_id"] == part_id
    ]
    return found


def played(made, **variables):
    """Return what a run of a workflow passes, of which the first turn has these variables."""
    backend = EmbeddedBackend(Settings(database="sqlite://"))
    workflow_id = backend.create_workflow(made).id
    start = TurnInput.with_message(None, dynamic_variables=variables)
    run = backend.run(backend.execute(workflow_id, start).finish().run_id)
    coverage = open_coverage(Workflow.from_document(made), backend.workflow)
    return passage_of(coverage, turn_logs(run))


def test_same_versions_have_no_effect():
    assert effects(desk(), desk()) == []


def test_run_passes_nodes_and_edges():
    assert played(desk(), kind="book") == Passage(frozenset({"desk", "booking"}), frozenset({"edge_book"}))


def test_changed_text_affects_runs_in_which_the_node_ran():
    new = desk()
    part(new, "billing")["static_messages_config"]["static_messages"] = ["Which invoice?"]

    found = one_effect(desk(), new)

    assert (found.change.part, found.change.op, found.change.name) == ("node", "changed", "Billing")
    assert found.affects(played(desk(), kind="bill"))
    assert not found.affects(played(desk(), kind="book"))


def test_changed_condition_affects_runs_that_took_another_edge():
    new = desk()
    part(new, "edge_book")["condition"]["condition_expression"] = "{{kind}} == 'booking'"

    found = one_effect(desk(), new)

    assert found.affects(played(desk(), kind="bill"))
    assert not found.affects(Passage(frozenset({"booking"}), frozenset()))


def test_removed_edge_affects_runs_that_followed_it():
    new = desk()
    new["edge_configs"].remove(part(new, "edge_book"))

    found = one_effect(desk(), new)

    assert found.change.op == "removed"
    assert found.affects(played(desk(), kind="book"))
    assert not found.affects(played(desk(), kind="bill"))


def test_removed_edge_that_a_model_judged_affects_runs_at_its_source():
    old = document(static("a", "A."), static("b", "B."), when("a", "b", freeform="they agree"))
    new = document(static("a", "A."), static("b", "B."))

    assert one_effect(old, new).affects(Passage(frozenset({"a"}), frozenset()))


def test_removed_node_affects_runs_that_passed_it():
    old = document(static("a", "A."), static("b", "B."))

    found = one_effect(old, document(static("a", "A.")))

    assert found.affects(Passage(frozenset({"b"}), frozenset()))
    assert not found.affects(Passage(frozenset({"a"}), frozenset()))


def test_added_edge_affects_runs_that_passed_its_source():
    new = desk()
    new["edge_configs"].append(direct("booking", "billing"))

    found = one_effect(desk(), new)

    assert found.affects(played(desk(), kind="book"))
    assert not found.affects(played(desk(), kind="bill"))


def test_added_node_alone_affects_none():
    new = desk()
    new["node_configs"].append(static("hours", "We are open."))

    found = one_effect(desk(), new)

    assert found.scope == "none"
    assert not found.affects(played(desk(), kind="book"))


@pytest.mark.parametrize("op", ["added", "removed", "changed"])
def test_way_into_a_global_node_affects_every_run(op):
    plain, helped = desk(), desk()
    helped["node_configs"].append(static("help", "Yes?", global_node_config=everywhere("needs help")))
    changed = copy.deepcopy(helped)
    part(changed, "help")["global_node_config"]["condition"]["condition_freeform"] = "asks for a person"
    old, new = {"added": (plain, helped), "removed": (helped, plain), "changed": (helped, changed)}[op]

    found = one_effect(old, new)

    assert (found.change.op, found.scope) == (op, "every")
    assert found.affects(Passage(frozenset(), frozenset()))


def test_text_of_a_global_node_affects_runs_that_passed_it():
    old = desk()
    old["node_configs"].append(static("help", "Yes?", global_node_config=everywhere("needs help")))
    new = copy.deepcopy(old)
    part(new, "help")["static_messages_config"]["static_messages"] = ["How can I help?"]

    found = one_effect(old, new)

    assert found.affects(Passage(frozenset({"help"}), frozenset()))
    assert not found.affects(Passage(frozenset({"desk"}), frozenset()))


def test_other_start_affects_every_run():
    new = desk()
    part(new, "booking")["is_start"] = True

    assert one_effect(desk(), new).scope == "every"


def test_changed_default_of_the_workflow_affects_every_run():
    new = desk()
    new["workflow_config"]["miscellaneous"]["default_dynamic_variables"]["kind"] = "bill"

    found = one_effect(desk(), new)

    assert (found.change.part, found.scope) == ("settings", "every")


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Asks what it is about."},
        {"note": "Mind the tone."},
        {"position": {"x": 1, "y": 2}},
        {"miscellaneous": {"position": {"x": 1}}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fields_for_people_affect_no_run(change):
    old, new = desk(), desk()
    part(old, "desk")["miscellaneous"] = {}
    part(new, "desk").update({"miscellaneous": {}} | change)

    assert one_effect(old, new).scope == "none"


def test_field_for_people_beside_another_one_affects_runs():
    new = desk(greeting="Hello.")
    part(new, "desk")["description"] = "Asks what it is about."

    assert one_effect(desk(), new).affects(played(desk(), kind="book"))


def test_what_is_disabled_in_both_versions_affects_no_run():
    old, new = desk(), desk(greeting="Hello.")
    for made in (old, new):
        part(made, "desk")["disabled"] = True
    part(old, "edge_book")["disabled"] = True
    new["edge_configs"].remove(part(new, "edge_book"))

    assert [each.scope for each in effects(old, new)] == ["none", "none"]


def test_enabled_node_affects_runs_that_were_led_past_it():
    old = document(
        static("a", "A."),
        static("b", "B.", disabled=True),
        static("c", "C."),
        direct("a", "b"),
        direct("b", "c"),
    )
    new = copy.deepcopy(old)
    part(new, "b")["disabled"] = False

    assert one_effect(old, new).affects(played(old))


def test_edge_of_a_disabled_node_is_followed_without_an_event():
    old = document(
        static("a", "A."),
        static("b", "B.", disabled=True),
        static("c", "C.", disabled=True),
        static("d", "D."),
        direct("a", "b"),
        direct("b", "c"),
        direct("c", "d"),
    )

    assert played(old) == Passage(frozenset("abcd"), frozenset({"edge_a_b", "edge_b_c", "edge_c_d"}))


def test_node_that_waits_for_the_user_is_passed():
    assert played(document(say("a"))).nodes == {"a"}


def test_first_node_of_an_unknown_type_is_passed():
    old = document(node("a", "from_next_year"), static("b", "B."), direct("a", "b"))

    assert played(old) == Passage(frozenset("ab"), frozenset({"edge_a_b"}))


def test_order_of_conditions_affects_runs_at_their_source():
    new = desk()
    new["edge_configs"].reverse()

    found = one_effect(desk(), new)

    assert found.affects(Passage(frozenset({"desk"}), frozenset()))
    assert not found.affects(Passage(frozenset({"booking"}), frozenset()))


@pytest.mark.parametrize("kind", ["direct", "companion"])
def test_order_of_edges_that_start_threads_affects_runs_at_their_source(kind):
    edges = [direct("a", end, type=kind) for end in "bc"]
    old, new = (
        document(static("a", "A."), static("b", "B."), static("c", "C."), *each)
        for each in (edges, edges[::-1])
    )

    found = one_effect(old, new)

    assert [each.path for each in found.change.fields] == [f"{kind} edges[order]"]
    assert found.nodes == {"a"}


def test_order_of_global_nodes_affects_every_run():
    nodes = [static(each, "Yes?", global_node_config=everywhere(each)) for each in "bc"]
    old, new = (document(static("a", "A."), *each) for each in (nodes, nodes[::-1]))

    assert one_effect(old, new).scope == "every"


def test_edge_with_another_source_affects_runs_at_both():
    new = desk()
    part(new, "edge_book")["source_node_logical_id"] = "billing"

    found = one_effect(desk(), new)

    assert found.nodes == {"desk", "billing"}


def test_super_node_is_passed_by_its_inner_nodes():
    def booked(question):
        inner = document(static("ask", question), name="Inner", logical_id="inner")
        return document(static("desk", "Hi."), super_node("booking", inner), direct("desk", "booking"))

    found = one_effect(booked("Which day?"), booked("When?"))

    passage = played(booked("Which day?"))
    assert {"desk", "booking", "booking/ask"} == passage.nodes
    assert found.affects(passage)


def test_variables_of_a_super_node_affect_every_run():
    def booked(day):
        inner = document(static("ask", "{{day}}?"), logical_id="inner", defaults={"day": day})
        return document(static("desk", "Hi."), super_node("booking", inner), direct("desk", "booking"))

    node, workflow = effects(booked("Monday"), booked("Friday"))

    assert (node.change.id, node.scope) == ("booking", "passing")
    assert (workflow.change.part, workflow.scope) == ("settings", "every")


def test_changed_super_node_that_cannot_be_expanded_affects_every_run():
    def booked(number):
        booking = node(
            "booking", "super_node", super_workflow_id="gone", super_workflow_version_number=number
        )
        return document(static("desk", "Hi."), booking, direct("desk", "booking"))

    assert one_effect(booked(1), booked(2)).scope == "every"


@pytest.mark.parametrize("op", ["changed", "removed"])
def test_guardrail_affects_runs_that_it_kept_away(op):
    old = document(static("a", "A."), static("b", "B.", is_guardrail_node=True))
    new = document(static("a", "A."), *([static("b", "B.")] if op == "changed" else []))

    found = one_effect(old, new)

    assert (found.change.op, found.scope) == (op, "every")


def test_removed_edge_affects_runs_in_which_its_condition_held():
    old = document(
        static("a", "A."),
        static("b", "B."),
        static("c", "C."),
        when("a", "b", "1 == 1"),
        when("a", "c", "1 == 1"),
    )
    new = copy.deepcopy(old)
    new["edge_configs"].remove(part(new, "edge_a_c"))

    passage = played(old)

    assert one_effect(old, new).affects(passage)
    assert "c" not in passage.nodes


def test_reading_items_adds_no_run():
    made = desk()
    coverage = Coverage(Graph(Workflow.from_document(made)))
    backend = EmbeddedBackend(Settings(database="sqlite://"))
    run_id = backend.execute(backend.create_workflow(made).id, TurnInput.with_message(None)).finish().run_id

    passage_of(coverage, turn_logs(backend.run(run_id)))

    assert (coverage.covered, coverage.run_ids) == ({}, set())


def disable(chance, made):
    each = chance.choice([*made["node_configs"], *made["edge_configs"]])
    each["disabled"] = not each.get("disabled")


def replace_node(chance, made):
    index = chance.randrange(len(made["node_configs"]))
    old = made["node_configs"][index]
    made["node_configs"][index] = static(old["logical_id"], "New.", is_start=old.get("is_start", False))


def remove_edge(chance, made):
    if made["edge_configs"]:
        del made["edge_configs"][chance.randrange(len(made["edge_configs"]))]


def remove_node(chance, made):
    if len(made["node_configs"]) > 1:
        gone = made["node_configs"].pop(chance.randrange(1, len(made["node_configs"])))["logical_id"]
        ends = "source_node_logical_id", "destination_node_logical_id"
        made["edge_configs"] = [
            each for each in made["edge_configs"] if gone not in (each.get(end) for end in ends)
        ]


def add_edge(chance, made):
    source, destination = (chance.choice(made["node_configs"])["logical_id"] for _ in range(2))
    edge = chance.choice(
        [direct, lambda *ends: when(*ends, "1 == 1"), lambda *ends: when(*ends, freeform="yes")]
    )
    made["edge_configs"].insert(0, edge(source, destination) | {"logical_id": "edge_new"})


def lead_elsewhere(chance, made):
    if made["edge_configs"]:
        destination = chance.choice(made["node_configs"])["logical_id"]
        chance.choice(made["edge_configs"])["destination_node_logical_id"] = destination


def shuffle_edges(chance, made):
    chance.shuffle(made["edge_configs"])


def shuffle_nodes(chance, made):
    chance.shuffle(made["node_configs"])


def make_global(chance, made):
    chance.choice(made["node_configs"])["global_node_config"] = everywhere("count")


def set_default(_, made):
    made["workflow_config"]["miscellaneous"]["default_dynamic_variables"]["place"] = "Bonn"


MUTATIONS = [
    disable,
    replace_node,
    remove_edge,
    remove_node,
    add_edge,
    lead_elsewhere,
    shuffle_edges,
    shuffle_nodes,
    make_global,
    set_default,
]


def talked(made, texts):
    """Return the turns of a run with the same clock and chance, and what happened at which node."""
    clock = Clock()
    world = Environment(now=clock.now, sleep=clock.sleep, random=random.Random(1))
    backend = EmbeddedBackend(Settings(database="sqlite://", inline_python="off"), world=world)
    workflow_id, run_id = backend.create_workflow(made).id, None
    for text in (None, *texts):
        given = TurnInput.with_message(text, command="data" if run_id else "start")
        try:
            run_id = backend.execute(workflow_id, given, run_id=run_id).finish().run_id
        except RunEndedError:
            break
    logs = turn_logs(backend.run(run_id))
    # Without warnings: that of a condition that was not taken goes with it.
    seen = [
        (each.type, node_of(each)) for log in logs for each in log.events if each.type != "workflow_warning"
    ]
    return passage_of(open_coverage(Workflow.from_document(made), backend.workflow), logs), seen


@pytest.mark.parametrize("seed", seeds(15, 300))
def test_runs_that_are_not_affected_run_as_before(seed):
    made, texts = generate(seed)
    texts = [text for text in texts if text not in COMMANDS]
    try:
        passage, seen = talked(made, texts)
    except DebuggerError:
        return
    for number, mutate in enumerate(MUTATIONS * 2):
        new = copy.deepcopy(made)
        mutate(random.Random(f"{seed} {number}"), new)
        try:
            if any(each.affects(passage) for each in effects(made, new)):
                continue
            after = talked(new, texts)
        except DebuggerError:
            continue
        assert after == (passage, seen), (mutate.__name__, effects(made, new))
