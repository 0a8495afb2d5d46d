from __future__ import annotations

import itertools
import re
import threading

import pytest

from debugger.engine.outbound import OutboundCall, OutboundError, RecordedAnswer, Secrets
from debugger.engine.outbound.gateway import (
    STARTED,
    BlockedGateway,
    LiveGateway,
    NotAdmittedError,
    Policies,
    made_calls,
)
from tests.support.recorded import answering


def test_default_gateway_blocks_every_call():
    call = OutboundCall("http", "read", "GET http://a/", {}, simulate=pytest.fail, live=pytest.fail)

    outcome = BlockedGateway().call(call, node_logical_id="a", timeout=5)

    assert outcome.how == "blocked"
    assert outcome.error == "GET http://a/ was not called: this engine has no network access."


def a_call(call_class="read", live=lambda seconds: f"live within {seconds:g} s", **fields):
    fields = {"target": "GET https://api.example/slots", "request": {}, **fields}
    return OutboundCall(
        "http", call_class, simulate=lambda recorded: recorded or "made up", live=live, **fields
    )


def through(gateway, call, timeout=3.0):
    return gateway.call(call, node_logical_id="node_a", timeout=timeout)


@pytest.mark.parametrize(
    ("call_class", "how"), [("talk", "live"), ("read", "live"), ("write", "blocked"), ("contact", "blocked")]
)
def test_default_policies_allow_talk_and_read_only(call_class, how):
    outcome = through(LiveGateway(), a_call(call_class))

    assert outcome.how == how
    assert outcome.answer == ("live within 3 s" if how == "live" else None)


def test_blocked_call_names_class_target_and_setting():
    gateway = LiveGateway()

    error = through(gateway, a_call("write", target="POST https://api.example/slots")).error

    assert error == (
        "POST https://api.example/slots was not called: calls of the class 'write' are blocked. Set "
        "WORKFLOW_DEBUGGER_OUTBOUND_WRITE=live to let them out, or "
        "WORKFLOW_DEBUGGER_OUTBOUND_WRITE=simulated to have them answered here."
    )
    assert gateway.ledger[0]["error"] == error


def test_the_ledger_tells_all_of_a_call():
    clock = itertools.count(1_700_000_000.0, 0.25)
    gateway = LiveGateway(now=lambda: next(clock))

    through(gateway, a_call(request={"method": "GET"}, status_of=lambda answer: 204))

    assert gateway.ledger == [
        {
            "at": 1_700_000_000.0,
            "node_logical_id": "node_a",
            "kind": "http",
            "call_class": "read",
            "target": "GET https://api.example/slots",
            "request": {"method": "GET"},
            "how": "live",
            "success": True,
            "status_code": 204,
            "error": None,
            "duration_milliseconds": 250.0,
        }
    ]


def test_failure_status_is_unsuccessful_in_ledger():
    gateway = LiveGateway()

    outcome = through(gateway, a_call(status_of=lambda answer: 404))

    assert (outcome.error, gateway.ledger[0]["success"], gateway.ledger[0]["status_code"]) == (
        None,
        False,
        404,
    )


def test_answer_without_readable_status_is_a_failed_call():
    gateway = LiveGateway()

    outcome = through(gateway, a_call(status_of=lambda answer: answer["status"]))

    assert outcome.answer is None
    assert outcome.error.startswith("GET https://api.example/slots failed: TypeError: ")
    assert (gateway.ledger[0]["success"], gateway.ledger[0]["error"]) == (False, outcome.error)


def test_simulation_gets_first_matching_recorded_answer():
    slots = RecordedAnswer(re.compile("slots"), body=1)
    answers = [RecordedAnswer(re.compile("people")), slots, RecordedAnswer(re.compile("example"))]
    gateway = answering(Policies(read="simulated"), *answers)

    recorded = through(gateway, a_call(live=pytest.fail))
    made_up = through(gateway, a_call(target="GET https://other/", live=pytest.fail))

    assert (recorded.how, recorded.answer) == ("simulated", slots)
    assert (made_up.how, made_up.answer) == ("simulated", "made up")
    assert [entry["how"] for entry in gateway.ledger] == ["simulated", "simulated"]


def test_recorded_error_gives_no_answer():
    down = RecordedAnswer(re.compile("."), error="It is down.")
    gateway = answering(Policies(write="simulated"), down)

    outcome = through(gateway, a_call("write"))

    assert (outcome.how, outcome.answer, outcome.error) == ("simulated", None, "It is down.")
    assert gateway.ledger[0]["success"] is False


def test_platform_only_call_is_blocked_when_live():
    outcome = through(LiveGateway(Policies(contact="live")), a_call("contact", live=None))

    assert outcome.how == "blocked"
    assert "only the platform itself" in outcome.error
    assert "WORKFLOW_DEBUGGER_OUTBOUND_CONTACT=simulated" in outcome.error


def test_live_exception_is_an_error_without_secrets():
    def refused(_seconds):
        raise OutboundError("no answer from s3cret")

    def broken(_seconds):
        raise KeyError("s3cret")

    gateway = LiveGateway(secrets=Secrets({"KEY": "s3cret"}))

    errors = [through(gateway, a_call(live=live)).error for live in (refused, broken)]

    assert errors == [
        "no answer from ***",
        "GET https://api.example/slots failed: KeyError: '***'",
    ]
    assert "s3cret" not in str(gateway.ledger)


def test_secret_is_masked_in_ledger_and_refusal():
    gateway = LiveGateway(secrets=Secrets({"KEY": "s3cret"}))

    outcome = through(gateway, a_call("write", target="POST s3cret", request={"s3cret": ["a s3cret"]}))

    assert gateway.ledger[0]["target"] == "POST ***"
    assert gateway.ledger[0]["request"] == {"***": ["a ***"]}
    assert "s3cret" not in outcome.error


def test_no_time_left_makes_no_call():
    outcome = through(LiveGateway(), a_call(live=pytest.fail), timeout=0)

    assert outcome.error == "GET https://api.example/slots was not called: no time is left for it."


def test_calls_of_many_threads_are_logged():
    gateway = LiveGateway()
    threads = [threading.Thread(target=through, args=(gateway, a_call())) for _ in range(20)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(gateway.ledger) == 20


def test_live_call_is_in_ledger_before_it_is_made():
    gateway = LiveGateway(Policies(write="live"))
    seen = []
    gateway.before_call = lambda: seen.append(made_calls(gateway.ledger))

    through(gateway, a_call("write", status_of=lambda answer: 201))
    through(gateway, a_call("talk"))
    through(gateway, a_call("contact"))

    [[started]] = seen
    assert (started["error"], started["success"]) == (STARTED, False)
    [ended] = made_calls(gateway.ledger)
    assert (ended["error"], ended["success"], ended["status_code"]) == (None, True, 201)
    assert "request" not in ended
    assert [entry["call_class"] for entry in gateway.ledger] == ["write", "talk", "contact"]


def test_call_that_is_not_admitted_is_not_made():
    gateway = LiveGateway()

    def refuse():
        raise NotAdmittedError("was not called: its turn was interrupted.")

    gateway.before_call = refuse
    outcome = through(gateway, a_call(live=pytest.fail))

    assert outcome.how == gateway.ledger[0]["how"] == "blocked"
    assert outcome.error == "GET https://api.example/slots was not called: its turn was interrupted."
    assert made_calls(gateway.ledger) == []


def test_what_a_live_call_loads_is_no_part_of_its_time():
    clock = itertools.count(1000.0, 5.0)
    loaded = []
    gateway = LiveGateway(now=lambda: next(clock))

    through(gateway, a_call("talk", prepare=lambda: loaded.append(gateway.now())))

    assert loaded == [1000.0]
    assert (gateway.ledger[0]["at"], gateway.ledger[0]["duration_milliseconds"]) == (1005.0, 5000.0)


@pytest.mark.parametrize("policy", ["simulated", "blocked"])
def test_only_a_live_call_loads_anything(policy):
    through(LiveGateway(Policies(talk=policy)), a_call("talk", prepare=pytest.fail))
