from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.session.input_history import MAX_INPUTS, MAX_LINES, InputHistory, next_lines, reusable_input
from debugger.settings import Settings
from tests.support.factories import document, say


@pytest.fixture
def backend():
    backend = EmbeddedBackend(Settings(database="sqlite://", responder="rules"))
    yield backend
    backend.close()


@pytest.fixture
def tea(backend):
    return backend.create_workflow(document(say("chat"))).id


def begin(backend, workflow_id, **fields):
    return backend.execute(workflow_id, TurnInput.with_message("Hello", **fields)).finish().run_id


def names(recall, steps):
    found = []
    for _ in range(steps):
        recall.older()
        found.append(recall.current.value["dynamic_variables"].get("name") if recall.current else None)
    return found


def test_inputs_are_listed_newest_first_each_once(backend, tea):
    for name in ("Ada", "Ben", "Ben", "Ada", "Cleo"):
        begin(backend, tea, dynamic_variables={"name": name})
    recall = InputHistory(backend, tea)

    assert recall.current is None
    assert names(recall, 3) == ["Cleo", "Ada", "Ben"]
    assert names(recall, 1) == ["Ben"]
    assert not recall.has_older
    recall.newer()
    assert (recall.current.value["dynamic_variables"], recall.number) == ({"name": "Ada"}, 2)


def test_input_names_its_run(backend, tea):
    run_id = begin(backend, tea, dynamic_variables={"name": "Ada"})
    recall = InputHistory(backend, tea)

    recall.older()

    assert recall.current.source == f"run …{run_id[-6:]}"


def test_run_deleted_meanwhile_is_skipped(backend, tea):
    run_ids = [begin(backend, tea, dynamic_variables={"name": name}) for name in ("Ada", "Ben", "Cleo")]
    recall = InputHistory(backend, tea)
    recall.older()

    backend.store.delete_run(run_ids[1])

    assert names(recall, 1) == ["Ada"]


def test_no_runs_have_no_inputs(backend, tea):
    recall = InputHistory(backend, tea)

    recall.older()
    recall.newer()

    assert recall.current is None
    assert (recall.has_older, recall.has_newer) == (False, False)


def test_inputs_are_limited_in_number(backend, tea):
    for number in range(MAX_INPUTS + 3):
        begin(backend, tea, dynamic_variables={"name": str(number)})
    recall = InputHistory(backend, tea)

    names(recall, MAX_INPUTS + 3)

    assert recall.number == MAX_INPUTS
    assert not recall.has_older


def test_reusable_input_lacks_fields_of_turn_and_record():
    kept = {
        "command": "start",
        "dynamic_variables": {"name": "Ada", "now": "10:00"},
        "runtime_variables": {"slot": 3, "workflow_invoke_count": 0, "all_dynamic_variables": {}},
        "thread_to_node_inputs": {"0": {"node_run_inputs": []}},
        "miscellaneous": {},
        "team_id": "team",
        "run_by": "qa",
        "initial_state": None,
        "start_node_logical_id": "chat",
    }

    assert reusable_input(kept) == {
        "dynamic_variables": {"name": "Ada"},
        "runtime_variables": {"slot": 3},
        "run_by": "qa",
        "start_node_logical_id": "chat",
    }


BOOKING = ("I'd like to book.", "Tuesday.", "Yes.")
HUMAN = ("I'd like to book.", "A human, please.")
BILL = ("A question about my bill.",)


def test_conversations_offer_their_first_line_once():
    assert next_lines([BOOKING, HUMAN, BILL], []) == ["I'd like to book.", "A question about my bill."]


def test_only_matching_conversations_continue():
    assert next_lines([BOOKING, HUMAN, BILL], ["I'd like to book."]) == ["Tuesday.", "A human, please."]
    assert next_lines([BOOKING, HUMAN, BILL], ["I'd like to book.", "Tuesday."]) == ["Yes."]


def test_unknown_conversation_has_no_next_line():
    assert next_lines([BOOKING, HUMAN], ["Something else."]) == []


def test_a_conversation_at_its_end_offers_nothing():
    assert next_lines([BILL], list(BILL)) == []


def test_no_more_lines_than_fit():
    assert len(next_lines([(f"line {place}",) for place in range(9)], [])) == MAX_LINES
