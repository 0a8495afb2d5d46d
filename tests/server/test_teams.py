from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from debugger.backends.embedded import EmbeddedBackend
from debugger.errors import UnsupportedError
from debugger.server.metrics import Metrics
from debugger.server.teams import Teams, settings_of_team
from debugger.settings import Settings
from debugger.store import Role
from tests.factories import document, static


@pytest.fixture
def backend(tmp_path):
    with closing(EmbeddedBackend(Settings(database=f"sqlite:///{tmp_path}/runs.sqlite3"))) as opened:
        yield opened


def test_a_team_is_opened_once_however_many_ask_at_the_same_moment(backend):
    meet, found = threading.Barrier(4), []
    with closing(Teams(backend, Metrics("1"))) as teams:

        def open_team():
            meet.wait()
            found.append(teams.open("qa"))

        threads = [threading.Thread(target=open_team) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(found)) == 1
        assert teams.open("desk") is not found[0]


def test_two_teams_share_nothing_that_one_could_see_the_other_by(backend):
    with closing(Teams(backend, Metrics("1"))) as teams:
        one, other = teams.open("qa"), teams.open("desk")

        shared = [name for name in vars(one) if getattr(one, name) is getattr(other, name)]

    assert shared == ["metrics"]  # which count for the server as a whole and name no team


def test_a_team_has_its_own_store_scripts_and_documents(tmp_path):
    main = Settings(
        database=f"sqlite:///{tmp_path}/runs.sqlite3",
        scripts=f"{tmp_path}/scripts",
        knowledge=f"{tmp_path}/knowledge",
        max_node_runs=7,
    )

    found = settings_of_team(main, "qa")

    assert found.database == f"sqlite:///{tmp_path}/runs.team-qa.sqlite3"
    # Documents are looked for in the folders of a folder, too.
    for own, shared in (
        (found.scripts_folder, main.scripts_folder),
        (found.knowledge_folder, main.knowledge_folder),
    ):
        assert not own.is_relative_to(shared)
        assert own.name.endswith(".team-qa")
    assert found.max_node_runs == 7


def test_a_team_that_nobody_asks_for_has_no_store(backend, tmp_path):
    with closing(Teams(backend, Metrics("1"))) as teams:
        before = list(tmp_path.glob("*.team-*"))
        teams.open("qa")

        assert before == []
        assert Path(f"{tmp_path}/runs.team-qa.sqlite3").is_file()


def test_secrets_of_the_environment_are_not_for_teams(backend, monkeypatch):
    monkeypatch.setenv("WORKFLOW_DEBUGGER_SECRET_TOKEN", "of the main store")

    with closing(Teams(backend, Metrics("1"))) as teams:
        team = teams.open("qa")

        assert team.backend._doors._vault.secrets().get("TOKEN") is None


def test_a_server_that_keeps_no_runs_has_no_teams():
    with pytest.raises(UnsupportedError, match="teams"):
        Teams(SimpleNamespace(), Metrics("1")).open("qa")


def test_a_turn_of_one_team_cannot_be_stopped_by_another(serve, backend):
    keys = {name: backend.store.api_keys.add("Ada", Role.ADMIN, name)[1] for name in ("qa", "desk")}
    headers = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
    client = serve(backend)
    body = {**document(static("a", "Hello")), "name": "Tea"}
    made = client.post("/v1/workflows", json=body, headers=headers["qa"]).json()["workflow"]["_id"]
    turn = client.post(f"/v1/workflows/{made}/execute", json={"run_input": {}}, headers=headers["qa"]).json()
    stop = {"run_id": turn["run_id"], "run_input": {"command": "stop"}}

    answer = client.post(f"/v1/workflows/{made}/execute", json=stop, headers=headers["desk"])

    assert answer.status_code == 404
