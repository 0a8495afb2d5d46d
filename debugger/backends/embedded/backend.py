"""The embedded backend: turns run in this process and are stored in the database."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from debugger.backends.base import Capabilities, FoundTurn, Page, RunRevision, TurnOutcome, TurnStream
from debugger.backends.embedded.gateway_factory import GatewayFactory
from debugger.backends.embedded.global_variables import GlobalValues
from debugger.backends.embedded.leases import Leases
from debugger.backends.embedded.model_selection import find_script, model_for
from debugger.backends.embedded.python_consents import PythonPermits, PythonUse, python_functions
from debugger.backends.embedded.run_loader import InterpreterCache
from debugger.backends.embedded.turns import TurnRequest, Turns
from debugger.backends.forks import Forks
from debugger.boundary import register_process_secrets
from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.interpreter import Interpreter
from debugger.engine.mocks import RecordedAnswers
from debugger.engine.models import Script
from debugger.engine.models.base import Model
from debugger.engine.nodes import NODE_TYPES
from debugger.engine.options import EngineOptions
from debugger.engine.prepared_workflow import prepare
from debugger.engine.state import RunState
from debugger.engine.super_nodes import SUPER_NODE
from debugger.engine.tools.sandbox import python_status
from debugger.engine.variables import VariableEdit
from debugger.errors import InputError, StaleTurnError
from debugger.graph.checks import reject_faulty
from debugger.protocol.base import JsonObject, check_id, without_secret_variables
from debugger.protocol.events import Event
from debugger.protocol.runs import IN_PROGRESS, Run, RunSearch, SentTurn, TurnInput
from debugger.protocol.turn_logs import LazyRun
from debugger.protocol.workflow import VersionSummary, Workflow, WorkflowSummary
from debugger.settings import Settings
from debugger.store import KnownWorkflow, NoteRepository, Store

Variant = TypeVar("Variant", bound="EmbeddedBackend")

_ALL = 1_000_000
_OUTCOMES: dict[str, TurnOutcome] = {"absent": "not_executed", "finished": "arrived"}
"""Verdicts on what the store shows of a turn; all else is unknown."""


class EmbeddedBackend:
    """Runs workflows in this process and keeps them in the store.

    Args:
        settings: The settings, the database's URL among them.
        store: A store that is open already, instead of the one that the settings name.
        world: Clock and random values.
        model: Whatever answers for the models of all workflows, instead of what the settings name.
        script: The script of all workflows, instead of those that name them.
        environment: Holds secrets for calls to the outside; the process's own by default. Those among the
            store's global variables are used besides.
        python_consent_key: Signs consents to run Python that cannot be sandboxed: a secret of the page of a
            single user on this machine. Without it, as in a server, no consent counts.
        recorded_answers_win: Let recorded answers of scripts answer the calls that they fit under any policy,
            as in scenarios.

    Raises:
        StoreError: The database cannot be opened.
    """

    name = "Embedded engine"
    capabilities = Capabilities()
    node_types: frozenset[str] | None = frozenset({*NODE_TYPES, SUPER_NODE})

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        store: Store | None = None,
        world: Environment | None = None,
        model: Model | None = None,
        script: Script | None = None,
        environment: Mapping[str, str] | None = None,
        python_consent_key: bytes | None = None,
        recorded_answers_win: bool = False,
    ) -> None:
        """Open the store unless one is given, and interrupt turns whose lease has expired.

        A new database is made and an old one migrated. The secrets of the settings are registered
        (`register_process_secrets`).

        Raises:
            StoreError: The database cannot be opened or migrated.
        """
        self.settings = settings or Settings()
        register_process_secrets(self.settings)
        self.store = store or Store(
            self.settings.database_url, encryption_key=self.settings.encryption_key.get_secret_value()
        )
        self.notes: NoteRepository | None = self.store.notes
        self._world = world or Environment()
        self._model = model
        self._script = script
        self._recorded_answers_win = recorded_answers_win
        self._options = _engine_options(self.settings)
        self.global_values = GlobalValues(self.store)
        """The store's global variables, with which every new run begins."""
        self._gateways = GatewayFactory(
            self.settings, self._world, environment, secrets=self.global_values.secrets
        )
        # Python that is switched off stays off, also where a user has consented to it before.
        self._permits = PythonPermits(
            self.store.python_consents,
            python_consent_key if self.settings.inline_python != "off" else None,
            self._options.inline_python,
        )
        changed_at = self.store.catalogue.changed_at
        self._interpreters = InterpreterCache(self._interpreter, self._permits, changed_at)
        self._leases = Leases(self.store, self.settings.turn_lease)
        self._turns = Turns(self.store, self._interpreters, self.global_values, self._leases, self._world)
        self.forks = Forks(
            self.store,
            self._interpreters,
            self._world,
            socket_reruns_only=self.settings.socket_reruns_only,
        )
        """Runs made from earlier turns, in another version or workflow where requested."""
        read_only = partial(self._interpreter, is_read_only=True)
        self._replaying = InterpreterCache(read_only, self._permits, changed_at)
        self._leases.interrupt_expired()
        self._family: dict[Settings, EmbeddedBackend] = {self.settings: self}
        """This engine and those with other choices, which share the store."""
        self._make = partial(
            EmbeddedBackend,
            store=self.store,
            world=world,
            model=model,
            script=script,
            environment=environment,
            python_consent_key=python_consent_key,
            recorded_answers_win=recorded_answers_win,
        )

    def with_choices(self, choices: Mapping[str, str]) -> EmbeddedBackend:
        """Return the engine with other models or policies, on the same store.

        The same choices give the same engine. The values are not validated.

        Args:
            choices: Values by names of settings, as ``responder`` and ``outbound_write``.
        """
        settings = self.settings.model_copy(update=dict(choices))
        found = self._family.get(settings)
        if found is None:
            found = self._make(settings)
            found._family = self._family
            found = self._family.setdefault(settings, found)
        return found

    def variant(self, kind: type[Variant], settings: Settings, **changes: Any) -> Variant:
        """Return an engine on the same store that is made in another way.

        Args:
            kind: Its class.
            settings: Its settings.
            changes: Arguments that differ from this engine's.
        """
        return kind(settings, **{**self._make.keywords, **changes})

    def known_variables(self) -> JsonObject:
        """Return the variables that runs have without an input: global ones, and secrets without values.

        Raises:
            StoreError: They cannot be read.
        """
        return {**dict.fromkeys(self._gateways.secret_names(), ""), **self.global_values.dynamic()}

    def close(self) -> None:
        """Close the store; turns in progress count as interrupted."""
        self.end_turns()
        self.store.close()

    def end_turns(self) -> None:
        """End the turns in progress, which count as interrupted; nothing uses the store from then on."""
        for engine in list(self._family.values()):
            engine._leases.close()

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
            WorkflowError: The document is no workflow, or breaks a rule of saving.
            InputError: A node or an edge in it lacks what every one of them needs.
        """
        return self.store.create_workflow(_to_be_saved(document), name=name)

    def delete_workflow(self, workflow_id: str) -> None:
        """See `Backend.delete_workflow`."""
        self.store.delete_workflow(check_id("workflow", workflow_id))
        self.renew(workflow_id)

    def create_version(
        self,
        workflow_id: str,
        *,
        version_name: str | None = None,
        source_version_number: int | None = None,
        mark_as_active: bool = False,
    ) -> VersionSummary:
        """See `Backend.create_version`; the version is written to the store.

        Raises InputError where the id is malformed, and NotFoundError where there is no such workflow or
        version.
        """
        version = self.store.create_version(
            check_id("workflow", workflow_id),
            version_name=version_name,
            source_version_number=source_version_number,
            mark_as_active=mark_as_active,
        )
        self.renew(workflow_id)
        return version

    def find_workflows(self, logical_id: str) -> list[KnownWorkflow]:
        """See `Backend.find_workflows`."""
        return self.store.find_workflows(logical_id)

    def import_version(
        self, workflow_id: str, document: JsonObject, *, expected: int, mark_as_active: bool = True
    ) -> VersionSummary:
        """See `Backend.import_version`; the version need not become the active one.

        Raises:
            WorkflowError: The document is no workflow, or breaks a rule of saving.
            InputError: A node or an edge in it lacks what every one of them needs, or the id is malformed.
            NotFoundError: There is no such workflow.
        """
        version = self.store.create_version(
            check_id("workflow", workflow_id),
            document=_to_be_saved(document),
            mark_as_active=mark_as_active,
            expected=expected,
        )
        self.renew(workflow_id)
        return version

    def activate_version(self, workflow_id: str, version_number: int) -> None:
        """See `Backend.activate_version`."""
        self.store.activate_version(check_id("workflow", workflow_id), version_number)
        self.renew(workflow_id)

    def renew(self, workflow_id: str) -> None:
        """Read a workflow's versions again at the next run: one has changed."""
        for engine in list(self._family.values()):
            engine._interpreters.forget(workflow_id)
            engine._replaying.forget(workflow_id)

    def run(self, run_id: str) -> Run:
        """See `Backend.run`.

        A turn in progress is its last pair, with the events so far.
        """
        self._leases.interrupt_expired(check_id("run", run_id))
        return self.store.run(run_id)

    def record(self, run_id: str) -> LazyRun:
        """See `Backend.record`."""
        self._leases.interrupt_expired(check_id("run", run_id))
        return self.store.record(run_id)

    def revision(self, run_id: str) -> RunRevision:
        """See `Backend.revision`; a turn in progress whose lease has expired is interrupted first.

        Raises InputError where the id is malformed, and NotFoundError where there is no such run.
        """
        position = self.store.claims.position(check_id("run", run_id))
        if position.claimed is not None and self._leases.interrupt_expired(run_id):
            position = self.store.claims.position(run_id)
        turn = position.claimed
        number, count = (turn.user_turn_number, turn.event_count) if turn is not None else (None, 0)
        return RunRevision(position.status, position.turn_count, number, count)

    def find_turn(self, workflow_id: str, sent: SentTurn, record: LazyRun | None = None) -> FoundTurn:
        """See `Backend.find_turn`; the store is read in any case.

        Raises:
            InputError: An id is malformed.
            NotFoundError: There is no such run.
            ConflictError: The client turn id names a turn of another run or workflow.
        """
        check_id("workflow", workflow_id)
        if sent.run_id is not None:
            check_id("run", sent.run_id)
        self._leases.interrupt_expired()
        found = self._turns.stored.search(workflow_id, sent)
        return replace(found, outcome=_OUTCOMES.get(found.state, "unknown"))

    def runs(
        self,
        *,
        workflow_id: str | None = None,
        status: str | None = None,
        search: RunSearch | None = None,
        page: int = 1,
        size: int = 50,
    ) -> Page[Run]:
        """See `Backend.runs`; turns in progress whose lease has expired are interrupted first.

        Raises InputError where the id of the workflow is malformed.
        """
        if workflow_id is not None:
            check_id("workflow", workflow_id)
        self._leases.interrupt_expired()
        return Page(*self.store.runs(workflow_id, status, page, size, search=search))

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
        is_limited: bool = False,
    ) -> TurnStream:
        """See `Backend.execute`; the first turn of a run may be limited by its workflow.

        Raises:
            InputError: An id is malformed, or the input cannot be used.
            NotFoundError: There is no such workflow, version or run.
            RunEndedError: The run is over.
            StaleTurnError: The run has newer turns than the caller expects.
            TurnInProgressError: Another turn of the run, or a step of its background work, is being executed.
            ConflictError: The run is at a node that its version does not have any more, or the client
                turn id names a turn of another run or workflow.
            RateLimitError: The turn is limited, and the limit of its workflow is reached.
        """
        check_id("workflow", workflow_id)
        if run_id is not None:
            check_id("run", run_id)
        elif turn_input.command == "stop":
            raise InputError("There is no run to stop.", advice="Send the command with the id of a run.")
        elif expected_turn_number not in (None, 1):
            raise StaleTurnError(
                f"A new run begins with turn 1, and turn {expected_turn_number} is expected.",
                advice="Name the run, or expect turn 1.",
            )
        request = TurnRequest(
            workflow_id,
            turn_input,
            run_id,
            expected_turn_number,
            version_number,
            cancelled or threading.Event(),
            inspector,
            is_limited,
        )
        return self._turns.execute(request)

    def pump(
        self,
        workflow_id: str,
        run_id: str,
        *,
        cancelled: threading.Event | None = None,
        inspector: RunInspector | None = None,
    ) -> TurnStream:
        """See `Backend.pump`.

        Raises:
            InputError: An id is malformed, or the run is another workflow's.
            NotFoundError: There is no such workflow, version or run.
            RunEndedError: The run is over.
            TurnInProgressError: A turn of the run, or another step, is being executed.
        """
        check_id("workflow", workflow_id)
        check_id("run", run_id)
        return self._turns.pump(workflow_id, run_id, cancelled or threading.Event(), inspector)

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
        """See `Backend.fork`.

        Raises:
            InputError: The id is malformed, an edit cannot be made, or the start node is not in the version.
            NotFoundError: There is no such run, turn or version.
            ConflictError: The run is at nodes that the version does not have.
        """
        return self.forks.fork(
            check_id("run", run_id),
            turn_number,
            version_number=version_number,
            edits=edits,
            start_node_logical_id=start_node_logical_id,
            run_by=run_by,
        )

    def seed(self, run_id: str) -> int | None:
        """See `Backend.seed`.

        Raises:
            InputError: The id is malformed.
            NotFoundError: There is no such run, or it has no finished turn.
        """
        return RunState.from_json(self.store.checkpoint(check_id("run", run_id)).checkpoint).seed

    def replay(
        self, run_id: str, turn_number: int, *, cancelled: threading.Event | None = None
    ) -> list[Event]:
        """See `Backend.replay`.

        Raises:
            InputError: The id is malformed.
            NotFoundError: There is no such run or turn.
        """
        return self.forks.replay(
            check_id("run", run_id),
            turn_number,
            interpreters=self._replaying,
            cancelled=cancelled,
        )

    @property
    def engine_options(self) -> EngineOptions:
        """Return the choices of this engine."""
        return self._options

    def python_use(self, workflow_id: str, version_number: int | None = None) -> PythonUse | None:
        """Return the Python code of a version and the way it runs.

        ``None`` where Python is sandboxed, as there is nothing to decide then.

        Raises:
            NotFoundError: There is no such workflow or version.
        """
        if self._options.inline_python.mode == "sandboxed":
            return None
        number = self.store.resolve_version(check_id("workflow", workflow_id), version_number).version_number
        interpreter = self._interpreters.get_or_make(workflow_id, number)
        functions = python_functions(interpreter.workflow)
        return PythonUse(
            workflow_id,
            number,
            functions,
            interpreter.options.inline_python,
            self._permits.digest(workflow_id, number, functions),
            frozenset(answer.tool for answer in interpreter.recorded.tools),
        )

    def _interpreter(
        self, workflow_id: str, version_number: int, *, is_read_only: bool = False
    ) -> tuple[Interpreter, frozenset[str]]:
        """Make the interpreter of a version, with its nested workflows expanded.

        Its script is that of the backend, else the one that names the workflow.

        Args:
            workflow_id: The workflow.
            version_number: Its version.
            is_read_only: Block writing and contacting calls, unless they are simulated.

        Returns:
            The interpreter, and the ids of the stored workflows that are nested in it.
        """
        workflow = self.workflow(workflow_id, version_number)
        prepared = prepare(workflow, self.workflow)
        script = self._script or find_script(workflow.config.logical_id, self.settings.scripts_folder)
        interpreter = Interpreter(
            prepared.workflow,
            self._model or model_for(workflow, self.settings, script=self._script),
            self._options,
            self._world,
            load_run=self._load_run,
            open_gateway=self._gateways.for_turn(is_read_only=is_read_only),
            recorded=RecordedAnswers(
                script.answers if script else (),
                script.tool_answers if script else (),
                has_script=script is not None,
                win=self._recorded_answers_win,
            ),
            notes=prepared.notes,
        )
        return interpreter, prepared.inner_ids

    def _load_run(self, run_id: str) -> JsonObject:
        """Return the record of a run for nodes: finished turns only."""
        wire = self.run(run_id).to_wire()
        pairs = [pair for pair in wire["input_output_pairs"] if not pair.get(IN_PROGRESS)]
        return {**wire, "input_output_pairs": pairs}


def _to_be_saved(document: JsonObject) -> JsonObject:
    """Return a document as it is stored: without secret variables.

    Raises:
        WorkflowError: It is no workflow, or breaks a rule of saving.
        InputError: A node or an edge in it lacks what every one of them needs.
    """
    workflow = Workflow.from_document(document)
    reject_faulty(workflow)
    return without_secret_variables(workflow.to_wire())


def _engine_options(settings: Settings) -> EngineOptions:
    """Return the options of the engine that the settings name.

    Where Python is to be sandboxed, the sandbox is probed once per process (`python_status`).
    """
    return EngineOptions(
        max_node_runs=settings.max_node_runs,
        start_events=settings.start_events,
        dict_paths=settings.dict_paths,
        time_zone=settings.time_zone,
        inline_python=python_status(settings.inline_python),
        tool_timeout=settings.tool_timeout,
        linger_after_reply=settings.linger_after_reply,
        knowledge_folder=settings.knowledge_folder,
    )
