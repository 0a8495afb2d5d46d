"""The runner of scenarios, in this process or on a connection."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from debugger.analysis.paths import path_text
from debugger.analysis.side_effects import ledgers
from debugger.backends.base import Backend, TurnStream
from debugger.backends.embedded import EmbeddedBackend
from debugger.backends.embedded.model_selection import script_text
from debugger.engine.environment import Environment
from debugger.engine.inspection import RunInspector
from debugger.engine.mocks.interceptor import Interceptor
from debugger.engine.models import Script
from debugger.engine.models.base import Model
from debugger.engine.tools.sandbox import python_status
from debugger.errors import DebuggerError, InputError, NotFoundError, RunEndedError
from debugger.graph.checks import reject_faulty
from debugger.protocol.base import JsonObject, without_secret_variables
from debugger.protocol.runs import TurnInput, background_input
from debugger.protocol.turn_logs import TurnLog
from debugger.protocol.workflow import Workflow
from debugger.samples import SAMPLES
from debugger.scenarios.checks import check, explain, status_words
from debugger.scenarios.conversation import CheckedWorkflow, Conversation, Scope
from debugger.scenarios.judging import ConversationJudge
from debugger.scenarios.loading import LoadedScenario
from debugger.scenarios.model import Expectation, Repeat, Scenario, ScenarioTurn
from debugger.scenarios.preparation import (
    EMBEDDED,
    FrozenClock,
    check_abilities,
    check_calls,
    find_workflow,
    logical_id_of,
    mock_set,
    scenario_settings,
    turn_input,
)
from debugger.scenarios.recordings import CaseRecording, RecordMode
from debugger.scenarios.results import CheckResult, RanWorkflow, RepetitionResult, ScenarioResult
from debugger.scenarios.run_marks import mark_of
from debugger.scenarios.short_texts import shorten_between
from debugger.settings import Settings
from debugger.store import Store

_MAX_PROBLEM = 300
"""Characters of a failed answer in words."""
_FAILURES = ("failed", "aborted_looping_risk")


class ScenarioRunner:
    """Runs scenarios, for one thread at a time.

    On the embedded engine every runner has a store of its own, in memory, unless one is passed.

    Args:
        backends: Returns the backend of a connection by name; ``embedded`` is where workflows are read
            that a scenario names by id and that the runner's store does not have.
        settings: The settings of the embedded engine.
        store: Where runs of the embedded engine are kept; the caller closes it.
        judge: The model that judges, instead of the one in the settings.
        record_mode: What of recorded answers is played and recorded.
    """

    def __init__(
        self,
        backends: Callable[[str], Backend],
        settings: Settings,
        *,
        store: Store | None = None,
        judge: Model | None = None,
        record_mode: RecordMode = "none",
    ) -> None:
        """Hold what scenarios run with; without a store one in memory is made, which `close` closes."""
        self.settings = settings
        self.store = store or Store("sqlite://")
        self._owns_store = store is None
        self._record_mode = record_mode
        self._backends = backends
        self._engines: dict[tuple[Settings, str | None], _Engine] = {}
        self._workflow_ids: dict[tuple[str, str, int | None], tuple[str, int | None]] = {}
        self._checked: dict[tuple[str, str, int | None], CheckedWorkflow] = {}
        self._judge = ConversationJudge(settings, judge)
        self._has_samples = False
        self._copies: dict[str, int | None] = {}
        """Workflows of the runner's own store that are one version of those of another, with its number."""
        self._script_texts: dict[str, str] = {}
        """The scripts of workflows by logical id."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what the engines do, and close the runner's own store."""
        for engine in self._engines.values():
            engine.backend.end_turns()
        if self._owns_store:
            self.store.close()

    def backend(self, connection: str) -> Backend:
        """Return the backend that runs the scenarios of a connection, and has their runs."""
        return self._own.backend if connection == EMBEDDED else self._backends(connection)

    def workflow_id(self, loaded: LoadedScenario, connection: str = EMBEDDED) -> str:
        """Return the id of a scenario's workflow on a connection.

        Raises:
            NotFoundError: The connection does not have it.
        """
        return self._workflow(loaded, loaded.scenario, connection, self.backend(connection))[0]

    def workflow(self, loaded: LoadedScenario, connection: str) -> CheckedWorkflow:
        """Return the workflow that a scenario runs on a connection; nothing is run.

        Raises:
            InputError: The connection cannot do what the scenario needs.
            NotFoundError: It does not have the workflow.
        """
        check_abilities(loaded.scenario, connection)
        backend = self.backend(connection)
        workflow_id, version = self._workflow(loaded, loaded.scenario, connection, backend)
        return self._checked_workflow(connection, backend, workflow_id, version)

    def start(self, loaded: LoadedScenario, row_number: int | None = None) -> ScenarioRun:
        """Return a run whose turns and checks the caller makes; recorded answers are played.

        Args:
            loaded: The scenario, its placeholders filled.
            row_number: The row of which it is, from 1, by which its recorded answers are found.

        Raises:
            InputError: The connection cannot do what the scenario needs; recorded answers are not there.
        """
        scenario = loaded.scenario
        check_abilities(scenario, scenario.connection)
        recording = CaseRecording.open(loaded, row_number, "none", is_first=True)
        return self._started(loaded, scenario, scenario.connection, threading.Event(), recording)

    def run(
        self,
        loaded: LoadedScenario,
        cancelled: threading.Event | None = None,
        *,
        backend: str | None = None,
        repeat: Repeat | None = None,
    ) -> Iterator[ScenarioResult]:
        """Run a scenario and yield the result of each row; an error during a run is a result, too.

        A row during which ``cancelled`` is set has no result. Where the store was passed, each run in it is
        marked with its scenario and outcome.

        Args:
            loaded: The scenario.
            cancelled: Set from another thread to end early.
            backend: The connection to use instead of the scenario's.
            repeat: The repetitions, instead of the scenario's.

        Raises:
            InputError: The connection cannot do what the scenario needs; nothing was sent.
        """
        cancelled = cancelled or threading.Event()
        connection = backend or loaded.scenario.connection
        check_abilities(loaded.scenario, connection)
        for number, row, scenario in loaded.cases():
            if repeat is not None:
                scenario = scenario.model_copy(update={"repeat": repeat})
            times = scenario.repeat.times if scenario.repeat else 1
            repetitions = []
            for at in range(times):
                open_recording = partial(
                    CaseRecording.open, loaded, number, self._record_mode, is_first=at == 0
                )
                result = self._repetition(loaded, scenario, connection, cancelled, open_recording)
                if cancelled.is_set():
                    return
                repetitions.append(result)
                if result.run_id and not self._owns_store:
                    mark = mark_of(scenario, loaded.path.as_posix(), number, result)
                    self.store.scenario_runs.save(result.run_id, mark)
            yield ScenarioResult(scenario, loaded.path.as_posix(), row, number, repetitions)

    def _repetition(
        self,
        loaded: LoadedScenario,
        scenario: Scenario,
        connection: str,
        cancelled: threading.Event,
        open_recording: Callable[[], CaseRecording | None],
    ) -> RepetitionResult:
        """Run a scenario once; return the result, to which an expected error makes an outcome of its own.

        Warnings are added to the checks, also after an error.
        """
        began = time.perf_counter()
        run = None
        try:
            run = self._started(loaded, scenario, connection, cancelled, open_recording())
            run.execute()
            found = RepetitionResult("passed")
        except DebuggerError as caught:
            found = RepetitionResult.of_error(caught)
        found = replace(found, seconds=time.perf_counter() - began)
        if run is None:
            return found
        run.add_problems()
        if connection == EMBEDDED:
            run.add_warnings(self.settings)
        failed = found.outcome == "passed" and any(check.is_failure for check in run.checks)
        return replace(
            found,
            outcome="failed" if failed else found.outcome,
            checks=run.checks,
            run_id=run.run_id,
            turns=run.turns,
            path=run.path,
            ran=run.ran_workflow(),
        )

    def _started(
        self,
        loaded: LoadedScenario,
        scenario: Scenario,
        connection: str,
        cancelled: threading.Event,
        recording: CaseRecording | None,
    ) -> ScenarioRun:
        """Return a run of a scenario, before its first turn; clock and seed of its embedded engine are set.

        Raises:
            InputError: The workflow lacks a node of a mock, or the settings want live calls not asked for.
            NotFoundError: The connection does not have the workflow.
        """
        if connection == EMBEDDED:
            settings = scenario_settings(scenario, self.settings)
            engine = self._engine(settings, loaded.script_text, loaded.script)
            engine.clock.freeze(scenario.clock)
            engine.world.random.seed(scenario.seed)
            backend: Backend = engine.backend
        else:
            engine, backend = None, self._backends(connection)
        workflow_id, version = self._workflow(loaded, scenario, connection, backend)
        if engine is not None and version is None:  # another one may become active during the run
            version = backend.workflow_summary(workflow_id).active_version_number
        checked = self._checked_workflow(connection, backend, workflow_id, version)
        if engine is not None:
            check_calls(scenario, self.settings, checked.running)
        ran = replace(
            self._ran(loaded, connection, workflow_id, version, checked),
            made_with=scenario.made_with_version,
        )
        return ScenarioRun(
            scenario, backend, engine, workflow_id, version, checked, ran, self._judge, cancelled, recording
        )

    def _ran(
        self,
        loaded: LoadedScenario,
        connection: str,
        workflow_id: str,
        version: int | None,
        workflow: CheckedWorkflow,
    ) -> RanWorkflow:
        """Return which workflow a run of a scenario runs.

        Its digest has the script of the workflow; one that the scenario names is in the digest of its case.
        Of a connection the active version is known by the record of the run alone.

        Raises:
            InputError: The workflow's script has a mistake.
            DebuggerError: The script cannot be read.
        """
        authored, digest = workflow.graph.workflow, workflow.digest
        logical_id, name = authored.config.logical_id, authored.name
        if connection != EMBEDDED:
            return RanWorkflow(name, version, digest)
        if loaded.script is None:
            if logical_id not in self._script_texts:
                text = script_text(logical_id, self.settings.scripts_folder)
                self._script_texts[logical_id] = text
            script = self._script_texts[logical_id]
            digest = hashlib.sha256(f"{digest} {script}".encode()).hexdigest()
        if self._owns_store:
            version = None if loaded.document is not None else self._copies.get(workflow_id, version)
        return RanWorkflow(self.store.workflow_summary(workflow_id).name or name, version, digest)

    @property
    def _own(self) -> _Engine:
        """The engine by which workflows and runs are read."""
        return self._engine(self.settings)

    def _engine(self, settings: Settings, text: str | None = None, script: Script | None = None) -> _Engine:
        """Return the embedded engine of some settings and a script, made once and then shared."""
        key = settings, text
        if key not in self._engines:
            clock = FrozenClock()
            world = Environment(now=clock.now, sleep=clock.sleep)
            backend = EmbeddedBackend(
                settings, store=self.store, world=world, script=script, recorded_answers_win=True
            )
            self._engines[key] = _Engine(backend, clock, world)
        return self._engines[key]

    def _workflow(
        self, loaded: LoadedScenario, scenario: Scenario, connection: str, backend: Backend
    ) -> tuple[str, int | None]:
        """Return the id of the workflow and the version to run.

        Both are looked up once for each connection and version. The version is ``None`` for the active one.
        The document of a scenario's file is stored on the embedded engine, and found by its logical id on any
        other connection.

        Raises:
            NotFoundError: The connection does not have it.
        """
        document, wanted = loaded.document, scenario.workflow_version
        key = connection, scenario.workflow if document is None else loaded.document_text, wanted
        if key not in self._workflow_ids:
            if document is not None and connection == EMBEDDED:
                self._workflow_ids[key] = self._store_document(document, Path(scenario.workflow).name)
            else:
                name = scenario.workflow if document is None else document.config.logical_id
                self._workflow_ids[key] = self._find(name, wanted, connection, backend)
        return self._workflow_ids[key]

    def _find(
        self, name: str, version: int | None, connection: str, backend: Backend
    ) -> tuple[str, int | None]:
        """Return the id of a workflow by its id, logical id or name, and its version on the backend.

        A runner with a store of its own first puts the samples there, and then a copy of the version of a
        workflow that only the embedded connection has.

        Raises:
            NotFoundError: There is no such workflow.
        """
        if connection != EMBEDDED:
            return find_workflow(name, backend), version
        if not self._has_samples and self._owns_store:
            self._has_samples = True
            for sample in SAMPLES:
                first, *later = sample.load_documents()
                sample_id = self.store.create_workflow(first).id
                for document in later:
                    self.store.create_version(sample_id, document=document, mark_as_active=True)
        try:
            if (found := find_workflow(name, backend)) not in self._copies:
                return found, version
        except NotFoundError:
            if not self._owns_store:
                raise
        source = self._backends(EMBEDDED)
        original = source.workflow_summary(find_workflow(name, source))
        number = original.active_version_number if version is None else version
        stored = source.workflow(original.id, number)  # it may break a rule of saving
        copy = self.store.create_workflow(stored.to_wire(), name=original.name)
        self._copies[copy.id] = number
        return copy.id, None

    def _store_document(self, workflow: Workflow, name: str) -> tuple[str, int | None]:
        """Store a workflow, or find it stored; return its id and version.

        In a store that was passed, a workflow of the same logical id gets a new version, unless it has an
        equal one.

        Raises:
            WorkflowError: It is not stored, and breaks a rule of saving.
        """
        backend = self._own.backend
        document = workflow.to_wire()
        if self._owns_store:  # it is gone with the runner: the run itself warns of broken rules
            kept = backend.store.create_workflow(without_secret_variables(document))
            return kept.id, kept.active_version_number
        for row in backend.workflows():
            if logical_id_of(row.id, backend) != workflow.config.logical_id:
                continue
            for each in reversed(backend.versions(row.id)):
                if backend.workflow(row.id, each.version_number).to_wire() == document:
                    return row.id, each.version_number
            if workflow.config.logical_id:
                reject_faulty(workflow)
                version = backend.store.create_version(row.id, document=document, version_name=name)
                return row.id, version.version_number
        created = backend.create_workflow(document)
        return created.id, created.active_version_number

    def _checked_workflow(
        self, connection: str, backend: Backend, workflow_id: str, version: int | None
    ) -> CheckedWorkflow:
        """Return a workflow with its super nodes expanded; each version is read once per connection.

        Raises `DebuggerError` where the backend does not have it or a super node cannot be expanded.
        """
        key = (connection, workflow_id, version)
        if key not in self._checked:
            authored = backend.workflow(workflow_id, version)
            self._checked[key] = CheckedWorkflow.expanded(authored, backend.workflow)
        return self._checked[key]


@dataclass(frozen=True)
class _Engine:
    """An embedded engine with its time and chance."""

    backend: EmbeddedBackend
    clock: FrozenClock
    world: Environment


class ScenarioRun:
    """One run of a scenario with one row."""

    def __init__(
        self,
        scenario: Scenario,
        backend: Backend,
        engine: _Engine | None,
        workflow_id: str,
        version: int | None,
        workflow: CheckedWorkflow,
        ran: RanWorkflow,
        judge: ConversationJudge,
        cancelled: threading.Event,
        recording: CaseRecording | None = None,
    ) -> None:
        """Hold scenario, backend and workflow, and make its mocks; no turn is sent yet.

        Raises `InputError` where a mock names a node that the workflow does not have or has several times.
        """
        self.checks: list[CheckResult] = []
        self.run_id: str | None = None
        """``None`` before the first turn."""
        self.turns = 0
        self._ran = ran
        self._scenario = scenario
        self._backend = backend
        self._engine = engine
        self._workflow_id = workflow_id
        self._version = version
        self._judge = judge
        self._cancelled = cancelled
        self._first_log = 0
        self._conversation = Conversation(workflow, self._ledgers)
        self._mocks = mock_set(scenario.mocks, workflow)
        self._recording = recording
        self._interceptor = Interceptor(self._mocks, recorder=recording.recorder if recording else None)
        self._known_misses = 0

    @property
    def path(self) -> str:
        """The nodes and edges of the run, in words."""
        return path_text(self._conversation.steps(self._conversation.scope(None)))

    @property
    def has_misses(self) -> bool:
        """Return whether a call had no recorded answer, as the run has left the recorded one."""
        return self._recording is not None and bool(self._recording.recorder.misses)

    def take_turn(self, turn: ScenarioTurn) -> None:
        """Execute one turn, or its steps of background work, without its checks.

        Raises:
            RunEndedError: The run has ended.
            InputError: Background work is asked for before the first turn.
        """
        self._first_log = len(self._conversation.logs)
        for _ in range(turn.advance or 0):
            self._advance()
        if turn.advance is not None:
            return
        sent = turn_input(self._scenario, turn, is_first=self.run_id is None)
        stream = self._backend.execute(
            self._workflow_id,
            sent,
            run_id=self.run_id,
            version_number=None if self.run_id else self._version,
            cancelled=self._cancelled,
            inspector=self._inspector(),
        )
        self.turns += 1
        self._take(stream, sent, is_background=False)

    def check(self, expectation: Expectation, *, is_at_end: bool = False) -> CheckResult:
        """Check an expectation on the last turn, or on the whole run."""
        scope = self._scope(None if is_at_end else self.turns)
        return check(expectation, self._conversation, scope, self._judge)

    def ran_workflow(self) -> RanWorkflow:
        """Return which workflow the run ran; the number of a connection's active version is in its record.

        Without a record that can be read the number is not known.
        """
        if self._version is not None or self.run_id is None:
            return self._ran
        try:
            number = self._backend.run(self.run_id).version_number
        except DebuggerError:
            return self._ran
        digest = hashlib.sha256(f"{self._ran.digest} {number}".encode()).hexdigest()
        return replace(self._ran, version=number, digest=digest)

    def execute(self) -> None:
        """Send the turns and check them; stop after a turn that failed, and when the run is cancelled.

        A turn that an ended run does not take is a failed check. At the end mocks and recorded answers that
        were not used are warnings, and the answers of the run are recorded where they are to be.

        Raises:
            InputError: An expectation names a node or an edge that the workflow does not have, or the file of
                recorded answers cannot be written.
            DebuggerError: A turn cannot be executed, or no model can judge.
        """
        for number, turn in enumerate(self._scenario.turns, start=1):
            try:
                self.take_turn(turn)
            except RunEndedError:
                result = self._conversation.result
                got = f"a run that has ended: {result.status if result is not None else 'ended'}"
                self._add_failed("that the run takes this turn", got, number)
                return
            if self._cancelled.is_set():
                return
            self._check(turn.expect, number)
            if any(check.is_failure for check in self.checks):
                return
        self._check(self._scenario.expect, None)
        self._check_mocks()
        if self._recording is not None:
            self._check_recording(self._recording)
            self._recording.keep(self._conversation.workflow.running)

    def add_warnings(self, settings: Settings) -> None:
        """Add warnings to the checks: answers not used, built-in rules that answered, no model called.

        They are about what answered otherwise than the author of script and scenario may think.

        Args:
            settings: Those of the process.
        """
        recorded, recording = self._interceptor.recorded, self._recording
        answers = [(each.label, f"to {each.target.text!r}") for each in recorded.calls]
        # In a sandbox the code itself answers; the script of a sample has answers for many scenarios.
        if self._scenario.script and python_status(settings.inline_python).mode != "sandboxed":
            answers += [(each.label, f"of the tool {each.tool!r}") for each in recorded.tools]
        for label, what in answers:
            if recording is not None and recording.plays:  # which answers before the script does
                break
            if label not in self._interceptor.used:
                expected = f"that {label}, {what}, is used"
                got = "no call that it fits"
                self._add_warning("A recorded answer was not used", label, expected, got)
        if recorded.has_script and (settings.responder != "rules" or self._scenario.script):
            for label, event in self._conversation.answers_of_built_in_rules().items():
                expected = f"that a rule of the script fits at the node {label!r}"
                self._add_warning("The script did not answer", label, expected, "the built-in rules", event)
        if self._scenario.calls.talk is None and self._conversation.has_simulated_models:
            expected = "`calls: {talk: live}` in the scenario, or `{talk: simulated}`"
            got = "script and built-in rules, as scenarios simulate calls to models"
            self._add_warning("No model was called", "model", expected, got)

    def _add_warning(
        self, message: str, name: str, expected: str, got: str, event: int | None = None
    ) -> None:
        rule = Expectation(reached=[name], soft=True, message=message)
        self.checks.append(CheckResult(rule, None, False, expected, got, event))

    def _advance(self) -> None:
        """Execute one step of background work; a frozen clock moves to the time when it is due.

        Raises:
            InputError: No turn was executed yet.
        """
        result = self._conversation.result
        if self.run_id is None or result is None:
            raise InputError(
                "There is no background work before the first turn.", advice="Begin with 'say' or 'send'."
            )
        if self._engine is not None and result.next_due is not None:
            self._engine.clock.move_to(result.next_due)
        stream = self._backend.pump(
            self._workflow_id, self.run_id, cancelled=self._cancelled, inspector=self._inspector()
        )
        self._take(stream, background_input(), is_background=True)

    def _take(self, stream: TurnStream, turn_input: TurnInput, *, is_background: bool) -> None:
        events = [event for event in stream if event.is_persisted]
        result = stream.finish()
        self.run_id = result.run_id
        self._conversation.add(TurnLog(self.turns, turn_input, events, is_background), result)

    def _inspector(self) -> RunInspector | None:
        return RunInspector(self._interceptor) if self._engine is not None else None

    def _scope(self, turn: int | None) -> Scope:
        return self._conversation.scope(turn, first_log=0 if turn is None else self._first_log)

    def _check(self, expected: list[Expectation], turn: int | None) -> None:
        """Add the checks of a turn, one of a failed run first, or with ``None`` those of the end.

        Raises:
            InputError: The first expectation with a mistake, once all others are checked.
        """
        scope = self._scope(turn)
        if turn is not None and not self._check_misses(turn):
            self._check_failure(turn)
        mistake: InputError | None = None
        for expectation in expected:
            try:
                self.checks.append(check(expectation, self._conversation, scope, self._judge))
            except InputError as error:  # the checks beside it tell what is wrong, too
                place = "At the end" if turn is None else f"Turn {turn}"
                mistake = mistake or InputError(
                    f"{place}, {expectation.kind}: {error.message}", advice=error.advice
                )
        if mistake is not None:
            raise mistake

    def _check_misses(self, turn: int) -> bool:
        """Add a check for each call without a recorded answer; return whether one stopped the run.

        Where another answer was used, or the call was made, it is a warning.
        """
        if self._recording is None or not self._recording.plays:
            return False
        recorder = self._recording.recorder
        found = recorder.misses[self._known_misses :]
        self._known_misses = len(recorder.misses)
        expected = "a recorded answer for each call"
        for miss in found:
            if recorder.on_miss == "stop":
                self._add_failed(expected, miss.text, turn)
            else:
                followed = "The call was made" if recorder.on_miss == "live" else "Another answer was used"
                self._add_warning(followed, miss.request.node, expected, miss.text)
        return bool(found) and recorder.on_miss == "stop"

    def _check_recording(self, recording: CaseRecording) -> None:
        """Add a warning where recorded answers were not used."""
        unused = recording.recorder.unused
        if recording.plays and unused:
            request = unused[0].request
            got = f"{len(unused)} that were not; the first is of {request.label}"
            expected = "that each recorded answer is used"
            self._add_warning("A recorded answer was not used", request.node, expected, got)

    def _check_failure(self, number: int) -> None:
        """Add a failed check where the run has failed and no expectation names that status."""
        result = self._conversation.result
        assert result is not None
        scenario = self._scenario
        expectations = [*scenario.expect, *(each for turn in scenario.turns for each in turn.expect)]
        expected = {each.status for each in expectations}
        if result.status in _FAILURES and result.status not in expected:
            self._add_failed("that the run does not fail", status_words(result), number)

    def _check_mocks(self) -> None:
        for mock in self._mocks.unused:
            target = mock.target
            expected = f"that the mock of the {target.kind} {target.name!r} is used"
            self._add_warning("A mock was not used", target.node or target.name, expected, "no call of it")

    def add_problems(self) -> None:
        """Add a warning to the checks for each failed answer, whatever the workflow made of it."""
        expected = "no failed answer and no warning of unknown cause"
        for row, trouble, whole in self._conversation.unexpected_problems():
            rule = Expectation(reached=[row.node_name or trouble.kind], soft=True, message=trouble.label)
            words = shorten_between(whole, _MAX_PROBLEM)
            got = f"at {row.node_name!r}: {words}" if row.node_name else words
            self.checks.append(CheckResult(rule, row.turn_number, False, expected, got, row.index))

    def _add_failed(self, expected: str, got: str, turn: int) -> None:
        last = self._conversation.event_count - 1 if self._conversation.event_count else None
        rule = Expectation(status="running")
        why = explain(rule, self._conversation, self._scope(turn))
        self.checks.append(CheckResult(rule, turn, False, expected, got, last, why))

    def _ledgers(self) -> dict[str, list[JsonObject]]:
        return ledgers(self._backend.run(self.run_id)) if self.run_id else {}
