"""Model nodes with tools, through the whole backend.

Source: ``platform.md#llm-nodes``, ``platform.md#tools`` and ``platform.md#models``.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import Run, TurnInput, TurnResult
from debugger.settings import Settings
from tests.engine.tools.test_mcp import serving as serving_mcp
from tests.support.factories import Json, document, say, tool, when, worker
from tests.support.http_server import HttpServer
from tests.support.model_server import said
from tests.support.model_server import serving as serving_model

PYTHON = {"type": "inline_python", "name": "add", "code": "def add(a, b):\n    return a + b\n"}
SMS = {"type": "inbuilt_function", "tool_id": "communication_send_sms_clinic", "name": "text"}
SLOW = {"type": "inline_python", "name": "slow", "code": "def slow():\n    while True:\n        pass\n"}
ROUND = ["start_node_run", "say_llm", "say_llm", "say_llm", "assistant_response", "end_node_run"]


def open_backend(folder: Any, responder: str = "model", **fields: Any) -> EmbeddedBackend:
    policies = {"outbound_write": "live", "outbound_contact": "simulated"}
    folders = {"scripts": str(folder / "scripts"), "knowledge": str(folder / "knowledge")}
    database = f"sqlite:///{folder}/runs.sqlite3"
    return EmbeddedBackend(
        Settings(**{"database": database, "responder": responder, **folders, **policies, **fields})
    )


def run_turn(backend: EmbeddedBackend, *parts: Json, text: str = "Go.", **config: Any) -> TurnResult:
    made = backend.create_workflow(document(*parts, **config))
    return backend.execute(made.id, TurnInput.with_message(text)).finish()


def of_type(result: TurnResult, event_type: str) -> list[Json]:
    return [event for event in result.events if event["type"] == event_type]


def ledger(run: Run) -> list[tuple[str, str, str, bool]]:
    """Return the recorded calls of the first turn."""
    found = run.input_output_pairs[0].iteration_end_state_miscellaneous["side_effects"]
    return [(entry["kind"], entry["call_class"], entry["how"], entry["success"]) for entry in found]


def write_script(folder: Any, text: str) -> None:
    (folder / "scripts").mkdir()
    (folder / "scripts" / "test.yaml").write_text(f"version: 1\nworkflow: workflow_test\n{text}", "utf-8")


def stopped(backend: EmbeddedBackend, part: Json, *, once: Any) -> tuple[TurnResult, float]:
    """A turn that is stopped from another thread a moment after something is so, and how long that took."""
    made = backend.create_workflow(document(part))
    cancelled, at = threading.Event(), []

    def stop() -> None:
        while not once():
            time.sleep(0.01)
        time.sleep(0.3)
        at.append(time.monotonic())
        cancelled.set()

    thread = threading.Thread(target=stop)
    thread.start()
    turn = backend.execute(made.id, TurnInput.with_message("Go."), cancelled=cancelled).finish()
    thread.join()
    return turn, time.monotonic() - at[0]


MODEL = ("model", "talk", "live", True)


@pytest.mark.parametrize(
    ("given", "arguments", "result", "calls"),
    [
        (PYTHON, {"a": 2, "b": 40}, 42, []),
        (
            {"type": "inbuilt_function", "tool_id": "math_add", "name": "math_add"},
            {"a": 2, "b": 40},
            42,
            [],
        ),
        (
            SMS,
            {"message": "Hi", "phone_number": "+14155550123"},
            {"simulated": True, "status": "simulated"},
            [("sms", "contact", "simulated", True)],
        ),
        (
            {
                "type": "external_api",
                "name": "slots",
                "api_endpoint": "SERVER/slots?day={day}",
                "api_method": "POST",
                "api_body": {"day": "{day}"},
            },
            {"day": "Monday"},
            {"free": [9]},
            [("http", "write", "live", True)],
        ),
        (
            {"type": "knowledge_base", "name": "look_up"},
            {"query": "opening hours", "justification": "it was asked for"},
            [{"text": "Opening hours are from nine to five.", "source": "clinic/hours.md", "score": 0.2301}],
            [],
        ),
    ],
    ids=[
        "inline_python",
        "inbuilt_function",
        "inbuilt_function_to_a_person",
        "external_api",
        "knowledge_base",
    ],
)
def test_model_calls_tool_of_each_type(tmp_path, given, arguments, result, calls):
    (tmp_path / "knowledge" / "clinic").mkdir(parents=True)
    (tmp_path / "knowledge" / "clinic" / "hours.md").write_text("Opening hours are from nine to five.")
    name = given["name"]

    with (
        HttpServer(slots=lambda to: to.send_json({"free": [9]})) as http,
        serving_model(said(None, (name, arguments)), said("Done.")) as server,
    ):
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        told = json.loads(json.dumps(given).replace("SERVER", http.url))
        turn = run_turn(backend, say("chat", tools_config={"tools": [told]}))
        run = backend.run(turn.run_id)
        backend.close()

    assert [event["type"] for event in turn.events if event["type"] in ROUND] == ROUND
    asked, answered, spoken = [event["message"] for event in of_type(turn, "say_llm")]
    assert [(call["name"], call["args"]) for call in asked["tool_calls"]] == [(name, arguments)]
    assert (answered["type"], answered["name"], answered["status"]) == ("tool", name, "success")
    assert answered["tool_call_id"] == asked["tool_calls"][0]["id"]
    assert answered["response_metadata"] == {"tool_result": result}
    assert json.loads(answered["content"]) == result
    assert spoken["content"] == of_type(turn, "assistant_response")[0]["content"] == "Done."
    variable = "kb_tool_result" if given["type"] == "knowledge_base" else "tool_result"
    assert of_type(turn, "workflow_show_state")[-1]["runtime_variables"][variable] == result
    assert of_type(turn, "end_node_run")[0]["run_output"]["structured_output"] == {}
    assert server.requests[1]["messages"][-1]["content"] == answered["content"]
    assert ledger(run) == [MODEL, *calls, MODEL]


@pytest.mark.parametrize("kind", ["say_llm", "worker_llm"])
def test_model_calls_mcp_tool(tmp_path, kind):
    speaks = kind == "say_llm"
    last = said("Booked.") if speaks else said(None, ("structured_output", {"when": "9"}))
    arguments = {"day": "Monday", "time": "9"}

    with serving_mcp() as url, serving_model(said(None, ("book_slot", arguments)), last) as server:
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        part = say("chat") if speaks else worker("chat", {"when": {"type": "string"}})
        part["use_mcp_tools"] = True
        turn = run_turn(backend, part, mcp_servers=[{"name": "clinic", "server_url": url}])
        run = backend.run(turn.run_id)
        backend.close()

    asked, answered, _ = [event["message"] for event in of_type(turn, kind)]
    assert (asked["tool_calls"][0]["name"], asked["tool_calls"][0]["args"]) == ("book_slot", arguments)
    assert (answered["type"], answered["response_metadata"]) == (
        "tool",
        {"tool_result": {"booked": "Monday 9"}},
    )
    assert len(of_type(turn, "assistant_response")) == speaks
    assert ledger(run) == [("mcp", "read", "live", True), MODEL, ("mcp", "write", "live", True), MODEL]


def test_model_takes_edge_with_arguments(tmp_path):
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    edge = when(
        "chat", "bye", freeform="the user leaves", condition={"args_schema": schema}, static_message="Well."
    )
    call = ("Destination_Node__bye", {"justification": "he said so", "word": "bye"})

    with serving_model(said(None, call), said("Goodbye.")) as server:
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        turn = run_turn(backend, say("chat"), say("bye", wait_for_user_message=False), edge, text="bye")
        backend.close()

    types = [event["type"] for event in turn.events]
    first = types.index("say_llm")
    hop = ["end_node_run", "workflow_show_state", "conditional_edge", "workflow_navigation_message"]
    assert types[first + 1 : first + 5] == hop
    (made,) = of_type(turn, "say_llm")[0]["message"]["tool_calls"]
    (taken,) = of_type(turn, "conditional_edge")
    assert (made["name"], made["args"]) == call
    assert taken["args_filled"] == {"justification": "he said so", "word": "bye"}
    assert taken["super_node_exit_origin"] is None
    (offered,) = server.requests[0]["tools"]
    assert offered["function"]["description"] == "the user leaves"
    assert list(offered["function"]["parameters"]["properties"]) == ["justification", "word"]


def test_script_calls_tools_and_simulates_calls(tmp_path):
    write_script(
        tmp_path,
        "nodes:\n"
        "  chat:\n"
        "    - when: text (\\+\\d+)\n"
        "      call: {text: {phone_number: $1, message: Hi}}\n"
        "    - after: text\n"
        "      say: 'It is [[tool_result.status]].'\n"
        "answers:\n"
        "  - to: SMS to \\+1\n"
        "    body: {status: queued}\n",
    )
    backend = open_backend(tmp_path, "scripted")

    turn = run_turn(backend, say("chat", tools_config={"tools": [SMS]}), text="text +14155550123")
    workflow_id = backend.workflows()[0].id
    again = backend.execute(workflow_id, TurnInput.with_message("text +1999"), run_id=turn.run_id).finish()
    run = backend.run(turn.run_id)
    backend.close()

    assert [event["content"] for event in of_type(turn, "assistant_response")] == ["It is queued."]
    assert of_type(turn, "workflow_warning")[0]["warning_message"] == (
        "SMS to +14155550123 was simulated; nothing was sent."
    )
    targets = [
        [entry["target"] for entry in pair.iteration_end_state_miscellaneous["side_effects"]]
        for pair in run.input_output_pairs
    ]
    assert again.turn_number == 2
    assert targets == [["SMS to +14155550123"], ["SMS to +1999"]]


def test_blocked_call_is_reported_to_model(tmp_path):
    arguments = {"message": "Hi", "phone_number": "+14155550123"}
    with serving_model(said(None, ("text", arguments)), said("I could not.")) as server:
        fields = {"default_model": f"custom_llm tea-1 {server.url}/v1", "outbound_contact": "blocked"}
        backend = open_backend(tmp_path, **fields)
        turn = run_turn(backend, say("chat", tools_config={"tools": [SMS]}))
        run = backend.run(turn.run_id)
        backend.close()

    told = of_type(turn, "say_llm")[1]["message"]
    assert told["status"] == "error"
    assert "Set WORKFLOW_DEBUGGER_OUTBOUND_CONTACT=live" in told["content"]
    assert ledger(run) == [MODEL, ("sms", "contact", "blocked", False), MODEL]


def test_script_answers_for_simulated_models(tmp_path):
    write_script(tmp_path, "nodes:\n  chat:\n    - say: From the script.\n")
    with serving_model(said("From the model.")) as server:
        fields = {"default_model": f"custom_llm tea-1 {server.url}/v1", "outbound_talk": "simulated"}
        backend = open_backend(tmp_path, **fields)
        turn = run_turn(backend, say("chat"))
        run = backend.run(turn.run_id)
        backend.close()

    assert of_type(turn, "assistant_response")[0]["content"] == "From the script."
    assert ledger(run) == [("model", "talk", "simulated", True)]
    assert server.requests == []


@pytest.mark.parametrize("answer", [(401, {}), (400, {}), "{ no JSON"])
def test_failing_model_says_node_error_message(tmp_path, answer):
    with serving_model(answer) as server:
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        turn = run_turn(backend, say("chat", default_error_message="Pardon?"))
        run = backend.run(turn.run_id)
        backend.close()

    assert turn.status == "waiting_for_user_input"
    assert [event["content"] for event in of_type(turn, "assistant_response")] == ["Pardon?"]
    assert ledger(run) == [("model", "talk", "live", False)]


def test_a_turn_is_stopped_while_a_model_thinks(tmp_path):
    with serving_model(None) as server:
        server.answers[0] = server.late(said("At last."))
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        turn, seconds = stopped(backend, say("chat"), once=lambda: server.requests)
        backend.close()

    assert turn.status == "cancelled"
    assert of_type(turn, "assistant_response") == []
    assert seconds < 3


@pytest.mark.parametrize("by_model", [True, False])
def test_a_turn_is_stopped_while_a_tool_works(tmp_path, by_model):
    with serving_model(said(None, ("slow", {}))) as server:
        backend = open_backend(tmp_path, default_model=f"custom_llm tea-1 {server.url}/v1")
        part = say("chat", tools_config={"tools": [SLOW]}) if by_model else tool("chat", SLOW["code"])
        turn, seconds = stopped(backend, part, once=lambda: True)
        backend.close()

    assert turn.status == "cancelled"
    assert seconds < 5
