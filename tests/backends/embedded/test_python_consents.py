"""Python that cannot be sandboxed runs only where the page's user has consented to exactly this code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded import backend as embedded
from debugger.backends.embedded.python_consents import PythonPermits, PythonUse, python_functions
from debugger.engine.options import PythonStatus
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.settings import Settings

REFUSED = PythonStatus("refused", "There is no sandbox here.", "Install one.")
CODE = "def price(cups):\n    return cups * 3\n"


@contextmanager
def opened(
    folder: Path, *, setting: str = "sandboxed", key: bytes | None = b"key"
) -> Iterator[EmbeddedBackend]:
    settings = Settings.model_validate(
        {"database": f"sqlite:///{folder}/runs.sqlite3", "responder": "rules", "inline_python": setting}
    )
    backend = EmbeddedBackend(settings, python_consent_key=key)
    try:
        yield backend
    finally:
        backend.close()


def workflow_with(code: str, **fields: Any) -> JsonObject:
    tool = {"type": "inline_python", "name": "price", "code": code, **fields}
    node = {
        "type": "tool_node",
        "logical_id": "node_price",
        "name": "Price",
        "is_start": True,
        "tool_arguments": {"cups": 2},
        "tool_config": tool,
    }
    return {"workflow_config": {"name": "Tea"}, "node_configs": [node], "edge_configs": []}


def use_of(backend: EmbeddedBackend, workflow_id: str) -> PythonUse:
    use = backend.python_use(workflow_id)
    assert use is not None
    return use


def consent(backend: EmbeddedBackend, workflow_id: str) -> None:
    use = use_of(backend, workflow_id)
    backend.store.python_consents.add(workflow_id, use.version_number, use.digest, "me")


def outcome(backend: EmbeddedBackend, workflow_id: str, **variables: Any) -> JsonObject:
    turn_input = TurnInput(dynamic_variables=variables)
    events = backend.execute(workflow_id, turn_input).finish().events
    return next(event["run_output"] for event in events if event["type"] == "end_node_run")


@pytest.fixture(autouse=True)
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    real = embedded.python_status
    monkeypatch.setattr(
        embedded, "python_status", lambda setting: REFUSED if setting == "sandboxed" else real(setting)
    )


def test_consented_code_runs(tmp_path):
    with opened(tmp_path) as backend:
        workflow_id = backend.create_workflow(workflow_with(CODE)).id
        before = outcome(backend, workflow_id)
        consent(backend, workflow_id)
        after = outcome(backend, workflow_id)
        use = use_of(backend, workflow_id)

    assert before["error_message"] == "There is no sandbox here. Install one."
    assert (after["success"], after["tool_result"]) == (True, 6)
    assert use.has_consent


def test_consent_taken_back_refuses_the_next_turn(tmp_path):
    with opened(tmp_path) as backend:
        workflow_id = backend.create_workflow(workflow_with(CODE)).id
        consent(backend, workflow_id)
        outcome(backend, workflow_id)
        backend.store.python_consents.remove(workflow_id, use_of(backend, workflow_id).version_number)
        after = outcome(backend, workflow_id)

    assert after["error_message"] == "There is no sandbox here. Install one."


def test_server_ignores_consents(tmp_path):
    with opened(tmp_path) as page:
        workflow_id = page.create_workflow(workflow_with(CODE)).id
        consent(page, workflow_id)
    with opened(tmp_path, key=None) as server:
        refused = outcome(server, workflow_id)
        use = use_of(server, workflow_id)

    assert refused["error_message"] == "There is no sandbox here. Install one."
    assert not use.may_consent


def test_consent_of_another_installation_does_not_count(tmp_path):
    with opened(tmp_path, key=b"key of another machine on the same database") as other:
        workflow_id = other.create_workflow(workflow_with(CODE)).id
        consent(other, workflow_id)
    with opened(tmp_path) as backend:
        refused = outcome(backend, workflow_id)

    assert refused["error_message"] == "There is no sandbox here. Install one."


def test_python_switched_off_ignores_consents(tmp_path):
    with opened(tmp_path) as backend:
        workflow_id = backend.create_workflow(workflow_with(CODE)).id
        consent(backend, workflow_id)
    with opened(tmp_path, setting="off") as backend:
        refused = outcome(backend, workflow_id)
        use = use_of(backend, workflow_id)

    assert "switched off" in refused["error_message"]
    assert not use.may_consent


def test_changed_code_needs_another_consent(tmp_path):
    with opened(tmp_path) as backend:
        workflow_id = backend.create_workflow(workflow_with(CODE)).id
        old = use_of(backend, workflow_id)
        changed = workflow_with(CODE.replace("3", "4"))
        backend.store.create_version(workflow_id, document=changed, mark_as_active=True)
        number = use_of(backend, workflow_id).version_number
        backend.store.python_consents.add(workflow_id, number, old.digest, "me")
        refused = outcome(backend, workflow_id)

    assert refused["error_message"] == "There is no sandbox here. Install one."


def test_consented_code_takes_no_values_of_callers(tmp_path):
    code = "def price(cups):\n    return {{extra}}\n"
    with opened(tmp_path) as backend:
        workflow_id = backend.create_workflow(workflow_with(code)).id
        consent(backend, workflow_id)
        injected = outcome(backend, workflow_id, extra="__import__('os').getpid()")

    assert not injected["success"]
    assert "placeholders would put values into it" in injected["error_message"]


def test_consented_code_with_unused_braces_runs(tmp_path):
    code = "def price(cups):\n    return '{{extra}}'\n"
    with opened(tmp_path) as backend:
        plain = backend.create_workflow(workflow_with(code, allow_code_variable_substitution=False)).id
        consent(backend, plain)
        result = outcome(backend, plain, extra="value")

    assert result["tool_result"] == "{{extra}}"


def test_digest_covers_nested_and_shared_tools():
    def digest(nested: str, shared: str) -> str:
        document = workflow_with(CODE)
        document["node_configs"][0]["tool_config"]["extra"] = {"type": "inline_python", "code": nested}
        document["workflow_config"]["tools_config"] = {"tools": [{"type": "inline_python", "code": shared}]}
        permits = PythonPermits(Mock(), b"key", REFUSED)
        return permits.digest("tea", 1, python_functions(Workflow.from_document(document)))

    assert len({digest("a", "b"), digest("a", "c"), digest("c", "b")}) == 3


def test_use_lists_code_inside_super_nodes(tmp_path):
    with opened(tmp_path) as backend:
        outer = workflow_with(CODE)
        inner = {**workflow_with("def price(cups):\n    return 0\n")}
        outer["node_configs"].append(
            {
                "type": "super_node",
                "logical_id": "node_inner",
                "name": "Inner",
                "encapsulated_workflow_config": inner,
            }
        )
        outer["edge_configs"].append(
            {
                "type": "direct",
                "logical_id": "edge_in",
                "source_node_logical_id": "node_price",
                "destination_node_logical_id": "node_inner",
            }
        )
        workflow_id = backend.create_workflow(outer).id
        use = use_of(backend, workflow_id)

    assert [function.code for function in use.functions] == [CODE, "def price(cups):\n    return 0\n"]
