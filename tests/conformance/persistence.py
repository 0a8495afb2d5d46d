"""Client that resumes its runs after a fault."""

from __future__ import annotations

import threading
import time
from collections import Counter

import httpx

from tests.conformance.served import record

PATIENCE = 60
"""Seconds until what was broken must work again."""


class Roving:
    """Client that moves to the next server on failure.

    Args:
        servers: The servers; the first is tried first.
    """

    def __init__(self, servers):
        self._clients = [server.client() for server in servers]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for client in self._clients:
            client.close()

    def get(self, path, **options):
        return self._ask("GET", path, **options)

    def post(self, path, **options):
        return self._ask("POST", path, **options)

    def _ask(self, method, path, **options):
        try:
            return self._clients[0].request(method, path, **options)
        except httpx.TransportError:
            self._clients.append(self._clients.pop(0))
            raise


class Reachable:
    """Servers of which any may answer, as a factory of clients."""

    def __init__(self, *servers):
        self._servers = servers

    def client(self):
        return Roving(self._servers)


class Persistence:
    """Retries of turns during faults.

    Without an answer, or where the service is not available, the client does not know whether the turn was
    stored. It reads the run: either that is unchanged and the turn is sent again, or it is one turn further.

    Args:
        refusals: The statuses that a turn may be refused with.
    """

    def __init__(self, *refusals):
        self.faults = Counter()
        """How often a turn was refused with which status, or got no answer at all."""
        self._refusals = refusals
        self._answered = threading.Semaphore(0)
        self._refused = threading.Semaphore(0)
        self._is_over = False

    def take(self, api, workflow_id, talk):
        """Take a session's next turn, or find that it needs resending."""
        assert not self._is_over
        try:
            answer = talk.send(api, workflow_id)
        except httpx.TransportError:
            self.faults["no answer"] += 1
            _catch_up(api, workflow_id, talk)
        else:
            if answer.status_code == 200:
                talk.note(answer.json())
                self._answered.release()
                return
            assert answer.status_code in self._refusals, answer.text
            assert answer.json()["detail"]
            self.faults[answer.status_code] += 1
            self._refused.release()
            _catch_up(api, workflow_id, talk)

    def give_up(self):
        """Let the next turn of every worker fail."""
        self._is_over = True

    def await_turns(self, count):
        """Wait until so many more turns were answered."""
        _acquire(self._answered, count)

    def await_refusals(self, count):
        """Wait until so many more turns were refused."""
        _acquire(self._refused, count)


def _acquire(semaphore, count):
    for _ in range(count):
        assert semaphore.acquire(timeout=PATIENCE)


def _catch_up(api, workflow_id, talk):
    """Read a run once the server answers without a turn in progress.

    A stored turn is noted.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            run = _stored_record(api, workflow_id, talk)
            if run is None or not any(pair.get("in_progress") for pair in run["input_output_pairs"]):
                break
        except (httpx.TransportError, _NotAvailableError):
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)
    if run is not None and len(run["input_output_pairs"]) != len(talk.answers):
        talk.note_stored(run)


class _NotAvailableError(Exception):
    """Error of a server without its database."""


def _stored_record(api, workflow_id, talk):
    """Return the record of a session's run.

    A client whose first response was lost finds it by its client turn id.
    """
    if talk.run_id is not None:
        answer = api.get(f"/v1/workflow-runs/{talk.run_id}")
        _check_available(answer)
        return answer.json()["workflow_run"]["workflow_run"]
    answer = api.get("/v1/workflow-runs", params={"workflow_id": workflow_id, "size": 1000})
    _check_available(answer)
    rows = (row["workflow_run"] for row in answer.json()["workflow_runs"])
    # A run whose first turn was interrupted has failed.
    ours = (row for row in rows if row["run_by"] == talk.name and row["status"] != "failed")
    found = [row["workflow_run_id"] for row in ours]
    assert len(found) <= 1
    return record(api, found[0]) if found else None


def _check_available(answer):
    if answer.status_code == 503:
        raise _NotAvailableError
    assert answer.status_code == 200, answer.text
