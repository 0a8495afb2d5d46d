from __future__ import annotations

import pytest

from debugger.errors import ConflictError, NotFoundError, StoreError
from debugger.store.sql_helpers import new_id
from debugger.store.turns import Checkpoint
from tests.support.turns import WholeTurn, append_turn


def a_turn(run_id, number, **fields):
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b"state %d" % number,
        "started_at": 1_785_200_000.0 + number,
        "finished_at": 1_785_200_000.5 + number,
        "workflow_id": "665f00000000000000000001",
        "version_number": 3,
        "events_json": b'[{"type":"assistant_response","content":"%d"}]' % number,
    }
    return WholeTurn(run_id=run_id, turn_number=number, **{**values, **fields})


def test_first_turn_creates_run(store):
    run_id = new_id()
    with pytest.raises(NotFoundError, match=run_id):
        store.checkpoint(run_id)

    append_turn(store, a_turn(run_id, 1))

    assert store.checkpoint(run_id) == Checkpoint(
        run_id, "665f00000000000000000001", 3, "waiting_for_user_input", 1, b"state 1"
    )


def test_checkpoint_is_last_by_default(store):
    run_id = new_id()
    append_turn(store, a_turn(run_id, 1))
    append_turn(store, a_turn(run_id, 2))
    append_turn(store, a_turn(run_id, 3, status="completed", checkpoint=b"\x00\xff"))

    latest, earlier = store.checkpoint(run_id), store.checkpoint(run_id, 2)

    assert (latest.turn_number, latest.status, latest.checkpoint) == (3, "completed", b"\x00\xff")
    assert (earlier.turn_number, earlier.status, earlier.checkpoint) == (
        2,
        "waiting_for_user_input",
        b"state 2",
    )


def test_unknown_turn_error_names_range(store):
    run_id = new_id()
    append_turn(store, a_turn(run_id, 1))
    append_turn(store, a_turn(run_id, 2))

    with pytest.raises(NotFoundError, match=r"has no turn 9. It has turns 1 to 2\."):
        store.checkpoint(run_id, 9)


@pytest.mark.parametrize("number", [1, 2, 4, 0, -1])
def test_turn_out_of_order_conflicts(store, number):
    run_id = new_id()
    append_turn(store, a_turn(run_id, 1))
    append_turn(store, a_turn(run_id, 2))
    before = store.run(run_id)

    with pytest.raises(ConflictError, match=run_id):
        append_turn(store, a_turn(run_id, number, status="failed"))

    assert store.run(run_id) == before
    append_turn(store, a_turn(run_id, 3))
    assert store.checkpoint(run_id).turn_number == 3


def test_later_turn_of_unknown_run_fails(store):
    run_id = new_id()

    with pytest.raises(NotFoundError, match=run_id):
        append_turn(store, a_turn(run_id, 2))

    assert store.runs() == ([], 0, 0)


def test_invalid_events_error_names_turn(store):
    run_id = new_id()
    append_turn(store, a_turn(run_id, 1, events_json=b"[{"))

    with pytest.raises(StoreError, match=f"turn 1 of run {run_id}"):
        store.run(run_id)
