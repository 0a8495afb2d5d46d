"""The page Runs over a hosted API, which is a server on this machine."""

from __future__ import annotations

from contextlib import closing

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.settings import Settings
from debugger.views.backends import CurrentBackend
from debugger.views.connections import HostedConnection
from tests.server.conftest import serving
from tests.support.many_runs import store_walks, walked_workflow
from tests.views.bars import control, keys
from tests.views.records import record_of
from tests.views.row_lists import rows


@pytest.fixture
def served(tmp_path):
    """Serves eight walks; gives the backend behind the API, and its URL."""
    with closing(EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/served.sqlite3"))) as backend:
        workflow_id = backend.create_workflow(walked_workflow()).id
        backend.store.create_version(workflow_id)
        store_walks(backend.store, workflow_id, 8)
        with serving(backend) as client:
            yield backend, str(client.base_url).rstrip("/")


@pytest.fixture
def hosted(app, served, monkeypatch):
    """The page on the hosted API."""
    monkeypatch.setenv("INTERACTLY_BASE_URL", served[1])
    monkeypatch.setenv("INTERACTLY_API_KEY", "key")
    app.run()
    record_of(app, CurrentBackend).name = "hosted"
    app.run()
    yield app
    record_of(app, HostedConnection).backend.close()


def test_hosted_runs_are_listed_with_words_and_verdicts(hosted, backend, tick):
    tick(1)
    hosted.button("bulk_fail").click().run()

    runs = rows(hosted, "Runs")
    run_id = runs[1]["id"]
    assert not hosted.exception
    assert len(runs) == 8
    assert all(row["first"] for row in runs)
    assert [row["verdict"] for row in runs[:2]] == [[], ["Fail"]]
    assert {row["place"] for row in runs} == {"default"}
    [verdict] = backend.store.reviews.verdicts([run_id], connection="default")[run_id]
    assert verdict.value == "fail"


def test_hosted_runs_cannot_be_deleted_and_the_control_tells_why(hosted, tick):
    tick(0)

    for key in ("delete_chosen", "erase_chosen"):
        assert control(hosted, key).disabled
        assert "no call that deletes a run" in control(hosted, key).help
    assert "show_deleted" not in keys(hosted)


def test_hosted_runs_are_counted(hosted):
    control(hosted, "show_statistics").use()

    assert not hosted.exception
    nodes = rows(hosted, "Statistics by nodes")
    assert nodes[0]["runs"] == "8"
    assert sum(int(row["ended_here"]) + int(row["wait_here"]) for row in nodes) == 8
