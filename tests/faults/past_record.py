"""The record of runs as it was at a moment, for a database that lags behind."""

from __future__ import annotations

import json

from tests.faults.fault import RUN, RUNS


class PastRecord:
    """The runs on record at a moment.

    Args:
        api: A client of the server.
        workflow_id: The workflow of the runs.
        shows_status: Whether a run whose last turn is hidden is shown as running, instead of as it was then.
    """

    def __init__(self, api, workflow_id, *, shows_status):
        rows = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "size": 100}).json()
        self._shows_status = shows_status
        self._runs = {}
        for row in rows["workflow_runs"]:
            run = api.get(f"/v1/workflow-runs/{row['_id']}").json()["workflow_run"]["workflow_run"]
            self._runs[row["_id"]] = len(run["input_output_pairs"] or []), run["status"]

    def rewrite(self, target, message):
        """Return an answer to a read of the record without what came later."""
        if target not in (RUN, RUNS) or message.status != 200:
            return message
        body = json.loads(message.content)
        if target == RUN:
            if body["workflow_run"]["_id"] not in self._runs and not self._shows_status:
                return message.with_status(404).with_content(b'{"detail": "Workflow run not found"}')
            self._hide(body["workflow_run"])
        else:
            rows = body["workflow_runs"]
            body["workflow_runs"] = [row for row in rows if self._shows_status or row["_id"] in self._runs]
            for row in body["workflow_runs"]:
                self._hide(row)
        return message.with_content(json.dumps(body).encode())

    def _hide(self, row):
        count, status = self._runs.get(row["_id"], (0, ""))
        run = row["workflow_run"]
        pairs = run["input_output_pairs"]
        is_hidden = not status or len(pairs or ()) > count
        if pairs is not None:
            run["input_output_pairs"] = pairs[:count]
        if not self._shows_status:
            run["status"] = status
        elif is_hidden:
            run["status"] = "running"
