"""Runs restored from stored checkpoints to an earlier state."""

from __future__ import annotations

from dataclasses import dataclass

from debugger.analysis.caller_input import default_variables, globals_at_start, original_input
from debugger.backends.embedded.run_loader import InterpreterCache
from debugger.engine.state import RunState
from debugger.errors import NotFoundError
from debugger.protocol.runs import TERMINAL_STATUSES, RunStatus, TurnInput
from debugger.store import Checkpoint, Store


@dataclass
class RestoredRun:
    """A run in its state right before one of its turns."""

    workflow_id: str
    version_number: int
    pair_count: int
    """The input/output pairs before that turn: earlier turns, and the background work between them."""
    status: RunStatus
    state: RunState


class Checkpoints:
    """Restores runs from their checkpoints."""

    def __init__(self, store: Store, interpreters: InterpreterCache) -> None:
        self._store = store
        self._interpreters = interpreters

    def turn_count(self, run_id: str) -> int:
        """Return the number of turns of the user that a run has.

        Raises:
            NotFoundError: There is no such run.
        """
        return _turns_of(self._store.checkpoint(run_id))

    def next_input(self, run_id: str, restored: RestoredRun) -> TurnInput:
        """Return the input of the next turn as its caller sent it, without the client's id of the turn.

        Of a recorded echo the variables that the run had before are left out, too. Raises NotFoundError where
        the run has no next input/output pair.
        """
        recorded = TurnInput.from_record(self._store.pair(run_id, restored.pair_count + 1).run_input)
        interpreter = self._interpreters.get_or_make(restored.workflow_id, restored.version_number)
        defaults = default_variables(interpreter.workflow)
        return original_input(recorded, {**defaults, **restored.state.dynamic_variables})

    def restore(self, run_id: str, turn_number: int, *, may_be_over: bool = False) -> RestoredRun:
        """Return a run as it was right before a turn.

        Args:
            run_id: The run.
            turn_number: The turn, from 1.
            may_be_over: Accept the turn after the last one of a run that is over.

        Raises:
            NotFoundError: There is no such run, or it has no such turn.
        """
        last = self._store.checkpoint(run_id)
        done = _turns_of(last)
        most = done if last.status in TERMINAL_STATUSES and not may_be_over else done + 1
        if not 1 <= turn_number <= most:
            raise NotFoundError(
                f"Run {run_id} cannot be forked at turn {turn_number}.",
                advice=f"Choose one of its turns, 1 to {most}." if most else "It has no turn yet.",
            )
        if turn_number == 1 and last.turn_number > 0:
            return self._first(last)
        found = last if turn_number > done else self._last_before(run_id, turn_number, last.turn_number)
        state = RunState.from_json(found.checkpoint)
        return RestoredRun(found.workflow_id, found.version_number, found.turn_number, found.status, state)

    def _last_before(self, run_id: str, turn_number: int, pairs: int) -> Checkpoint:
        """Return the last checkpoint before a turn.

        Background work adds pairs to the record, but no turns.
        """
        least, most = 1, pairs
        while most - least > 1:
            middle = (least + most) // 2
            if _turns_of(self._store.checkpoint(run_id, middle)) < turn_number:
                least = middle
            else:
                most = middle
        return self._store.checkpoint(run_id, least)

    def _first(self, last: Checkpoint) -> RestoredRun:
        """Return the state before the first turn; all states share its seed.

        It is the checkpoint of a forked run, else made again from the recorded input of the first turn.
        """
        interpreter = self._interpreters.get_or_make(last.workflow_id, last.version_number)
        try:
            state = RunState.from_json(self._store.checkpoint(last.run_id, 0).checkpoint)
        except NotFoundError:  # only the fork of a first turn has a checkpoint before it
            recorded = TurnInput.from_record(self._store.pair(last.run_id, 1).run_input)
            state = interpreter.begin(original_input(recorded, default_variables(interpreter.workflow)))
            state.dynamic_variables = {**globals_at_start(recorded), **state.dynamic_variables}
            state.seed = RunState.from_json(last.checkpoint).seed
        return RestoredRun(last.workflow_id, last.version_number, 0, "not_started", state)


def _turns_of(checkpoint: Checkpoint) -> int:
    return RunState.from_json(checkpoint.checkpoint).turn_number
