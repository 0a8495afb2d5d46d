"""Forks: sessions of runs that continue another from one of its turns.

On a backend with checkpoints the fork is exact. Elsewhere a first turn is rebuilt from what the record has
(start node, variables), or all inputs are sent again from turn 1; the fork is then known once its first turn
has ended, since only that gives it an id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from debugger.backends.base import Backend
from debugger.errors import StoreError
from debugger.protocol.base import JsonObject
from debugger.protocol.runs import ForkMode, ForkRecord, TurnInput, TurnResult
from debugger.protocol.turn_logs import TurnLog
from debugger.session.fork_draft import ForkDraft, ForkPoint
from debugger.session.input_replay import InputReplay
from debugger.session.session import DebugSession
from debugger.session.verification import Fidelity, ForkVerification, compare
from debugger.store import ForkRepository

_log = logging.getLogger(__name__)


def fork_point(session: DebugSession, turn_number: int) -> ForkPoint:
    """Return a turn of a session, by its number from 1, as the start of a fork; it need not exist."""
    return ForkPoint(
        run_id=session.run_id or "",
        workflow_id=session.workflow_id,
        workflow=session.workflow,
        version_number=session.version_number,
        turns=tuple(session.turns),
        number=turn_number,
    )


def fork_modes(backend: Backend) -> Sequence[ForkMode]:
    """Return the ways in which a backend can fork, the best first."""
    return (
        ("exact",) if backend.capabilities.reason_against("exact_fork") is None else ("rebuilt", "replayed")
    )


def fork(
    backend: Backend, draft: ForkDraft, book: ForkRepository, *, check: ForkVerification | None = None
) -> tuple[DebugSession, InputReplay]:
    """Return the session of a fork and the replay of its turn, which is not begun yet.

    An exact fork is made at once, and its origin is stored. Else the session is that of a new run, whose
    origin is stored when its first turn has ended. A failure to store the origin is only logged.

    Args:
        backend: Where the run is.
        draft: What is wanted.
        book: Remembers where the fork came from.
        check: The control run of the same turn, whose result goes with the fork.

    Raises:
        InputError: The draft cannot be run like this.
        DebuggerError: The backend cannot make the fork.
    """
    inputs = draft.inputs()
    record = ForkRecord(
        run_id="",
        source_run_id=draft.point.run_id,
        turn_number=draft.point.number,
        way=draft.way,
        changes=changes_of(draft),
        note=draft.note.strip(),
        forked_by=draft.by.strip(),
        created_at=time.time(),
    )
    memory = _ForkRecorder(book, record, draft, check)
    if draft.way == "exact":
        run_id = _exact(backend, draft)
        memory.begin(run_id)
        session = DebugSession.open(backend, run_id)
    else:
        chosen = draft.point.version_number if draft.version_number is None else draft.version_number
        session = DebugSession(backend, draft.point.workflow_id, chosen)
    forward = InputReplay(
        session, inputs, on_first_turn=memory.on_first_turn, on_end=lambda: memory.on_end(session.turns)
    )
    return session, forward


def changes_of(draft: ForkDraft) -> tuple[JsonObject, ...]:
    """Return the changes in their stored form."""
    return tuple(asdict(difference) for difference in draft.differences)


def replay_from_start(session: DebugSession, up_to_turn: int) -> tuple[DebugSession, InputReplay]:
    """Return a new run and the replay of inputs to a turn.

    Raises:
        DebuggerError: The backend cannot give the workflow.
    """
    inputs: list[TurnInput] = fork_point(session, up_to_turn).inputs
    sibling = DebugSession(session.backend, session.workflow_id, session.version_number)
    return sibling, InputReplay(sibling, inputs)


def _exact(backend: Backend, draft: ForkDraft) -> str:
    """Create the fork on a backend with checkpoints; return its run id.

    Raises:
        DebuggerError: The backend cannot make the fork.
    """
    moved = draft.start_node if draft.start_node != draft.point.main_node else ""
    return backend.fork(
        draft.point.run_id,
        draft.point.number,
        version_number=draft.version_number,
        edits=draft.variables.edits,
        start_node_logical_id=moved or None,
        run_by=draft.by.strip() or None,
    )


class _ForkRecorder:
    """Stores the outcome of a fork; a store failure is only logged."""

    def __init__(
        self, book: ForkRepository, record: ForkRecord, draft: ForkDraft, check: ForkVerification | None
    ) -> None:
        self._book = book
        self._record = record
        self._draft = draft
        self._check = check

    def begin(self, run_id: str) -> None:
        """Store the record of the fork, whose id is known now."""
        self._record = replace(self._record, run_id=run_id)
        self._store(lambda: self._book.keep(self._record))

    def on_first_turn(self, result: TurnResult) -> None:
        """Note the end of the first turn, which sets the id."""
        if not self._record.run_id:
            self.begin(result.run_id)
        if self._draft.is_edited and self._check is not None:
            self._check.then(self._judge_by_control)

    def on_end(self, turns: Sequence[TurnLog]) -> None:
        """Store the fidelity of a fork after its last turn, unless a control run gives it.

        An unedited fork is its own control; an edited one of turns run again is marked so.
        """
        if not self._draft.is_edited:
            again = next(turn for turn in reversed(turns) if not turn.is_background)
            self._judge(compare(self._draft.point.original, again, self._draft.way))
        elif self._draft.way == "replayed":
            self._judge(Fidelity("replayed", "All turns before this one were run again from turn 1."))

    def _judge_by_control(self, found: Fidelity) -> None:
        """Store the result of the verification, which ran without the edits."""
        if self._draft.version_number is not None:
            found = replace(found, sentence=f"{found.sentence} That was in the version of the run.")
        self._judge(found)

    def _judge(self, fidelity: Fidelity) -> None:
        self._store(lambda: self._book.judge(self._record.run_id, fidelity.to_json()))

    def _store(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreError as error:
            _log.warning("the fork %s is not on record as one: %s", self._record.run_id, error)
