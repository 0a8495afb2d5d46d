from __future__ import annotations

import pytest

from debugger.engine import Reply, run
from debugger.errors import NotStartableError, RunError
from debugger.protocol.workflow import Workflow
from tests.support.factories import direct, node, say, static, workflow


class Listener:
    def __init__(self):
        self.prompts = []

    def reply(self, prompt):
        self.prompts.append((prompt.message, [message["content"] for message in prompt.history()]))
        return Reply(text=f"{len(self.prompts)}", model="listener")


def words(events):
    return [event.words for event in events if event.type == "assistant_response"]


def test_each_message_is_a_turn_and_the_model_reads_the_chat():
    model = Listener()
    chat = workflow(static("hi", "Hi"), say("talk", self_loop=True), direct("hi", "talk"))

    events = list(run(chat, ["one", "two"], model=model))

    assert words(events) == ["Hi", "1", "2"]
    assert [message for message, _ in model.prompts] == ["one", "two"]
    assert {"Hi", "one", "1"} <= set(model.prompts[1][1])
    assert sum(event.type == "end_workflow_iteration" for event in events) == 3


def test_a_message_is_taken_when_the_turn_before_it_has_ended():
    seen = []

    def answers():
        yield str(len(seen))

    model = Listener()
    for event in run(workflow(static("hi", "Hi"), say("talk"), direct("hi", "talk")), answers(), model=model):
        seen.append(event)

    first = next(at for at, event in enumerate(seen) if event.type == "workflow_ready_for_input")
    assert model.prompts[0][0] == str(first + 1)


def test_no_message_is_taken_after_the_end():
    def answers():
        raise AssertionError
        yield

    events = run(workflow(static("hi", "Hi")), answers())
    with pytest.raises(StopIteration) as ended:
        while True:
            next(events)

    assert ended.value.value.status == "completed"


def test_built_in_rules_answer_without_a_model():
    events = list(run(workflow(say("talk", self_loop=True)), ["Hello"]))

    assert [
        event.to_wire()["llm_usage_info"]["response_model"] for event in events if event.type == "say_llm"
    ] == ["built-in rules"]


def test_super_node_is_replaced_by_its_workflow():
    inner = workflow(static("inner", "Inside"))
    outer = workflow(
        node("box", "super_node", is_start=True, super_workflow_id="w1", super_interface_config={})
    )

    assert words(run(outer, load_workflow=lambda workflow_id, version: inner)) == ["Inside"]


def test_super_node_without_a_store_says_what_is_missing():
    outer = workflow(node("box", "super_node", is_start=True, super_workflow_id="w1"))

    with pytest.raises(RunError, match="no workflow 'w1' here"):
        next(run(outer))


def test_workflow_without_nodes_cannot_start():
    with pytest.raises(NotStartableError):
        next(run(Workflow()))
