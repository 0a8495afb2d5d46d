from __future__ import annotations

import json

import pytest

from debugger.scenarios.loading import load_text
from debugger.scenarios.runner import ScenarioRunner
from debugger.settings import Settings
from tests.support.factories import document, static
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
