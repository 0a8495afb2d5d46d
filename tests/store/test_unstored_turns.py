"""The journal of turns that ran and are not stored, and the space that is kept for it."""

from __future__ import annotations

import errno
import os
from contextlib import closing

import pytest

from debugger.errors import ConflictError, StoreError
from debugger.store import Store, new_id
from debugger.store.claims import interrupt
from tests.store.test_claims import a_claim, a_result, executed

CALLS = b'[{"target":"POST https://api.example/book"}]'
MORE = b'[{"target":"POST https://api.example/book"},{"target":"POST https://api.example/pay"}]'


@pytest.fixture
def store(url):
    with closing(Store(url)) as store:
        yield store


def waiting(store):
    """Return the id of a run with one turn."""
    run_id = new_id()
    executed(store, run_id, 1)
    return run_id


def take_away(store, run_id):
    """Interrupt the turn in progress of a run, as another process does."""
    with store._database.writing() as connection:
        assert interrupt(connection, store.claims.position(run_id).claimed)


def journal(store, run_id):
    return [turn.calls_json for turn in store.notes.read_unfinished_turns(run_id)]


def test_abandoned_turn_is_in_journal_with_calls(store):
    run_id = waiting(store)
    claim = a_claim(run_id, 2, client_turn_id="c2", pair=b'{"run_input":{"command":"data"}}')
    store.claims.take(claim)

    store.claims.abandon(claim, CALLS)

    [turn] = store.notes.read_unfinished_turns(run_id)
    assert (turn.claim_id, turn.client_turn_id, turn.calls_json) == (claim.claim_id, "c2", CALLS)
    assert store.notes.find_unfinished("c2") == turn
    position = store.claims.position(run_id)
    assert (position.status, position.turn_count, position.claimed) == ("waiting_for_user_input", 1, None)


def test_abandoned_first_turn_leaves_failed_run(store):
    claim = a_claim(new_id(), 1)
    store.claims.take(claim)

    store.claims.abandon(claim, CALLS)

    assert store.claims.position(claim.run_id).status == "failed"
    assert journal(store, claim.run_id) == [CALLS]


def test_turn_taken_away_keeps_announced_calls(store):
    run_id = waiting(store)
    claim = a_claim(run_id, 2)
    store.claims.take(claim)
    store.claims.announce(claim, CALLS)

    take_away(store, run_id)

    assert journal(store, run_id) == [CALLS]
    with pytest.raises(ConflictError, match="lapsed"):
        store.claims.announce(claim, MORE)
    store.claims.abandon(claim, MORE)  # its process reports all of them
    assert journal(store, run_id) == [MORE]
    store.notes.forget_unfinished(claim.claim_id)
    store.claims.abandon(claim, MORE)
    assert journal(store, run_id) == []  # a user has seen it


def test_calls_stay_in_journal_until_seen(store):
    run_id = waiting(store)
    claims = [a_claim(run_id, 2), a_claim(run_id, 2), a_claim(run_id, 2)]
    for claim, calls in zip(claims, (CALLS, MORE, None), strict=True):
        store.claims.take(claim)
        if calls is not None:
            store.claims.announce(claim, calls)
        take_away(store, run_id)
    assert sorted(journal(store, run_id), key=str) == sorted([CALLS, MORE, None], key=str)

    last = a_claim(run_id, 2)
    store.claims.take(last)
    store.claims.finish(a_result(last), clears_unfinished=True)

    assert sorted(journal(store, run_id)) == sorted([CALLS, MORE])
    store.notes.forget_unfinished(claims[0].claim_id)
    assert journal(store, run_id) == [MORE]
    assert store.run(run_id).status == "waiting_for_user_input"


def test_background_work_with_calls_is_in_journal(store):
    run_id = waiting(store)
    for calls in (None, CALLS):
        claim = a_claim(run_id, 2, user_turn_number=None, run_status="waiting_for_user_input")
        store.claims.take(claim)
        if calls is not None:
            store.claims.announce(claim, calls)
        take_away(store, run_id)

    assert journal(store, run_id) == [CALLS]


def test_claim_reserves_space_beside_sqlite_file(tmp_path):
    reserve = tmp_path / "runs.sqlite3-reserve"
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        assert not reserve.exists()
        waiting(store)
        assert (reserve.stat().st_size, reserve.stat().st_mode & 0o777) == (256 * 1024, 0o600)
        reserve.write_bytes(b"")  # as after a crash
        waiting(store)
        assert reserve.stat().st_size == 256 * 1024


@pytest.mark.parametrize("end", ["abandon", "release"])
def test_released_space_is_for_the_turn_alone(end, tmp_path, monkeypatch):
    reserve, url = tmp_path / "runs.sqlite3-reserve", f"sqlite:///{tmp_path}/runs.sqlite3?timeout=0.1"
    with closing(Store(url)) as store, closing(Store(url)) as other:
        run_id = waiting(store)
        claim = a_claim(run_id, 2)
        store.claims.take(claim)
        dialect, released = store._database.dialect, []
        release = dialect.release_space

        def release_space():
            release()
            released.append(reserve.exists())
            with pytest.raises(StoreError, match="is locked"):
                other.claims.renew(claim, 30, is_first=False)

        monkeypatch.setattr(dialect, "free_bytes", lambda: 0)
        monkeypatch.setattr(dialect, "release_space", release_space)
        if end == "abandon":
            store.claims.abandon(claim, CALLS)
        else:
            store.claims.release(claim)

        assert released == [False]
        assert store.claims.position(run_id).claimed is None


def test_space_is_reserved_on_disk_of_linked_file(tmp_path):
    (tmp_path / "large").mkdir()
    (tmp_path / "runs.sqlite3").symlink_to(tmp_path / "large" / "runs.sqlite3")
    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        waiting(store)

        assert (tmp_path / "large" / "runs.sqlite3-reserve").exists()
        assert not (tmp_path / "runs.sqlite3-reserve").exists()


def test_claim_without_space_is_refused(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        claim = a_claim(new_id(), 1)
        with monkeypatch.context() as patch:
            patch.setattr(os, "urandom", refuse)
            with pytest.raises(StoreError, match="has no space left"):
                store.claims.take(claim)

        assert not (tmp_path / "runs.sqlite3-reserve").exists()
        assert store.runs()[1] == 0
        store.claims.take(claim)


def test_claim_is_refused_where_reserve_cannot_be_made(tmp_path, monkeypatch):
    open_file = os.open

    def refuse(path, *arguments):
        if str(path).endswith("-reserve"):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
        return open_file(path, *arguments)

    with closing(Store(f"sqlite:///{tmp_path}/runs.sqlite3")) as store:
        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(StoreError, match="has no space left"):
            store.claims.take(a_claim(new_id(), 1))
