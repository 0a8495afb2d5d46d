"""The page Review over runs of one workflow."""

from __future__ import annotations

import pytest

from debugger.protocol.runs import TurnInput
from tests.support.factories import document, say


@pytest.fixture
def app(view):
    """The page."""
    return view("review")


@pytest.fixture
def workflow(backend):
    """A workflow of one chat."""
    return backend.create_workflow(document(say("chat")), name="Tea shop")


@pytest.fixture
def talk(backend, workflow):
    """Makes a run with these messages; returns its id."""

    def made(*said):
        run_id = backend.execute(workflow.id, TurnInput()).finish().run_id
        for text in said:
            backend.execute(workflow.id, TurnInput.with_message(text), run_id=run_id).finish()
        return run_id

    return made
