"""Workflows as integrators of the platform export them: odd ids, unknown keys, names in any script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.engine.nodes import NODE_TYPES
from debugger.graph.checks import check
from debugger.protocol.runs import TurnInput
from debugger.protocol.workflow import Workflow
from debugger.session.session import DebugSession
from debugger.settings import Settings

DOCUMENTS = sorted((Path(__file__).parents[1] / "browser" / "foreign").glob("*.json"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.stem for path in DOCUMENTS])
def test_foreign_workflow_has_no_error_and_runs(path, tmp_path):
    document = json.loads(path.read_text())
    settings = Settings(
        database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules", outbound_read="blocked"
    )
    backend = EmbeddedBackend(settings)

    session = DebugSession(backend, backend.create_workflow(document).id)
    session.start(TurnInput.with_message("Hello"))
    session.wait(20)

    found = check(Workflow.from_document(document), backend.node_types, NODE_TYPES)
    assert [problem.message for problem in found if problem.level == "error"] == []
    assert session.status in ("waiting_for_user_input", "completed")
    assert session.turns[0].events
    backend.close()
