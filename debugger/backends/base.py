"""The interface of all backends."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

from debugger.engine.inspection import RunInspector
from debugger.engine.variables import VariableEdit
from debugger.errors import UnsupportedError
from debugger.protocol.base import JsonObject
from debugger.protocol.events import Event
from debugger.protocol.runs import Run, RunSearch, RunStatus, SentTurn, TurnInput, TurnResult
from debugger.protocol.turn_logs import LazyRun
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.store import KnownWorkflow, NoteRepository

Row = TypeVar("Row")

Ability = Literal[
    "live_events",
    "stop_mid_turn",
    "import_workflow",
    "import_version",
    "initial_state",
    "pause_mid_turn",
    "set_state",
    "manual_model",
    "pins",
    "exact_fork",
    "run_search",
    "run_turns",
]
"""``pause_mid_turn``: the engine produces an event only when the caller pulls it.
``run_turns``: turns can be executed, not only read from a record.
``import_version``: a document can become the next version of a workflow."""


@dataclass(frozen=True)
class Capabilities:
    """The abilities of a backend beyond running turns.

    A control for what is missing is greyed and says why.
    """

    missing: dict[Ability, str] = field(default_factory=dict)
    """For each ability that is not there, the reason in one sentence."""

    def reason_against(self, ability: Ability) -> str | None:
        """Return why this cannot be done here; ``None`` when it can."""
        return self.missing.get(ability)


@dataclass
class TurnProgress:
    """The state of a turn between sending and its end.

    It is changed by the backend and read from other threads.
    """

    phase: Literal["executing", "retrying", "reconciling"] = "executing"
    """``retrying``: refused before execution and about to be sent again; ``reconciling``: the answer was lost
    and the run's record is read."""
    message: str = ""
    """The reason, as a sentence; empty while the turn executes."""
    until: float | None = None
    """When the phase ends at the latest, on the monotonic clock."""
    sent: SentTurn | None = None
    """The turn as it was sent to a server, by which it is found in the record."""
    record: LazyRun | None = None
    """The run's record, where what became of the turn was read from it."""
    found: FoundTurn | None = None
    """The last search of the record, where the answer was lost."""


class TurnStream(Iterator[Event]):
    """One turn in execution: an iterator over its events, then its result.

    Args:
        run_id: The run; ``None`` for a first turn whose run is not known before it is answered.
        events: Yields the events in order and returns the result.
        turn_number: The number of the turn, where it is claimed already.
        progress: Where the backend reports what it does between events.
    """

    def __init__(
        self,
        run_id: str | None,
        events: Generator[Event, None, TurnResult],
        progress: TurnProgress | None = None,
        *,
        turn_number: int | None = None,
    ) -> None:
        """Keep the generator of the events; it is not advanced.

        Without a progress the stream has one of its own; there is no result yet.
        """
        self.run_id = run_id
        self.turn_number = turn_number
        self.result: TurnResult | None = None
        self.progress = progress or TurnProgress()
        self._events = events

    def __next__(self) -> Event:
        """Return the next event.

        After the last one, and at every later call, ``StopIteration`` is raised; then `result` and `run_id`
        are set. After `close`, or an error of the turn, ``StopIteration`` is raised without a result.
        """
        if self.result is not None:
            raise StopIteration
        try:
            return next(self._events)
        except StopIteration as stop:
            if stop.value is not None:
                self.result = stop.value
                self.run_id = stop.value.run_id
            raise StopIteration from None

    def finish(self) -> TurnResult:
        """Pull the remaining events, drop them, and return the result; a second call returns it again.

        The errors of the turn leave it.
        """
        for _ in self:
            pass
        assert self.result is not None
        return self.result

    def close(self) -> None:
        """Abandon the turn: its claim is released and nothing is stored."""
        self._events.close()


@dataclass(frozen=True)
class RunRevision:
    """The state of a run in its record, comparable with a view."""

    status: RunStatus
    record_length: int
    """Finished input/output pairs, background work included."""
    turn_number: int | None = None
    """The number of the turn that is being executed; ``None`` where none is."""
    event_count: int = 0
    """Events so far of the turn that is being executed, where they are known."""
    run: Run | None = field(default=None, compare=False, repr=False)
    """The record, where it was read whole for this."""


TurnOutcome = Literal[
    "arrived", "seems_arrived", "executed_twice", "unstored", "not_executed", "stale", "over", "unknown"
]
"""The outcome of a sent turn.

``seems_arrived``: a turn with its text is in its place, and nothing more identifies it. ``unstored``: it was
interrupted after it had made calls, and is not on record. ``stale``: it was not executed, and the run has
newer turns. ``over``: it was not executed, and the run takes no further turn. ``unknown``: only the user can
decide whether it is sent again.
"""


@dataclass(frozen=True)
class FoundTurn:
    """The result of a search for a sent turn in the record."""

    state: Literal["absent", "running", "finished", "repeated", "ambiguous", "unstored"]
    """``repeated``: more than one turn bears its id; ``ambiguous``: more than one turn or run fits."""
    result: TurnResult | None = None
    """The result of a finished turn."""
    run_id: str | None = None
    """The run that holds the turn, or the run that was searched."""
    newer_turns: int = 0
    """Turns of other clients from the expected number on."""
    record: LazyRun | None = None
    """The record that was searched."""
    is_certain: bool = False
    """The run holds the turn; where it is false, ``running`` may be the turn of another client."""
    is_run_busy: bool = False
    """A turn of the run, or a step of its background work, is being executed."""
    doubt: str = ""
    """The reason why its absence from the record proves nothing, as a sentence; empty where it does."""
    turn_numbers: tuple[int, ...] = ()
    """The numbers of the turns that bear its id."""
    calls: tuple[JsonObject, ...] = ()
    """The calls that an unstored turn had made (`debugger.engine.outbound.gateway.made_calls`)."""
    run_ids: tuple[str, ...] = ()
    """The runs that it has started, where these are several."""
    outcome: TurnOutcome = field(default="unknown", compare=False)
    """The outcome of the turn, as far as this search tells."""


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a longer list."""

    rows: list[Row]
    total: int
    unread: int = 0
    """Of a search: runs whose words there was no time to read; the next search goes on with them."""


class Backend(Protocol):
    """The interface between the debugger and an engine or API.

    Every method may raise a `DebuggerError`; `debugger.errors` explains each kind.
    """

    name: str
    """The name for users: ``Embedded engine``, ``Hosted API``."""
    capabilities: Capabilities
    node_types: frozenset[str] | None
    """The node types that it runs; ``None`` where it does not say."""
    notes: NoteRepository | None
    """Where turns under way are entered, should this process end; ``None`` where they run elsewhere."""

    def workflows(self, search: str = "") -> list[WorkflowSummary]:
        """Return every workflow whose name contains the text, newest first."""

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """Return the versions of a workflow by number; exactly one is active."""

    def workflow(self, workflow_id: str, version_number: int | None = None) -> Workflow:
        """Return the graph of a version, of the active one by default."""

    def create_workflow(self, document: JsonObject, *, name: str | None = None) -> WorkflowSummary:
        """Store a hydrated document as a new workflow with active version 0."""

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """Return one workflow's row, by id."""

    def delete_workflow(self, workflow_id: str) -> None:
        """Delete a workflow and its versions; its runs stay."""

    def create_version(
        self,
        workflow_id: str,
        *,
        version_name: str | None = None,
        source_version_number: int | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """Store a copy of a version as the next one.

        The active version is copied by default.
        """

    def find_workflows(self, logical_id: str) -> list[KnownWorkflow]:
        """Return the workflows with a logical id, newest first, where a document can become a version."""

    def import_version(self, workflow_id: str, document: JsonObject, *, expected: int) -> VersionSummary:
        """Store a hydrated document as the next version of a workflow, which becomes the active one.

        Args:
            workflow_id: The workflow.
            document: The document.
            expected: The number that it gets as far as its author has seen.

        Raises:
            EditConflictError: Another version has been made meanwhile; nothing was stored.
        """

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """Make a version the one that new runs start with."""

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        *,
        run_id: str | None = None,
        expected_turn_number: int | None = None,
        version_number: int | None = None,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """Run one turn; it starts a new run unless ``run_id`` is set.

        A turn is identified by run id, turn number and client turn id (``miscellaneous.client_turn_id``). A
        turn whose client turn id has been executed already is not executed again: its result is returned.

        Args:
            workflow_id: The workflow; its id is checked before anything is sent.
            turn_input: The input of the turn.
            run_id: The run to go on with.
            expected_turn_number: The number that the caller expects the turn to get, from 1; ``None`` accepts
                any.
            version_number: The version to start with; read on a first turn only, ``None`` is the active one.
            cancelled: Set from another thread to end the turn early; the run is then ``cancelled``.
            inspector: Reads and edits variables between events; never bound where ``set_state`` is missing.

        Raises:
            StaleTurnError: The run has newer turns than the caller expects. Nothing was executed.
            TurnInProgressError: Another turn of the run is being executed. Nothing was executed.
            NotExecutedError: The turn was sent, and the record does not hold it.
            OutcomeUnknownError: The turn was sent; it is unknown whether it was executed.
        """

    def find_turn(self, workflow_id: str, sent: SentTurn, record: LazyRun | None = None) -> FoundTurn:
        """Search the record for a turn whose answer was lost, and say what became of it.

        It reads once and changes nothing.

        Args:
            workflow_id: The workflow.
            sent: The turn.
            record: The record of its run, where it was read already.

        Raises:
            DebuggerError: The record cannot be read, which decides nothing.
        """

    def revision(self, run_id: str) -> RunRevision:
        """Return the state of a run in its record, at little cost."""

    def pump(
        self,
        workflow_id: str,
        run_id: str,
        *,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """Advance a run's background work.

        Companion threads that are due go one step each, then the conditions are judged that may move the run
        while it waits. It takes no turn of the user, yet the workflow may speak or end in it. The result says
        whether there is more to do; with nothing to do now, no event comes and the run stays as it was.

        Source: ``platform.md#background-work``.

        Args:
            workflow_id: The run's workflow.
            run_id: The run.
            cancelled: Set from another thread to end the work early; the run is then ``cancelled``.
            inspector: Reads and edits variables between events; never bound where ``set_state`` is missing.
        """

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
        """Make a run in the state right before a turn of another.

        The other run is left unchanged.

        It holds copies of the turns before that one, remembers what the other remembered, and takes the turn
        itself by `execute`. Missing where ``exact_fork`` is.

        Args:
            run_id: The run to leave.
            turn_number: The turn of the user that the fork begins with, from 1; the one after the last turn
                copies the whole run.
            version_number: The version to go on in; that of the run by default.
            edits: Variables to change; events of the next turn report them.
            start_node_logical_id: The node that the main thread is moved to.
            run_by: Who forks.

        Returns:
            The id of the new run.

        Raises:
            UnsupportedError: There are no checkpoints; `debugger.session.forks` has what can be done then.
        """
        raise _no_checkpoint(self)

    def seed(self, run_id: str) -> int | None:
        """Return the seed of a run's random values; ``None`` where nobody tells it.

        Raises:
            NotFoundError: There is no such run.
        """
        return None

    def replay(
        self, run_id: str, turn_number: int, *, cancelled: threading.Event | None = None
    ) -> list[Event]:
        """Run a recorded turn again from its checkpoint, and store nothing.

        Calls that write or that contact a person are blocked; models and read-only services are called
        again. Missing where ``exact_fork`` is.

        Args:
            run_id: The run.
            turn_number: The turn of the user, from 1.
            cancelled: Set from another thread to end it early.

        Raises:
            UnsupportedError: The backend has no checkpoints: every turn there is a real one.
        """
        raise _no_checkpoint(self)

    def run(self, run_id: str) -> Run:
        """Return the record so far, with every finished turn."""

    def record(self, run_id: str) -> LazyRun:
        """Return the record, whose turns are read one by one.

        A long run then need not be in memory as a whole.
        """
        return LazyRun.of(self.run(run_id))

    def runs(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        search: RunSearch | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Page[Run]:
        """Return a page of runs, newest first, without their turns.

        ``page`` counts from 1.
        """

    def close(self) -> None:
        """Close files and connections."""


def _no_checkpoint(backend: Backend) -> UnsupportedError:
    return UnsupportedError(
        backend.capabilities.missing["exact_fork"],
        advice="Rebuild the turn from the record, or run the turns again from turn 1.",
    )
