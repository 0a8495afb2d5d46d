from __future__ import annotations

import json
from typing import Any

import pytest

from debugger.engine.models import HeuristicModel, Script, ScriptedModel
from debugger.engine.models.base import ModelError, Prompt, Reply
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.nodes.llm.workflow_run_evaluator import (
    WorkflowRunEvaluatorConfig,
    WorkflowRunEvaluatorNode,
)
from tests.engine.test_interpreter import HIDDEN, Play
from tests.support.factories import node

SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}
RUN = json.dumps({"workflow_run_id": "r", "input_output_pairs": [], "score": 7})


class Judge:
    """Gives a verdict, and keeps what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.prompts: list[Prompt] = []

    def reply(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        if not self.replies:
            raise ModelError("shut")
        return self.replies.pop(0)


@pytest.fixture
def evaluation(monkeypatch):
    """Makes a play of one evaluator."""
    monkeypatch.setitem(NODE_TYPES, "workflow_run_evaluator", WorkflowRunEvaluatorNode)

    def make(model: Any, **fields: Any) -> Play:
        prompt = {"prompt": "Score it for {{who}}."}
        part = node("score", "workflow_run_evaluator", main_response_config=prompt, **fields)
        return Play(part, model=model, options=HIDDEN, defaults={"who": "Ada"})

    return make


def test_verdict_with_schema_is_structured_output(evaluation):
    judge = Judge(Reply(text="Fine.", fields={"score": 3, "other": 1}))
    play = evaluation(judge, structured_output_schema=SCHEMA, output_runtime_variable_name="verdict")

    types = play.turn(runtime_variables={"workflow_run_object": RUN})

    assert types == [
        "start_node_run",
        "worker_llm",
        "end_node_run",
        "workflow_show_state",
        "end_thread",
        "end_workflow_iteration",
        "end_workflow",
    ]
    assert play.one("start_node_run")["run_input"] == {
        "type": "workflow_run_evaluator",
        "node_logical_id": "score",
        "dynamic_variables": {},
        "runtime_variables": {},
        "miscellaneous": {},
        "messages": [],
    }
    (prompt,) = judge.prompts
    assert (prompt.kind, prompt.system, prompt.message) == ("work", "Score it for Ada.", RUN)
    assert prompt.schema == SCHEMA
    assert play.one("end_node_run")["run_output"] == {
        "events": [],
        "type": "workflow_run_evaluator",
        "node_logical_id": "score",
        "node_run_id": "1",
        "structured_output": {"score": 3},
        "free_form_output": None,
    }
    assert play.one("workflow_show_state")["runtime_variables"] == {
        "verdict": {"score": 3},
        "score.verdict": {"score": 3},
        "Score.verdict": {"score": 3},
    }


def test_verdict_without_schema_is_the_text(evaluation):
    play = evaluation(Judge(Reply(text="Well done.")), output_runtime_variable_name="verdict")

    play.turn(runtime_variables={"workflow_run_object": RUN})

    output = play.one("end_node_run")["run_output"]
    assert (output["structured_output"], output["free_form_output"]) == ({}, "Well done.")
    assert play.one("workflow_show_state")["runtime_variables"]["verdict"] == "Well done."
    assert play.said() == []


def test_run_object_is_read_as_text(evaluation):
    judge = Judge(Reply(text="Well done."))
    play = evaluation(judge, input_runtime_variable_name="run.inner")

    play.turn(runtime_variables={"run": {"inner": {"a": 1}}})

    assert judge.prompts[0].message == '{"a":1}'


@pytest.mark.parametrize("given", [{}, {"workflow_run_object": None}])
def test_missing_run_gives_null_verdict(evaluation, given):
    judge = Judge(Reply(text="Well done."))
    play = evaluation(judge, output_runtime_variable_name="verdict")

    play.turn(runtime_variables=given)

    assert judge.prompts == []
    assert play.one("workflow_show_state")["runtime_variables"]["verdict"] is None
    assert play.one("workflow_warning")["warning_message"] == (
        "Node 'Score' has no run to judge: [[workflow_run_object]] has no value."
    )
    assert play.end.status == "completed"


@pytest.mark.parametrize("message", [None, "No verdict."])
def test_missing_answer_gives_default_message(evaluation, message):
    play = evaluation(Judge(), output_runtime_variable_name="verdict", default_error_message=message)

    play.turn(runtime_variables={"workflow_run_object": RUN})

    output = play.one("end_node_run")["run_output"]
    assert (output["structured_output"], output["free_form_output"]) == ({}, message)
    assert play.one("workflow_show_state")["runtime_variables"]["verdict"] == message
    assert play.said() == []


def test_misfit_structured_output_is_no_verdict(evaluation):
    judge = Judge(Reply(fields={"score": "x"}, fields_error="no attempt fitted"))
    play = evaluation(judge, structured_output_schema=SCHEMA, output_runtime_variable_name="verdict")

    play.turn(runtime_variables={"workflow_run_object": RUN})

    assert play.one("workflow_show_state")["runtime_variables"]["verdict"] is None
    assert "no attempt fitted" in play.one("workflow_warning")["warning_message"]


def test_node_never_waits_or_loops(evaluation):
    play = evaluation(Judge(Reply(text="Well done.")), wait_for_user_message=True, self_loop=True)

    types = play.turn(runtime_variables={"workflow_run_object": RUN})

    assert types[-1] == "end_workflow"


def test_generated_output_name_is_stable_per_node():
    names = [
        WorkflowRunEvaluatorConfig.from_wire({"logical_id": logical_id}).output_name
        for logical_id in ("a", "a", "b")
    ]

    assert names[0] == names[1] != names[2]
    assert names[0].startswith("evaluator_output_")
    assert len(names[0].removeprefix("evaluator_output_")) == 32


def test_rules_give_no_verdict_but_scripts_may(evaluation):
    rules = evaluation(HeuristicModel(), structured_output_schema=SCHEMA, output_runtime_variable_name="v")
    script = Script.load("version: 1\nworkflow: w\nnodes:\n  score:\n    - {when: '\"r\"', say: Fine}\n")
    scripted = evaluation(ScriptedModel(script, HeuristicModel()), output_runtime_variable_name="v")

    for play in (rules, scripted):
        play.turn(runtime_variables={"workflow_run_object": RUN})

    verdicts = [play.one("workflow_show_state")["runtime_variables"]["v"] for play in (rules, scripted)]
    assert verdicts == [{}, "Fine"]


@pytest.mark.parametrize("schema", [{}, {"name": "Verdict", "input_schema": {}}, None])
def test_empty_schema_asks_for_a_text(evaluation, schema):
    judge = Judge(Reply(text="Fine."))
    play = evaluation(judge, structured_output_schema=schema)

    play.turn(runtime_variables={"workflow_run_object": RUN})

    assert judge.prompts[0].schema is None
    assert play.one("end_node_run")["run_output"]["free_form_output"] == "Fine."


@pytest.mark.parametrize(
    ("text", "verdict"), [("No verdict for {{who}}.", "No verdict for Ada."), ("", None)]
)
def test_error_message_is_filled_in(evaluation, text, verdict):
    play = evaluation(Judge(), default_error_message=text)

    play.turn(runtime_variables={"workflow_run_object": RUN})

    assert play.one("end_node_run")["run_output"]["free_form_output"] == verdict
