from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest

from debugger.backends import open_embedded
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.scenarios.loading import load_text
from debugger.scenarios.opening import UploadedScenario, open_scenario
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import document, say, static
from tests.support.model_server import KEY, said, serving

SCENARIO = """
version: 1
name: Test
workflow: flow.json
turns:
  - say: hello
    expect:
      - judge: {criterion: The agent greets the user}
"""


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_CUSTOM_LLM_API_KEY", KEY)
    (tmp_path / "flow.json").write_text(json.dumps(document(static("greet", "Hi."))), encoding="utf-8")
    return load_text(SCENARIO, tmp_path)


def judged(loaded, server, **settings):
    model = f"custom_llm tea-1 {server.url}/v1"
    settings = Settings(responder="model", default_model=model, **settings)
    with ScenarioRunner(lambda name: pytest.fail(f"{name} is asked for"), settings) as runner:
        [result] = runner.run(loaded)
    return result.repetitions[0]


@pytest.mark.parametrize("is_met", [True, False])
def test_configured_model_judges(loaded, is_met):
    verdict = {"is_condition_met": is_met, "justification": "It begins with Hi."}
    with serving(said(None, ("give_verdict", verdict))) as server:
        found = judged(loaded, server)
        [request] = server.requests

    assert (found.outcome, found.error) == ("passed" if is_met else "failed", "")
    assert found.checks[0].text == "expected that 'The agent greets the user' is true; got It begins with Hi."
    assert [message["role"] for message in request["messages"]] == ["system", "user", "assistant", "user"]
    assert "Condition: The agent greets the user" in request["messages"][0]["content"]
    assert request["messages"][1]["content"] == "hello"


def test_judge_is_permission_for_its_own_call_only(loaded):
    verdict = {"is_condition_met": True, "justification": "It says so."}
    with serving(said(None, ("give_verdict", verdict))) as server:
        workflow = document(say("chat", llms_config=server.llm()))
        found = judged(
            replace(loaded, document=Workflow.from_document(workflow), document_text="other"), server
        )

    assert found.outcome == "passed"
    assert ["Condition" in str(request) for request in server.requests] == [True]


def test_opened_scenario_is_judged_by_the_settings(loaded):
    verdict = {"is_condition_met": True, "justification": "It says so."}
    with serving(said(None, ("give_verdict", verdict))) as server:
        settings = Settings(
            database="sqlite://", responder="model", default_model=f"custom_llm tea-1 {server.url}/v1"
        )
        with closing(open_embedded(settings)) as backend:
            backend.create_workflow(document(say("chat", llms_config=server.llm()), logical_id="flow"))
            uploaded = UploadedScenario(replace(loaded, document=None))
            case = loaded.scenario.model_copy(update={"workflow": "flow"})
            opened = open_scenario(uploaded, case, backend)
            opened.session.start(TurnInput.with_message("hello"))
            opened.session.wait()
            found = opened.checks()

    assert [check.passed for turn in found for check in turn.checks] == [True]
    assert ["Condition" in str(request) for request in server.requests] == [True]


def test_judge_without_verdict_is_an_error(loaded):
    with serving(said("I cannot say.")) as server:
        found = judged(loaded, server)

    assert found.outcome == "error"
    assert found.error.startswith("The model did not judge 'The agent greets the user': ")
    assert KEY not in found.error


def test_simulated_model_does_not_judge(loaded):
    with serving(said("unused")) as server:
        found = judged(loaded, server, outbound_talk="simulated")

    assert (found.outcome, server.requests) == ("error", [])
    assert found.error == (
        "The model did not judge 'The agent greets the user': calls to models are simulated."
    )
