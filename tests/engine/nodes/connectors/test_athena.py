from __future__ import annotations

import json

import pytest

from debugger.engine.nodes.connectors.athena import (
    AthenaAppointmentsCreateNode,
    AthenaPatientsCreateNode,
    AthenaPatientsSearchNode,
    AthenaPatientsUpdateNode,
)
from debugger.engine.outbound.gateway import Policies
from debugger.errors import InputError
from debugger.protocol.workflow import NodeConfig
from tests.support.connector_run import BLOCKED, ConnectorRun, answer
from tests.support.factories import direct, node, static, when

TYPES = {
    "athena_patients_search": AthenaPatientsSearchNode,
    "athena_patients_create": AthenaPatientsCreateNode,
    "athena_patients_update": AthenaPatientsUpdateNode,
    "athena_appointments_create": AthenaAppointmentsCreateNode,
}
ANN = {"first_name": "Ann", "last_name": "Lee", "birthdate": "1980-12-31", "phone_number": "+14155550123"}
GOOD = {
    "athena_patients_search": {"full_name": "Ann Lee", "birthdate": "1980-12-31"},
    "athena_patients_create": ANN,
    "athena_patients_update": {"patient_id": "77", "notes": "Called.", "gender": ""},
    "athena_appointments_create": {
        "title": "Check",
        "patient_id": 77,
        "practitioner_id": "9",
        "start_time": "2026-07-14T09:30",
    },
}
DAY = {"start": "09:00", "end": "17:00"}
WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), DAY)


def play(monkeypatch, kind, **fields):
    """A run of one node of a kind, well filled unless a field says otherwise."""
    options = {key: fields.pop(key) for key in ("policies", "answers", "secrets") if key in fields}
    part = node("ehr", kind, **{**GOOD[kind], **fields})
    return ConnectorRun(monkeypatch, TYPES, part, static("done", "Done."), direct("ehr", "done"), **options)


@pytest.mark.parametrize("kind", TYPES)
def test_simulated_call_emits_event_and_warning(monkeypatch, kind):
    run = play(monkeypatch, kind)

    types = run.turn()

    assert types[2:9] == [
        "start_node_run",
        "athena",
        "workflow_warning",
        "end_node_run",
        "workflow_show_state",
        "direct_edge",
        "workflow_navigation_message",
    ]
    assert run.warnings[0].startswith("The Athena ")
    assert run.warnings[0].endswith(" was simulated; no health record was read or changed.")


@pytest.mark.parametrize(
    ("kind", "code", "call_class"),
    [
        ("athena_patients_search", 200, "read"),
        ("athena_patients_create", 201, "contact"),
        ("athena_patients_update", 200, "contact"),
        ("athena_appointments_create", 201, "contact"),
    ],
)
def test_event_output_variables_and_ledger_agree(monkeypatch, kind, code, call_class):
    run = play(monkeypatch, kind)

    run.turn()

    told, body = run.one("athena"), run.output["response"]
    assert body["simulated"] is True
    assert (told["status_code"], told["response_body"]) == (code, body)
    assert run.output == {"success": True, "status_code": code, "response": body}
    assert run.variables == {
        "athena_result": body,
        "athena_result_success": True,
        "athena_result_error": None,
    }
    (entry,) = run.gateway.ledger
    assert (entry["kind"], entry["call_class"], entry["status_code"]) == ("athena", call_class, code)


@pytest.mark.parametrize("kind", TYPES)
def test_the_same_input_gives_the_same_answer(monkeypatch, kind):
    run, again = play(monkeypatch, kind), play(monkeypatch, kind)

    run.turn()
    again.turn()

    assert run.output == again.output


def test_search_finds_created_patient(monkeypatch):
    found, created = play(monkeypatch, "athena_patients_search"), play(monkeypatch, "athena_patients_create")

    found.turn()
    created.turn()

    (patient,) = found.output["response"]["patients"]
    assert patient["patient_id"] == created.output["response"]["patient_id"]
    assert patient["patient_id"].isdigit()
    assert (patient["first_name"], patient["last_name"]) == ("Ann", "Lee")


def test_appointment_has_end_and_time_zone(monkeypatch):
    run = play(monkeypatch, "athena_appointments_create", duration_in_minutes=45)

    run.turn()

    body = run.output["response"]
    assert (body["start_time"], body["end_time"]) == (
        "2026-07-14T09:30:00-04:00",
        "2026-07-14T10:15:00-04:00",
    )
    assert (body["patient_id"], body["practitioner_id"], body["title"]) == ("77", "9", "Check")


@pytest.mark.parametrize(
    ("start", "times"),
    [
        ("2026-11-01T01:30", ("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00")),
        ("2026-03-08T01:30", ("2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00")),
        ("2026-11-01T01:30+01:00", ("2026-11-01T01:30:00+01:00", "2026-11-01T02:30:00+01:00")),
    ],
)
def test_appointment_lasts_across_a_clock_change(monkeypatch, start, times):
    run = play(monkeypatch, "athena_appointments_create", start_time=start, duration_in_minutes=60)

    run.turn()

    assert (run.output["response"]["start_time"], run.output["response"]["end_time"]) == times


def test_an_update_tells_what_was_sent(monkeypatch):
    run = play(monkeypatch, "athena_patients_update", notes_action="replace", email="ann@example.com")

    run.turn()

    assert run.output["response"] == {
        "patient_id": "77",
        "email": "ann@example.com",
        "notes": "Called.",
        "notes_action": "replace",
        "simulated": True,
    }


def test_variables_are_filled_and_result_is_reachable(monkeypatch):
    run = ConnectorRun(
        monkeypatch,
        TYPES,
        node("find", "athena_patients_search", full_name="[[who]]", birthdate="12/31/1980"),
        node("change", "athena_patients_update", patient_id="[[find.athena_result.patients[0].patient_id]]"),
        when("find", "change", "[[athena_result_success]] == true"),
    )

    run.turn(who="Ann Lee")

    first, second = [event["response_body"] for event in run.all("athena")]
    assert first["patients"][0]["first_name"] == "Ann"
    assert second["patient_id"] == first["patients"][0]["patient_id"]


@pytest.mark.parametrize("policies", [BLOCKED, Policies(contact="live")], ids=["blocked", "live"])
@pytest.mark.parametrize("kind", TYPES)
def test_blocked_call_does_not_end_run(monkeypatch, kind, policies):
    run = play(monkeypatch, kind, policies=policies)

    run.turn()

    error = run.variables["athena_result_error"]
    assert "was not called" in error
    told = run.one("athena")
    assert (told["status_code"], told["response_body"]) == (None, {"error": error})
    assert run.output == {"success": False, "status_code": None, "response": {"error": error}}
    assert run.variables["athena_result"] is None
    assert run.one("assistant_response")["content"] == "Done."


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("athena_patients_search", {"full_name": None, "birthdate": ""}, "full_name and birthdate are empty"),
        ("athena_patients_search", {"phone_number": "12345"}, "phone_number is '12345'"),
        ("athena_patients_search", {"birthdate": "1980-02-30"}, "birthdate is '1980-02-30'"),
        ("athena_patients_create", {"first_name": " "}, "first_name is empty"),
        ("athena_patients_create", {"birthdate": None}, "birthdate is empty"),
        ("athena_patients_create", {"gender": "Robot"}, "gender is 'Robot', which is not in the list"),
        ("athena_patients_create", {"email": "ann@"}, "email is 'ann@'"),
        ("athena_patients_create", {"mobile_number": "call me"}, "mobile_number is 'call me'"),
        ("athena_patients_update", {"patient_id": None}, "patient_id is empty"),
        ("athena_appointments_create", {"practitioner_id": None}, "practitioner_id is empty"),
        ("athena_appointments_create", {"start_time": "soon"}, "start_time is 'soon'"),
        ("athena_appointments_create", {"start_time": "2026-07-14"}, "not a date with a time"),
        ("athena_appointments_create", {"start_time": "9999-12-31T23:59"}, "not a date with a time"),
        ("athena_appointments_create", {"timezone": "Mars/Base"}, "no time zone 'Mars/Base'"),
        ("athena_appointments_create", {"duration_in_minutes": 0}, "duration_in_minutes is 0"),
    ],
)
def test_bad_field_fails_without_a_call(monkeypatch, kind, fields, told):
    run = play(monkeypatch, kind, **fields)

    run.turn()

    assert told in run.variables["athena_result_error"]
    assert told in run.one("athena")["response_body"]["error"]
    assert run.output["success"] is False
    assert run.gateway.ledger == []
    assert run.end.status == "completed"


@pytest.mark.parametrize("number", ["(415) 555-0123", "+1 (415) 555-0123", "+(49) 151 2345678", "4155550123"])
def test_telephone_may_have_an_area_code(monkeypatch, number):
    run = play(monkeypatch, "athena_patients_search", phone_number=number)

    run.turn()

    assert run.variables["athena_result_error"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"use_cases": ["space_travel"]},
        {"working_hours": {"monday": DAY}},
        {"working_hours": {**WEEK, "sunday": "closed"}},
        {"department_id": "north"},
        {"notes_action": "burn"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_malformed_config_is_rejected(fields):
    written = node("ehr", "athena_patients_update", patient_id="1", **fields)

    with pytest.raises(InputError, match=next(iter(fields))):
        AthenaPatientsUpdateNode(NodeConfig.from_wire(written))


def test_the_settings_of_a_practice_are_read():
    written = node(
        "ehr",
        "athena_patients_search",
        working_hours=WEEK,
        use_cases=["medication_refill", "invoice_billing"],
        department_id=3,
    )

    config = AthenaPatientsSearchNode(NodeConfig.from_wire(written)).config

    assert config.working_hours.sunday.end == "17:00"
    assert (config.department_id, config.timezone) == (3, "America/New_York")


@pytest.mark.parametrize(
    ("recorded", "code", "success"),
    [
        ({"body": {"patients": []}}, 200, True),
        ({"body": "text", "status": 203}, 203, True),
        ({"body": {"detail": "no such patient"}, "status": 404}, 404, False),
        ({"body": None, "status": 500}, 500, False),
    ],
)
def test_recorded_answer_is_used_unchanged(monkeypatch, recorded, code, success):
    run = play(monkeypatch, "athena_patients_search", answers=(answer("Athena search", **recorded),))

    run.turn()

    assert run.one("athena")["status_code"] == code
    assert run.output == {"success": success, "status_code": code, "response": recorded["body"]}
    assert run.variables["athena_result"] == (recorded["body"] if success else None)
    assert (run.variables["athena_result_error"] is None) is success
    assert run.gateway.ledger[0]["success"] is success


def test_key_and_secrets_are_masked(monkeypatch):
    run = play(
        monkeypatch,
        "athena_patients_create",
        api_key="k3y-of-athena",
        notes="Code {{pin}}",
        secrets={"pin": "s3cret-pin"},
    )

    run.turn()

    built = AthenaPatientsCreateNode(run.interpreter.graph.node("ehr"))
    seen = json.dumps([run.wire, run.gateway.ledger, run.variables, run.warnings]) + repr(built.config)
    assert "k3y-of-athena" not in seen
    assert "s3cret-pin" not in seen
    assert run.output["response"]["notes"] == "Code ***"


def test_secret_like_status_code_is_harmless(monkeypatch):
    run = play(monkeypatch, "athena_patients_search", secrets={"pin": "200"})

    run.turn()

    assert run.one("athena")["status_code"] == 200
    assert run.output["success"] is True
