from __future__ import annotations

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.protocol.runs import TurnInput
from debugger.settings import Settings
from tests.support.factories import document, static


@pytest.fixture
def backend(tmp_path):
    backend = EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))
    yield backend
    backend.close()


def said(backend, workflow_id):
    stream = backend.execute(workflow_id, TurnInput())
    return [event.to_wire()["message"]["content"] for event in stream if event.type == "say_static"]


def test_choices_share_store_and_are_made_once(backend):
    other = backend.with_choices({"outbound_write": "simulated"})

    assert other is not backend
    assert other.store is backend.store
    assert other.settings == backend.settings.model_copy(update={"outbound_write": "simulated"})
    assert backend.with_choices({"outbound_write": "simulated"}) is other
    assert backend.with_choices({}) is backend
    assert other.with_choices({"outbound_write": "blocked"}) is backend


def test_renewed_workflow_is_renewed_for_all_choices(backend):
    other = backend.with_choices({"responder": "rules"})
    workflow_id = backend.create_workflow(document(static("a", "Old"))).id
    assert said(backend, workflow_id) == said(other, workflow_id) == ["Old"]
    before = other._interpreters.get_or_make(workflow_id, 0)

    backend.renew(workflow_id)

    assert other._interpreters.get_or_make(workflow_id, 0) is not before
