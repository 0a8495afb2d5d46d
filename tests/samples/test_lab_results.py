"""The laboratory's results line, driven by its script and stored."""

from __future__ import annotations

import pytest

from debugger.engine.models import Script
from debugger.expressions import required_variables
from debugger.protocol.base import JsonObject
from debugger.protocol.workflow import Workflow
from debugger.samples import script_for
from tests.samples.lab_call import DOCUMENT, calling

SCRIPT = Script.load(script_for("workflow_lab_results") or "")
ALL_SIMULATED = {f"outbound_{call_class}": "simulated" for call_class in ("talk", "read", "write", "contact")}
CALLER = "This is Ada Moreno, born on March 3, 1990."
RESULT = (
    "Your blood count and your blood sugar are within their usual ranges. Your iron store, the ferritin, is "
    "13 micrograms per litre; the usual range begins at 15."
)
READ_OUT = (
    f"Thank you for waiting, {{}}. Your results are here. {RESULT} Would you like to go through them with a "
    "doctor? I can book a follow-up for you."
)
DECLINED = (
    "That is a good question, and it deserves a doctor's answer; I am not able to give medical advice. I can "
    "book a follow-up for you. Shall I?"
)
NOTICE = (
    "I am asking our laboratory system for your results. That takes a few seconds, and I will speak up as "
    "soon as they are here. How are you today?"
)
GOODBYE = "Thank you for calling Maple Hill Laboratory. Take care, and goodbye."


def transitions(events: list[JsonObject], *types: str) -> list[tuple[str, str]]:
    """From where to where the edges of some types were taken."""
    ends = ("source_node_logical_id", "destination_node_logical_id")
    return [tuple(event[end] for end in ends) for event in events if event["type"] in types]


def test_demo_calls_back_and_books_a_follow_up(tmp_path):
    with calling(tmp_path) as call:
        heard = call.hold(SCRIPT.demo)

    assert call.status == "completed"
    assert heard[1:] == [
        ["Thank you, Ada Moreno.", NOTICE],
        [
            "I understand, and thank you for telling me.",
            "Waiting for a result is hard, and you are not alone with it. I will stay on the line with you "
            "until it is here.",
        ],
        [READ_OUT.format("Ada Moreno")],
        [DECLINED],
        ["I am happy to book that with Dr. Okafor. Which day from Monday to Friday would suit you?"],
        ["Tuesday is free. Would you rather come in the morning or in the afternoon?"],
        ["That is Tuesday morning with Dr. Okafor. Shall I book it?"],
        ["On Saturdays we are open from 8 am to noon. Shall we go on, or was that all?"],
        ["That is Tuesday morning with Dr. Okafor. Shall I book it?"],
        [
            "Very well: Tuesday morning with Dr. Okafor, at the practice next door to us.",
            "I have written it down, and a colleague will put it into the calendar today.",
            "I cannot send you a text message just now, so your confirmation will come by mail in the next "
            "few days.",
            GOODBYE,
        ],
    ]


def test_demo_is_readable_in_events(tmp_path):
    with calling(tmp_path) as call:
        call.hold(SCRIPT.demo)

    matched, sms, request = (
        call.of_type(name)[0] for name in ("waiting_condition_matched", "send_sms", "http_request")
    )
    assert transitions(call.events, "companion_edge") == [
        ("node_begin_lookup", "node_check_lab"),
        ("node_waiting_desk", "node_mood"),
    ]
    assert (matched["trigger_node_logical_id"], matched["trigger_node_completion_count"]) == (
        "node_check_lab",
        4,
    )
    assert len(call.of_type("self_loop_delay")) == 3
    assert sms["status"] == "blocked"
    assert "are blocked" in request["error"]
    assert '"patient":"Ada Moreno","day":"Tuesday","time":"morning"' in request["curl_command"]


def test_events_inside_super_node_name_it(tmp_path):
    with calling(tmp_path) as call:
        call.hold(SCRIPT.demo)

    inside = [
        event["origin_node_logical_id"]
        for event in call.of_type("start_node_run")
        if _origin(event) is not None
    ]
    assert list(dict.fromkeys(inside)) == [
        f"node_book_follow_up/{inner}"
        for inner in ("node_ask_day", "node_ask_time", "node_confirm", "node_agreed")
    ]
    assert {str(_origin(event)) for event in call.of_type("start_node_run")} == {
        "None",
        str(["node_book_follow_up"]),
    }


def test_simulated_calls_save_follow_up_and_send_message(tmp_path):
    with calling(tmp_path, **ALL_SIMULATED) as call:
        heard = call.hold(SCRIPT.demo)

    assert heard[-1][1:] == [
        "It is in the calendar.",
        "I have sent you a text message with the day and the time.",
        GOODBYE,
    ]
    assert call.of_type("send_sms")[0]["status"] == "simulated"
    assert call.status == "completed"


@pytest.mark.parametrize("policies", [{}, ALL_SIMULATED], ids=["as set", "all simulated"])
@pytest.mark.parametrize("name", SCRIPT.alternatives)
def test_every_alternative_ends_in_words_for_callers(name, policies, tmp_path):
    with calling(tmp_path, **policies) as call:
        heard = call.hold(SCRIPT.alternatives[name])

    spoken = " ".join(line for lines in heard for line in lines)
    assert call.status == "completed"
    assert all(heard)
    assert not any(mark in spoken for mark in ("built-in rules", "[[", "{{"))
    assert not call.of_type("workflow_error")


def test_waiting_caller_hears_result_and_may_repeat(tmp_path):
    with calling(tmp_path) as call:
        heard = call.hold(SCRIPT.alternatives["waits for the result"])

    assert heard[2:] == [
        ["I am glad to hear that. Your results should be here any moment."],
        [READ_OUT.format("Ben Okonkwo")],
        [f"Gladly, once more. {RESULT} Shall I book a follow-up for you?"],
        [GOODBYE],
    ]
    assert not call.visited("node_reassurance")


def test_third_request_for_advice_reaches_the_nurse(tmp_path):
    with calling(tmp_path) as call:
        heard = call.hold(SCRIPT.alternatives["asks for medical advice three times"])

    escalation = call.of_type("guardrail_escalation_edge")[0]
    assert heard[-3:-1] == [[DECLINED], [DECLINED]]
    assert heard[-1][0].endswith("I am putting you through to Imani, our nurse; please stay on the line.")
    assert escalation["num_guardrail_nodes_entered"] == 3
    assert escalation["destination_node_logical_id"] == "node_nurse"


def test_caller_returns_after_requesting_a_person(tmp_path):
    with calling(tmp_path) as call:
        call.hold(SCRIPT.alternatives["asks for a person and comes back"])

    assert transitions(call.events, "reverse_conditional_edge") == [("node_person", "node_identification")]
    assert call.visited("node_read_result")


def test_caller_reaches_person_during_the_lookup(tmp_path):
    with calling(tmp_path) as call:
        call.say(None)
        for message in SCRIPT.alternatives["is put through to a person"]:
            heard = call.say(message)
        call.wait(4)

    assert heard == [
        "I am putting you through to a colleague; please stay on the line. If we get cut off, our number is "
        "555-0178."
    ]
    assert call.status == "completed"


def test_other_wordings_are_understood(tmp_path):
    messages = (
        "ada moreno, 3 March 1990",
        "hm",
        "i'd like an appointment",
        "on friday",
        "afternoon",
        "ok, yes",
    )

    with calling(tmp_path) as call:
        heard = call.hold(messages)

    assert call.status == "completed"
    assert heard[-1][0] == "Very well: Friday afternoon with Dr. Okafor, at the practice next door to us."


def test_early_caller_waits_for_the_result(tmp_path):
    with calling(tmp_path) as call:
        call.say(None)
        heard = [call.say(message)[0] for message in (CALLER, "Should I take tablets?", "Book a follow-up!")]

    assert heard[1:] == [
        "Let us have your results first, they are on their way.",
        "I can book that for you in a moment. Let us have your results first, they are on their way.",
    ]
    assert call.wait(4) == [READ_OUT.format("Ada Moreno")]


def test_opening_hours_start_no_lookup(tmp_path):
    with calling(tmp_path) as call:
        heard = call.hold(SCRIPT.alternatives["only the opening hours"])

    assert heard[1] == [
        "We are open Monday to Friday from 7 am to 6 pm, and on Saturdays from 8 am to noon. Shall we go on, "
        "or was that all?"
    ]
    assert not call.visited("node_begin_lookup")


def test_change_of_mind_leaves_super_node(tmp_path):
    with calling(tmp_path) as call:
        call.hold(SCRIPT.alternatives["a change of mind about the follow-up"])

    left = [event for event in call.of_type("conditional_edge") if event["super_node_exit_origin"]]
    assert [(event["edge_name"], event["super_node_exit_origin"]) for event in left] == [
        ("no follow-up", "node_book_follow_up")
    ]
    assert not call.visited("node_save_follow_up")


def test_late_result_is_announced_kindly(tmp_path):
    with calling(tmp_path) as call:
        call.say(None, checks_needed=50)
        call.say(CALLER)
        heard = call.wait(10)

    assert heard == [
        "I am sorry, Ada Moreno, our laboratory system takes longer than usual today. We will call you back "
        "within the hour. Until then, please take care."
    ]
    assert call.of_type("self_loop_exhausted")[0]["outcome"] == "max_retries"
    assert call.status == "completed"


def test_conversations_visit_every_node_but_late_result(tmp_path):
    reached = set()
    for number, messages in enumerate([SCRIPT.demo, SCRIPT.demo, *SCRIPT.alternatives.values()]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with calling(folder, **(ALL_SIMULATED if number == 1 else {})) as call:
            call.hold(messages)
        reached |= {event["origin_node_logical_id"] for event in call.of_type("start_node_run")}

    outer = {node["logical_id"] for node in DOCUMENT["node_configs"]}
    assert outer - reached == {"node_book_follow_up", "node_result_late"}


def test_unedited_suggestion_hides_no_super_node_value(tmp_path):
    with calling(tmp_path) as call:
        call.say(None, **required_variables(DOCUMENT))
        heard = call.hold(SCRIPT.demo, started=True)

    assert heard[-1][0] == "Very well: Tuesday morning with Dr. Okafor, at the practice next door to us."


def test_every_rule_belongs_to_a_model_node():
    inner = next(node for node in DOCUMENT["node_configs"] if node["type"] == "super_node")
    outer_nodes = Workflow.from_document(DOCUMENT).node_configs
    inner_nodes = Workflow.from_document(inner["encapsulated_workflow_config"]).node_configs
    models = {node.logical_id for node in outer_nodes if node.type in ("say_llm", "worker_llm")}
    models |= {f"node_book_follow_up/{node.logical_id}" for node in inner_nodes if node.type == "say_llm"}

    assert set(SCRIPT.nodes) == models


def _origin(event: JsonObject) -> object:
    return event.get("super_node_origin") or None
