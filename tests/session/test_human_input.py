from __future__ import annotations

import json

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.models.base import Reply, ToolCall
from debugger.errors import ConflictError, InputError
from debugger.protocol.runs import TurnInput
from debugger.session.human_input import AnswerForm, NextStep
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.support.factories import document, everywhere, node, say, static, when

ADD = {
    "type": "inline_python",
    "name": "add",
    "signature": "Adds two numbers",
    "code": "def add(a, b):\n    return a + b",
    "args_schema": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def asked(backend, *parts, text="Hello"):
    """A session whose first turn waits for a person to answer for the model."""
    session = DebugSession(backend, backend.create_workflow(document(*parts)).id)
    session.human_input.asks_all = True
    session.start(TurnInput.with_message(text))
    assert session.wait_until_idle(10)
    return session


def said(session):
    return [e.to_wire()["content"] for e in session.turns[-1].events if e.type == "assistant_response"]


def test_turn_waits_for_user_and_shows_prompt(backend):
    session = asked(
        backend,
        say("chat", "Be kind."),
        static("bye", "Bye"),
        when("chat", "bye", freeform="The user leaves"),
    )

    prompt = session.human_input.pending.prompt
    assert prompt.system == "Be kind."
    assert prompt.message == "Hello"
    assert [choice.condition for choice in prompt.choices] == ["The user leaves"]
    assert session.busy
    session.stop()
    session.wait(10)
    assert session.human_input.pending is None


def test_written_answer_is_said_and_recorded_as_manual(backend):
    session = asked(backend, say("chat"))

    session.human_input.answer(Reply(text="Good day"))
    session.wait(10)

    assert said(session) == ["Good day"]
    model = next(e.to_wire() for e in session.turns[0].events if e.type == "say_llm")
    assert model["llm_usage_info"]["response_model"] == "person"
    assert session.status == "waiting_for_user_input"


def test_picked_edge_is_taken_with_arguments(backend):
    session = asked(
        backend,
        say("chat"),
        static("bye", "Bye"),
        when(
            "chat",
            "bye",
            freeform="The user leaves",
            condition={"args_schema": {"type": "object", "properties": {"mood": {"type": "string"}}}},
        ),
    )
    (choice,) = session.human_input.pending.prompt.choices

    session.human_input.answer(Reply(chosen=choice, args={"mood": "glad"}, reason="They said goodbye"))
    session.wait(10)

    hop = next(e.to_wire() for e in session.turns[0].events if e.type == "conditional_edge")
    assert hop["args_filled"] == {"justification": "They said goodbye", "mood": "glad"}
    assert said(session) == ["Bye"]


def test_called_tool_runs_and_result_is_prompted(backend):
    session = asked(backend, say("chat", tools_config={"tools": [ADD]}))

    session.human_input.answer(Reply(calls=(ToolCall("add", {"a": 1, "b": 2}),)))
    while session.human_input.pending is None or session.human_input.pending.number == 1:
        session.wait_until_idle(1)

    assert session.human_input.pending.prompt.exchange[-1]["content"] == "3"
    session.human_input.answer(Reply(text="Three"))
    session.wait(10)
    assert said(session) == ["Three"]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(calls=(ToolCall("sub", {}),)), "no tool 'sub'"),
        (Reply(calls=(ToolCall("add", {"a": "one", "b": 2}),)), "a: 'one' is not of type 'integer'"),
    ],
)
def test_unfitting_answer_is_rejected_and_turn_waits(backend, reply, told):
    session = asked(backend, say("chat", tools_config={"tools": [ADD]}))

    with pytest.raises(InputError, match=told):
        session.human_input.answer(reply)

    assert session.human_input.pending is not None
    session.stop()


def test_fallback_can_answer_for_user(backend):
    session = asked(backend, say("chat"))
    suggestion = session.human_input.pending.suggestion.text

    session.human_input.use_fallback()
    session.wait(10)

    assert said(session) == [suggestion]


def test_only_chosen_nodes_prompt_the_user(backend):
    flow = document(say("chat"), node("other", "no_op"))
    session = DebugSession(backend, backend.create_workflow(flow).id)
    session.human_input.nodes = frozenset({"other"})

    session.start(TurnInput.with_message("Hello"))
    session.wait(10)

    assert session.status == "waiting_for_user_input"


def test_answer_without_prompt_is_rejected(backend):
    session = DebugSession(backend, backend.create_workflow(document(say("chat"))).id)

    with pytest.raises(ConflictError, match="No model waits"):
        session.human_input.answer(Reply(text="Hi"))


ORDER = when(
    "chat",
    "orders",
    freeform="The user asks for an order",
    condition={
        "args_schema": {
            "type": "object",
            "properties": {"number": {"type": "integer"}, "kind": {"enum": ["new", "old"]}},
            "required": ["number"],
        }
    },
)
CHAT = (say("chat"), static("bye", "Bye"), static("orders", "Orders"), ORDER)


def test_first_arguments_come_from_message_and_schema(backend):
    session = asked(backend, *CHAT, text="It is number 42")
    inquiry = session.human_input.pending
    session.stop()

    (choice,) = inquiry.prompt.choices
    assert json.loads(inquiry.first_args(choice)) == {"number": 42, "kind": "new"}


def test_problem_is_found_at_its_field(backend):
    session = asked(backend, *CHAT)
    prompt = session.human_input.pending.prompt
    session.stop()

    form = AnswerForm(chosen="edge_chat_orders", args='{"kind": "new"}', fields="{")

    problems = form.problems(prompt)
    assert problems["args"] == "'number' is a required property."
    assert problems["fields"].startswith("This is not JSON: line 1, column 2")
    assert AnswerForm(args="{").problems(prompt) == {}


def test_chosen_step_begins_form(backend):
    session = asked(backend, *CHAT)

    session.human_input.choose(NextStep(node="orders"))

    inquiry = session.human_input.pending
    assert (inquiry.chosen.edge_id, inquiry.first_form.chosen) == ("edge_chat_orders", "edge_chat_orders")
    assert inquiry.first_form.text == ""
    session.stop()


def test_step_that_is_not_offered_changes_nothing(backend):
    session = asked(backend, *CHAT)
    inquiry = session.human_input.pending

    session.human_input.choose(NextStep(node="elsewhere"))

    assert session.human_input.pending is inquiry
    session.stop()


def test_wanted_step_is_forgotten_at_another_node(backend):
    session = DebugSession(backend, backend.create_workflow(document(*CHAT)).id)
    session.human_input.asks_all = True
    session.human_input.want(NextStep(edge="edge_chat_orders"), "elsewhere")

    session.start(TurnInput.with_message("Hello"))
    session.wait_until_idle(10)

    assert session.human_input.pending.chosen is None
    session.stop()


def test_condition_that_holds_settles_rest_of_visit(backend):
    judged = "independent_llm_evaluations"
    helping = [
        static(name, name, global_node_config=everywhere(name, judged=judged)) for name in ("help", "human")
    ]
    session = asked(backend, say("chat"), *helping)
    (choice,) = session.human_input.pending.prompt.choices

    session.human_input.answer(Reply(chosen=choice))
    session.wait(10)

    assert said(session) == ["help"]
    verdicts = [e.to_wire() for e in session.turns[0].events if e.type == "condition_evaluator_llm"]
    assert [verdict["is_condition_met"] for verdict in verdicts] == [True, False]
