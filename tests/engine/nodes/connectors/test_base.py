from __future__ import annotations

import pytest

from debugger.engine.nodes.connectors.athena import AthenaPatientsSearchNode
from debugger.engine.nodes.connectors.google_docs import GoogleDocsNode
from debugger.engine.nodes.connectors.send_sms import SendSmsNode
from debugger.engine.nodes.connectors.start_conversation import StartConversationNode
from debugger.expressions import template
from tests.support.connector_run import ConnectorRun
from tests.support.factories import direct, node, static

TOO_LONG = "[[name]]" * 4


@pytest.mark.parametrize(
    ("node_type", "node_class", "result", "fields"),
    [
        ("send_sms", SendSmsNode, "send_sms_result", {"message": TOO_LONG}),
        ("athena_patients_search", AthenaPatientsSearchNode, "athena_result", {"full_name": TOO_LONG}),
        (
            "google_docs",
            GoogleDocsNode,
            "google_docs_result",
            {"operate_document": {"type": "google_docs_create_document", "title": TOO_LONG}},
        ),
        (
            "start_conversation",
            StartConversationNode,
            "start_conversation_result",
            {"is_voice_conversation": True, "conversation_id": TOO_LONG},
        ),
    ],
)
def test_too_long_text_fails_without_a_call(monkeypatch, node_type, node_class, result, fields):
    monkeypatch.setattr(template, "MAX_RENDERED_CHARACTERS", 100)
    parts = node("call", node_type, **fields), static("done", "Done."), direct("call", "done")
    run = ConnectorRun(monkeypatch, {node_type: node_class}, *parts)

    types = run.turn(name="x" * 30)

    assert run.end.status == "completed"
    assert "assistant_response" in types
    assert run.gateway.ledger == []
    assert run.variables[f"{result}_success"] is False
    error = run.variables[f"{result}_error"]
    assert "characters with its placeholders filled in" in error
    assert run.warnings == [f"Node 'Call' failed: {error}"]
