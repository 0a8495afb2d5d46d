"""Every type of node, run through the backend (``platform.md#node-runs``)."""

from __future__ import annotations

from typing import Any

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.events import Event
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.backends.node_rows import ROWS
from tests.support.factories import Json, direct, document, static
from tests.support.http_server import HttpServer

COMMON = {
    *Event.declared_fields,
    "origin_node_logical_id",
    "origin_node_run_id",
    "origin_node_name",
    "super_node_origin",
    "answered_by",
}
CONNECTORS = ("start_conversation", "send_sms", "google_docs", "athena")
OUTPUT = {"events", "type", "node_logical_id", "node_run_id"}


def settings(folder: Any, **fields: Any) -> Settings:
    """Nothing is really called but what a test lets out."""
    policies = dict.fromkeys(("outbound_read", "outbound_write", "outbound_contact"), "simulated")
    return Settings(
        **{"database": f"sqlite:///{folder}/runs.sqlite3", "responder": "rules", **policies, **fields}
    )


def told(event: Json) -> Any:
    """Return an event's own fields, without ids and shared fields."""
    own = {key: value for key, value in event.items() if key not in {*COMMON, "trouble"}}
    if event["type"] == "end_node_run":
        return {key: value for key, value in own["run_output"].items() if key not in OUTPUT}
    if event["type"] == "workflow_show_state":
        return {key: value for key, value in own["runtime_variables"].items() if "." not in key}
    if event["type"] == "start_node_run":
        given = own["run_input"]
        return given and {**given, "messages": [message["content"] for message in given["messages"]]}
    if "message" in own:
        own["message"] = own["message"]["content"]
    if own.get("llm_usage_info"):
        own["llm_usage_info"] = own["llm_usage_info"]["response_model"]
    return own


def same(found: Any, wanted: Any, server: str) -> bool:
    """Compare two values; ``made``, ``call`` and ``a run`` match any generated value."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return found.keys() == wanted.keys() and all(same(found[k], wanted[k], server) for k in wanted)
    if wanted in ("made", "call", "a run"):
        return bool(found)
    return bool(found == (wanted.replace("SERVER", server) if isinstance(wanted, str) else wanted))


@pytest.mark.parametrize("row", ROWS)
def test_node_run_reports_ordered_events(tmp_path, row):
    written, given, wanted = ROWS[row]
    reading = "live" if row == "http_request" else "simulated"
    backend = EmbeddedBackend(settings(tmp_path, outbound_read=reading))
    first = backend.execute(backend.create_workflow(document(static("a", "Hi"))).id, TurnInput()).finish()

    with HttpServer(slots=lambda to: to.send_json({"free": [9]})) as server:
        part = {
            key: value.replace("SERVER", server.url) if key == "url" else value
            for key, value in written.items()
        }
        made = backend.create_workflow(document(part, static("done", "Done."), direct("n", "done")))
        fields = {"dynamic_variables": {"workflow_run_id": first.run_id}, **given}
        text = fields.pop("text", None)
        events = backend.execute(made.id, TurnInput.with_message(text, **fields)).finish().events
    backend.close()

    types = [event["type"] for event in events]
    start, end = types.index("start_node_run"), types.index("workflow_show_state")
    assert types[start : end + 1] == [event_type for event_type, _ in wanted]
    assert types[end + 1 : end + 3] == ["direct_edge", "workflow_navigation_message"]
    for event, (_, fields) in zip(events[start : end + 1], wanted, strict=True):
        assert same(told(event), fields, server.url), told(event)
        assert event.get("origin_node_run_id", "1") == "1"
    sources = [event.get("answered_by") for event in events if event.get("answered_by")]
    assert sources == ([["simulation"]] if row.startswith(CONNECTORS) else [])
    troubles = [event["trouble"]["kind"] for event in events if event.get("trouble")]
    assert troubles == (["configuration"] if row.startswith(CONNECTORS) else [])


def test_no_type_of_node_is_left_out():
    assert {row.partition(" ")[0] for row in ROWS} == EmbeddedBackend.node_types
