"""A record that lags shows what it was at a moment."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.conformance.served import execute, headers, record
from tests.faults.past_record import PastRecord
from tests.faults.proxy import fault_proxy
from tests.faults.servers import OTHER_USER, started


@pytest.mark.parametrize("name", ["ours", "stranger"])
def test_record_lags(name, tmp_path):
    with (
        started(name, tmp_path) as server,
        server.client(OTHER_USER) as api,
        fault_proxy(server.port) as proxy,
        httpx.Client(
            base_url=f"{proxy.url}/workflows", headers=headers(OTHER_USER), trust_env=False, timeout=20
        ) as client,
    ):
        run_id = execute(api, server.workflow_id, "hello").json()["run_id"]
        pasts = {
            shows_status: PastRecord(api, server.workflow_id, shows_status=shows_status)
            for shows_status in (False, True)
        }
        execute(api, server.workflow_id, "more", run_id)
        new = execute(api, server.workflow_id, "new").json()["run_id"]

        for shows_status, past in pasts.items():
            proxy.lag(past, 60)
            shown = record(client, run_id)
            rows = client.get("/v1/workflow-runs", params={"workflow_id": server.workflow_id}).json()
            listed = {row["_id"]: row["workflow_run"]["status"] for row in rows["workflow_runs"]}
            assert len(shown["input_output_pairs"]) == 1
            assert shown["status"] == ("running" if shows_status else "waiting_for_user_input")
            assert listed.get(new) == ("running" if shows_status else None)
            found = client.get(f"/v1/workflow-runs/{new}")
            assert found.status_code == (200 if shows_status else 404)

        proxy.lag(pasts[False], 0.05)
        time.sleep(0.1)
        assert not proxy.is_lagging
        assert len(record(client, run_id)["input_output_pairs"]) == 2
