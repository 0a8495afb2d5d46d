from __future__ import annotations

import pytest

from debugger.engine.interpreter import Interpreter
from debugger.engine.models import HeuristicModel
from debugger.engine.super_nodes import expand
from debugger.errors import InputError
from debugger.protocol.runs import TurnInput
from tests.support.factories import direct, document, node, say, static, workflow

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
