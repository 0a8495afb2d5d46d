"""The page Runs over some walks through a workflow."""

from __future__ import annotations

import pytest

from tests.support.many_runs import store_walks, walked_workflow
from tests.views.bars import control
from tests.views.row_lists import column, use


@pytest.fixture
def app(view):
    """The page."""
    return view("runs")


@pytest.fixture
def walks(backend):
    """Stores so many walks; returns their ids, the newest first."""

    def stored(count):
        workflow_id = backend.create_workflow(walked_workflow(), name="Vet desk").id
        backend.store.create_version(workflow_id, version_name="second")
        store_walks(backend.store, workflow_id, count, name="Vet desk")
        return [run.workflow_run_id for run in backend.runs(size=count).rows]

    return stored


@pytest.fixture
def tick(app):
    """Ticks rows by their places."""

    def ticked(*places):
        ids = column(app, "id", "Runs")
        use(app, [ids[place] for place in places], "tick", label="Runs")

    return ticked


@pytest.fixture
def listed(app):
    """Gives the ids of the list."""
    return lambda: column(app, "id", "Runs")


@pytest.fixture
def choose_all(app):
    """Lets the actions be for all runs that the filters find."""

    def chosen():
        use(app, column(app, "id", "Runs")[:1], "tick", label="Runs")
        control(app, "choose_found").use()

    return chosen
