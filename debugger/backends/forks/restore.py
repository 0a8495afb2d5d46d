"""Forks of the embedded engine: a run made out of another's first turns, standing at their checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from debugger.analysis.caller_input import default_variables, original_input
from debugger.backends.embedded.global_variables import begun_with
from debugger.backends.embedded.run_loader import Interpreters
from debugger.engine.environment import World
from debugger.engine.fork_state import go_another_way
from debugger.engine.interpreter import Interpreter
from debugger.engine.state import RunState
from debugger.engine.usage import UsageMeter
from debugger.engine.variable_edits import VariableEdit
from debugger.errors import NotFoundError
from debugger.protocol.events import Event
from debugger.protocol.json_codec import encode
from debugger.protocol.runs import TERMINAL_STATUSES, ForkRecord, RunStatus, TurnInput
from debugger.protocol.turn_logs import TurnLog
from debugger.store import Checkpoint, CopiedUsage, RunFork, Store, new_id


@dataclass
class PastMoment:
    """A run as it stood right before one of its turns."""

    workflow_id: str
    version_number: int
    pair_count: int
    """The input/output pairs before that turn: earlier turns, and the background work between them."""
    status: RunStatus
    state: RunState

    def given(self, recorded: TurnInput, interpreter: Interpreter) -> TurnInput:
        """The input of that turn as its caller gave it.

        Args:
            recorded: As the record has it.
            interpreter: Runs the version.
        """
        before = {**default_variables(interpreter.workflow), **self.state.dynamic_variables}
        return original_input(recorded, before)


class Forks:
    """Makes forks.

    Args:
        store: Has the runs and their checkpoints.
        interpreters: Of every version.
        world: Time.
    """

    def __init__(self, store: Store, interpreters: Interpreters, world: World) -> None:
        self._store = store
        self._interpreters = interpreters
        self._world = world

    def fork(
        self,
        run_id: str,
        turn_number: int,
        *,
        version_number: int | None = None,
        edits: Sequence[VariableEdit] = (),
        start_node_logical_id: str | None = None,
        run_by: str | None = None,
    ) -> str:
        """Make a run that stands right before a turn of another; its id. See `Backend.fork`."""
        moment = self.moment(run_id, turn_number)
        wanted = moment.version_number if version_number is None else version_number
        version = self._store.starting_version(moment.workflow_id, wanted)
        graph = self._interpreters.of(moment.workflow_id, wanted).graph
        go_another_way(moment.state, graph, edits, start_node_logical_id)
        record = ForkRecord(
            run_id=new_id(),
            source_run_id=run_id,
            turn_number=turn_number,
            changes=tuple(moment.state.untold),
            forked_by=run_by or "",
            created_at=self._world.now(),
        )
        self._store.fork(
            RunFork(
                record=record,
                pair_count=moment.pair_count,
                checkpoint=moment.state.to_json(),
                status=moment.status,
                version_number=version.version_number,
                version_name=version.version_name,
                usage=usage_of(moment.state),
            )
        )
        return record.run_id

    def moment(self, run_id: str, turn_number: int, *, may_be_over: bool = False) -> PastMoment:
        """Return a run as it was right before a turn, or before its next one.

        Args:
            run_id: The run.
            turn_number: The turn, from 1.
            may_be_over: Whether a run that is over has a moment after its last turn.

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
            return self._beginning(last)
        found = last if turn_number > done else self._checkpoint_before(run_id, turn_number, last.turn_number)
        state = RunState.from_json(found.checkpoint)
        return PastMoment(found.workflow_id, found.version_number, found.turn_number, found.status, state)

    def _checkpoint_before(self, run_id: str, turn_number: int, pairs: int) -> Checkpoint:
        """The last one before a turn of the user: background work takes pairs of the record, but no turns."""
        least, most = 1, pairs
        while most - least > 1:
            middle = (least + most) // 2
            if _turns_of(self._store.checkpoint(run_id, middle)) < turn_number:
                least = middle
            else:
                most = middle
        return self._store.checkpoint(run_id, least)

    def _beginning(self, last: Checkpoint) -> PastMoment:
        """Before the first turn. Chance falls as it did: the seed is the same in all states of a run."""
        interpreter = self._interpreters.of(last.workflow_id, last.version_number)
        try:
            state = RunState.from_json(self._store.checkpoint(last.run_id, 0).checkpoint)
        except NotFoundError:  # only the fork of a first turn stood somewhere before it
            recorded = TurnInput.from_wire(self._store.pair(last.run_id, 1).run_input)
            state = interpreter.begin(original_input(recorded, default_variables(interpreter.workflow)))
            state.dynamic_variables = {**begun_with(recorded), **state.dynamic_variables}
            state.seed = RunState.from_json(last.checkpoint).seed
        return PastMoment(last.workflow_id, last.version_number, 0, "not_started", state)


def usage_of(state: RunState) -> CopiedUsage:
    """What a copy that begins with a state takes over of the models' usage."""
    meter = UsageMeter(state, 0.0)
    tokens, times = meter.token_usage(), meter.latency_stats()
    return CopiedUsage(
        token_usage_json=encode(tokens), latency_stats_json=encode(times), has_calls=tokens["call_count"] > 0
    )


def _turns_of(checkpoint: Checkpoint) -> int:
    """How many turns of the user a run had had at a checkpoint."""
    return RunState.from_json(checkpoint.checkpoint).turn_number


class Replays:
    """Runs recorded turns again.

    Args:
        store: Has the record.
        forks: Knows how a run stood before a turn.
        interpreters: Whose doors let nothing out that writes or that reaches a person.
        past: Gives the finished turns of a run, by its id.
    """

    def __init__(
        self,
        store: Store,
        forks: Forks,
        interpreters: Interpreters,
        past: Callable[[str], list[TurnLog]],
    ) -> None:
        self._store = store
        self._forks = forks
        self._interpreters = interpreters
        self._past = past

    def replay(self, run_id: str, turn_number: int, cancelled: threading.Event | None = None) -> list[Event]:
        """The events of a turn when it is run again. See `Backend.replay`."""
        moment = self._forks.moment(run_id, turn_number)
        recorded = TurnInput.from_wire(self._store.pair(run_id, moment.pair_count + 1).run_input)
        interpreter = self._interpreters.of(moment.workflow_id, moment.version_number)
        turn = interpreter.turn(
            moment.state,
            moment.given(recorded, interpreter),
            past=lambda: [log for log in self._past(run_id) if log.number < turn_number],
            cancelled=cancelled,
        )
        return [event for event in turn if event.is_persisted]
