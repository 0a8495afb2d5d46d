from __future__ import annotations

import json

import pytest

from debugger.engine.nodes.connectors.send_sms import SendSmsNode
from debugger.engine.outbound.gateway import Policies
from debugger.protocol.runs import TurnInput
from tests.support.connector_run import BLOCKED, ConnectorRun, answer
from tests.support.factories import direct, node, static, when

NUMBER = "+14155550123"


def play(monkeypatch, **fields):
    """A run of one node that sends a message."""
    options = {key: fields.pop(key) for key in ("policies", "answers", "secrets") if key in fields}
    written = {"destination_phone_number": NUMBER, "message": "Hello", **fields}
    parts = node("text", "send_sms", **written), static("done", "Done."), direct("text", "done")
    return ConnectorRun(monkeypatch, {"send_sms": SendSmsNode}, *parts, **options)


def test_simulated_message_emits_event_and_warning(monkeypatch):
    run = play(monkeypatch)

    types = run.turn()

    assert types[2:9] == [
        "start_node_run",
        "send_sms",
        "workflow_warning",
        "end_node_run",
        "workflow_show_state",
        "direct_edge",
        "workflow_navigation_message",
    ]
    sent = run.one("send_sms")
    assert (sent["status"], sent["sent_message"], sent["destination_phone_number"]) == (
        "simulated",
        "Hello",
        NUMBER,
    )
    assert (sent["origin_node_logical_id"], sent["origin_node_run_id"]) == ("text", "1")
    assert run.warnings == [f"The SMS to {NUMBER} was simulated; nobody was contacted."]


def test_output_and_variables_of_a_simulated_message(monkeypatch):
    run = play(monkeypatch)

    run.turn()

    assert run.output == {"success": True, "sent_sms_message": "Hello"}
    assert run.variables == {
        "send_sms_result": {
            "status": "simulated",
            "sent_message": "Hello",
            "destination_phone_number": NUMBER,
            "simulated": True,
        },
        "send_sms_result_success": True,
        "send_sms_result_error": None,
    }
    assert run.state.main.runtime_variables["text.send_sms_result_success"] is True


def test_variables_are_filled_into_number_and_message(monkeypatch):
    run = play(monkeypatch, destination_phone_number=" [[phone]] ", message="Hi [[name]], {{greeting}}")

    run.turn(phone=NUMBER, name="Ann")

    assert run.one("send_sms")["destination_phone_number"] == NUMBER
    assert run.one("send_sms")["sent_message"] == "Hi Ann, {{greeting}}"
    assert any("{{greeting}}" in text for text in run.warnings)


def test_ledger_entry_is_a_contact_call(monkeypatch):
    run = play(monkeypatch)

    run.turn()

    (entry,) = run.gateway.ledger
    assert (entry["kind"], entry["call_class"], entry["target"], entry["how"]) == (
        "sms",
        "contact",
        f"SMS to {NUMBER}",
        "simulated",
    )
    assert entry["request"] == {"destination_phone_number": NUMBER, "message": "Hello"}
    assert entry["node_logical_id"] == "text"


@pytest.mark.parametrize("policies", [BLOCKED, Policies(contact="live")], ids=["blocked", "live"])
def test_blocked_message_does_not_end_run(monkeypatch, policies):
    run = play(monkeypatch, policies=policies)

    types = run.turn()

    assert "assistant_response" in types
    assert run.end.status == "completed"
    sent = run.one("send_sms")
    assert (sent["status"], sent["sent_message"], sent["destination_phone_number"]) == (
        "blocked",
        None,
        NUMBER,
    )
    assert run.output == {"success": False, "sent_sms_message": None}
    assert run.variables["send_sms_result"] is None
    assert run.variables["send_sms_result_success"] is False
    assert "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT=simulated" in run.variables["send_sms_result_error"]
    assert run.warnings == [f"Node 'Text' failed: {run.variables['send_sms_result_error']}"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"destination_phone_number": None}, "destination_phone_number is empty"),
        ({"destination_phone_number": "415 555 0123"}, "not a phone number in the format E.164"),
        ({"destination_phone_number": "[[unset]]"}, "'[[unset]]'"),
        ({"destination_phone_number": "+0123"}, "E.164"),
        ({"message": "  "}, "message is empty"),
    ],
)
def test_bad_field_fails_without_a_call(monkeypatch, fields, told):
    run = play(monkeypatch, **fields)

    run.turn()

    assert run.one("send_sms")["status"] == "failed"
    assert run.output["success"] is False
    assert told in run.variables["send_sms_result_error"]
    assert run.gateway.ledger == []
    assert run.end.status == "completed"


@pytest.mark.parametrize(
    ("recorded", "status", "success"),
    [
        ({"body": {"status": "delivered"}}, "delivered", True),
        ({"body": "queued"}, "queued", True),
        ({"body": [1, 2]}, "simulated", True),
        ({"body": {"status": 7}, "status": 202}, "simulated", True),
        ({"body": {"status": "undelivered"}}, "failed", False),
        ({"body": {"error": "no such number"}}, "failed", False),
        ({"status": 500}, "failed", False),
        ({"error": "timed out"}, "failed", False),
    ],
)
def test_a_recorded_answer_decides_how_it_went(monkeypatch, recorded, status, success):
    run = play(monkeypatch, answers=(answer("SMS", **recorded),))

    run.turn()

    assert run.one("send_sms")["status"] == status
    assert run.output["success"] is success
    assert (run.variables["send_sms_result_error"] is None) is success


def test_a_condition_can_branch_on_the_failure(monkeypatch):
    run = ConnectorRun(
        monkeypatch,
        {"send_sms": SendSmsNode},
        node("text", "send_sms", destination_phone_number=NUMBER, message="Hello"),
        static("sorry", "Not sent."),
        when("text", "sorry", "[[send_sms_result_success]] == false"),
        policies=BLOCKED,
    )

    run.turn()

    assert run.one("assistant_response")["content"] == "Not sent."


def test_secret_in_message_is_masked(monkeypatch):
    run = play(monkeypatch, message="Code {{pin}}", secrets={"pin": "s3cret-pin"})

    run.turn()

    assert run.one("send_sms")["sent_message"] == "Code ***"
    seen = json.dumps([run.wire, run.gateway.ledger, run.variables, run.warnings])
    assert "s3cret-pin" not in seen


def test_secret_with_quotes_is_masked_in_errors(monkeypatch):
    run = play(monkeypatch, destination_phone_number="{{pin}}", secrets={"pin": "s3cret'\"pin"})

    run.turn()

    assert "destination_phone_number is '***'" in run.variables["send_sms_result_error"]
    assert "s3cret" not in json.dumps([run.wire, run.variables, run.warnings])


def test_message_counts_as_tool_call(monkeypatch):
    run = play(monkeypatch)

    run.turn()

    assert run.one("end_workflow_iteration")["iteration_metrics"]["tool_call_count"] == 1


def test_turn_input_overrides_number_and_text(monkeypatch):
    run = play(monkeypatch)
    overriding = {
        "type": "send_sms",
        "override_destination_phone_number": "+4915112345678",
        "override_message": "Hi",
    }
    given = TurnInput.from_wire({"thread_to_node_inputs": {"0": {"node_run_inputs": [overriding]}}})

    events = list(run.interpreter.turn(run.interpreter.begin(given), given))

    (sent,) = [event.to_wire() for event in events if event.type == "send_sms"]
    assert (sent["destination_phone_number"], sent["sent_message"]) == ("+4915112345678", "Hi")
