"""Turns that tests store without executing them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from debugger.store import FinishedTurn, Store, TurnClaim
from debugger.store.claims import new_claim_id, take_claim
from debugger.store.database import StatementCursor
from debugger.store.turns import _finish, _is_stored


@dataclass(slots=True, kw_only=True)
class WholeTurn(FinishedTurn):
    """A turn with what its claim would have said."""

    started_at: float
    workflow_id: str
    version_number: int
    version_name: str | None = None
    workflow_name: str | None = None
    run_by: str | None = None
    source_workflow_run_id: str | None = None
    checkpoint_source_turn_index: int | None = None
    claim_id: str = field(default_factory=new_claim_id)


def append_turn(store: Store, turn: WholeTurn) -> None:
    """Claim and store a turn in one transaction, which a lost connection repeats; turn 1 begins the run."""
    claim = TurnClaim(
        run_id=turn.run_id,
        turn_number=turn.turn_number,
        workflow_id=turn.workflow_id,
        version_number=turn.version_number,
        version_name=turn.version_name,
        workflow_name=turn.workflow_name,
        run_by=turn.run_by,
        source_workflow_run_id=turn.source_workflow_run_id,
        checkpoint_source_turn_index=turn.checkpoint_source_turn_index,
        begins_run=turn.turn_number == 1,
        run_status=turn.status,
        started_at=turn.started_at,
        owner="",
        lease_seconds=0.0,
        pair=b"",
        claim_id=turn.claim_id,
    )

    def append(cursor: StatementCursor) -> None:
        take_claim(cursor, claim)
        _finish(cursor, turn, clears_unfinished=False)

    store.claims._write(append, partial(_is_stored, turn=turn))


def a_turn(run_id: str, number: int, **fields: Any) -> WholeTurn:
    """Return a turn after which the run waits for its user; its checkpoint and times are its number."""
    values = {
        "status": "waiting_for_user_input",
        "checkpoint": b"%d" % number,
        "started_at": float(number),
        "finished_at": float(number),
        "workflow_id": "w",
        "version_number": 0,
    }
    return WholeTurn(run_id=run_id, turn_number=number, **{**values, **fields})
