from __future__ import annotations

from tests.conformance.graphs import greeting
from tests.conformance.served import create, execute, serving


def test_forgetful_server_drops_miscellaneous_from_records(tmp_path):
    database = f"sqlite:///{tmp_path}/runs.sqlite3"
    answers = {}
    for module in ("debugger", "tests.faults.forgetful_server"):
        with serving(database, tmp_path, module=module) as api:
            workflow_id = create(api, greeting())
            fields = {"miscellaneous": {"client_turn_id": f"turn-1 of {module}"}, "run_by": "qa"}
            run_id = execute(api, workflow_id, "hello", **fields).json()["run_id"]
            paths = (f"/v1/workflow-runs/{run_id}", f"/v1/workflow-runs?workflow_id={workflow_id}")
            answers[module] = [api.get(path).text for path in paths]

    assert "turn-1" in answers["debugger"][0]
    assert not any("turn-1" in text for text in answers["tests.faults.forgetful_server"])
    assert all('"qa"' in text for text in answers["tests.faults.forgetful_server"])
