"""The clinic, driven through the engine by its script."""

from __future__ import annotations

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel, Script, ScriptedModel
from debugger.protocol.events import AssistantResponseEvent, EdgeEvent, Event, StartNodeRunEvent
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES, script_for

CLINIC = next(sample for sample in SAMPLES if sample.name == "Clinic front desk")
FIRST, SECOND = (Workflow.from_document(document) for document in CLINIC.load_documents())
SCRIPT = Script.load(script_for("workflow_clinic_front_desk") or "")


def call(messages: tuple[str, ...], workflow: Workflow = SECOND) -> tuple[list[str], list[list[Event]]]:
    """Return each turn's status and events; the first has no message."""
    interpreter = Interpreter(workflow, ScriptedModel(SCRIPT, HeuristicModel()))
    state = interpreter.begin(TurnInput())
    statuses, turns = [], []
    for message in (None, *messages):
        events = []
        turn = interpreter.turn(state, TurnInput.with_message(message))
        while True:
            try:
                events.append(next(turn))
            except StopIteration as end:
                statuses.append(end.value.status)
                break
        turns.append(events)
    return statuses, turns


def said(events: list[Event]) -> str:
    return " / ".join(event.words for event in events if isinstance(event, AssistantResponseEvent))


def visited(turns: list[list[Event]]) -> set[str | None]:
    return {
        event.origin_node_logical_id
        for turn in turns
        for event in turn
        if isinstance(event, StartNodeRunEvent)
    }


@pytest.mark.parametrize("workflow", [FIRST, SECOND], ids=["v1", "v2"])
def test_demo_books_an_appointment_with_a_detour(workflow):
    statuses, turns = call(SCRIPT.demo, workflow)

    assert statuses == ["waiting_for_user_input"] * 7 + ["completed"]
    assert [said(turn) for turn in turns[1:]] == [
        "I'd be happy to help with that. May I have your full name and your date of birth?",
        "Thank you, Ada Moreno. What is the visit about, and which day would suit you?",
        "We are open Monday to Friday from 8 am to 6 pm, and on Saturdays from 9 am to noon. "
        "Shall we go on where we were?",
        "I have two openings, Tuesday at 9:20 am with Dr. Okafor, or Tuesday at 2:40 pm with Dr. Lindqvist. "
        "Which one suits you?",
        "That is Tuesday at 9:20 am with Dr. Okafor, for Ada Moreno. Shall I book it?",
        "You are booked, Ada Moreno: Tuesday at 9:20 am with Dr. Okafor. Your confirmation code is JL-259. "
        "Is there anything else I can do for you?",
        "Thank you for calling Juniper Lane Clinic. Take care, and goodbye.",
    ]


@pytest.mark.parametrize("name", SCRIPT.alternatives)
def test_every_alternative_ends_with_scripted_replies(name):
    statuses, turns = call(SCRIPT.alternatives[name])

    assert statuses[-1] == "completed"
    assert set(statuses[:-1]) == {"waiting_for_user_input"}
    assert all(said(turn) for turn in turns)
    assert not any("built-in rules" in said(turn) or "[[" in said(turn) for turn in turns)


def test_scripted_conversations_visit_every_node():
    conversations = [SCRIPT.demo, *SCRIPT.alternatives.values()]

    nodes = set().union(*(visited(call(conversation)[1]) for conversation in conversations))

    assert nodes == {node.logical_id for node in SECOND.node_configs}


def test_chest_pain_is_sent_to_emergency_care():
    _, turns = call(("I need an appointment.", "I'm Tom Fairweather and I have chest pain."))

    assert said(turns[-1]).startswith("You mentioned chest pain. That needs care right now")


def test_caller_returns_to_intent_after_asking_hours():
    _, turns = call(("Where can I park?", "Thanks. I need a refill."))

    targets = [event.destination_node_logical_id for event in turns[2] if isinstance(event, EdgeEvent)]
    assert targets[:2] == ["node_intent_desk", "node_refill_desk"]
    assert said(turns[2]) == "Certainly. Which medication and strength, and which pharmacy should it go to?"


def test_every_rule_belongs_to_a_model_node():
    models = {node.logical_id for node in SECOND.node_configs if node.type in ("say_llm", "worker_llm")}

    assert set(SCRIPT.nodes) <= models


def test_every_scripted_transition_exists_in_workflow():
    conditions = [node.global_node_config for node in SECOND.node_configs if node.global_node_config]
    targets = {edge.name for edge in SECOND.edge_configs} | {node.logical_id for node in SECOND.node_configs}
    targets |= {
        one.reverse_conditional_edge.condition_freeform for one in conditions if one.reverse_conditional_edge
    }
    rules = [*SCRIPT.anywhere, *(rule for rules in SCRIPT.nodes.values() for rule in rules)]

    assert {rule.take for rule in rules if rule.take} <= targets
