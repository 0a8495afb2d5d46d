from __future__ import annotations

import threading
from typing import Any

import pytest

from debugger.engine.execution import ExecutionResult
from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel, Script, ScriptedModel
from debugger.engine.models.base import ModelError, Prompt, Reply
from debugger.engine.nodes.say_static import SayStaticNode
from debugger.engine.options import EngineOptions
from debugger.engine.outbound import Secrets
from debugger.engine.outbound.gateway import BlockedGateway
from debugger.engine.super_nodes import expand
from debugger.errors import InputError, NotStartableError, RunError
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput
from tests.support.factories import (
    direct,
    document,
    everywhere,
    node,
    say,
    static,
    tool,
    when,
    worker,
    workflow,
)


class Listener:
    """Answers with what the user said; chooses the first hop whose condition is a word of the message."""

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        chosen = next(
            (choice for choice in prompt.choices if choice.condition in prompt.message.split()), None
        )
        if chosen:
            return Reply(chosen=chosen, reason=f"heard {chosen.condition}", args={"heard": chosen.condition})
        names = (prompt.schema or {}).get("properties", {})
        fields = {name: prompt.message for name in names if prompt.message}
        return Reply(text=f"You said: {prompt.message}" if prompt.kind == "say" else "", fields=fields)


class Play:
    """A run of one workflow, turn by turn."""

    def __init__(self, *parts: Any, model: Any = None, options: EngineOptions | None = None, **config: Any):
        self.interpreter = Interpreter(workflow(*parts, **config), model or Listener(), options)
        self.state = None
        self.events: list[Event] = []
        self.end: ExecutionResult | None = None

    def turn(
        self, text: str | None = None, cancelled: threading.Event | None = None, **fields: Any
    ) -> list[str]:
        """Run a turn; the types of its events."""
        given = TurnInput.with_message(text, **fields)
        self.state = self.state or self.interpreter.begin(given)
        self.events = []
        turn = self.interpreter.turn(self.state, given, cancelled=cancelled)
        while True:
            try:
                self.events.append(next(turn))
            except StopIteration as stop:
                self.end = stop.value
                return [event.type for event in self.events]

    def said(self) -> list[str]:
        """Return the replies of the last turn."""
        return [event.to_wire()["content"] for event in self.events if event.type == "assistant_response"]

    def one(self, event_type: str) -> dict[str, Any]:
        """The only event of a type in the last turn."""
        (found,) = [event.to_wire() for event in self.events if event.type == event_type]
        return found


HIDDEN = EngineOptions(start_events=False)


def test_two_static_nodes_give_the_recorded_fifteen_events():
    play = Play(static("a", "Hello"), static("b", "Bye"), direct("a", "b", name="next"), options=HIDDEN)

    types = play.turn()

    block = ["start_node_run", "say_static", "assistant_response", "end_node_run", "workflow_show_state"]
    hop = ["direct_edge", "workflow_navigation_message"]
    assert types == [*block, *hop, *block, "end_thread", "end_workflow_iteration", "end_workflow"]
    assert play.end.status == "completed"


def test_the_fields_of_the_recorded_run_are_exact():
    play = Play(static("a", "Hello"), static("b", "Bye"), direct("a", "b", name="next"), options=HIDDEN)

    play.turn()

    wire = [event.to_wire() for event in play.events]
    start, spoken, response, end, shown, edge, memo = wire[:7]
    assert (start["origin_thread_id"], start["origin_node_logical_id"], start["origin_node_run_id"]) == (
        "0",
        "a",
        "1",
    )
    assert start["run_input"] is None
    assert spoken["message"]["response_metadata"] == {}
    assert response["logical_id"] == spoken["message"]["id"]
    assert response["logical_id"].startswith("assistant_message_")
    assert response["response_metadata"] == {"message_type": "static"}
    assert response["llm_usage_info"] == {}
    assert end["run_output"] == {
        "events": [],
        "type": "say_static",
        "node_logical_id": "a",
        "node_run_id": "1",
    }
    assert (shown["origin_thread_id"], shown["thread_id"], shown["thread_reference_id"]) == (None, "0", "0")
    assert (edge["edge_run_id"], edge["edge_name"], edge["edge_logical_id"]) == ("1", None, None)
    assert edge["reason"] == "Direct edge triggered from a to b"
    assert memo["origin_node_logical_id"] == "a"
    assert memo["origin_node_run_id"] is None
    assert memo["message"]["content"] == (
        '[Internal-only memo]: System navigated from agent "A" to agent "B" via direct edge.'
    )
    assert memo["message"]["response_metadata"] == {
        "navigation_message": "true",
        "edge_type": "direct",
        "source_node_id": "a",
        "source_node_name": "A",
        "destination_node_id": "b",
        "destination_node_name": "B",
        "edge_name": "",
        "edge_logical_id": "",
    }
    assert wire[7]["origin_node_run_id"] == "1"
    assert wire[12]["last_node_logical_id"] == "b"
    assert wire[13]["iteration_number"] == 1
    assert wire[13]["origin_thread_id"] is wire[14]["origin_thread_id"] is None
    pair = wire[13]["run_input_output_pair"]
    assert pair["run_output"]["events"] == []
    assert [output["node_logical_id"] for output in pair["run_output"]["thread_to_node_outputs"]["0"]] == [
        "a",
        "b",
    ]
    assert wire[13]["iteration_metrics"]["nodes_executed_count"] == 2
    assert wire[14]["llm_token_usage"]["call_count"] == 0


def test_first_turn_has_start_events():
    parts = static("a", "Hello"), static("b", "Bye"), direct("a", "b")

    assert Play(*parts).turn()[:2] == ["start_workflow", "start_thread"]
    assert Play(*parts, options=HIDDEN).turn()[0] == "start_node_run"


def test_waiting_node_waits_for_a_message():
    play = Play(say("chat"))

    types = play.turn()

    assert types == [
        "start_workflow",
        "start_thread",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    assert play.end.status == "waiting_for_user_input"
    assert play.end.hint["origin_node_logical_id"] == "chat"
    assert play.interpreter.model.prompts == []


def test_a_chat_turn_answers_loops_and_parks_again():
    play = Play(say("chat"))
    play.turn()

    types = play.turn("hello", command="data")

    assert types == [
        "user_messages",
        "start_node_run",
        "say_llm",
        "assistant_response",
        "end_node_run",
        "workflow_show_state",
        "self_loop_edge",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    assert play.said() == ["You said: hello"]
    assert play.one("user_messages")["origin_node_logical_id"] == "chat"
    assert play.one("start_node_run")["run_input"]["messages"][0]["content"] == "hello"
    assert play.one("self_loop_edge")["destination_node_logical_id"] == "chat"
    assert play.one("assistant_response")["llm_usage_info"] == play.one("say_llm")["llm_usage_info"]


def test_parking_takes_a_run_id_of_its_node():
    play = Play(say("chat"))
    play.turn()
    parked = play.one("busy_wait_for_user_message")["origin_node_run_id"]

    play.turn("hello")

    assert parked == "1"
    assert play.one("start_node_run")["origin_node_run_id"] == "2"


def test_first_message_is_answered():
    play = Play(say("chat"))

    play.turn("hello")

    assert play.said() == ["You said: hello"]


def test_greeting_consumes_the_message():
    greet = say("greet", self_loop=False, wait_for_user_message=False)
    play = Play(greet, say("chat"), direct("greet", "chat"))

    types = play.turn("hello")

    assert play.said() == ["You said: hello"]
    assert types[-3] == "busy_wait_for_user_message"


def test_chosen_edge_passes_the_message_on():
    play = Play(say("desk"), say("billing"), when("desk", "billing", freeform="bill", name="about a bill"))
    play.turn()

    types = play.turn("my bill please")

    start = types.index("say_llm")
    assert types[start : start + 5] == [
        "say_llm",
        "end_node_run",
        "workflow_show_state",
        "conditional_edge",
        "workflow_navigation_message",
    ]
    assert play.said() == ["You said: my bill please"]
    edge = play.one("conditional_edge")
    assert edge["edge_name"] == "about a bill"
    assert edge["edge_logical_id"] == "edge_desk_billing"
    assert edge["args_filled"] == {"justification": "heard bill", "heard": "bill"}
    assert "heard bill" in edge["reason"]
    call = play.events[start].to_wire()["message"]["tool_calls"][0]
    assert call["name"] == "Destination_Node__billing"
    assert play.state.main.runtime_variables["heard"] == "bill"


def test_edge_message_has_a_message_id():
    line = {"static_messages_config": {"static_messages": ["One moment."]}}
    edges = [when("a", "b", "true", condition=line), when("b", "c", freeform="go", condition=line)]
    play = Play(static("a"), say("b"), static("c"), *edges)

    play.turn("go")

    ids = [event.logical_id for event in play.events if event.type == "assistant_response"]
    assert [each.rpartition("message_")[0] for each in ids] == ["assistant_", "assistant_"]


def test_chosen_edges_message_precedes_node_end():
    line = {"static_messages_config": {"static_messages": ["One moment, {{name}}."]}}
    edge = when("desk", "billing", freeform="bill", condition=line)
    play = Play(say("desk"), say("billing"), edge, defaults={"name": "Ada"})

    types = play.turn("bill")

    assert play.said() == ["One moment, Ada.", "You said: bill"]
    assert types.index("assistant_response") < types.index("end_node_run")


def test_expression_is_evaluated_after_the_reply():
    line = {"static_messages_config": {"static_messages": ["Thank you."]}}
    ask = say("ask", structured_output_schema={"type": "object", "properties": {"tea": {"type": "string"}}})
    play = Play(ask, static("bye", "Bye"), when("ask", "bye", "isPresent([[tea]])", condition=line))

    types = play.turn("green")

    assert play.said() == ["You said: green", "Thank you.", "Bye"]
    assert types.index("workflow_show_state") < types.index("conditional_edge")
    assert play.one("conditional_edge")["reason"] == "Condition expression 'isPresent('green')' holds"
    assert play.end.status == "completed"


def test_direct_edge_wins_over_conditions():
    play = Play(
        static("a", "A"), static("b", "B"), static("c", "C"), when("a", "b", "1 == 1"), direct("a", "c")
    )

    play.turn()

    assert play.said() == ["A", "C"]


def test_first_true_condition_is_taken():
    play = Play(
        static("a", "A"),
        static("b", "B"),
        static("c", "C"),
        when("a", "c", "1 == 2"),
        {**when("a", "b", "1 == 1"), "logical_id": "first"},
        {**when("a", "c", "1 == 1"), "logical_id": "second"},
    )

    play.turn()

    assert play.said() == ["A", "B"]


@pytest.mark.parametrize(("given", "said"), [({"vip": "yes"}, "VIP"), ({"vip": "no"}, "Desk"), ({}, "Human")])
def test_expression_wins_over_freeform_condition(given, said):
    both = when("desk", "vip", "[[vip]] == 'yes'", freeform="human")
    play = Play(say("desk", self_loop=False), static("vip", "VIP"), static("human", "Human"), both)

    play.turn("human", runtime_variables=given)

    assert play.said()[-1] == {"VIP": "VIP", "Desk": "You said: human", "Human": "VIP"}[said]
    assert bool(play.interpreter.model.prompts[0].choices) is (said == "Human")


def test_edge_to_nowhere_fails_the_run():
    play = Play(static("a", "A"), direct("a", "gone"))

    play.turn()

    assert play.end.status == "failed"
    assert "'gone'" in play.end.error
    assert "edge_a_gone" in play.end.error


def test_a_disabled_edge_is_never_taken():
    play = Play(static("a", "A"), static("b", "B"), direct("a", "b", disabled=True))

    play.turn()

    assert play.said() == ["A"]


def test_a_disabled_node_is_passed_without_a_trace():
    play = Play(
        static("a", "A"),
        static("b", "B", disabled=True),
        static("c", "C"),
        direct("a", "b"),
        direct("b", "c"),
    )

    play.turn()

    assert play.said() == ["A", "C"]
    assert all(event.to_wire().get("origin_node_logical_id") != "b" for event in play.events)


@pytest.mark.parametrize("kind", ["disabled", "unsupported"])
def test_a_ring_of_passed_nodes_meets_the_looping_guard(kind):
    parts = (
        [static("b", "B", disabled=True), static("c", "C", disabled=True)]
        if kind == "disabled"
        else [node("b", "no_such_type"), node("c", "no_such_type")]
    )
    play = Play(static("a", "A"), direct("a", "b"), *parts, direct("b", "c"), direct("c", "b"))

    play.turn()

    assert play.end.status == "aborted_looping_risk"
    told = [event.to_wire() for event in play.events if event.type == "workflow_warning"]
    assert (told[-1]["trouble"]["kind"], "may loop" in told[-1]["warning_message"]) == ("loop_limit", True)


def test_a_disabled_last_node_ends_the_thread():
    options = EngineOptions(max_node_runs=1, start_events=False)
    play = Play(static("a", "A"), direct("a", "b"), static("b", "B", disabled=True), options=options)

    play.turn()

    assert play.end.status == "completed"


def test_a_failed_answer_is_told_before_the_error_that_follows():
    class Silent(Listener):
        def reply(self, prompt: Prompt) -> Reply:
            if prompt.kind == "judge":
                raise ModelError("no verdict")
            return super().reply(prompt)

    parts = static("a", "A"), when("a", "b", freeform="it rains"), when("a", "b", "1 <"), static("b", "B")
    play = Play(*parts, model=Silent(), options=HIDDEN)

    types = play.turn()

    assert types[types.index("workflow_warning") :][:2] == ["workflow_warning", "workflow_error"]
    assert play.one("workflow_warning")["trouble"] == {"kind": "model", "node": "a"}


def test_a_nodes_failed_answer_is_told_before_its_error(monkeypatch):
    def run(self, context):
        context.report_failure("tool", "The till is closed.")
        yield from ()
        raise RunError("out of tea")

    monkeypatch.setattr(SayStaticNode, "run", run)
    play = Play(static("a", "A"), options=HIDDEN)

    play.turn()

    assert play.one("workflow_warning")["trouble"] == {"kind": "tool", "node": "a"}


def test_workers_fields_become_variables():
    collect = worker("collect", {"colour": {"type": "string"}}, wait_for_user_message=True)
    play = Play(
        collect, static("done", "[[colour]] it is"), when("collect", "done", "isNonEmpty([[colour]])")
    )

    types = play.turn("blue")

    assert "worker_llm" in types
    assert play.said() == ["blue it is"]
    assert (
        play.one("workflow_show_state")["runtime_variables"]
        if types.count("workflow_show_state") == 1
        else True
    )
    shown = next(event for event in play.events if event.type == "workflow_show_state").to_wire()
    assert shown["runtime_variables"] == {
        "colour": "blue",
        "collect.colour": "blue",
        "Collect.colour": "blue",
    }


@pytest.mark.parametrize("properties", [None, 5, ["tea"], "tea"])
def test_schema_without_properties_is_open(properties):
    schema = {"type": "object", "properties": properties}
    rules = "version: 1\nworkflow: w\nnodes:\n  A:\n    - take: B\n      args: {tea: 1}\n"
    facts = "  Facts:\n    - fill: {tea: 2}\n"
    script = ScriptedModel(Script.load(rules + facts), HeuristicModel())
    edge = when("a", "b", freeform="go", condition={"args_schema": schema})
    collector = node("facts", "worker_llm", structured_output_schema=schema, wait_for_user_message=False)
    play = Play(say("a"), static("b", "[[tea]]"), collector, edge, direct("b", "facts"), model=script)

    play.turn("go")

    assert play.said() == ["1"]
    assert play.state.main.runtime_variables["tea"] == 2


def test_looping_worker_waits_for_messages():
    collect = worker("collect", {"colour": {"type": "string"}}, self_loop=True)
    play = Play(collect, static("done", "Done"), when("collect", "done", "[[colour]] == 'red'"))

    types = play.turn("blue")

    assert types[-4:-2] == ["self_loop_edge", "busy_wait_for_user_message"]
    assert play.state.main.pending == []


def test_global_node_returns():
    hours = say("hours", global_node_config=everywhere("hours", back="thanks"))
    play = Play(say("desk"), hours, miscellaneous={})
    play.turn()

    play.turn("what hours")
    entered = play.one("conditional_edge")
    play.turn("thanks a lot")
    back = play.one("reverse_conditional_edge")

    assert (entered["source_node_logical_id"], entered["destination_node_logical_id"]) == ("desk", "hours")
    assert entered["edge_logical_id"] is None
    assert (back["source_node_logical_id"], back["destination_node_logical_id"]) == ("hours", "desk")
    assert back["global_node_logical_id"] == "hours"
    assert play.said() == ["You said: thanks a lot"]


def test_global_node_returns_after_its_loop():
    desk = say("desk", global_node_config=everywhere("help", back="back"))
    play = Play(say("chat"), desk, when("desk", "desk", freeform="again"))
    play.turn("help")
    play.turn("again")

    play.turn("back")

    assert play.one("reverse_conditional_edge")["destination_node_logical_id"] == "chat"


def test_ordinary_edge_clears_the_return_stack():
    outer = say("outer", global_node_config=everywhere("help", back="back"))
    inner = say("inner", global_node_config=everywhere("deeper", back="up"))
    other = say("other")
    edges = [when("inner", "other", freeform="leave"), when("other", "outer", freeform="outside")]
    play = Play(say("chat"), outer, inner, other, *edges)
    for text in ("help", "deeper", "leave", "outside"):
        play.turn(text)

    types = play.turn("back")

    assert "reverse_conditional_edge" not in types
    assert play.end.end_state["thread_id_to_global_node_previous_node"] == {}


def test_model_after_silent_return_must_answer():
    condition = {"condition_expression": "{{ask}} == 'yes'"}
    settings = {"is_global": True, "condition": condition}
    desk = say(
        "desk", global_node_config={**settings, "reverse_conditional_edge": {"condition_freeform": "back"}}
    )
    edges = [when("chat", "bye", freeform="later"), when("hub", "chat", "{{ask}} == 'no'")]
    play = Play(node("hub", "no_op"), say("chat"), static("bye", "Bye"), desk, *edges)
    play.turn(None, dynamic_variables={"ask": "yes"})

    play.turn("back", dynamic_variables={"ask": "no"})

    assert [prompt.choices for prompt in play.interpreter.model.prompts if prompt.node_name == "Chat"] == [()]


def test_model_after_return_must_answer():
    hours = say("hours", global_node_config=everywhere("hours", back="hours"))
    play = Play(say("desk"), hours)
    play.turn()
    play.turn("hours")

    play.turn("hours again")

    assert [prompt.node_logical_id for prompt in play.interpreter.model.prompts[-2:]] == ["hours", "desk"]
    assert play.interpreter.model.prompts[-1].choices == ()
    assert play.end.hint["origin_node_logical_id"] == "desk"


def test_model_must_answer_after_three_transitions():
    nodes = [say(f"n{number}") for number in range(5)]
    edges = [when(f"n{number}", f"n{number + 1}", freeform="on") for number in range(4)]
    play = Play(*nodes, *edges)
    play.turn()

    types = play.turn("on")

    assert types.count("conditional_edge") == 3
    assert play.said() == ["You said: on"]
    assert play.end.hint["origin_node_logical_id"] == "n3"


def test_true_global_condition_discards_the_answer():
    hours = say("hours", global_node_config=everywhere("hours", judged="independent_llm_evaluations"))
    pets = say("pets", global_node_config=everywhere("pets", judged="independent_llm_evaluations"))
    play = Play(say("desk"), pets, hours, options=HIDDEN)
    play.turn()

    types = play.turn("which hours")

    assert types[1:8] == [
        "start_node_run",
        "condition_evaluator_llm",
        "condition_evaluator_llm",
        "discarded_main_llm",
        "end_node_run",
        "workflow_show_state",
        "conditional_edge",
    ]
    verdicts = [event.is_condition_met for event in play.events if event.type == "condition_evaluator_llm"]
    assert verdicts[:2] == [False, True]
    assert play.one("discarded_main_llm")["reason"] == "global_condition_matched"
    assert play.one("discarded_main_llm")["message"]["content"] == "You said: which hours"
    assert play.one("conditional_edge")["destination_node_logical_id"] == "hours"
    assert [event.origin_node_logical_id for event in play.events if event.type == "assistant_response"] == [
        "hours"
    ]


def test_false_global_condition_leaves_the_answer():
    hours = say("hours", global_node_config=everywhere("hours"))
    play = Play(say("desk"), hours, global_condition_evaluation_method="independent_llm_evaluations")
    play.turn()

    types = play.turn("hello")

    assert types.index("condition_evaluator_llm") < types.index("say_llm")
    assert play.said() == ["You said: hello"]
    assert play.interpreter.model.prompts[-1].choices == ()


@pytest.mark.parametrize(("flag", "reached"), [("true", False), ("false", True)])
def test_guardrail_node_leads_to_no_other(flag, reached):
    play = Play(
        say("rude", is_guardrail_node=True),
        static("spam", "No.", is_guardrail_node=True),
        when("rude", "spam", freeform="buy"),
        miscellaneous={"no_hopping_between_guardrail_nodes": flag},
    )
    play.turn()

    play.turn("buy this")

    assert ("No." in play.said()) is reached


def test_last_strike_goes_to_escalation_node():
    strikes = {"max_guardrail_nodes_before_escalation": 2, "escalation_node_logical_id": "person"}
    play = Play(
        say("desk"),
        say("rude", is_guardrail_node=True),
        static("person", "A person takes over."),
        when("desk", "rude", freeform="fool"),
        when("rude", "desk", freeform="sorry"),
        guardrail_strikes_config=strikes,
    )
    play.turn()
    play.turn("you fool")
    play.turn("I am sorry")

    types = play.turn("no you fool")

    assert "conditional_edge" not in types
    edge = play.one("guardrail_escalation_edge")
    assert (edge["source_node_logical_id"], edge["destination_node_logical_id"]) == ("desk", "person")
    assert edge["num_guardrail_nodes_entered"] == 2
    assert types[types.index("guardrail_escalation_edge") + 1] == "workflow_navigation_message"
    assert play.said() == ["A person takes over."]
    assert play.end.status == "completed"


@pytest.mark.parametrize("node_id", [None, "nowhere"])
def test_escalation_message_ends_the_run(node_id):
    play = Play(
        say("desk"),
        say("rude", is_guardrail_node=True),
        when("desk", "rude", freeform="fool"),
        defaults={"shop": "Leaf"},
        guardrail_strikes_config={
            "max_guardrail_nodes_before_escalation": 1,
            "escalation_node_logical_id": node_id,
            "escalation_message": "{{shop}} ends this call.",
        },
    )
    play.turn()

    types = play.turn("you fool")

    start = types.index("guardrail_escalation_edge")
    assert types[start:] == [
        "guardrail_escalation_edge",
        "assistant_response",
        "end_thread",
        "end_workflow_iteration",
        "end_workflow",
    ]
    assert play.one("guardrail_escalation_edge")["destination_node_logical_id"] is None
    assert play.said() == ["Leaf ends this call."]


def test_companion_worker_decides_the_edge():
    spot = worker("spot", {"mood": {"type": "string"}}, wait_for_user_message=False)
    play = Play(
        say("chat"),
        spot,
        static("calm", "Let us calm down."),
        {**when("chat", "calm", "[[mood]] == 'angry'"), "logical_id": "calmly"},
        {**direct("chat", "spot"), "type": "companion", "logical_id": "beside", "name": "mood"},
        options=HIDDEN,
    )
    play.turn()

    types = play.turn("angry")

    assert types[1:11] == [
        "start_node_run",
        "say_llm",
        "assistant_response",
        "end_node_run",
        "workflow_show_state",
        "companion_edge",
        "start_node_run",
        "worker_llm",
        "end_node_run",
        "workflow_show_state",
    ]
    beside = play.one("companion_edge")
    assert (beside["edge_name"], beside["edge_logical_id"], beside["edge_run_id"]) == ("mood", "beside", "1")
    assert play.said() == ["You said: angry", "Let us calm down."]
    heard = next(prompt for prompt in play.interpreter.model.prompts if prompt.kind == "work")
    assert heard.message == "angry"
    assert heard.choices == ()
    assert [message["content"] for message in heard.history()] == ["angry"], "not the fresh reply"


def test_companion_worker_waits_for_a_message():
    play = Play(
        say("greet", self_loop=False, wait_for_user_message=False),
        worker("spot", {"mood": {"type": "string"}}, wait_for_user_message=True),
        {**direct("greet", "spot"), "type": "companion", "logical_id": "beside"},
    )

    types = play.turn()

    assert "companion_edge" not in types
    assert play.end.status == "completed"


def test_silent_nodes_condition_is_judged_alone():
    play = Play(static("a", "A"), static("b", "B"), when("a", "b", freeform="yes"))

    types = play.turn("yes")

    assert (
        types.index("workflow_show_state")
        < types.index("condition_evaluator_llm")
        < types.index("conditional_edge")
    )
    assert play.one("condition_evaluator_llm")["is_condition_met"] is True
    assert play.said() == ["A", "B"]


def test_silent_nodes_judge_writes_the_edges_line():
    class Writer(Listener):
        def reply(self, prompt: Prompt) -> Reply:
            return Reply(chosen=prompt.choices[0], message=f"Written for: {prompt.choices[0].message_prompt}")

    line = {"dynamic_messages_config": {"dynamic_message_prompt": "Say goodbye."}}
    edge = when("a", "b", freeform="yes", condition=line)
    play = Play(static("a", "A"), static("b", "B"), edge, model=Writer())

    types = play.turn("yes")

    assert play.said() == ["A", "Written for: Say goodbye.", "B"]
    assert "workflow_warning" not in types


def test_tool_node_writes_three_variables():
    good = tool("price", "def price(cups):\n    return 3 * int(cups)\n", {"cups": "[[cups]]"})
    bad = tool("broken", "def broken():\n    raise ValueError('no stock')\n")
    play = Play(
        good, bad, static("end", "[[tool_result_error]]"), direct("price", "broken"), direct("broken", "end")
    )

    play.turn(runtime_variables={"cups": 2})

    shown = [event.to_wire() for event in play.events if event.type == "workflow_show_state"]
    first, second = shown[0]["runtime_variables"], shown[1]["runtime_variables"]
    assert (first["tool_result"], first["tool_result_success"], first["tool_result_error"]) == (6, True, None)
    assert (second["tool_result"], second["tool_result_success"]) == (None, False)
    assert "no stock" in second["tool_result_error"]
    assert second["price.tool_result"] == 6
    assert "no stock" in play.said()[0]
    ended = [event.to_wire()["run_output"] for event in play.events if event.type == "end_node_run"]
    assert (ended[0]["success"], ended[0]["tool_result"]) == (True, 6)
    assert play.end.status == "completed"


def test_no_op_accepts_a_huge_delay():
    play = Play(node("a", "no_op", delay_seconds=1e300))
    cancelled = threading.Event()
    threading.Timer(0.1, cancelled.set).start()

    play.turn(cancelled=cancelled)

    assert play.end.status == "cancelled"


def test_a_no_op_writes_its_outcome():
    play = Play(
        node("fork", "no_op", simulate_failure=True),
        static("b", "B"),
        when("fork", "b", "NOT [[no_op_result_success]]"),
    )

    play.turn()

    assert play.said() == ["B"]


def test_unsupported_feature_fails_the_run():
    loop = say("b", self_loop=True, wait_for_user_message=False)
    play = Play(static("a", "A"), loop, direct("a", "b"))

    types = play.turn()

    assert types[-1] == "workflow_error"
    assert "end_workflow" not in types
    assert play.end.status == "failed"
    assert "self_loop" in play.end.error
    assert "'B'" in play.end.error
    assert play.one("workflow_error")["error_message"] == play.end.error


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (node("b", "from_next_year"), "its type 'from_next_year' is not known here"),
        ({"logical_id": "b", "name": "B"}, "its type None is not known here"),
        (say("b", 5), "as a say_llm it cannot be read"),
    ],
)
def test_unsupported_node_is_skipped_with_warning(part, named):
    play = Play(static("a", "A"), part, static("c", "C"), direct("a", "b"), direct("b", "c"))

    play.turn()

    assert play.said() == ["A", "C"]
    warning = play.one("workflow_warning")["warning_message"]
    assert warning.startswith("Node 'B' (b) was skipped: ")
    assert named in warning
    assert play.end.outputs.keys() == {"0"}
    assert [output["node_logical_id"] for output in play.end.outputs["0"]] == ["a", "c"]


def test_unsupported_last_node_ends_the_thread():
    play = Play(static("a", "A"), node("b", "from_next_year"), direct("a", "b"))

    play.turn()

    assert play.one("end_thread")["last_node_logical_id"] == "b"
    assert play.end.status == "completed"


def test_condition_error_names_the_column():
    play = Play(static("a", "A"), static("b", "B"), when("a", "b", "contains([[x]], 'y')"))

    types = play.turn()

    assert types[-1] == "workflow_error"
    assert play.end.error.startswith("Error evaluating condition expression 'contains([[x]], 'y')'")
    assert "column 1" in play.end.error


def test_absent_variable_compares_false():
    play = Play(static("a", "A"), static("b", "B"), when("a", "b", "[[age]] >= 18"))

    play.turn()

    assert play.said() == ["A"]
    assert "[[age]]" in play.one("workflow_warning")["warning_message"]


def test_empty_placeholder_is_warned_of_once():
    play = Play(static("a", "Hi {{who}}"), static("b", "Bye {{who}} [[x]]"), direct("a", "b"))

    play.turn()

    assert play.said() == ["Hi {{who}}", "Bye {{who}} [[x]]"]
    assert "{{who}}" in play.one("workflow_warning")["warning_message"]


def test_placeholder_beyond_a_limit_is_reported_with_it():
    text = f"{{{{ page | append: page | upcase }}}}, [[x{'.y' * 200}]]!"
    play = Play(static("a", text))

    play.turn(dynamic_variables={"page": "x" * 600_000})

    assert play.said() == [text]
    warnings = [event.warning_message for event in play.events if event.type == "workflow_warning"]
    assert any("makes at least 1,200,000 characters, and 1,000,000 is the most" in text for text in warnings)
    assert any("the path has 201 steps, and 100 is the most" in text for text in warnings)
    assert play.end.error is None


def test_turns_variables_win_and_last():
    play = Play(say("chat", wait_for_user_message=True), defaults={"city": "Bonn", "day": "any"})
    play.turn(dynamic_variables={"city": "Kiel"})

    play.turn("hi")

    shown = play.one("workflow_show_state")["workflow_runtime_variables"]
    assert shown["_input_dynamic_variables"] == {"city": "Kiel", "day": "any"}
    assert shown["_evaluated_dynamic_variables"]["day"] == "any"
    assert "now" in shown["_evaluated_dynamic_variables"]


def test_prompt_has_prefix_and_suffix():
    play = Play(
        say("chat", "Serve {{city}}."),
        defaults={"city": "Bonn"},
        default_prompt_prefix="Be kind.",
        default_prompt_suffix="Be brief.",
    )

    play.turn("hi")

    assert play.interpreter.model.prompts[0].system == "Be kind.\n\nServe Bonn.\n\nBe brief."


def test_history_has_messages_and_memos():
    play = Play(static("a", "Hello"), say("chat"), direct("a", "chat"))

    play.turn("hi", welcome_message="Welcome")

    texts = [message["content"] for message in play.interpreter.model.prompts[0].history()]
    assert texts[:3] == ["Welcome", "hi", "Hello"]
    assert texts[3].startswith("[Internal-only memo]")


def test_the_state_does_not_grow_with_the_conversation():
    play = Play(say("chat"))
    sizes = []
    for number in range(30):
        play.turn(f"message {number:04d}")
        sizes.append(len(play.state.to_json()))

    assert abs(sizes[29] - sizes[9]) < 20, "only the digits of counters may grow"


def test_model_error_continues_the_run():
    class Broken:
        def reply(self, prompt):
            raise ModelError

    play = Play(say("chat", default_error_message="Pardon?"), model=Broken())

    play.turn("hi")

    assert play.said() == ["Pardon?"]
    assert play.end.status == "waiting_for_user_input"


def test_looping_turn_is_ended():
    options = EngineOptions(max_node_runs=10, start_events=False)
    play = Play(static("a", "A"), static("b", "B"), direct("a", "b"), direct("b", "a"), options=options)

    types = play.turn()

    assert types.count("start_node_run") == 10
    assert types[-2:] == ["workflow_warning", "end_workflow_iteration"]
    assert play.end.status == "aborted_looping_risk"


def test_stop_ends_a_waiting_run():
    play = Play(say("chat"))
    play.turn()

    types = play.turn(command="stop")

    assert types == ["end_workflow_iteration"]
    assert play.end.status == "cancelled"
    assert play.end.hint is None


def test_cancelled_turn_starts_no_worker():
    cancelled = threading.Event()

    class Stopped(Listener):
        def reply(self, prompt: Prompt) -> Reply:
            cancelled.set()
            return super().reply(prompt)

    facts = worker("facts", {"said": {"type": "string"}}, wait_for_user_message=False)
    beside = {**direct("chat", "facts"), "type": "companion"}
    play = Play(say("chat"), facts, beside, model=Stopped(), options=HIDDEN)

    types = play.turn("hello", cancelled=cancelled)

    assert types.count("start_node_run") == 1
    assert "companion_edge" not in types
    assert play.end.status == "cancelled"


def test_cancelled_turn_calls_no_further_model():
    stop = threading.Event()

    class Stopping(Listener):
        def reply(self, prompt: Prompt) -> Reply:
            stop.set()
            return super().reply(prompt)

    apart = {"judged": "independent_llm_evaluations"}
    pets, hours = (say(name, global_node_config=everywhere(name, **apart)) for name in ("pets", "hours"))
    play = Play(say("desk"), pets, hours, model=Stopping())
    play.turn()

    types = play.turn("hello", cancelled=stop)

    assert len(play.interpreter.model.prompts) == 1
    assert (types[-1], play.end.status) == ("end_workflow_iteration", "cancelled")
    assert "workflow_warning" not in types


def test_cancelled_turn_ends_before_next_node():
    cancelled = threading.Event()
    play = Play(static("a", "A"), static("b", "B"), direct("a", "b"))
    cancelled.set()

    types = play.turn(cancelled=cancelled)

    assert "start_node_run" not in types
    assert play.end.status == "cancelled"


def test_a_run_can_begin_at_another_node():
    play = Play(static("a", "A"), static("b", "B"), direct("a", "b"))

    play.turn(start_node_logical_id="b")

    assert play.said() == ["B"]


def test_missing_start_node_is_rejected():
    play = Play(static("a", "A"))

    with pytest.raises(InputError, match="nowhere"):
        play.turn(start_node_logical_id="nowhere")


def test_a_workflow_without_a_start_node_cannot_begin():
    play = Play(static("a", "A", is_start=False), {**static("b", "B"), "is_start": True, "disabled": True})

    with pytest.raises(NotStartableError, match="No start node found"):
        play.turn()


def test_a_run_can_begin_with_a_state():
    state = {
        "threads": {
            "0": {
                "node_logical_id": "chat",
                "runtime_variables": {"tea": "Assam"},
                "chat_history": [{"type": "ai", "content": "Which tea?"}],
            }
        },
        "dynamic_variables": {"shop": "Leaf"},
    }
    play = Play(static("a", "A"), say("chat", "{{shop}} [[tea]]"), direct("a", "chat"))

    play.turn("hi", initial_state=state)

    prompt = play.interpreter.model.prompts[0]
    assert prompt.system == "Leaf Assam"
    assert [message["content"] for message in prompt.history()][:2] == ["Which tea?", "hi"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"initial_state": {"cursor": 1}}, "cursor"),
        ({"initial_state": {"threads": {"7": {}}}}, "'7'"),
        ({"dynamic_variables": {"big": "x" * 10_000_000}}, "10.0 MB"),
    ],
)
def test_unusable_input_is_rejected(fields, named):
    play = Play(static("a", "A"))

    with pytest.raises(InputError, match=named):
        play.turn(**fields)


def test_message_to_other_thread_is_rejected():
    play = Play(static("a", "A"))
    given = TurnInput.from_wire({"thread_to_node_inputs": {"7": {"node_run_inputs": []}}})
    state = play.interpreter.begin(given)

    with pytest.raises(InputError, match="'7'"):
        play.interpreter.turn(state, given)


def test_pause_and_resume():
    play = Play(say("chat"))
    play.turn()

    paused = play.turn(command="pause")
    held = play.end
    resumed = play.turn("hello again", command="resume")

    assert paused == ["pause_event", "pause_thread", "end_workflow_iteration"]
    assert (held.status, held.hint) == ("paused", None)
    assert "say_llm" in resumed
    assert play.said() == ["You said: hello again"]
    assert play.end.status == "waiting_for_user_input"


def test_resumed_run_waits_for_a_message():
    play = Play(say("chat"))
    play.turn()
    play.turn(command="pause")

    play.turn(command="resume")

    assert play.end.status == "waiting_for_user_input"
    assert play.end.hint["origin_node_logical_id"] == "chat"


def test_unusual_texts_stay_unchanged():
    text = "🙂 مرحبا \u202eabc " + "x" * 100_000
    play = Play(say("chat"))

    play.turn(text)

    assert play.said() == [f"You said: {text}"]


def test_the_rules_run_a_workflow_without_any_model():
    desk = say("desk")
    play = Play(
        desk,
        static("book", "Let us book."),
        when("desk", "book", freeform="the caller wants to book an appointment"),
        model=HeuristicModel(),
    )
    play.turn()

    play.turn("I want to book an appointment")

    assert play.said() == ["Let us book."]
    assert "appointment" in play.one("conditional_edge")["reason"]


@pytest.mark.parametrize(
    "value",
    [b"x", {1}, float("nan"), float("inf"), 10**5000],
    ids=["bytes", "set", "nan", "inf", "too many digits"],
)
@pytest.mark.parametrize("name", ["dynamic_variables", "runtime_variables", "initial_state"])
def test_what_json_has_no_word_for_is_refused(name, value):
    variables = {"a": value}
    given = {"dynamic_variables": variables} if name == "initial_state" else variables
    play = Play(static("a", "A"))

    with pytest.raises(InputError, match="cannot be written as JSON"):
        play.turn(**{name: given})


def test_variables_that_hold_themselves_are_refused():
    ring = {}
    ring["a"] = ring

    with pytest.raises(InputError, match="cannot be written as JSON"):
        Play(static("a", "A")).turn(dynamic_variables=ring)


def test_direct_edges_keep_counting_transitions():
    play = Play(
        say("router"), static("a", "One moment."), when("router", "a", freeform="go"), direct("a", "router")
    )
    play.turn()

    play.turn("go")

    assert play.said() == ["One moment."] * 3 + ["You said: go"]
    assert play.end.status == "waiting_for_user_input"


def test_escalations_have_distinct_run_ids():
    strikes = {"max_guardrail_nodes_before_escalation": 1, "escalation_node_logical_id": "desk"}
    play = Play(
        say("chat"),
        say("guard", is_guardrail_node=True),
        say("desk"),
        when("chat", "guard", freeform="bad"),
        when("desk", "chat", freeform="fine"),
        guardrail_strikes_config=strikes,
    )
    ids = []

    for text in ("bad", "fine", "bad"):
        play.turn(text)
        ids += [event.edge_run_id for event in play.events if event.type == "guardrail_escalation_edge"]

    assert ids == ["1", "2"]


def test_a_disabled_guardrail_is_never_entered():
    play = Play(
        say("chat"),
        static("guard", "Stop.", is_guardrail_node=True, disabled=True),
        static("on", "Go on."),
        static("desk", "Enough."),
        when("chat", "guard", freeform="bad"),
        direct("guard", "on"),
        guardrail_strikes_config={
            "max_guardrail_nodes_before_escalation": 1,
            "escalation_node_logical_id": "desk",
        },
    )

    play.turn("bad")

    assert play.said() == ["Go on."]


def test_companion_worker_gets_its_input():
    worker_beside = node("call", "http_request", url="https://example.invalid/a")
    play = Play(say("chat"), worker_beside, {**direct("chat", "call"), "type": "companion"})
    message = {"type": "human", "content": "hi"}
    given = {"type": "http_request", "node_logical_id": "call", "override_url": "https://example.invalid/b"}
    inputs = {"0": {"node_run_inputs": [{"type": "llm", "messages": [message]}, given]}}
    turn_input = TurnInput.from_wire({"thread_to_node_inputs": inputs})
    turn = play.interpreter.turn(play.interpreter.begin(turn_input), turn_input)

    play.events = list(turn)

    assert "https://example.invalid/b" in play.one("http_request")["curl_command"]


def test_skipped_global_node_does_not_return():
    desk = node("desk", "from_next_year", global_node_config=everywhere("desk", back="back"))
    play = Play(say("chat"), desk, say("on"), direct("desk", "on"))

    play.turn("desk")

    assert play.end.end_state["thread_id_to_global_node_previous_node"] == {}


# The input of a turn

SAID = {"type": "human", "content": "Hello"}


def flow():
    call = node("call", "http_request", url="https://example.invalid/", method="GET")
    return workflow(say("ask"), call, static("bye", "Bye"), direct("ask", "call"), direct("call", "bye"))


def take(*node_inputs, made=None, thread="0", **thread_fields):
    """Return the events of a first turn with these node inputs."""
    threads = {thread: {"node_run_inputs": list(node_inputs), **thread_fields}}
    given = TurnInput.from_wire({"command": "start", "thread_to_node_inputs": threads})
    interpreter = Interpreter(made or flow(), HeuristicModel())
    return list(interpreter.turn(interpreter.begin(given), given))


def texts(events):
    return [message["content"] for e in events if e.type == "user_messages" for message in e.messages]


@pytest.mark.parametrize(
    "message", [{"content": "Hello"}, {"type": "human"}, {"role": "boss", "content": "x"}]
)
def test_malformed_message_error_names_its_place(message):
    place = r"thread_to_node_inputs\.0\.node_run_inputs\[1\]\.messages\[1\]: "

    with pytest.raises(InputError, match=place):
        take({"type": "llm"}, {"type": "llm", "messages": [SAID, message]})


def test_messages_for_another_node_name_both():
    with pytest.raises(InputError, match=r"for the node 'Bye' \(bye\).*at the node 'Ask' \(ask\)"):
        take({"node_logical_id": "bye", "messages": [SAID]})


@pytest.mark.parametrize("node_id", [None, "ask"])
def test_messages_for_the_current_node_are_taken(node_id):
    assert texts(take({"type": "llm", "node_logical_id": node_id, "messages": [SAID]})) == ["Hello"]


def test_current_node_is_where_the_thread_is():
    interpreter = Interpreter(workflow(static("hi", "Hi"), say("ask"), direct("hi", "ask")), HeuristicModel())
    state = interpreter.begin(TurnInput())
    list(interpreter.turn(state, TurnInput()))
    inputs = {"0": {"node_run_inputs": [{"node_logical_id": "ask", "messages": [SAID]}]}}

    events = list(interpreter.turn(state, TurnInput.from_wire({"thread_to_node_inputs": inputs})))

    assert texts(events) == ["Hello"]


def test_surrounding_super_node_counts_as_current():
    inner = document(say("inside"))
    outer = workflow(node("super", "super_node", encapsulated_workflow_config=inner))
    made = expand(outer, lambda *_: outer).workflow

    assert texts(take({"node_logical_id": "super", "messages": [SAID]}, made=made)) == ["Hello"]


def test_node_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="'nowhere' is not in this version"):
        take({"node_logical_id": "nowhere"})


def test_input_of_later_node_is_accepted():
    other = {"type": "http_request", "node_logical_id": "call", "override_url": "https://other.invalid/"}

    events = take({"messages": [SAID]}, other)

    (request,) = [event for event in events if event.type == "http_request"]
    assert "https://other.invalid/" in request.curl_command


@pytest.mark.parametrize(
    ("node_input", "problem"),
    [
        ({"type": "say_llm", "messages": [SAID]}, "'say_llm' is not a type of node input.*'llm'"),
        ({"type": "nonsense"}, "'nonsense' is not a type of node input"),
        ({"type": "http_request", "messages": [SAID]}, "takes no messages"),
        ({"type": "http_request", "node_logical_id": "ask"}, "does not fit the node 'Ask'.*'llm'"),
        ({"type": "llm", "node_logical_id": "call"}, "does not fit the node 'Call'.*'http_request'"),
    ],
)
def test_type_that_does_not_fit_is_refused(node_input, problem):
    with pytest.raises(InputError, match=problem):
        take(node_input)


@pytest.mark.parametrize("node_input", [{}, {"type": "base_node"}, {"type": "llm"}, {"type": "no_op"}])
def test_fitting_or_missing_type_is_accepted(node_input):
    assert take(node_input)


def test_thread_of_another_shape_is_refused():
    with pytest.raises(InputError, match="the thread 'thread_0'"):
        take(thread="thread_0")
    with pytest.raises(InputError, match="the key 'llm_node_1'"):
        take(llm_node_1={"messages": [SAID]})


def test_secret_is_masked_beside_large_integer():
    play = Play(static("a", "[[word]]"))
    play.interpreter.open_gateway = lambda: BlockedGateway(secrets=Secrets({"KEY": "pässwört-1234"}))

    play.turn(runtime_variables={"word": "pässwört-1234", "number": 2**70})

    assert play.said() == ["***"]
    assert "wört" not in str([event.to_wire() for event in play.events])


def test_secrets_of_node_inputs_are_in_no_event():
    play = Play(static("a", "Hello"))
    node_input = {"type": "base_node", "secret_variables": {"pin": "hunter2"}}
    threads = {"0": {"node_run_inputs": [node_input]}}
    turn_input = TurnInput.from_wire({"command": "start", "thread_to_node_inputs": threads})

    events = list(play.interpreter.turn(play.interpreter.begin(turn_input), turn_input))

    assert "hunter2" not in str([event.to_wire() for event in events])
