"""Runs in this process: the engine walks, the store keeps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from debugger.backends.base import Capabilities, Page, TurnStream
from debugger.backends.scripts import responder_for
from debugger.engine.interpreter import Interpreter
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.options import EngineOptions
from debugger.engine.segment import TurnEnd
from debugger.engine.state import RunState
from debugger.engine.world import World
from debugger.errors import ConflictError, InputError, RunEndedError
from debugger.protocol.base import JsonObject, check_id
from debugger.protocol.events import Event
from debugger.protocol.json_text import encode
from debugger.protocol.runs import TERMINAL_STATUSES, Run, TurnInput, TurnLog, TurnResult, turn_logs
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.settings import Settings
from debugger.store import FinishedTurn, Store, new_id

_INTERPRETERS_KEPT = 32
_ALL = 1_000_000


@dataclass
class _Opened:
    """A run as a turn finds it."""

    run_id: str
    version_number: int
    version_name: str | None
    """Known of a run that begins."""
    interpreter: Interpreter
    state: RunState


class EmbeddedBackend:
    """Runs workflows in this process and keeps them in the store.

    Args:
        settings: What can be set from outside; the database's URL among it.
        store: A store that is open already, instead of the one that the settings name.
        world: Time and chance.

    Raises:
        StoreError: The database cannot be opened.
    """

    name = "Embedded engine"
    capabilities = Capabilities()
    node_types: frozenset[str] | None = frozenset(NODE_TYPES)

    def __init__(
        self, settings: Settings | None = None, *, store: Store | None = None, world: World | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.store = store or Store(self.settings.database_url)
        self._world = world or World()
        self._options = _engine_options(self.settings)
        self._interpreters: OrderedDict[tuple[str, int], Interpreter] = OrderedDict()
        self._running: set[str] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def workflows(self, search: str = "") -> list[WorkflowSummary]:
        """See `Backend.workflows`."""
        return self.store.workflows(search, size=_ALL)[0]

    def workflow_summary(self, workflow_id: str) -> WorkflowSummary:
        """See `Backend.workflow_summary`."""
        return self.store.workflow_summary(check_id("workflow", workflow_id))

    def versions(self, workflow_id: str) -> list[VersionSummary]:
        """See `Backend.versions`."""
        return self.store.versions(check_id("workflow", workflow_id))

    def workflow(self, workflow_id: str, version_number: int | None = None) -> Workflow:
        """See `Backend.workflow`."""
        _, document = self.store.document(check_id("workflow", workflow_id), version_number)
        return Workflow.from_document(document)

    def create_workflow(self, document: JsonObject, *, name: str | None = None) -> WorkflowSummary:
        """See `Backend.create_workflow`.

        Raises:
            WorkflowError: The document is no workflow.
            InputError: A node or an edge in it lacks what every one of them needs.
        """
        inner = Workflow.from_document(document).to_wire()
        return self.store.create_workflow(_without_secrets(inner), name=name)

    def delete_workflow(self, workflow_id: str) -> None:
        """See `Backend.delete_workflow`."""
        self.store.delete_workflow(check_id("workflow", workflow_id))
        with self._lock:
            for key in [key for key in self._interpreters if key[0] == workflow_id]:
                del self._interpreters[key]

    def create_version(
        self,
        workflow_id: str,
        *,
        version_name: str | None = None,
        source_version_number: int | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """See `Backend.create_version`."""
        return self.store.create_version(
            check_id("workflow", workflow_id),
            version_name=version_name,
            source_version_number=source_version_number,
            mark_as_active=mark_as_active,
        )

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """See `Backend.activate_version`."""
        self.store.activate_version(check_id("workflow", workflow_id), version_number)

    def run(self, run_id: str) -> Run:
        """See `Backend.run`."""
        return self.store.run(check_id("run", run_id))

    def runs(
        self, *, workflow_id: str | None = None, status: str | None = None, page: int = 1, size: int = 50
    ) -> Page[Run]:
        """See `Backend.runs`."""
        if workflow_id is not None:
            check_id("workflow", workflow_id)
        rows, total = self.store.runs(workflow_id=workflow_id, status=status, page=page, size=size)
        return Page(rows, total)

    def execute(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        *,
        run_id: str | None = None,
        version_number: int | None = None,
        cancelled: threading.Event | None = None,
    ) -> TurnStream:
        """See `Backend.execute`.

        Raises:
            InputError: An id is malformed, or the input cannot be used.
            NotFoundError: There is no such workflow, version or run.
            RunEndedError: The run is over.
            ConflictError: Another turn of the run is under way, or came first.
        """
        check_id("workflow", workflow_id)
        if run_id is not None:
            check_id("run", run_id)
        elif turn_input.command == "stop":
            raise InputError("There is no run to stop.", advice="Send the command with the id of a run.")
        stop = cancelled or threading.Event()
        return TurnStream(run_id, self._turn(workflow_id, turn_input, run_id, version_number, stop))

    def _turn(
        self,
        workflow_id: str,
        turn_input: TurnInput,
        run_id: str | None,
        version_number: int | None,
        cancelled: threading.Event,
    ) -> Generator[Event, None, TurnResult]:
        with self._claimed(run_id):
            if run_id is None:
                opened = self._begin(workflow_id, turn_input, version_number)
            else:
                opened = self._resume(workflow_id, run_id)
            began = self._world.now()
            turn = opened.interpreter.turn(
                opened.state, turn_input, past=lambda: self._past(run_id), cancelled=cancelled
            )
            events: list[JsonObject] = []
            while True:
                try:
                    event = next(turn)
                except StopIteration as stop:
                    end: TurnEnd = stop.value
                    break
                events.append(event.to_wire())
                yield event
            self._keep(workflow_id, opened, turn_input, end, events, began)
        return _result(opened, end, events)

    def _begin(self, workflow_id: str, turn_input: TurnInput, version_number: int | None) -> _Opened:
        wanted = _first_version(turn_input, version_number)
        number, name = self.store.starting_version(workflow_id, wanted)
        interpreter = self._interpreter(workflow_id, number)
        return _Opened(new_id(), number, name, interpreter, interpreter.begin(turn_input))

    def _resume(self, workflow_id: str, run_id: str) -> _Opened:
        checkpoint = self.store.checkpoint(run_id)
        if checkpoint.workflow_id != workflow_id:
            raise InputError(
                f"Run {run_id} belongs to the workflow {checkpoint.workflow_id}, not to {workflow_id}.",
                advice="Send the turn to the run's own workflow.",
            )
        if checkpoint.status in TERMINAL_STATUSES:
            raise RunEndedError(
                f"Run {run_id} is over ({checkpoint.status}) and takes no further turn.",
                advice="Begin a new run.",
            )
        interpreter = self._interpreter(workflow_id, checkpoint.version_number)
        state = RunState.from_json(checkpoint.checkpoint)
        return _Opened(run_id, checkpoint.version_number, None, interpreter, state)

    def _interpreter(self, workflow_id: str, version_number: int) -> Interpreter:
        key = (workflow_id, version_number)
        with self._lock:
            found = self._interpreters.get(key)
            if found is not None:
                self._interpreters.move_to_end(key)
                return found
        workflow = self.workflow(workflow_id, version_number)
        responder = responder_for(workflow, self.settings)
        made = Interpreter(workflow, responder, self._options, self._world, self._load_run)
        with self._lock:
            self._interpreters[key] = made
            while len(self._interpreters) > _INTERPRETERS_KEPT:
                self._interpreters.popitem(last=False)
        return made

    def _load_run(self, run_id: str) -> JsonObject:
        return self.run(run_id).to_wire()

    def _past(self, run_id: str | None) -> list[TurnLog]:
        """The finished turns of a run; none of one that is taking its first and is not kept yet."""
        return [] if run_id is None else turn_logs(self.store.run(run_id))

    @contextmanager
    def _claimed(self, run_id: str | None) -> Iterator[None]:
        """Keep a second turn of the run out while one is under way; the store guards across processes."""
        if run_id is None:
            yield
            return
        with self._lock:
            if run_id in self._running:
                raise ConflictError(
                    f"A turn of run {run_id} is under way already.", advice="Wait for it to end, or stop it."
                )
            self._running.add(run_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(run_id)

    def _keep(
        self,
        workflow_id: str,
        opened: _Opened,
        turn_input: TurnInput,
        end: TurnEnd,
        events: list[JsonObject],
        began: float,
    ) -> None:
        self.store.append_turn(
            FinishedTurn(
                run_id=opened.run_id,
                workflow_id=workflow_id,
                version_number=opened.version_number,
                version_name=opened.version_name,
                workflow_name=opened.interpreter.workflow.name,
                run_by=turn_input.run_by,
                turn_number=opened.state.turn_number,
                status=end.status,
                termination_source="execution_error" if end.status == "failed" else None,
                events_json=encode(events),
                pair_json=None if _has_closing_event(events) else encode(_pair(end)),
                checkpoint=opened.state.to_json(),
                token_usage_json=encode(end.token_usage),
                latency_stats_json=encode(end.latency_stats),
                started_at=began,
                finished_at=self._world.now(),
            )
        )


def _first_version(turn_input: TurnInput, version_number: int | None) -> int | None:
    """The version that a run is asked to begin with; ``None`` for the active one.

    The caller's; else a number other than 0 in the run input, since 0 may mean there that none was chosen.

    Source: ``platform/wire.md`` 2.5.
    """
    return version_number if version_number is not None else turn_input.version_number or None


def _has_closing_event(events: list[JsonObject]) -> bool:
    """Whether the events tell the turn's input/output pair; the closing event is one of the last."""
    return any(event["type"] == "end_workflow_iteration" for event in reversed(events))


def _pair(end: TurnEnd) -> JsonObject:
    """What a closing event would have told of a turn that has none, because it failed."""
    return {
        "run_input": end.run_input,
        "run_output": {"events": [], "thread_to_node_outputs": end.outputs},
        "evaluation": None,
        "iteration_end_state_miscellaneous": end.end_state,
        "comments": [],
        "ratings": [],
    }


def _result(opened: _Opened, end: TurnEnd, events: list[JsonObject]) -> TurnResult:
    return TurnResult(
        run_id=opened.run_id,
        status=end.status,
        turn_number=opened.state.turn_number,
        events=events,
        is_waiting_for_input=end.status == "waiting_for_user_input",
        is_completed=end.status in TERMINAL_STATUSES,
        error=end.error,
        next_input_hint=end.hint,
    )


def _engine_options(settings: Settings) -> EngineOptions:
    return EngineOptions(
        max_node_runs=settings.max_node_runs,
        start_events=settings.start_events,
        dict_paths=settings.dict_paths,
        time_zone=settings.time_zone,
        inline_python=settings.inline_python == "isolated",
        tool_timeout=settings.tool_timeout,
        linger_after_reply=settings.linger_after_reply,
        knowledge_folder=settings.knowledge_folder,
    )


def _without_secrets(document: JsonObject) -> JsonObject:
    """A document as it may be kept: secret variables never travel (``platform/engine.md`` 1.1)."""
    return {key: value for key, value in document.items() if key != "secret_variables"}
