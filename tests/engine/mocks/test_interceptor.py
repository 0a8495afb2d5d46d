from __future__ import annotations

import json
import re

import pytest

from debugger.analysis.trouble import Trouble, classify_trouble
from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import Fault, MockSet, Pin, RecordedAnswers, Target
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.models import HeuristicModel, Reply
from debugger.engine.models.base import ToolCall
from debugger.engine.options import PythonStatus
from debugger.engine.outbound import OutboundCall, RecordedAnswer
from debugger.engine.outbound.gateway import LiveGateway, Policies
from debugger.engine.tools.inline_python import InlinePythonConfig
from debugger.engine.tools.simulation import ToolAnswer
from debugger.errors import InputError
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from tests.support.factories import direct, everywhere, node, say, static, tool, when, workflow
from tests.support.model_server import provider_model

TWICE = "def twice(n):\n    return 2 * n"


def ran(mocks, *parts, text=None, slept=None, model=None):
    """The events of a turn in which these are met, and the state that it leaves."""
    waited = slept if slept is not None else []
    world = Environment(sleep=lambda seconds, _woken: waited.append(seconds))
    interpreter = Interpreter(workflow(*parts), model or HeuristicModel(), environment=world)
    given = TurnInput.with_message(text)
    state = interpreter.begin(given)
    turn = interpreter.turn(state, given, inspector=RunInspector(Interceptor(mocks)))
    return [json.loads(json.dumps(event.to_wire())) for event in turn], state


def having(*kept):
    interventions = MockSet()
    for one in kept:
        interventions.put(one)
    return interventions


def of(events, event_type):
    return [event for event in events if event["type"] == event_type]


def troubles(events):
    """The failures, without warnings of the configuration."""
    found = (classify_trouble(parse_event(event)) for event in events)
    return [trouble for trouble in found if trouble is not None and trouble.is_problem]


def test_pinned_node_repeats_its_output():
    pin = Pin(Target("node", "t"), {"says": ["Frozen"], "variables": {"x": 7}, "output": {"success": True}})
    interventions = having(pin)

    events, state = ran(
        interventions,
        tool("t", "def t():\n    raise ValueError"),
        static("b", "x is [[x]]"),
        direct("t", "b"),
    )

    assert [event["content"] for event in of(events, "assistant_response")] == ["Frozen", "x is 7"]
    (end, _) = of(events, "end_node_run")
    assert end["run_output"]["success"] is True
    assert end["intervened"] == ["pin1"]
    assert state.main.runtime_variables["t.x"] == 7
    assert interventions.hits("pin1") == 1


def test_pinned_node_takes_its_chosen_edge():
    pin = Pin(Target("node", "chat"), {"chosen": "bye", "args": {"mood": "glad"}, "reason": "as before"})

    events, _ = ran(
        having(pin), say("chat"), static("bye", "Bye"), when("chat", "bye", freeform="leaves"), text="Hi"
    )

    (hop,) = of(events, "conditional_edge")
    assert hop["args_filled"] == {"mood": "glad"}
    assert of(events, "say_llm") == []


def test_pin_of_missing_edge_fails_the_run():
    events, _ = ran(having(Pin(Target("node", "chat"), {"chosen": "gone"})), say("chat"), text="Hi")

    (error,) = of(events, "workflow_error")
    assert "takes the transition 'gone', which is not offered here" in error["error_message"]


def test_a_pinned_tool_gives_the_frozen_result():
    pin = Pin(Target("tool", "t"), {"success": True, "result": {"n": 5}})

    events, state = ran(having(pin), tool("t", TWICE, {"n": 1}))

    (end,) = of(events, "end_node_run")
    assert end["run_output"]["tool_result"] == {"n": 5}
    assert state.main.runtime_variables["tool_result_success"] is True


@pytest.mark.parametrize(
    ("output", "ended"),
    [
        ({"success": None, "result": 5}, (True, 5, None)),
        ({"error": "timeout"}, (False, None, "timeout")),
        ({"success": False}, (False, None, "The pinned call failed.")),
    ],
)
def test_pinned_tool_may_leave_fields_out(output, ended):
    events, _ = ran(having(Pin(Target("tool", "t"), output)), tool("t", TWICE, {"n": 1}))

    run_output = of(events, "end_node_run")[0]["run_output"]
    assert tuple(run_output[key] for key in ("success", "tool_result", "error_message")) == ended


def test_pinned_tool_can_be_one_nodes():
    pin = Pin(Target("tool", "t", node="other"), {"result": 5})
    interventions = having(pin)

    events, _ = ran(interventions, tool("t", "def t():\n    return 1"))

    assert of(events, "end_node_run")[0]["run_output"]["tool_result"] == 1
    assert interventions.unused == [interventions.all[0]]


def test_pinned_model_repeats_its_answer():
    events, _ = ran(having(Pin(Target("model", "chat"), {"text": "Frozen"})), say("chat"), text="Hi")

    (message,) = of(events, "say_llm")
    assert message["message"]["content"] == "Frozen"
    assert message["llm_usage_info"]["response_model"] == "pinned"


def test_pinned_model_takes_a_judged_transition():
    judged = everywhere("wants", judged="independent_llm_evaluations")
    desks = [static(name, f"{name} here.", global_node_config=judged) for name in ("first", "second")]

    events, _ = ran(
        having(Pin(Target("model", "chat"), {"chosen": "second"})), say("chat"), *desks, text="Hi"
    )

    assert of(events, "workflow_error") == []
    assert [event["content"] for event in of(events, "assistant_response")] == ["second here."]


def test_model_fault_speaks_default_error_message():
    fault = Fault(Target("model", "chat"), error="overloaded")

    events, _ = ran(having(fault), say("chat", default_error_message="Sorry"), text="Hi")

    assert [event["content"] for event in of(events, "assistant_response")] == ["Sorry"]
    assert any("overloaded" in event["warning_message"] for event in of(events, "workflow_warning"))


def test_tool_fault_is_a_failed_result():
    events, _ = ran(having(Fault(Target("tool", "t"), error="timeout")), tool("t", TWICE, {"n": 1}))

    (end,) = of(events, "end_node_run")
    assert end["run_output"]["success"] is False
    assert end["run_output"]["error_message"] == "timeout"
    assert of(events, "end_workflow")


@pytest.mark.parametrize(
    "part",
    [
        tool("x", TWICE, {"n": 1}),
        node("x", "http_request", url="http://127.0.0.1:9/", method="GET"),
    ],
)
def test_fault_of_calling_node_is_data(part):
    events, _ = ran(having(Fault(Target("node", "x"), error="made up")), part)

    (end,) = of(events, "end_node_run")
    assert end["run_output"]["success"] is False
    assert "made up" in json.dumps(events)
    assert of(events, "end_workflow")


def test_fault_of_node_precedes_pinned_model():
    mocks = having(
        Fault(Target("node", "chat"), error="made up"), Pin(Target("model", "chat"), {"text": "Hi"})
    )

    events, _ = ran(mocks, say("chat", default_error_message="Sorry"), text="Hi")

    assert [event["content"] for event in of(events, "assistant_response")] == ["Sorry"]
    assert mocks.hits("pin2") == 0


def test_fault_of_voice_call_fails_the_call():
    call = node(
        "a", "start_conversation", is_voice_conversation=True, user_number="+14155550123", assistant_id="b"
    )

    events, state = ran(having(Fault(Target("node", "a"), error="made up")), call)

    assert [event["conversation_status"] for event in of(events, "start_conversation")] == ["failed"]
    assert state.main.runtime_variables["start_conversation_result_error"] == "made up"
    assert of(events, "end_workflow")


@pytest.mark.parametrize("part", [static("a", "A"), node("a", "start_conversation")])
def test_fault_of_plain_node_fails_the_run(part):
    events, _ = ran(having(Fault(Target("node", "a"), error="made up")), part)

    assert of(events, "workflow_error")[0]["error_message"] == "Node 'A' was made to fail: made up"


@pytest.mark.parametrize(
    ("target", "part", "kind"),
    [
        (Target("model", "x"), say("x"), "model"),
        (Target("node", "x"), say("x"), "model"),
        (Target("tool", "x"), tool("x", TWICE, {"n": 1}), "tool"),
        (Target("node", "x"), tool("x", TWICE, {"n": 1}), "tool"),
        (Target("node", "x"), node("x", "http_request", url="http://127.0.0.1:9/"), "http"),
        (
            Target("node", "x"),
            node("x", "send_sms", message="Hi", destination_phone_number="+14155550123"),
            "connector",
        ),
        (Target("node", "x"), static("x", "X"), "error"),
    ],
)
def test_an_injected_failure_is_marked_once(target, part, kind):
    events, _ = ran(having(Fault(target, error="made up")), part, text="Hi")

    assert troubles(events) == [Trouble(kind, "x", is_faulted=True)]


def test_a_fault_of_one_tool_leaves_the_others_failures_alone():
    class Caller:
        def reply(self, prompt):
            calls = (ToolCall("one", {}), ToolCall("two", {}))
            return Reply(text="Done.") if prompt.exchange else Reply(calls=calls)

    tools = [
        {"type": "inline_python", "name": name, "code": "def f():\n    1 / 0"} for name in ("one", "two")
    ]
    chat = say("x", tools_config={"tools": tools})

    events, _ = ran(having(Fault(Target("tool", "one"), error="made up")), chat, text="Hi", model=Caller())

    assert [trouble.is_faulted for trouble in troubles(events)] == [True, False]
    assert {trouble.kind for trouble in troubles(events)} == {"tool"}


def test_delay_fault_lets_the_node_run():
    slept = []

    events, _ = ran(having(Fault(Target("node", "a"), delay=1.5)), static("a", "A"), slept=slept)

    assert slept == [1.5]
    assert [event["content"] for event in of(events, "assistant_response")] == ["A"]


@pytest.mark.parametrize("kind", ["node", "tool"])
def test_delay_ends_with_the_nodes_time(kind):
    slept = []
    loop = {"enabled": True, "expiry_time": 5}

    ran(
        having(Fault(Target(kind, "t"), delay=60)),
        tool("t", "def t():\n    return 1", self_loop_config=loop),
        slept=slept,
    )

    assert slept[0] <= 5


def test_model_delay_ends_with_the_nodes_time():
    slept = []
    chat = say("chat", self_loop_config={"enabled": True, "expiry_time": 5})

    ran(having(Fault(Target("model", "chat"), delay=60)), chat, text="hi", slept=slept)

    assert slept[0] <= 5


def test_fault_hits_the_second_attempt_only():
    interventions = having(Fault(Target("tool", "t"), error="once", attempts="2"))
    flow = [
        tool("t", "def t():\n    return 1", self_loop_config={"enabled": True, "max_retries": 2}),
        static("never", ""),
        when("t", "never", "[[tool_result]] == 9"),
    ]

    events, _ = ran(interventions, *flow)

    assert [event["run_output"]["success"] for event in of(events, "end_node_run")] == [True, False, True]
    assert interventions.hits("fault1") == 1


def test_a_failing_call_leaves_its_pin_unused():
    interventions = having(Pin(Target("tool", "t"), {"result": 1}), Fault(Target("tool", "t"), error="no"))

    ran(interventions, tool("t", TWICE, {"n": 1}))

    assert (interventions.hits("pin1"), interventions.hits("fault2")) == (0, 1)


def test_disabled_mocks_have_no_effect():
    interventions = having(Fault(Target("node", "a"), error="no", is_enabled=False))

    events, _ = ran(interventions, static("a", "A"))

    assert of(events, "end_workflow")
    assert interventions.unused == []


@pytest.mark.parametrize(
    "one",
    [
        Fault(Target("node", "a")),
        Fault(Target("node", "a"), delay=-1),
        Fault(Target("node", "a"), error="x", attempts="often"),
        Pin(Target("node", ""), {}),
    ],
)
def test_put_rejects_empty_and_malformed_mocks(one):
    with pytest.raises(InputError):
        having(one)


def test_mock_set_survives_json():
    interventions = having(
        Pin(Target("tool", "t", "n"), {"result": [1]}, note="from run 1"),
        Fault(Target("model", "chat"), "no", 2.0, "<=3"),
    )
    again = MockSet()

    again.take(json.loads(json.dumps(interventions.to_json())))

    assert again.all == interventions.all


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("node", {"says": "Hi"}, "'says' of the output of a node must be a list"),
        ("node", {"says": [5]}, "must be texts only"),
        ("node", {"variables": [1]}, "'variables' of the output of a node must be an object"),
        ("node", {"bogus": 1}, "The output of a node has no field 'bogus'"),
        ("tool", {"success": "yes"}, "must be true or false"),
        ("model", {"calls": ["find"]}, "must be objects with 'name' and 'args'"),
        ("model", {"calls": [{"name": "find", "args": [1]}]}, "must be objects with 'name' and 'args'"),
    ],
)
def test_output_of_wrong_shape_is_refused(kind, output, message):
    with pytest.raises(InputError, match=re.escape(message)):
        MockSet().put(Pin(Target(kind, "greet"), output))


def test_empty_fields_of_output_are_taken():
    output = {"says": None, "variables": {}, "output": None, "chosen": None, "args": {}, "reason": ""}

    assert MockSet().put(Pin(Target("node", "greet"), output)).output == output


FAULT, PINNED = Fault(Target("tool", "t"), error="Down"), Pin(Target("tool", "t"), {"result": "pinned"})
RECORDED = RecordedAnswer(re.compile("GET .*/slots"), body="recorded", label="answer 1 (line 3)")
API = node(
    "t",
    "tool_node",
    tool_config={"type": "external_api", "name": "t", "api_endpoint": "https://api.example/slots"},
)


@pytest.mark.parametrize(
    ("mocks", "recorded", "policy", "source", "result"),
    [
        ([FAULT, PINNED], [RECORDED], "simulated", "fault", None),
        ([PINNED], [RECORDED], "simulated", "pin", "pinned"),
        ([], [RECORDED], "simulated", "recorded", "recorded"),
        ([], [], "simulated", "simulation", {"simulated": True}),
        ([], [RECORDED], "blocked", None, None),
    ],
)
def test_first_source_answers_and_event_names_it(mocks, recorded, policy, source, result):
    gateway = LiveGateway(Policies(read=policy))
    interceptor = Interceptor(having(*mocks))

    end = ended(interceptor, gateway, RecordedAnswers(recorded))

    assert end["run_output"]["tool_result"] == result
    assert end.get("answered_by") == ([source] if source else None)
    sources = [entry.get("answered_by") for entry in gateway.ledger]
    assert sources == ([] if mocks else [source])
    assert interceptor.used == ({"answer 1 (line 3)"} if source == "recorded" else set())


def ended(interceptor, gateway, recorded):
    """The end of the run of a node that calls an API."""
    interpreter = Interpreter(
        workflow(API), HeuristicModel(), open_gateway=lambda: gateway, recorded=recorded
    )
    given = TurnInput.with_message(None)
    turn = interpreter.turn(interpreter.begin(given), given, inspector=RunInspector(interceptor))
    (end,) = of([event.to_wire() for event in turn], "end_node_run")
    return end


@pytest.mark.parametrize("policy", ["live", "simulated", "blocked"])
def test_winning_answer_needs_no_policy(policy):
    gateway = LiveGateway(Policies(read=policy))

    end = ended(Interceptor(), gateway, RecordedAnswers([RECORDED], win=True))

    assert (end["run_output"]["tool_result"], end["answered_by"]) == ("recorded", ["recorded"])
    assert [entry["how"] for entry in gateway.ledger] == ["simulated"]


MODEL_FAULT = Fault(Target("model", "chat"), error="Down")
PINNED_MODEL = Pin(Target("model", "chat"), {"text": "Hi"})


@pytest.mark.parametrize(
    ("mocks", "asks", "source"),
    [
        (
            [Fault(Target("model", "chat"), error="Down"), Pin(Target("model", "chat"), {"text": "Hi"})],
            True,
            "fault",
        ),
        ([Pin(Target("model", "chat"), {"text": "Hi"})], True, "pin"),
        ([], True, "manual"),
        ([], False, None),
    ],
)
def test_manual_answer_is_after_pin(mocks, asks, source):
    class Person:
        def asks(self, prompt):
            return asks

        def ask(self, prompt, fallback, cancelled):
            return Reply(text="By hand")

    interpreter = Interpreter(workflow(say("chat", default_error_message="Sorry")), HeuristicModel())
    given = TurnInput.with_message("Hello")
    inspector = RunInspector(Interceptor(having(*mocks), Person()))
    events = [e.to_wire() for e in interpreter.turn(interpreter.begin(given), given, inspector=inspector)]

    first = next(e for e in events if e["type"] in ("say_llm", "assistant_response"))
    assert first.get("answered_by") == ([source] if source else None)


@pytest.mark.parametrize(
    ("mode", "win", "is_used"),
    [
        ("refused", False, True),
        ("refused", True, True),
        ("unsafe", False, False),
        ("unsafe", True, True),
        ("sandboxed", True, False),
    ],
)
def test_sandboxed_python_runs_beside_recorded_answer(mode, win, is_used):
    answers = RecordedAnswers(tools=(ToolAnswer("t", result=1),), win=win)
    config = InlinePythonConfig(type="inline_python", name="t")

    assert (answers.of_tool(config, {}, PythonStatus(mode)) is not None) is is_used


def test_source_of_a_call_stays_with_its_node():
    judged = (when("ask", "bye", freeform="wants to leave"), when("ask", "end", "1 == 1"))
    fault = Fault(Target("model", "ask"), error="Down")

    events, _ = ran(
        having(fault), static("ask", "Hi"), static("bye", "Bye"), static("end", "End"), *judged, text="Hi"
    )

    assert any("Down" in event["warning_message"] for event in of(events, "workflow_warning"))
    marked = {event["origin_node_logical_id"] for event in events if "answered_by" in event}
    assert marked <= {"ask"}


def function(name, **arguments):
    config = {"type": "inbuilt_function", "name": name}
    return node("n", "tool_node", tool_config=config, tool_arguments=arguments)


NUMBER = "+14155550123"
MODEL = {"type": "custom_llm", "model": "tea-1", "base_url": "http://127.0.0.1:9/v1"}
DOCUMENT = {"type": "google_docs_get_document", "document_id_or_url": "doc-1"}
OFFERED = {"tools": [{"name": "price", "inputSchema": {"type": "object"}}]}
CALLS = {
    "HTTP request that reads": node("n", "http_request", url="http://127.0.0.1:9/slots"),
    "HTTP request that writes": node("n", "http_request", url="http://127.0.0.1:9/slots", method="POST"),
    "external API": {**API, "logical_id": "n"},
    "web search": function("web_search", query="tea"),
    "forwarded call": function("call_forward", phone_number=NUMBER),
    "text message": node("n", "send_sms", destination_phone_number=NUMBER, message="Hello"),
    "voice call": node(
        "n",
        "start_conversation",
        is_voice_conversation=True,
        is_outbound_call=True,
        user_number=NUMBER,
        assistant_id="a",
    ),
    "Athena": node("n", "athena_patients_search", full_name="Ann Lee", birthdate="1980-12-31"),
    "Google Docs": node("n", "google_docs", operate_document=DOCUMENT),
    "model": say("n", llms_config=MODEL),
    "MCP server": say(
        "n",
        llms_config=MODEL,
        use_mcp_tools=True,
        mcp_servers=[{"name": "shop", "server_url": "http://127.0.0.1:9/mcp"}],
    ),
}
ALL = ("talk", "read", "write", "contact")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(("policy", "source"), [("blocked", "recorded"), ("simulated", "simulation")])
def test_every_kind_of_call_passes_the_lookup(kind, policy, source):
    answers = [("tools/list", OFFERED), ("tea-1", "Hello."), ("voice call", "completed"), ("", {})]
    recorded = [RecordedAnswer(re.compile(target), body=body) for target, body in answers]
    gateway = LiveGateway(Policies(**dict.fromkeys(ALL, policy)))
    interpreter = Interpreter(
        workflow(CALLS[kind]),
        provider_model(),
        open_gateway=lambda: gateway,
        recorded=RecordedAnswers(recorded, win=True) if source == "recorded" else RecordedAnswers(),
    )
    given = TurnInput.with_message("How much?")
    events = [event.to_wire() for event in interpreter.turn(interpreter.begin(given), given)]

    assert gateway.ledger
    assert {(entry["how"], entry["answered_by"]) for entry in gateway.ledger} == {("simulated", source)}
    assert {name for event in events for name in event.get("answered_by", ())} == {source}


def test_refused_call_has_no_substitute():
    why = "The secret is another host's."
    call = OutboundCall("http", "read", "GET /", {}, simulate=pytest.fail, refusal=why)
    recorded = RecordedAnswers([RecordedAnswer(re.compile(""))], win=True)
    interceptor = Interceptor(recorded=recorded)

    outcome = interceptor.guard(LiveGateway()).call(call, node_logical_id="n", timeout=1)

    assert (outcome.how, outcome.error) == ("blocked", why)
    assert (interceptor.unreported, interceptor.used) == ([], set())
