from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from debugger.engine.models import Script, ScriptedModel
from debugger.engine.models.base import ModelError, Prompt, Reply, ToolCall
from debugger.engine.models.heuristic import HeuristicModel
from debugger.engine.nodes.llm.node import SayLLMNode
from debugger.engine.options import EngineOptions
from debugger.engine.tools.sandbox import python_status
from debugger.errors import InputError
from debugger.protocol.workflow import NodeConfig
from tests.engine.test_interpreter import HIDDEN, Play
from tests.support.factories import direct, everywhere, say, static, tool, when, worker


class Model:
    """Answers as a function says, and keeps what it was asked."""

    def __init__(self, answer: Callable[[Prompt], Reply]) -> None:
        self.answer = answer
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        return self.answer(prompt)


def fails(text: str) -> Callable[[Prompt], Reply]:
    def answer(_prompt: Prompt) -> Reply:
        raise ModelError(text)

    return answer


def warnings(play: Play) -> list[str]:
    return [event.to_wire()["warning_message"] for event in play.events if event.type == "workflow_warning"]


def test_prompt_names_the_nodes_model():
    model = Model(lambda _prompt: Reply(text="Hi."))
    play = Play(say("chat", llms_config={"type": "openai_llm", "model": "m", "api_key": "k"}), model=model)

    play.turn("hi")

    assert model.prompts[0].llm == {"type": "openai_llm", "model": "m", "api_key": "***"}


def test_condition_is_evaluated_by_nodes_model():
    model = Model(lambda _prompt: Reply(text="Hi."))
    desk = static("desk", "Hi.", global_node_config=everywhere("wants", judged="independent_llm_evaluations"))
    play = Play(say("chat"), desk, model=model, llms_config={"type": "google_llm"})

    play.turn("hi")

    assert [(prompt.kind, prompt.llm) for prompt in model.prompts] == [
        ("judge", {"type": "google_llm"}),
        ("say", {"type": "google_llm"}),
    ]


def test_filler_prompt_is_nodes_or_workflows():
    model = Model(lambda _prompt: Reply(text="Hi."))
    shared = {"prompt": "Bridge for {{who}}."}
    own = say("chat", backchannel_response_config={"prompt": "Hum."})

    for node in (own, say("chat")):
        play = Play(node, model=model, backchannel_response_config=shared, defaults={"who": "Ada"})
        play.turn("hi")

    assert [prompt.backchannel for prompt in model.prompts] == ["Hum.", "Bridge for Ada."]


def test_filler_is_spoken_while_answer_is_late():
    late = threading.Event()

    def answer(_prompt: Prompt) -> Reply:
        late.wait(0.2)
        return Reply(text="Here it is.")

    group = {
        "type": "llm_group_with_backchannel",
        "backchannel_static_responses": ["Hm."],
        "backchannel_min_patience_time_ms": 1,
    }
    play = Play(say("chat", llms_config=group), model=Model(answer), options=HIDDEN)

    types = play.turn("hi")

    assert types[1:5] == ["start_node_run", "assistant_response", "say_llm", "assistant_response"]
    filler = play.events[2].to_wire()
    assert (filler["content"], filler["response_metadata"]) == ("Hm.", {"message_type": "backchannel"})
    assert play.said() == ["Hm.", "Here it is."]


def test_model_failure_reason_is_a_warning():
    play = Play(say("chat", default_error_message="Pardon?"), model=Model(fails("it is shut.")))

    play.turn("hi")

    assert play.said() == ["Pardon?"]
    assert warnings(play) == ["The model of node 'Chat' gave no answer: it is shut."]


def test_failure_without_default_message_is_silent():
    play = Play(say("chat", default_error_message=None), model=Model(fails("")))

    play.turn("hi")

    assert play.said() == []
    assert warnings(play) == ["The model of node 'Chat' gave no answer."]


def test_stopped_turn_is_no_model_failure():
    cancelled = threading.Event()

    def answer(_prompt: Prompt) -> Reply:
        cancelled.set()
        raise ModelError("nobody waits")

    play = Play(say("chat"), model=Model(answer))

    play.turn("hi", cancelled=cancelled)

    assert (play.said(), warnings(play)) == ([], [])
    assert play.end.status == "cancelled"


def test_discarded_answer_may_fail():
    def answer(prompt: Prompt) -> Reply:
        if prompt.kind == "judge":
            return Reply(chosen=prompt.choices[0], reason="asked")
        raise ModelError

    desk = static("desk", "Hi.", global_node_config=everywhere("wants", judged="independent_llm_evaluations"))
    play = Play(say("chat"), desk, model=Model(answer))

    types = play.turn("hi")

    assert play.said() == ["Hi."]
    assert "discarded_main_llm" not in types


def test_judged_edges_arguments_are_no_variables():
    def answer(prompt: Prompt) -> Reply:
        if prompt.kind == "judge":
            return Reply(chosen=prompt.choices[0], reason="asked", args={"who": "Ada"})
        return Reply(text="Hi.")

    desk = static("desk", "Hi.", global_node_config=everywhere("wants", judged="independent_llm_evaluations"))
    play = Play(say("chat"), desk, model=Model(answer))

    play.turn("hi")

    states = [event.to_wire() for event in play.events if event.type == "workflow_show_state"]
    assert [state["runtime_variables"] for state in states] == [{}, {}]
    assert play.one("conditional_edge")["args_filled"] == {"justification": "asked", "who": "Ada"}


def test_misfit_structured_output_says_default_message():
    schema = {"type": "object", "properties": {"size": {}}}
    node = say("chat", structured_output_schema=schema, default_error_message="Pardon?")
    reply = Reply(text="Noted.", fields={"size": 1}, fields_error="no attempt fitted")
    play = Play(node, model=Model(lambda _prompt: reply))

    play.turn("hi", runtime_variables={"size": 7})

    assert play.said() == ["Noted.", "Pardon?"]
    assert play.one("end_node_run")["run_output"]["structured_output"] == {}
    assert play.one("workflow_show_state")["runtime_variables"] == {}
    assert warnings(play) == ["Node 'Chat' has no structured output: no attempt fitted"]


def test_missing_keys_retain_their_values():
    fields: list[dict[str, Any]] = [{"size": 1, "name": "Ada"}, {"size": 2}]
    play = Play(
        worker("facts", {"size": {}, "name": {}}, self_loop=True),
        model=Model(lambda _prompt: Reply(fields=fields.pop(0))),
    )

    play.turn("1 for Ada")
    play.turn("2")

    shown = play.one("workflow_show_state")["runtime_variables"]
    assert (shown["size"], shown["name"]) == (2, "Ada")


def test_worker_is_silent_even_on_failure():
    play = Play(worker("facts", self_loop=True), model=Model(lambda _prompt: Reply(text="Psst.")))
    play.turn("hi")
    said = play.said()

    play.interpreter.model.answer = fails("shut")
    play.turn("hi")

    assert said == play.said() == []


ADD = "def add(a, b):\n    return {'sum': a + b, '_hidden': 1}\n"
NUMBERS = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a", "b"]}


class Answers:
    """Gives one reply after the other; the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def add(**fields: Any) -> dict[str, Any]:
    """A tool that adds two numbers."""
    given = {"type": "inline_python", "name": "add", "code": ADD, "args_schema": NUMBERS}
    return {**given, "result_runtime_variable_name": "total", **fields}


def with_tools(*tools: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A speaking node with tools."""
    return say("chat", tools_config={"tools": list(tools)}, **fields)


def call(name: str = "add", text: str = "", **args: Any) -> Reply:
    """A reply that calls one tool."""
    return Reply(text=text, calls=(ToolCall(name, args),))


def messages(play: Play, event_type: str = "say_llm") -> list[dict[str, Any]]:
    return [event.to_wire()["message"] for event in play.events if event.type == event_type]


def variables(play: Play) -> dict[str, Any]:
    states = [event for event in play.events if event.type == "workflow_show_state"]
    return states[-1].to_wire()["runtime_variables"]


def test_round_emits_call_line_result_and_answer():
    line = {"static_messages": ["One moment, [[guest]]."], "static_messages_selection_mode": "sequence"}
    answers = Answers(call(a=1, b=2), Reply(text="It is 3."))
    play = Play(with_tools(add(static_messages_config=line)), model=answers, options=HIDDEN)

    types = play.turn("1 and 2?", runtime_variables={"guest": "Ada"})

    assert types == [
        "user_messages",
        "start_node_run",
        "say_llm",
        "assistant_response",
        "say_llm",
        "say_llm",
        "assistant_response",
        "end_node_run",
        "workflow_show_state",
        "self_loop_edge",
        "busy_wait_for_user_message",
        "end_workflow_iteration",
        "workflow_ready_for_input",
    ]
    asked, spoken, told, answered, response = [event.to_wire() for event in play.events[2:7]]
    assert {key: value for key, value in asked["message"].items() if key not in ("id", "tool_calls")} == {
        "content": "",
        "additional_kwargs": {},
        "response_metadata": {},
        "type": "ai",
        "name": None,
        "invalid_tool_calls": [],
        "usage_metadata": None,
    }
    (made,) = asked["message"]["tool_calls"]
    assert {**made, "id": "x"} == {"name": "add", "args": {"a": 1, "b": 2}, "id": "x", "type": "tool_call"}
    assert (spoken["content"], spoken["response_metadata"]) == (
        "One moment, Ada.",
        {"message_type": "static"},
    )
    assert {**told["message"], "id": "x"} == {
        "content": '{"sum":3,"_hidden":1}',
        "additional_kwargs": {},
        "response_metadata": {"tool_result": {"sum": 3, "_hidden": 1}},
        "type": "tool",
        "name": "add",
        "id": "x",
        "tool_call_id": made["id"],
        "artifact": None,
        "status": "success",
    }
    assert told["llm_usage_info"] == {}
    assert (told["origin_node_logical_id"], told["origin_node_run_id"]) == ("chat", "1")
    assert answered["message"]["content"] == response["content"] == "It is 3."
    assert response["logical_id"] == answered["message"]["id"]
    assert response["llm_usage_info"] == answered["llm_usage_info"] != asked["llm_usage_info"]
    assert play.one("end_node_run")["run_output"]["structured_output"] == {}


def test_model_reads_signature_schema_and_exchange():
    answers = Answers(call(a=1, b=2), Reply(text="It is 3."))
    given = add(signature="Adds for {{who}}.", description="For people.")
    play = Play(with_tools(given), model=answers)

    play.turn("1 and 2?", dynamic_variables={"who": "Ada"})

    first, second = answers.prompts
    (offer,) = first.tools
    assert (offer.name, offer.signature, offer.args_schema) == ("add", "Adds for Ada.", NUMBERS)
    assert first.exchange == ()
    assert [message["type"] for message in second.exchange] == ["ai", "tool"]
    assert second.tools == ()
    assert (second.message, second.system, second.visit) == (first.message, first.system, first.visit)
    assert second.exchange[0]["tool_calls"][0]["id"] == second.exchange[1]["tool_call_id"]


def test_only_result_and_parts_become_variables():
    mapping = {"target_variable_name": "whole", "result_path": "sum", "scope": "workflow"}
    given = add(result_variable_mappings=[mapping], expand_result_into_runtime_variables=True)
    play = Play(with_tools(given), model=Answers(call(a=1, b=2), Reply(text="3")))

    play.turn("1 and 2?")

    shown = play.one("workflow_show_state")
    assert shown["runtime_variables"] == {
        "chat.whole": 3,
        "Chat.whole": 3,
        "sum": 3,
        "chat.sum": 3,
        "Chat.sum": 3,
        "total": {"sum": 3, "_hidden": 1},
        "chat.total": {"sum": 3, "_hidden": 1},
        "Chat.total": {"sum": 3, "_hidden": 1},
    }
    assert shown["workflow_runtime_variables"]["whole"] == 3


def test_worker_calls_tools_and_fills_schema():
    line = {"static_messages": ["One moment."]}
    tools = {"tools": [add(static_messages_config=line)]}
    node = worker("facts", {"size": {}}, tools_config=tools, wait_for_user_message=False)
    answers = Answers(call(text="Let me see.", a=1, b=2), Reply(fields={"size": 3, "other": 4}))
    play = Play(node, model=answers, options=HIDDEN)

    types = play.turn()

    assert types[:6] == [
        "start_node_run",
        "worker_llm",
        "worker_llm",
        "worker_llm",
        "end_node_run",
        "workflow_show_state",
    ]
    assert [message["type"] for message in messages(play, "worker_llm")] == ["ai", "tool", "ai"]
    assert play.one("end_node_run")["run_output"]["structured_output"] == {"size": 3}
    assert (variables(play)["size"], variables(play)["total"]["sum"]) == (3, 3)
    assert play.said() == []
    assert answers.prompts[1].exchange[0]["content"] == "Let me see."


def test_last_round_offers_no_tools():
    answers = Answers(call(a=1, b=1), call(a=2, b=2), call(text="Enough.", a=3, b=3))
    play = Play(with_tools(add(), max_consecutive_tool_calls=2), model=answers)

    play.turn("go")

    assert [len(prompt.tools) for prompt in answers.prompts] == [1, 1, 0]
    assert [message["type"] for message in answers.prompts[2].exchange] == ["ai", "tool", "ai", "tool"]
    assert variables(play)["total"]["sum"] == 4
    assert play.said() == ["Enough."]


def test_with_no_round_allowed_nothing_is_offered():
    answers = Answers(Reply(text="Hello."))

    Play(with_tools(add(), max_consecutive_tool_calls=0), model=answers).turn("hi")

    assert [prompt.tools for prompt in answers.prompts] == [()]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_consecutive_tool_calls": -1}, "max_consecutive_tool_calls"),
        ({"tools_config": {"tools": [add(variable_arguments=[{"argument_name": "class"}])]}}, "a keyword"),
        ({"tools_config": {"tools": [{"name": "add"}]}}, "type: Field required"),
    ],
)
def test_invalid_config_is_rejected(fields, told):
    with pytest.raises(InputError, match=told):
        SayLLMNode(NodeConfig.from_wire(say("chat", **fields)))


def test_calls_of_one_message_run_in_order():
    reply = Reply(calls=(ToolCall("add", {"a": 1, "b": 1}), ToolCall("add", {"a": 2, "b": 2})))
    play = Play(with_tools(add()), model=Answers(reply, Reply(text="Done.")))

    play.turn("go")

    asked, first, second, _ = messages(play)
    assert [made["id"] for made in asked["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert [one["response_metadata"]["tool_result"]["sum"] for one in (first, second)] == [2, 4]
    assert len({made["id"] for made in asked["tool_calls"]}) == 2


def test_failing_tool_is_reported_to_model():
    answers = Answers(call(a=1, b="x"), Reply(text="Sorry."))
    play = Play(with_tools(add()), model=answers)

    play.turn("go", runtime_variables={"total": 7})

    told = messages(play)[1]
    assert (told["status"], told["response_metadata"]) == ("error", {"tool_result": None})
    assert "TypeError" in told["content"]
    assert variables(play) == {"total": None, "chat.total": None, "Chat.total": None}
    assert play.said() == ["Sorry."]
    assert play.end.status == "waiting_for_user_input"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (call("subtract", a=1, b=2), "There is no tool 'subtract'; there is add."),
        (call(a="x", b=2), "do not fit: a: 'x' is not of type 'integer'"),
        (call(a=1), "do not fit: 'b' is a required property"),
    ],
)
def test_impossible_call_is_reported_and_changes_nothing(reply, error):
    line = {"static_messages": ["One moment."]}
    play = Play(with_tools(add(static_messages_config=line)), model=Answers(reply, Reply(text="Sorry.")))

    play.turn("go")

    told = messages(play)[1]
    assert told["status"] == "error"
    assert error in told["content"]
    assert variables(play) == {}
    assert play.said() == ["Sorry."]


def test_workflow_arguments_are_hidden_and_added():
    bindings = [
        {"argument_name": "a", "source": "runtime", "variable_path": "base"},
        {"argument_name": "b", "source": "literal", "literal_value": 5, "expose_to_llm": True},
    ]
    answers = Answers(call(), Reply(text="Done."))
    play = Play(with_tools(add(variable_arguments=bindings)), model=answers)

    play.turn("go", runtime_variables={"base": 40})

    assert answers.prompts[0].tools[0].args_schema == {
        "type": "object",
        "properties": {"b": {}},
        "required": ["b"],
    }
    assert messages(play)[0]["tool_calls"][0]["args"] == {}
    assert variables(play)["total"]["sum"] == 45


def test_missing_workflow_argument_fails_the_call():
    binding = {"argument_name": "a", "variable_path": "base", "required": True}
    play = Play(with_tools(add(variable_arguments=[binding])), model=Answers(call(b=1), Reply(text="Sorry.")))

    play.turn("go")

    assert messages(play)[1]["content"] == (
        "The argument 'a' is required, but neither a runtime nor a dynamic variable 'base' has a value."
    )
    assert variables(play)["total"] is None


def test_workflow_tools_are_offered_under_valid_names():
    other = add(name="Add two numbers!")
    answers = Answers(Reply(text="Hi."))
    play = Play(
        with_tools(add(), other), model=answers, tools_config={"tools": [add(), add(code="x"), other]}
    )

    play.turn("hi")

    names = [offer.name for offer in answers.prompts[0].tools]
    assert names == ["add", "Add_two_numbers", "add_2"]


def test_required_answer_offers_no_tools():
    answers = Answers(Reply(text="Hi."))
    play = Play(with_tools(add()), model=answers)
    play.turn()

    state = play.state.main
    state.consecutive_conditionals = 3
    play.state.main.pending = [{"type": "human", "content": "hi"}]
    play.turn(command="data")

    assert answers.prompts[0].choices == answers.prompts[0].tools == ()


@pytest.mark.parametrize(
    ("tool_flag", "node_flag", "workflow_flag", "said"),
    [
        (False, False, False, ["I look.", "It is 3."]),
        (True, False, False, ["It is 3."]),
        (False, True, False, ["It is 3."]),
        (False, False, "yes", ["It is 3."]),
    ],
)
def test_text_with_calls_is_spoken_unless_flagged(tool_flag, node_flag, workflow_flag, said):
    flag = "ignore_content_received_during_llm_tool_call_specification"
    answers = Answers(call(text="I look.", a=1, b=2), Reply(text="It is 3."))
    play = Play(
        with_tools(add(**{flag: tool_flag}), **{flag: node_flag}),
        model=answers,
        **{flag: workflow_flag},
    )

    play.turn("go")

    assert play.said() == said
    assert messages(play)[0]["content"] == "I look."
    assert answers.prompts[1].exchange[0]["content"] == ("I look." if len(said) == 2 else "")


def test_tool_flag_needs_every_called_tool():
    flag = "ignore_content_received_during_llm_tool_call_specification"
    quiet, loud = add(name="quiet", **{flag: True}), add(name="loud")
    args = {"a": 1, "b": 2}
    reply = Reply(text="I look.", calls=(ToolCall("quiet", args), ToolCall("loud", args)))
    play = Play(with_tools(quiet, loud), model=Answers(reply, Reply(text="Done.")))

    play.turn("go")

    assert play.said() == ["I look.", "Done."]


def test_text_with_calls_is_in_exchange_only():
    class Reads(Answers):
        def reply(self, prompt: Prompt) -> Reply:
            chats.append([message["content"] for message in prompt.history()])
            return super().reply(prompt)

    chats: list[list[str]] = []
    reads = Reads(call(text="I look.", a=1, b=2), Reply(text="It is 3."))

    Play(with_tools(add()), model=reads).turn("go")

    assert chats == [["go"], ["go"]]
    assert reads.prompts[1].exchange[0]["content"] == "I look."


@pytest.mark.parametrize("lingers", [False, True])
def test_transition_wins_over_calls_and_text_is_spoken(lingers):
    class Hops(Answers):
        def reply(self, prompt: Prompt) -> Reply:
            self.prompts.append(prompt)
            if prompt.choices:
                calls = (ToolCall("add", {"a": 1, "b": 2}),)
                return Reply(text="I hand over.", chosen=prompt.choices[0], reason="asked", calls=calls)
            return Reply(text="Here I am.")

    play = Play(
        with_tools(add()),
        say("desk"),
        when("chat", "desk", freeform="wants the desk"),
        model=Hops(),
        options=EngineOptions(linger_after_reply=lingers),
    )

    types = play.turn("the desk please")

    assert play.said() == ["I hand over."]
    first = messages(play)[0]
    assert [made["name"] for made in first["tool_calls"]] == ["Destination_Node__desk", "add"]
    assert len(messages(play)) == 1
    assert types[-3:] == ["busy_wait_for_user_message", "end_workflow_iteration", "workflow_ready_for_input"]
    assert "conditional_edge" in types
    assert "total" not in variables(play)
    play.turn("hello")
    assert play.said() == ["Here I am."]


def test_transition_is_possible_after_a_tool():
    class LooksThenHops(Answers):
        def reply(self, prompt: Prompt) -> Reply:
            if prompt.node_logical_id == "desk":
                return Reply(text="Desk.")
            return Reply(chosen=prompt.choices[0], reason="found") if prompt.exchange else call(a=1, b=2)

    play = Play(
        with_tools(add()),
        say("desk"),
        when("chat", "desk", freeform="wants the desk"),
        model=LooksThenHops(Reply()),
    )

    play.turn("the desk please")

    assert play.said() == ["Desk."]
    assert variables(play)["total"]["sum"] == 3


def test_stopped_turn_ends_quietly_during_call():
    cancelled = threading.Event()

    class Stops(Answers):
        def reply(self, prompt: Prompt) -> Reply:
            self.prompts.append(prompt)
            cancelled.set()
            return Reply(calls=(ToolCall("add", {"a": 1, "b": 2}), ToolCall("add", {"a": 1, "b": 2})))

    stops = Stops()
    play = Play(with_tools(add()), model=stops, options=HIDDEN)

    types = play.turn("go", cancelled=cancelled)

    assert types == [
        "user_messages",
        "start_node_run",
        "say_llm",
        "end_node_run",
        "workflow_show_state",
        "self_loop_edge",
        "end_workflow_iteration",
    ]
    assert len(stops.prompts) == 1
    assert play.end.status == "cancelled"


def test_model_calls_are_not_counted_as_tools():
    play = Play(with_tools(add()), model=Answers(call(a=1, b=2), Reply(text="3")))

    play.turn("go")

    metrics = play.one("end_workflow_iteration")["iteration_metrics"]
    assert (metrics["tool_call_count"], metrics["tool_call_latency_stats"]) == (0, None)


def test_evaluated_condition_discards_answer_and_calls():
    class Judges(Answers):
        def reply(self, prompt: Prompt) -> Reply:
            if prompt.kind == "judge":
                return Reply(chosen=prompt.choices[0], reason="asked")
            return call(a=1, b=2)

    desk = static(
        "desk", "Hi.", global_node_config=everywhere("wants it", judged="independent_llm_evaluations")
    )
    play = Play(with_tools(add()), desk, model=Judges(Reply()))

    types = play.turn("go")

    assert types.count("discarded_main_llm") == 1
    assert types.count("say_llm") == 0
    assert "total" not in variables(play)


def test_unsupported_tool_is_offered_and_fails():
    given = {"type": "teleport", "name": "beam", "args_schema": None}
    play = Play(with_tools(given), model=Answers(call("beam"), Reply(text="Sorry.")))

    play.turn("go")

    told = messages(play)[1]["content"]
    assert told.startswith(
        "The tool 'beam' is of type 'teleport', which the embedded engine does not run; it"
    )


def test_node_with_result_part_onto_outcome_is_skipped():
    mapping = {"target_variable_name": "total_error"}
    play = Play(with_tools(add(result_variable_mappings=[mapping])), model=Answers(Reply()))

    play.turn("hi")

    [warning] = warnings(play)
    assert play.end.status == "completed"
    assert warning.startswith("Node 'Chat' (chat) was skipped: ")
    assert "maps a result onto target_variable_name 'total_error'" in warning


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"variable_arguments": [{"argument_name": "class"}]}, "'class' is a keyword"),
        ({"result_variable_mappings": [{"target_variable_name": "total_error"}]}, "'total_error'"),
    ],
)
def test_unusable_workflow_tool_is_left_out(fields, told):
    tools = {"tools": [add(name="odd", **fields), add()]}
    answers = Answers(Reply(text="Hello."))
    play = Play(say("chat"), model=answers, tools_config=tools)

    play.turn("hi")

    [warning] = warnings(play)
    assert warning.startswith("A tool of the workflow is left out, as it cannot be used: ")
    assert told in warning
    assert [tool.name for tool in answers.prompts[0].tools] == ["add"]


def test_workflow_tools_that_are_no_list_fail_the_run():
    play = Play(say("chat"), model=Answers(Reply()), tools_config={"tools": "add"})

    play.turn("hi")

    assert play.end.error.startswith("A tool of the workflow cannot be used: ")


def test_disabled_inline_python_is_reported_to_model():
    options = EngineOptions(inline_python=python_status("off"))
    play = Play(with_tools(add()), model=Answers(call(a=1, b=2), Reply(text="-")), options=options)

    play.turn("go")

    assert "switched off" in messages(play)[1]["content"]


def test_script_calls_tools_and_reports_results():
    script = Script.load(
        "version: 1\nworkflow: w\nnodes:\n  chat:\n"
        "    - when: (\\d+) and (\\d+)\n      call: {add: {a: $1, b: 2}}\n      say: I look.\n"
        '    - {after: add, if: "isPresent([[total]])", say: "It is [[total.sum]]."}\n'
        "    - say: Which numbers?\n"
    )
    play = Play(with_tools(add()), model=ScriptedModel(script, HeuristicModel()))

    play.turn("40 and 2")
    first = play.said()
    play.turn("hm")

    assert first == ["I look.", "It is 42."]
    assert play.said() == ["Which numbers?"]


def test_fill_beside_take_fills_the_output():
    script = Script.load(
        "version: 1\nworkflow: w\nnodes:\n  chat:\n"
        "    - when: (\\d+) cups\n      fill: {cups: $1}\n      take: order\n"
    )
    schema = {"type": "object", "properties": {"cups": {"type": "integer"}}}
    play = Play(
        say("chat", structured_output_schema=schema),
        static("bye", "[[cups]] cups."),
        when("chat", "bye", freeform="the guest orders", name="order"),
        model=ScriptedModel(script, HeuristicModel()),
    )

    play.turn("2 cups")

    outputs = [event.to_wire()["run_output"] for event in play.events if event.type == "end_node_run"]
    assert outputs[0]["structured_output"] == {"cups": 2}
    assert play.said() == ["2 cups."]


def test_tool_node_reads_variables_of_model():
    after = tool("next", "def next(total):\n    return total\n", {"total": "[[total.sum]]"})
    play = Play(
        with_tools(add(), self_loop=False),
        after,
        direct("chat", "next"),
        model=Answers(call(a=1, b=2), Reply(text="3")),
    )

    play.turn("go")

    outputs = [event.to_wire()["run_output"] for event in play.events if event.type == "end_node_run"]
    assert outputs[1]["tool_result"] == "3"


@pytest.mark.parametrize("make", [say, worker])
@pytest.mark.parametrize("schema", [{}, {"name": "Facts", "input_schema": {}}])
def test_empty_schema_asks_for_nothing(make, schema):
    model = Model(lambda _prompt: Reply(text="Hi."))
    play = Play({**make("chat"), "structured_output_schema": schema}, model=model)

    play.turn("hi")

    assert model.prompts[0].schema is None
    assert warnings(play) == []


def test_error_message_is_filled_in():
    node = say("chat", default_error_message="Sorry, [[name]]: call {{phone}} or {{desk}}.")
    play = Play(node, model=Model(fails("shut")), defaults={"phone": "555"})

    play.turn("hi", runtime_variables={"name": "Ada"})

    assert play.said() == ["Sorry, Ada: call 555 or {{desk}}."]
    assert "No value for {{desk}}; it is left as it is written." in warnings(play)


def test_empty_error_message_says_nothing():
    play = Play(say("chat", default_error_message=""), model=Model(fails("shut")))

    types = play.turn("hi")

    assert "assistant_response" not in types
    assert types[-1] == "workflow_ready_for_input"
