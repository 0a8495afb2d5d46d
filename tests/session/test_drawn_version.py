from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import UnsupportedError
from debugger.protocol.runs import TurnInput
from debugger.session.session import DebugSession
from debugger.settings import Settings
from tests.factories import direct, document, static


class ForgetfulBackend(EmbeddedBackend):
    """Shows the graph of the active version only, as some APIs do."""

    def workflow(self, workflow_id, version_number=None):
        active = self.workflow_summary(workflow_id).active_version_number
        if version_number not in (None, active):
            raise UnsupportedError("The API shows the graph of the active version only.")
        return super().workflow(workflow_id, version_number)


@pytest.fixture
def backend(tmp_path):
    backend = ForgetfulBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3", responder="rules"))
    yield backend
    backend.close()


def finished_run(backend):
    """A workflow, and a run of its version 0."""
    kept = backend.create_workflow(document(static("a", "Hello"), static("b", "Bye"), direct("a", "b")))
    stream = backend.execute(kept.id, TurnInput())
    stream.finish()
    return kept.id, stream.run_id


def test_a_run_of_a_version_at_hand_is_drawn_with_it(backend):
    _, run_id = finished_run(backend)

    session = DebugSession.open(backend, run_id)

    assert session.drawn_instead == ""
    assert [node.logical_id for node in session.workflow.node_configs] == ["a", "b"]


def test_where_only_the_active_version_is_shown_the_run_is_drawn_with_it_and_says_so(backend):
    workflow_id, run_id = finished_run(backend)
    backend.create_version(workflow_id, mark_as_active=True)

    session = DebugSession.open(backend, run_id)

    assert session.drawn_instead == ("Drawn with v1, the run used v0. What v1 does not have is dashed.")
    assert session.version_number == 0
    assert [turn.number for turn in session.turns] == [1]


def test_a_run_of_a_deleted_workflow_can_still_be_looked_at(backend):
    workflow_id, run_id = finished_run(backend)
    backend.delete_workflow(workflow_id)

    session = DebugSession.open(backend, run_id)

    assert session.workflow.node_configs == []
    assert session.drawn_instead.startswith("The workflow is gone; the run used v0.")
    assert session.turns[0].events


def test_a_session_that_begins_is_drawn_with_what_it_runs(backend):
    workflow_id, _ = finished_run(backend)

    assert DebugSession(backend, workflow_id, 0).drawn_instead == ""
