from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from debugger.backends.forks import RerunTarget
from debugger.errors import ConflictError, DebuggerError, NotFoundError, RateLimitError, StoreError
from debugger.protocol.runs import TurnInput
from debugger.protocol.turn_logs import turn_logs
from debugger.server.rerun_tokens import find, mint, redeem
from debugger.store import RerunTicket, forks
from tests.support.factories import document, say

UNKNOWN = "665f00000000000000000001"


def talk(backend):
    """A workflow, and a run of two turns."""
    workflow_id = backend.create_workflow(document(say("chat"))).id
    first = backend.execute(workflow_id, TurnInput.with_message("First words")).finish()
    backend.execute(workflow_id, TurnInput.with_message("Second words"), run_id=first.run_id).finish()
    return workflow_id, first.run_id


def broken(*_):
    raise StoreError("The database is away.")


def token_of(backend, run_id, turn=1):
    target = RerunTarget()
    return mint(backend, backend.forks.plan(run_id, turn, target), target)


def test_redeem_applies_edits_once(embedded):
    workflow_id, run_id = talk(embedded)
    token = token_of(embedded, run_id)
    embedded.store.rerun_tokens.amend(token, {"message_edits": [{"index": 0, "text": "Edited"}]})

    new_id = redeem(embedded, token, workflow_id=workflow_id, version_number=0, run_by="qa")

    run = embedded.run(new_id)
    assert [log.message for log in turn_logs(run)] == ["Edited", "Second words"]
    assert (run.run_by, run.source_workflow_run_id) == ("qa", run_id)
    with pytest.raises(NotFoundError, match="used already"):
        redeem(embedded, token)


def test_concurrent_redeem_starts_one_run(embedded):
    _, run_id = talk(embedded)
    token = token_of(embedded, run_id)

    def attempt(_):
        try:
            return redeem(embedded, token)
        except DebuggerError:
            return None

    with ThreadPoolExecutor(8) as threads:
        made = [new_id for new_id in threads.map(attempt, range(8)) if new_id]

    assert len(made) == 1
    assert embedded.store.forks.counts(run_id) == {1: 1}


def test_two_servers_redeem_token_once(pair, monkeypatch):
    backends, _ = pair
    _, run_id = talk(backends[0])
    token = token_of(backends[0], run_id)
    together = threading.Barrier(2)

    def attempt(backend):
        create = backend.store.forks.create
        monkeypatch.setattr(backend.store.forks, "create", lambda fork: (together.wait(10), create(fork)))
        try:
            return redeem(backend, token)
        except NotFoundError:
            return None

    with ThreadPoolExecutor(2) as threads:
        made = [new_id for new_id in threads.map(attempt, backends) if new_id]

    assert len(made) == 1
    assert backends[0].store.forks.counts(run_id) == {1: 1}


def test_token_survives_run_not_stored(embedded, monkeypatch):
    _, run_id = talk(embedded)
    token = token_of(embedded, run_id)

    with monkeypatch.context() as patch:
        patch.setattr(forks, "_store_origin", broken)
        with pytest.raises(StoreError):
            redeem(embedded, token)
    new_id = redeem(embedded, token)

    assert embedded.store.forks.counts(run_id) == {1: 1}
    assert embedded.run(new_id).source_workflow_run_id == run_id


def test_token_survives_limit_of_runs(embedded):
    workflow_id, run_id = talk(embedded)
    token = token_of(embedded, run_id)
    embedded.store.catalogue.note(workflow_id, max_concurrent_runs=1)

    with pytest.raises(RateLimitError):
        redeem(embedded, token, is_limited=True)
    stop = TurnInput.with_message(None, command="stop")
    embedded.execute(workflow_id, stop, run_id=run_id).finish()

    assert redeem(embedded, token, is_limited=True) != run_id


def test_redeem_rejects_other_workflow_or_version(embedded):
    workflow_id, run_id = talk(embedded)
    token = token_of(embedded, run_id)

    with pytest.raises(ConflictError, match="of the workflow"):
        redeem(embedded, token, workflow_id=UNKNOWN)
    with pytest.raises(ConflictError, match="version 0"):
        redeem(embedded, token, version_number=3)

    assert redeem(embedded, token, workflow_id=workflow_id)


def test_redeem_uses_version_active_at_mint(embedded):
    workflow_id, run_id = talk(embedded)
    token = token_of(embedded, run_id)
    embedded.create_version(workflow_id, mark_as_active=True)

    assert embedded.run(redeem(embedded, token)).version_number == 0


def test_redeem_rejects_changed_graph(embedded):
    workflow_id, run_id = talk(embedded)
    token = token_of(embedded, run_id)
    embedded.store.catalogue.replace_document(workflow_id, 0, document(say("other")))
    embedded.renew(workflow_id)

    with pytest.raises(ConflictError, match="changed since"):
        redeem(embedded, token)


def test_a_token_expires(embedded):
    _, run_id = talk(embedded)
    plan = embedded.forks.plan(run_id, 1, RerunTarget())
    ticket = RerunTicket(
        run_id=run_id,
        turn_index=1,
        graph_digest=plan.graph_digest,
        expires_at=time.time() - 1,
        target={},
        edits={},
    )
    token = embedded.store.rerun_tokens.mint(ticket)

    for use in (
        lambda: find(embedded, run_id, 1, token),
        lambda: redeem(embedded, token),
        lambda: embedded.store.rerun_tokens.amend(token, {}),
    ):
        with pytest.raises(NotFoundError, match="has expired"):
            use()


def test_expired_rerun_token_closes_socket(api, embedded):
    _, run_id = talk(embedded)
    ticket = RerunTicket(
        run_id=run_id, turn_index=1, graph_digest="", expires_at=time.time() - 1, target={}, edits={}
    )
    token = embedded.store.rerun_tokens.mint(ticket)

    answer = api.get(f"/v1/workflow-runs/{run_id}/turns/1/rerun-token/{token}")

    assert answer.status_code == 404
    assert "expired" in answer.json()["detail"]
