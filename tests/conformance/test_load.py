"""Many sessions at once: turns are neither mixed, lost nor repeated."""

from __future__ import annotations

from tests.conformance.server_process import server_process
from tests.conformance.stored_runs import check_stored_turns
from tests.conformance.talks import TURNS, create_talking, play, talks, write_script

SESSIONS = 200


def test_every_turn_under_load_is_stored_once(database, tmp_path):
    sessions = talks(SESSIONS)
    with (
        server_process(database, tmp_path / "server", write_script(tmp_path)) as server,
        server.client() as api,
    ):
        workflow_id = create_talking(api)

        play([server], workflow_id, sessions)

        listed = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "size": 1000}).json()
    assert listed["total"] == SESSIONS
    assert {run["workflow_run"]["workflow_run_id"] for run in listed["workflow_runs"]} == {
        talk.run_id for talk in sessions
    }
    assert {len(talk.answers) for talk in sessions} == {TURNS}
    check_stored_turns(database, sessions)
