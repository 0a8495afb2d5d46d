from __future__ import annotations

import json
import threading

import pytest

from debugger.engine.environment import Environment
from debugger.engine.nodes.connectors import start_conversation
from debugger.engine.nodes.connectors.start_conversation import StartConversationNode
from debugger.engine.outbound.gateway import Policies
from debugger.errors import InputError
from debugger.protocol.workflow import NodeConfig
from tests.support.connector_run import BLOCKED, Clock, ConnectorRun, answer
from tests.support.factories import direct, node, say, static

NUMBER = "+14155550123"


def play(monkeypatch, **fields):
    """A run of one node that calls somebody."""
    names = ("policies", "answers", "secrets", "environment")
    options = {key: fields.pop(key) for key in names if key in fields}
    written = {"is_voice_conversation": True, "user_number": NUMBER, "assistant_id": "a1", **fields}
    parts = node("call", "start_conversation", **written), static("done", "Done."), direct("call", "done")
    return ConnectorRun(monkeypatch, {"start_conversation": StartConversationNode}, *parts, **options)


def statuses(run):
    """Return the statuses of the events, in order."""
    return [event["conversation_status"] for event in run.all("start_conversation")]


def test_a_conversation_without_voice_passes_straight_through(monkeypatch):
    run = play(monkeypatch, is_voice_conversation=False)

    types = run.turn()

    assert types[2:6] == ["start_node_run", "end_node_run", "workflow_show_state", "direct_edge"]
    assert run.output == {"conversation_id": None}
    assert run.variables == {}
    assert run.gateway.ledger == []


def test_inbound_call_passes_straight_through(monkeypatch):
    run = play(monkeypatch, is_outbound_call=False)

    run.turn()

    assert statuses(run) == []
    assert run.gateway.ledger == []


def test_simulated_call_runs_to_completion(monkeypatch):
    clock = Clock()
    run = play(monkeypatch, environment=clock.environment)

    types = run.turn()

    assert types[2:10] == [
        "start_node_run",
        "start_conversation",
        "start_conversation",
        "start_conversation",
        "workflow_warning",
        "end_node_run",
        "workflow_show_state",
        "direct_edge",
    ]
    assert statuses(run) == ["initiated", "in-progress", "completed"]
    assert clock.slept == [2, 2]
    assert run.warnings == [f"The voice call to {NUMBER} was simulated; nobody was called."]


def test_huge_polling_interval_is_waited_for(monkeypatch):
    run = play(monkeypatch, environment=Environment(), polling_interval_seconds=1e300)
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()

    run.turn(cancelled=cancelled)

    assert run.end.status == "cancelled"


def test_ledger_entry_is_a_contact_call(monkeypatch):
    run = play(monkeypatch, assistant_number="+14155550100")

    run.turn()

    (entry,) = run.gateway.ledger
    assert (entry["kind"], entry["call_class"], entry["target"]) == (
        "conversation",
        "contact",
        f"voice call to {NUMBER}",
    )
    assert entry["request"] == {
        "user_number": NUMBER,
        "assistant_number": "+14155550100",
        "assistant_id": "a1",
    }


def test_conversation_id_is_reported_and_deterministic(monkeypatch):
    run, again = play(monkeypatch), play(monkeypatch)

    run.turn()
    again.turn()

    made_up = run.output["conversation_id"]
    assert {event["conversation_id"] for event in run.all("start_conversation")} == {made_up}
    assert run.variables == {
        "start_conversation_result": {
            "conversation_id": made_up,
            "conversation_status": "completed",
            "simulated": True,
        },
        "start_conversation_result_success": True,
        "start_conversation_result_error": None,
    }
    assert again.output["conversation_id"] == made_up


def test_each_call_has_its_own_id(monkeypatch):
    run = ConnectorRun(
        monkeypatch,
        {"start_conversation": StartConversationNode},
        node("call", "start_conversation", is_voice_conversation=True, user_number=NUMBER, assistant_id="a"),
        say("ask", self_loop=False),
        direct("call", "ask"),
        direct("ask", "call"),
    )

    run.turn()
    first = run.output["conversation_id"]
    run.turn("again")

    second = run.all("start_conversation")[0]["conversation_id"]
    assert first != second


@pytest.mark.parametrize("policies", [BLOCKED, Policies(contact="live")], ids=["blocked", "live"])
def test_blocked_call_does_not_end_run(monkeypatch, policies):
    run = play(monkeypatch, policies=policies)

    run.turn()

    assert statuses(run) == ["failed"]
    assert run.output == {"conversation_id": None}
    assert run.variables["start_conversation_result"] is None
    assert run.variables["start_conversation_result_success"] is False
    assert "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT" in run.variables["start_conversation_result_error"]
    assert run.end.status == "completed"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"user_number": None}, "user_number is empty"),
        ({"user_number": "[[phone]]"}, "E.164"),
        ({"assistant_id": None}, "assistant_id and assistant_number are empty"),
        ({"assistant_number": "12"}, "assistant_number is '12'"),
        ({"conversation_id": "[[id]]"}, "which is not an id"),
    ],
)
def test_bad_field_fails_without_a_call(monkeypatch, fields, told):
    run = play(monkeypatch, **fields)

    run.turn()

    assert statuses(run) == ["failed"]
    assert told in run.variables["start_conversation_result_error"]
    assert run.gateway.ledger == []


def test_negative_interval_is_rejected():
    written = node("call", "start_conversation", polling_interval_seconds=-1)

    with pytest.raises(InputError, match="polling_interval_seconds"):
        StartConversationNode(NodeConfig.from_wire(written))


def test_existing_conversation_is_only_polled(monkeypatch):
    clock = Clock()
    run = play(
        monkeypatch,
        conversation_id="[[id]]",
        user_number=None,
        polling_interval_seconds=5,
        environment=clock.environment,
    )

    run.turn(id="c42")

    assert statuses(run) == ["initiated", "in-progress", "completed"]
    assert clock.slept == [5, 5]
    assert [(entry["call_class"], entry["target"]) for entry in run.gateway.ledger] == [
        ("read", "status of the conversation c42")
    ] * 3
    assert run.output == {"conversation_id": "c42"}
    assert run.warnings == ["The status of the conversation c42 was simulated; the service was not called."]


def test_blocked_poll_fails_the_conversation(monkeypatch):
    run = play(monkeypatch, conversation_id="c42", policies=BLOCKED)

    run.turn()

    (told,) = run.all("start_conversation")
    assert (told["conversation_status"], told["conversation_id"]) == ("failed", "c42")
    assert run.output == {"conversation_id": "c42"}
    assert len(run.gateway.ledger) == 1


@pytest.mark.parametrize(
    ("recorded", "expected", "error"),
    [
        ({"body": "completed"}, ["completed"], None),
        ({"body": ["initiated", "failed"]}, ["initiated", "failed"], "The conversation failed."),
        ({"body": {"conversation_status": "failed", "error": "no answer"}}, ["failed"], "no answer"),
        ({"body": {"error": "busy"}}, ["failed"], "busy"),
        ({"body": {"status": "done"}}, ["failed"], "The recorded status 'done' is not one of"),
        ({"body": 7}, ["initiated", "in-progress", "completed"], None),
        ({"status": 503}, ["failed"], "503"),
        ({"error": "unreachable"}, ["failed"], "unreachable"),
    ],
)
def test_a_recorded_answer_decides_the_course(monkeypatch, recorded, expected, error):
    run = play(monkeypatch, answers=(answer("voice call", **recorded),))

    run.turn()

    assert statuses(run) == expected
    told = run.variables["start_conversation_result_error"]
    assert told is None if error is None else error in told


@pytest.mark.parametrize("fields", [{}, {"conversation_id": "c42"}], ids=["placed", "polled"])
@pytest.mark.parametrize(("status", "success"), [(202, True), (503, False)])
def test_ledger_has_the_recorded_status(monkeypatch, fields, status, success):
    run = play(monkeypatch, answers=(answer(".", "completed", status=status),), **fields)

    run.turn()

    (entry,) = run.gateway.ledger
    assert (entry["status_code"], entry["success"]) == (status, success)


def test_recorded_answer_sets_id_and_transcript(monkeypatch):
    body = {"conversation_id": "c7", "transcript": "User: Hi"}
    run = play(monkeypatch, answers=(answer("voice call", body),))

    run.turn()

    assert run.output == {"conversation_id": "c7"}
    assert run.variables["raw_conversation_transcript"] == "User: Hi"


def test_unchanged_status_fails_after_max_polls(monkeypatch):
    clock = Clock()
    run = play(monkeypatch, answers=(answer("voice call", "in-progress"),), environment=clock.environment)

    run.turn()

    assert statuses(run) == ["in-progress", "failed"]
    assert len(clock.slept) == start_conversation.MAX_POLLS - 1
    assert "was not over after 100 polls" in run.variables["start_conversation_result_error"]


def test_bounded_loop_ends_the_polling(monkeypatch):
    clock = Clock()
    run = play(
        monkeypatch,
        answers=(answer("voice call", "in-progress"),),
        polling_interval_seconds=4,
        self_loop_config={"enabled": True, "expiry_time": 10},
        environment=clock.environment,
    )

    run.turn()

    assert clock.slept[:3] == [4, 4, 2]
    assert statuses(run)[:2] == ["in-progress", "failed"]
    assert "time limit of the node was reached" in run.variables["start_conversation_result_error"]


def test_stopping_the_run_ends_the_waiting(monkeypatch):
    cancelled = threading.Event()
    world = Environment(now=lambda: 1000.0, sleep=lambda seconds, woken: woken.set())
    run = play(monkeypatch, environment=world)

    run.turn(cancelled=cancelled)

    assert statuses(run) == ["initiated"]
    assert run.end.status == "cancelled"
    assert "stopped" in run.variables["start_conversation_result_error"]


def test_the_token_is_nowhere(monkeypatch):
    run = play(monkeypatch, bearer_token="t0p-token")

    run.turn()

    built = StartConversationNode(run.interpreter.graph.node("call"))
    seen = json.dumps([run.wire, run.gateway.ledger, run.variables, run.warnings]) + repr(built.config)
    assert "t0p-token" not in seen
