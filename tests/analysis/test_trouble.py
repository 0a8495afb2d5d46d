"""Tests of the classification of trouble."""

from typing import Any

import pytest

from debugger.analysis.trouble import LABELS, Trouble, classify_trouble
from debugger.protocol.events import EVENT_TYPES, TROUBLE, TroubleKind, parse_event


def classify(**fields: Any) -> Trouble | None:
    return classify_trouble(parse_event(fields))


@pytest.mark.parametrize("kind", LABELS)
def test_the_marked_kind_holds(kind: TroubleKind) -> None:
    mark = {"kind": kind, "node": "n1", "faulted": True}
    trouble = classify(type="workflow_warning", warning_message="Something.", trouble=mark)
    assert trouble == Trouble(kind, "n1", True)
    assert trouble.is_failure is (kind not in ("configuration", "unknown"))
    assert trouble.is_problem is (kind != "configuration")


@pytest.mark.parametrize(
    "mark", [5, "model", [], {"kind": "nonsense"}, {"kind": ["model"]}, {"kind": {}}, {}]
)
def test_a_damaged_mark_is_no_mark(mark: Any) -> None:
    assert classify(type="workflow_warning", trouble=mark) == Trouble("unknown")


@pytest.mark.parametrize(
    "text",
    [
        "LLM call failed after 3 retries: 429 Too Many Requests",
        "No value for {{first_name}}",
        "Condition evaluation skipped: variable is absent",
        "",
        None,
    ],
)
def test_a_hosted_warning_has_an_unknown_cause(text: str | None) -> None:
    trouble = classify(type="workflow_warning", warning_message=text)
    assert trouble == Trouble("unknown")
    assert (trouble.is_failure, trouble.is_problem) == (False, True)


def _end(node_type: str, **output: Any) -> dict[str, Any]:
    run_output = {"type": node_type, **output}
    return {"type": "end_node_run", "origin_node_logical_id": "n1", "run_output": run_output}


def _tool_message(status: str) -> dict[str, Any]:
    return {"type": "tool", "content": "It is out of order.", "status": status}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "workflow_error", "error_message": "No start node found"}, "error"),
        ({"type": "node_expired", "reason": "time is up"}, "timeout"),
        (_end("tool_node", success=False, error_message="no"), "tool"),
        (_end("http_request", success=False, http_status_code=500), "http"),
        (_end("athena_patients_search", success=False), "connector"),
        (_end("send_sms", success=False), "connector"),
        (_end("deduplicate", success=False), "node"),
        (_end("no_op", success=False), "node"),
        (_end("a_new_type", success=False), "node"),
        ({"type": "say_llm", "message": _tool_message("error")}, "tool"),
        ({"type": "worker_llm", "message": _tool_message("error")}, "tool"),
        ({"type": "start_conversation", "conversation_status": "failed"}, "connector"),
        ({"type": "google_docs_get_document", "status": "failed"}, "connector"),
    ],
)
def test_fields_tell_a_failure_without_a_mark(event: dict[str, Any], kind: TroubleKind) -> None:
    trouble = classify(**event)
    assert trouble is not None
    assert (trouble.kind, trouble.is_failure, trouble.is_faulted) == (kind, True, False)
    assert trouble.node == event.get("origin_node_logical_id")
    marked = classify(**event, trouble={"faulted": True})
    assert marked == Trouble(kind, trouble.node, True)
    assert classify(**event, trouble=None) is None, "another event reports it"


@pytest.mark.parametrize(
    "event",
    [
        _end("tool_node", success=True),
        _end("say_llm", structured_output={}),
        _end("http_request", success=None),
        {"type": "end_node_run", "run_output": None},
        {"type": "end_node_run", "run_output": "nonsense"},
        {"type": "say_llm", "message": _tool_message("success")},
        {"type": "say_llm", "message": None},
        {"type": "say_llm", "message": {"type": "ai", "content": "error"}},
        {"type": "http_request", "status_code": 500, "error": "The server answered 500."},
        {"type": "start_conversation", "conversation_status": "in_progress"},
        {"type": "send_sms", "status": "sent"},
    ],
)
def test_no_trouble(event: dict[str, Any]) -> None:
    assert classify(**event) is None


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_an_event_without_fields_is_classified(event_type: str) -> None:
    expected = {"workflow_error", "workflow_warning", "node_expired"}
    assert (classify(type=event_type) is not None) is (event_type in expected)
    assert TROUBLE == "trouble"


def test_labels_name_the_kind_and_the_fault() -> None:
    assert Trouble("model").label == "Model failed"
    assert Trouble("model", is_faulted=True).label == "Model failed (injected)"
