"""The ledger of a run's side effects as CSV (RFC 4180), made to be opened in a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from debugger.analysis.side_effects import SideEffect
from debugger.exports.csv_file import csv_bytes

SCHEMA_VERSION = 1
"""Counts up when a column of `SideEffectRow` changes its meaning."""


class SideEffectRow(NamedTuple):
    """One call to the world outside."""

    schema_version: int
    run_id: str
    seq: int
    """Counts the run's calls from 1."""
    turn_number: int
    """Of background work, that of the turn after which it was done."""
    is_background: bool
    at: str
    """ISO 8601, UTC."""
    node_logical_id: str
    node_name: str
    """With the super nodes around it: ``Booking › Ask``."""
    kind: str
    call_class: str
    """``talk``, ``read``, ``write`` or ``contact``."""
    target: str
    how: str
    """``live``, ``simulated`` or ``blocked``."""
    outcome: str
    """``ok``, ``failed``, or ``not made`` of one that was blocked."""
    status_code: int | None
    duration_ms: float | None
    error_message: str
    request: str
    """JSON; secrets masked."""


def side_effect_rows(run_id: str, effects: Iterable[SideEffect]) -> list[SideEffectRow]:
    """The calls of a run as rows for a file."""
    return [
        SideEffectRow(
            schema_version=SCHEMA_VERSION,
            run_id=run_id,
            seq=seq,
            turn_number=effect.turn_number,
            is_background=effect.is_background,
            at=effect.time,
            node_logical_id=effect.node_logical_id,
            node_name=effect.node_name,
            kind=effect.kind,
            call_class=effect.call_class,
            target=effect.target,
            how=effect.how,
            outcome=effect.outcome,
            status_code=effect.status_code,
            duration_ms=effect.duration_milliseconds,
            error_message=effect.error,
            request=json.dumps(effect.request, ensure_ascii=False, default=str),
        )
        for seq, effect in enumerate(effects, start=1)
    ]


def side_effects_csv(rows: Sequence[SideEffectRow]) -> bytes:
    """The rows as CSV in UTF-8; without rows, the header alone."""
    return csv_bytes(SideEffectRow._fields, rows)
